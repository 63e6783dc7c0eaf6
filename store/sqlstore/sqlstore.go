// Package sqlstore is the store over SQL: the statements that SQLite and
// PostgreSQL share, said once.
//
// An [Engine] brings connections, transactions and what its database means by
// an error; this package brings the tables' use. Every writing transaction
// begins with an update of the one row of table head. It is held until the
// commit, so writers stand in line: numbers have no gap, and what a reader can
// see has no batch missing below it.
package sqlstore

import (
	"context"
	"errors"
	"time"

	"gatehouse"
	"gatehouse/store"
)

// A Statement is SQL with $1, $2 … for its arguments.
type Statement struct {
	SQL  string
	Args []any
}

// A Conn is a connection in the hands of one goroutine. Arguments and columns
// are int64, string and []byte; nil stands for NULL.
type Conn interface {
	// Query calls row for each row; scan fills pointers in the columns' order.
	Query(ctx context.Context, s Statement, row func(scan func(...any) error) error) error
	// Exec runs statements in order, in one exchange where the engine can.
	Exec(ctx context.Context, statements ...Statement) error
}

// An Engine is a database.
type Engine interface {
	// Read lends a connection for one statement that changes nothing.
	Read(ctx context.Context, f func(Conn) error) error
	// Snapshot lends a connection whose statements all see one state.
	Snapshot(ctx context.Context, f func(Conn) error) error
	// Patient is Snapshot for a statement that may run for minutes.
	Patient(ctx context.Context, f func(Conn) error) error
	// Write runs f in a transaction, commits it durably and wakes watchers of
	// the number that f returns. When f fails nothing is written.
	Write(ctx context.Context, f func(Conn) (store.Seq, error)) error
	// Moved returns a channel that closes when the head may have moved.
	Moved() <-chan struct{}
	// Kind says what an error of the database means to the caller.
	Kind(error) gatehouse.ErrorKind
	Close() error
}

// DB is a store.DB on an engine.
type DB struct{ engine Engine }

// New returns the store on an engine whose tables are in place.
func New(e Engine) *DB { return &DB{e} }

// fail turns what an engine reports into an error of ours.
func (d *DB) fail(doing string, err error) error {
	if err == nil {
		return nil
	}
	if _, ours := errors.AsType[*gatehouse.Error](err); ours {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return gatehouse.E(gatehouse.Unavailable, "%s: %w", doing, err)
	}
	advice := "" // what to do, where the engine knows
	if e, ok := d.engine.(interface{ Advice(error) string }); ok {
		advice = e.Advice(err)
	}
	return gatehouse.E(d.engine.Kind(err), "%s: %w%s", doing, err, advice)
}

// Turn implements store.Turner; an engine with one process needs none.
func (d *DB) Turn(ctx context.Context, name string) (done func()) {
	if e, ok := d.engine.(store.Turner); ok {
		return e.Turn(ctx, name)
	}
	return func() {}
}

// Process implements store.Roll; an engine with one process keeps none.
func (d *DB) Process() string {
	if e, ok := d.engine.(store.Roll); ok {
		return e.Process()
	}
	return ""
}

// Gone implements store.Roll.
func (d *DB) Gone(ctx context.Context, process string) bool {
	e, ok := d.engine.(store.Roll)
	return ok && e.Gone(ctx, process)
}

// query is for one statement outside of a transaction.
func (d *DB) query(ctx context.Context, doing string, s Statement, row func(scan func(...any) error) error) error {
	return d.fail(doing, d.engine.Read(ctx, func(c Conn) error { return c.Query(ctx, s, row) }))
}

func readHead(ctx context.Context, c Conn) (h store.Head, err error) {
	err = c.Query(ctx, Statement{SQL: `SELECT seq, event, hash FROM head WHERE id = 1`}, func(scan func(...any) error) error {
		return scan((*int64)(&h.Seq), &h.Event, &h.Hash)
	})
	return h, err
}

// Head implements store.DB.
func (d *DB) Head(ctx context.Context) (h store.Head, err error) {
	err = d.engine.Read(ctx, func(c Conn) error {
		h, err = readHead(ctx, c)
		return err
	})
	return h, d.fail("reading the head", err)
}

// AsOf implements store.DB.
func (d *DB) AsOf(ctx context.Context, t time.Time) (at store.Seq, err error) {
	s := Statement{`SELECT seq FROM batch WHERE time <= $1 ORDER BY time DESC, seq DESC LIMIT 1`, []any{t.UnixMicro()}}
	err = d.query(ctx, "looking for a moment", s, func(scan func(...any) error) error { return scan((*int64)(&at)) })
	return at, err
}

// Wait implements store.DB.
func (d *DB) Wait(ctx context.Context, seq store.Seq) error {
	for {
		moved := d.engine.Moved() // before looking, so that nothing is missed
		head, err := d.Head(ctx)
		if err != nil || head.Seq > seq {
			return err
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return d.fail("waiting for changes", ctx.Err())
		}
	}
}

// Close implements store.DB.
func (d *DB) Close() error { return d.fail("closing the store", d.engine.Close()) }
