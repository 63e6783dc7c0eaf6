// Package sqlite keeps the store in one file beside the program: the database
// of an installation with one control-plane node, with nothing to install.
//
// One connection writes and several read, so that no reader waits for the
// writer nor the other way round (WAL). Each commit is synced before it is
// answered (synchronous=FULL). One process has the file at a time; a second
// one is refused. The statements are those of package sqlstore.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"gatehouse"
	"gatehouse/filelock"
	"gatehouse/store"
	"gatehouse/store/sqlstore"

	_ "modernc.org/sqlite" // driver "sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Open opens the database at path, makes it if there is none, and brings its
// tables up to date. Beside it lie path-wal, path-shm and path.lock.
func Open(ctx context.Context, path string) (store.DB, error) {
	return open(ctx, path, nil)
}

// open is Open with other pragmas, for tests.
func open(ctx context.Context, path string, more map[string]string) (_ store.DB, err error) {
	doing := fmt.Sprintf("opening database %q", path)
	path, err = filepath.Abs(path)
	if err != nil {
		return nil, gatehouse.E(gatehouse.Invalid, "%s: %w", doing, err)
	}
	lock, err := filelock.Take(path + ".lock")
	if errors.Is(err, filelock.ErrHeld) {
		return nil, gatehouse.E(gatehouse.Unavailable, "%s: it is %w; one process has a data directory at a time, use PostgreSQL for more", doing, err)
	}
	if err != nil {
		return nil, gatehouse.E(gatehouse.Unavailable, "%s: %w", doing, err)
	}
	e := &engine{lock: lock, moved: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()
	// 0600 from the start: the file holds hashes of keys.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, gatehouse.E(gatehouse.Unavailable, "%s: %w", doing, err)
	}
	if err := f.Close(); err != nil {
		return nil, gatehouse.E(gatehouse.Unavailable, "%s: %w", doing, err)
	}
	if err := e.connect(path, more); err != nil {
		return nil, gatehouse.E(e.Kind(err), "%s: %w", doing, err)
	}
	if err := sqlstore.Migrate(ctx, sqlstore.SQLite, e.writer, migrations); err != nil {
		return nil, gatehouse.E(kindOr(err, e.Kind), "%s: %w", doing, err)
	}
	return sqlstore.New(e), nil
}

// kindOr is the kind that err says itself, or else what the engine says of it.
func kindOr(err error, kind func(error) gatehouse.ErrorKind) gatehouse.ErrorKind {
	if e, ok := errors.AsType[*gatehouse.Error](err); ok {
		return e.Kind
	}
	return kind(err)
}

// pragmas of every connection.
var pragmas = map[string]string{
	"busy_timeout":       "10000", // milliseconds to wait for a lock that another program holds
	"journal_mode":       "WAL",
	"synchronous":        "FULL",     // sync each commit before it is answered
	"cache_size":         "-16000",   // KiB
	"journal_size_limit": "67108864", // bytes that the log is cut back to
	"temp_store":         "MEMORY",
}

// connect makes the writer and the readers. They dial when first used.
func (e *engine) connect(path string, more map[string]string) (err error) {
	all := maps.Clone(pragmas)
	maps.Copy(all, more)
	if e.writer, err = sql.Open("sqlite", address(path, all)); err != nil {
		return err
	}
	e.writer.SetMaxOpenConns(1)
	all["query_only"] = "true"
	if e.readers, err = sql.Open("sqlite", address(path, all)); err != nil {
		return err
	}
	n := max(4, runtime.GOMAXPROCS(0))
	e.readers.SetMaxOpenConns(n)
	e.readers.SetMaxIdleConns(n)
	return nil
}

// address is path as a URI, so that "?" and "%" in it are only letters.
func address(path string, pragmas map[string]string) string {
	q := url.Values{}
	for name, value := range pragmas {
		q.Add("_pragma", name+"("+value+")")
	}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: q.Encode()}
	return u.String()
}

type engine struct {
	writer, readers *sql.DB
	lock            io.Closer

	mu    sync.Mutex // guards moved
	moved chan struct{}
}

func (e *engine) Moved() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.moved
}

func (e *engine) wake() {
	e.mu.Lock()
	defer e.mu.Unlock()
	close(e.moved)
	e.moved = make(chan struct{})
}

func (e *engine) Close() error {
	var errs []error
	for _, db := range []*sql.DB{e.readers, e.writer} { // the writer last: it folds the log into the file
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	e.wake()
	return errors.Join(append(errs, e.lock.Close())...)
}
