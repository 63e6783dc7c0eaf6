package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strconv"
	"strings"

	"gatehouse/store"
	"gatehouse/store/sqlstore"
)

// conn is a connection of either pool.
type conn struct{ c *sql.Conn }

// marked is the statement in SQLite's form: "?" for each argument when they
// stand in order, each once, else "?1" for "$1". To bind one that has a name,
// and "?1" is one, the driver walks past all before it: with thousands of them
// that held the database for seconds.
func marked(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	rest := text
	for n := 1; ; n++ {
		before, after, found := strings.Cut(rest, "$")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		digits := len(after) - len(strings.TrimLeft(after, "0123456789"))
		if after[:digits] != strconv.Itoa(n) {
			return strings.ReplaceAll(text, "$", "?")
		}
		b.WriteByte('?')
		rest = after[digits:]
	}
}

func (c conn) Query(ctx context.Context, s sqlstore.Statement, row func(scan func(...any) error) error) error {
	rows, err := c.c.QueryContext(ctx, marked(s.SQL), s.Args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (c conn) Exec(ctx context.Context, statements ...sqlstore.Statement) error {
	for _, s := range statements {
		if _, err := c.c.ExecContext(ctx, marked(s.SQL), s.Args...); err != nil {
			return err
		}
	}
	return nil
}

// within runs f on a connection between two statements. Whatever goes wrong,
// the connection goes back without a transaction, or not at all: a commit that
// the disk has no room for leaves one open, some errors have ended it already.
func within(ctx context.Context, db *sql.DB, begin, commit string, f func(sqlstore.Conn) error) error {
	c, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	done := false
	defer func() { // also when f panics
		if !done {
			end(c)
		}
	}()
	// The driver answers that ctx has ended also when the transaction began just
	// before: whatever it says, one may be open from here on.
	if _, err := c.ExecContext(ctx, begin); err != nil {
		return err
	}
	if err := f(conn{c}); err != nil {
		return err
	}
	// From here on the answer is the database's: a caller who goes away now
	// must not make a commit that happened look as if it had not.
	if _, err := c.ExecContext(context.WithoutCancel(ctx), commit); err != nil {
		return err
	}
	done = true
	return nil
}

// end rolls back what is open, and gives the connection up if that fails.
func end(c *sql.Conn) {
	_, err := c.ExecContext(context.Background(), "ROLLBACK")
	if err != nil && !strings.Contains(err.Error(), "no transaction is active") {
		c.Raw(func(any) error { return driver.ErrBadConn })
	}
}

func (e *engine) Read(ctx context.Context, f func(sqlstore.Conn) error) error {
	c, err := e.readers.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return f(conn{c})
}

func (e *engine) Snapshot(ctx context.Context, f func(sqlstore.Conn) error) error {
	return within(ctx, e.readers, "BEGIN", "COMMIT", f)
}

// Patient is Snapshot: nothing bounds a statement but its context.
func (e *engine) Patient(ctx context.Context, f func(sqlstore.Conn) error) error {
	return e.Snapshot(ctx, f)
}

func (e *engine) Write(ctx context.Context, f func(sqlstore.Conn) (store.Seq, error)) error {
	err := within(ctx, e.writer, "BEGIN IMMEDIATE", "COMMIT", func(c sqlstore.Conn) error {
		_, err := f(c)
		return err
	})
	if err == nil {
		e.wake()
	}
	return err
}
