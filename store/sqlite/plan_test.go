package sqlite

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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
	err := p.Conn.Query(ctx, sqlstore.Statement{SQL: "EXPLAIN QUERY PLAN " + s.SQL, Args: s.Args}, func(scan func(...any) error) error {
		var id, parent, unused int64
		var detail string
		err := scan(&id, &parent, &unused, &detail)
		*p.plans = append(*p.plans, detail+"\n\t"+s.SQL)
		return err
	})
	if err != nil {
		return err
	}
	return p.Conn.Query(ctx, s, row)
}

// harmless are steps that go through no table: of what was selected, of nothing,
// and along the trail's own order up to a limit.
var harmless = []string{"SCAN CONSTANT ROW", "SCAN SUBQUERY", "SCAN few", "SCAN event\n\tSELECT number, seq, time, actor, action, object, team, outcome, body FROM event WHERE true ORDER BY number DESC LIMIT"}

// TestHotReadsScanNoTable holds that what requests wait for goes along an index,
// sorts nothing that an index has in order, and counts no kind.
func TestHotReadsScanNoTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gatehouse.db")
	db, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	storetest.Fill(t, db, 4000)
	var plans []string
	e := &engine{moved: make(chan struct{})}
	if err := e.connect(path, nil); err != nil {
		t.Fatal(err)
	}
	defer func() { e.readers.Close(); e.writer.Close() }()
	looked := 0
	storetest.HotReads(t, sqlstore.New(planned{e, &plans}), func(name string, read func() error) {
		plans = nil
		if err := read(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, p := range plans {
			looked++
			if scans := strings.HasPrefix(p, "SCAN ") && !strings.Contains(p, "USING"); scans && !slices.ContainsFunc(harmless, func(s string) bool { return strings.HasPrefix(p, s) }) {
				t.Errorf("%s: %s", name, p)
			}
			if strings.Contains(p, "count(*) FROM record") || strings.Contains(p, "count(*) FROM entry") {
				t.Errorf("%s: %s", name, p)
			}
			if strings.HasPrefix(p, "USE TEMP B-TREE FOR ORDER BY") && !strings.Contains(name, "sorted among") {
				t.Errorf("%s: %s", name, p)
			}
		}
	})
	if looked < 30 {
		t.Errorf("looked at %d steps only", looked)
	}
}
