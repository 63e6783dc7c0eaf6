package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/store"
	"gatehouse/store/postgres"
	"gatehouse/store/postgres/pgtest"
	"gatehouse/store/storetest"

	"github.com/jackc/pgx/v5"
)

func thing(key string) store.Batch {
	return store.Batch{
		Writes: []store.Write{{Key: key, Kind: "Thing", Value: []byte("1"), Expect: store.Any}},
		Events: []*gatehouse.Event{{Action: "test"}},
	}
}

// PostgreSQL stops and comes back: calls fail as unavailable, then go on by
// themselves, watchers included.
func TestStoppedAndBack(t *testing.T) {
	server := pgtest.New(t)
	db := openURL(t, server.Database(t))
	if _, err := db.Apply(t.Context(), thing("before")); err != nil {
		t.Fatal(err)
	}
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	_, err := db.Apply(t.Context(), thing("while stopped"))
	if !gatehouse.Is(err, gatehouse.Unavailable) {
		t.Errorf("Apply while it is stopped: got %v, want kind unavailable", err)
	}
	if _, err := db.Get(t.Context(), "before"); !gatehouse.Is(err, gatehouse.Unavailable) {
		t.Errorf("Get while it is stopped: got %v, want kind unavailable", err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Get(t.Context(), "before"); err != nil {
		t.Errorf("Get when it is back: %v", err)
	}
	seq, err := db.Apply(t.Context(), thing("after"))
	if err != nil || seq != 2 {
		t.Errorf("Apply when it is back: got %d, %v; want number 2", seq, err)
	}
	// Restarted without a call in between: pooled connections are all stale.
	if err := errors.Join(server.Stop(), server.Start()); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Apply(t.Context(), thing("again")); err != nil {
		t.Errorf("the first call after a restart: %v", err)
	}
	watched := make(chan error, 1)
	go func() { watched <- db.Wait(t.Context(), 3) }()
	if _, err := db.Apply(t.Context(), thing("watched")); err != nil {
		t.Error(err)
	}
	if err := <-watched; err != nil {
		t.Errorf("Wait after a restart: %v", err)
	}
	if n := storetest.Verify(t, db); n != 4 {
		t.Errorf("got %d events, want 4", n)
	}
}

// A process that hangs in the midst of a write does not stop others for ever:
// the server ends its transaction.
func TestHungWriter(t *testing.T) {
	url := pgtest.URL(t)
	db := openURL(t, url+"&lock_timeout=20s")
	hung, err := pgx.Connect(t.Context(), url+"&idle_in_transaction_session_timeout=300ms")
	if err != nil {
		t.Fatal(err)
	}
	defer hung.Close(context.Background())
	for _, s := range []string{`BEGIN`, `UPDATE head SET seq = seq + 1`} {
		if _, err := hung.Exec(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if seq, err := db.Apply(t.Context(), thing("a")); err != nil || seq != 1 {
		t.Errorf("behind a writer that hangs: got %d, %v; want number 1", seq, err)
	}
}

// A turn belongs to one process at a time, and to nobody once its holder's
// connection is gone.
func TestTurns(t *testing.T) {
	url := pgtest.URL(t)
	a, b := openURL(t, url), openURL(t, url)
	done := store.Turn(t.Context(), a, "x")
	store.Turn(t.Context(), b, "y")() // another name is another turn
	soon, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	store.Turn(soon, b, "x")()
	if soon.Err() == nil {
		t.Error("two processes have the same turn")
	}
	done()
	store.Turn(t.Context(), b, "x")()

	hung := openURL(t, url)
	late := store.Turn(t.Context(), hung, "x")
	other, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(context.Background())
	// Turns are locks of one number, places of processes of two (objsubid).
	var ended bool
	if err := other.QueryRow(t.Context(), `SELECT bool_and(pg_terminate_backend(pid)) FROM pg_locks
		WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`).Scan(&ended); err != nil || !ended {
		t.Fatalf("ending the holder: %t, %v", ended, err)
	}
	done = store.Turn(t.Context(), b, "x")
	var held int
	if err := other.QueryRow(t.Context(), `SELECT count(*) FROM pg_locks
		WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`).Scan(&held); err != nil || held != 1 {
		t.Errorf("after the holder is gone %d hold the turn, %v; want who waited", held, err)
	}
	done()
	late() // gives back what is gone, and so the connection
}

// A lock that is not to be had within the time set is an error that passes.
func TestLockTimeout(t *testing.T) {
	url := pgtest.URL(t)
	db := openURL(t, url+"&lock_timeout=50ms")
	other, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(context.Background())
	tx, err := other.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `SELECT * FROM head FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Apply(t.Context(), thing("a")); !gatehouse.Is(err, gatehouse.Unavailable) {
		t.Errorf("while another holds the lock: got %v, want kind unavailable", err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if seq, err := db.Apply(t.Context(), thing("a")); err != nil || seq != 1 {
		t.Errorf("when it is free: got %d, %v; want number 1", seq, err)
	}
}

// Disk full, as PostgreSQL reports it, from within a transaction.
func TestDiskFull(t *testing.T) {
	url := pgtest.URL(t)
	db := openURL(t, url)
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	for _, s := range []string{
		`CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$`,
		`CREATE TRIGGER full_disk BEFORE INSERT ON event EXECUTE FUNCTION full_disk()`,
	} {
		if _, err := c.Exec(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if _, err := db.Apply(t.Context(), thing("a")); !gatehouse.Is(err, gatehouse.Full) {
			t.Errorf("while the disk is full: got %v, want kind full", err)
		}
	}
	if _, err := db.Get(t.Context(), "a"); !gatehouse.Is(err, gatehouse.NotFound) {
		t.Errorf("half of a write is left: %v", err)
	}
	if _, err := c.Exec(t.Context(), `DROP TRIGGER full_disk ON event`); err != nil {
		t.Fatal(err)
	}
	if seq, err := db.Apply(t.Context(), thing("a")); err != nil || seq != 1 {
		t.Errorf("when there is room: got %d, %v; want number 1", seq, err)
	}
}

// What is wrong with an address is said, but for the password.
func TestBadAddress(t *testing.T) {
	for _, url := range []string{"postgres://u:geheim@127.0.0.1:1/x?connect_timeout=2", "postgres://u:geheim@host:port/x", "host=/none password=geheim"} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		_, err := postgres.Open(ctx, url)
		cancel()
		if !gatehouse.Is(err, gatehouse.Unavailable) && !gatehouse.Is(err, gatehouse.Invalid) {
			t.Errorf("%s: got %v", url, err)
		}
		if err != nil && strings.Contains(err.Error(), "geheim") {
			t.Errorf("the password stands in the error: %v", err)
		}
	}
}
