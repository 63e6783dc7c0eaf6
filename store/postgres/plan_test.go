package postgres

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"gatehouse/store/postgres/pgtest"
	"gatehouse/store/sqlstore"
	"gatehouse/store/storetest"
)

// planned is an engine that asks for the plan of each statement it reads by.
type planned struct {
	*engine
	plans *[]string
}

func (p planned) Read(ctx context.Context, f func(sqlstore.Conn) error) error {
	return p.engine.Read(ctx, func(c sqlstore.Conn) error { return f(planning{c, p.plans}) })
}

func (p planned) Snapshot(ctx context.Context, f func(sqlstore.Conn) error) error {
	return p.engine.Snapshot(ctx, func(c sqlstore.Conn) error { return f(planning{c, p.plans}) })
}

type planning struct {
	sqlstore.Conn
	plans *[]string
}

func (p planning) Query(ctx context.Context, s sqlstore.Statement, row func(scan func(...any) error) error) error {
	plan := ""
	err := p.Conn.Query(ctx, sqlstore.Statement{SQL: "EXPLAIN " + s.SQL, Args: s.Args}, func(scan func(...any) error) error {
		var line string
		err := scan(&line)
		plan += line + "\n"
		return err
	})
	if err != nil {
		return err
	}
	*p.plans = append(*p.plans, plan+"\t"+s.SQL)
	return p.Conn.Query(ctx, s, row)
}

// TestHotReadsScanNoTable holds that what requests wait for goes along an index
// once tables have grown and their statistics are known, and counts no kind.
func TestHotReadsScanNoTable(t *testing.T) {
	url := pgtest.URL(t)
	db, err := Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	storetest.Fill(t, db, 20_000)
	config, err := configure(url)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec(t.Context(), "ANALYZE"); err != nil {
		t.Fatal(err)
	}
	var plans []string
	looked := 0
	storetest.HotReads(t, sqlstore.New(planned{&engine{pool: pool, moved: make(chan struct{})}, &plans}), func(name string, read func() error) {
		plans = nil
		if err := read(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, p := range plans {
			looked++
			for _, table := range []string{"record", "history", "entry", "event"} {
				if strings.Contains(p, "Seq Scan on "+table+" ") || strings.Contains(p, "count(*) FROM "+table) {
					t.Errorf("%s: %s", name, p)
				}
			}
		}
	})
	if looked < 30 {
		t.Errorf("looked at %d statements only", looked)
	}
}
