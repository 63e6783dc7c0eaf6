package postgres

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"gatehouse/store"
	"gatehouse/store/sqlstore"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

type engine struct {
	pool  *pgxpool.Pool
	place place

	stop func() // ends the listener and waits for it

	mu    sync.Mutex // guards moved
	moved chan struct{}
}

// A querier is a connection or a transaction of pgx.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

type conn struct {
	q       querier
	touched bool // a row has been handed over
}

func (c *conn) Query(ctx context.Context, s sqlstore.Statement, row func(scan func(...any) error) error) error {
	rows, err := c.q.Query(ctx, s.SQL, s.Args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		c.touched = true
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (c *conn) Exec(ctx context.Context, statements ...sqlstore.Statement) error {
	var b pgx.Batch
	for _, s := range statements {
		b.Queue(s.SQL, s.Args...)
	}
	return c.q.SendBatch(ctx, &b).Close()
}

// Read lends a connection. One that the server closed while it lay in the pool
// is noticed only when it is used; then all of its age are dropped and the
// read, of which nothing has been seen yet, is done once more.
func (e *engine) Read(ctx context.Context, f func(sqlstore.Conn) error) error {
	for again := false; ; again = true {
		c, err := e.pool.Acquire(ctx)
		if err != nil {
			return err
		}
		lent := &conn{q: c}
		err = f(lent)
		broken := c.Conn().IsClosed()
		c.Release()
		if err == nil || !broken || lent.touched || again || ctx.Err() != nil {
			return err
		}
		e.pool.Reset()
	}
}

// begin starts a transaction, on a fresh connection if need be.
func (e *engine) begin(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error) {
	tx, err := e.pool.BeginTx(ctx, o)
	if err != nil && ctx.Err() == nil {
		e.pool.Reset()
		tx, err = e.pool.BeginTx(ctx, o)
	}
	return tx, err
}

// rollback ends what is open. It gets a moment even when the caller has gone:
// otherwise the connection, and with it a place in line, would hang on.
func rollback(ctx context.Context, tx pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = tx.Rollback(ctx) // on failure pgx closes the connection
}

func (e *engine) Snapshot(ctx context.Context, f func(sqlstore.Conn) error) error {
	tx, err := e.begin(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return err
	}
	defer rollback(ctx, tx)
	return f(&conn{q: tx})
}

func (e *engine) Patient(ctx context.Context, f func(sqlstore.Conn) error) error {
	return e.Snapshot(ctx, func(c sqlstore.Conn) error {
		if err := c.Exec(ctx, sqlstore.Statement{SQL: `SET LOCAL statement_timeout = 0`}); err != nil {
			return err
		}
		return f(c)
	})
}

func (e *engine) Write(ctx context.Context, f func(sqlstore.Conn) (store.Seq, error)) error {
	// Read committed: each statement sees what was committed before it began,
	// and all but the first begin when no other writer is under way.
	tx, err := e.begin(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite})
	if err != nil {
		return err
	}
	defer rollback(ctx, tx)
	seq, err := f(&conn{q: tx})
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `SELECT pg_notify($1, $2)`, channel, strconv.FormatInt(int64(seq), 10)); err != nil {
		return err
	}
	// A caller who goes away now must not make a commit that happened look as
	// if it had not.
	sure, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if err := tx.Commit(sure); err != nil {
		return errors.Join(errCommit, err)
	}
	e.wake()
	return nil
}

// errCommit goes with an error that leaves open whether the batch is kept.
var errCommit = errors.New("the commit was not confirmed; read again before trying again")

func (e *engine) Close() error {
	e.stop()
	e.pool.Close()
	e.wake()
	return nil
}
