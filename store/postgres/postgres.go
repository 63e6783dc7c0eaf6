// Package postgres keeps the store in PostgreSQL, for an installation with
// more than one control-plane node. Any number of processes may share one
// database; version 15 or newer.
//
// A writer holds the one row of table head from its first statement to its
// commit, so the order of numbers is the order of commits, over all processes.
// Watchers are woken by LISTEN and NOTIFY, and look by themselves every second
// in case a message was lost. Connections that broke are made anew. The
// statements are those of package sqlstore.
package postgres

import (
	"context"
	"embed"
	"fmt"
	"time"

	"gatehouse"
	"gatehouse/store"
	"gatehouse/store/sqlstore"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Open connects to the database at url, "postgres://user@host/name?sslmode=…"
// with the parameters of libpq and of pgxpool, and brings its tables up to
// date; several processes may do so at once.
func Open(ctx context.Context, url string) (store.DB, error) {
	config, err := configure(url)
	if err != nil {
		return nil, gatehouse.E(gatehouse.Invalid, "opening the PostgreSQL database: %w", err) // pgx leaves the password out
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, gatehouse.E(gatehouse.Invalid, "opening the PostgreSQL database: %w", err)
	}
	if err := migrate(ctx, pool); err != nil {
		pool.Close()
		return nil, gatehouse.E(kind(err), "opening the PostgreSQL database: %w", err)
	}
	e := &engine{pool: pool, place: newPlace(), moved: make(chan struct{})}
	e.listen()
	return sqlstore.New(e), nil
}

// settings of a session, unless the URL says otherwise. They bound how long a
// process that hangs can stand in the way of others.
var settings = map[string]string{
	"application_name":                    "gatehouse",
	"lock_timeout":                        "10s", // in line behind other writers
	"statement_timeout":                   "60s",
	"idle_in_transaction_session_timeout": "15s", // a writer that was stopped gives up its place
}

func configure(url string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	for name, value := range settings {
		if _, said := config.ConnConfig.RuntimeParams[name]; !said {
			config.ConnConfig.RuntimeParams[name] = value
		}
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = 5 * time.Second
	}
	config.PingTimeout = 2 * time.Second
	config.MaxConns = max(config.MaxConns, 8)
	// What is acknowledged must survive power loss, whatever the server's default.
	config.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`)
		return err
	}
	return config, nil
}

// migration is the key of the lock under which one process migrates.
const migration = 0x6761746568 // "gateh"

func migrate(ctx context.Context, pool *pgxpool.Pool) error {
	tx, err := pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) // it only holds the lock
	for _, s := range []string{
		`SET LOCAL lock_timeout = 0`, `SET LOCAL statement_timeout = 0`, `SET LOCAL idle_in_transaction_session_timeout = 0`,
		fmt.Sprintf(`SELECT pg_advisory_xact_lock(%d)`, migration),
	} {
		if _, err := tx.Exec(ctx, s); err != nil {
			return err
		}
	}
	db := stdlib.OpenDBFromPool(pool)
	defer db.Close() // not the pool
	return sqlstore.Migrate(ctx, sqlstore.Postgres, db, migrations)
}
