package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

func thing(key string, size int) store.Batch {
	return store.Batch{
		Writes: []store.Write{{Key: key, Kind: "Thing", Value: []byte(`"` + strings.Repeat("x", size) + `"`), Expect: store.Any, Index: map[string]string{"size": fmt.Sprint(size)}}},
		Events: []*gatehouse.Event{{Action: "test"}},
	}
}

// One process has the file: a second is told who.
func TestSecondProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gatehouse.db")
	db, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), path)
	if !gatehouse.Is(err, gatehouse.Unavailable) || !strings.Contains(err.Error(), fmt.Sprintf("in use by another process (pid %d)", os.Getpid())) {
		t.Errorf("opening it again: got %v, want a refusal that names the process", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(t.Context(), path)
	if err != nil {
		t.Fatalf("opening it when it is free: %v", err)
	}
	again.Close()
	for _, name := range []string{path, path + ".lock"} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: got mode %v, %v; want 0600", filepath.Base(name), info.Mode(), err)
		}
	}
}

func TestOddPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c%20d#e&mode=memory.db")
	for i := range 2 {
		db, err := Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if seq, err := db.Apply(t.Context(), thing("a", 1)); err != nil || int(seq) != i+1 {
			t.Errorf("got %d, %v; want number %d", seq, err, i+1)
		}
		db.Close()
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestCannotOpen(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("this is no database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "none", "x.db"), dir, text} {
		if db, err := Open(t.Context(), path); err == nil {
			db.Close()
			t.Errorf("opening %q: want an error", path)
		} else if !strings.Contains(err.Error(), fmt.Sprintf("%q", path)) {
			t.Errorf("opening %q: error %q does not name it", path, err)
		}
	}
}

// raw opens the file behind the store's back.
func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", address(path, map[string]string{"busy_timeout": "0"}))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

func TestNewerDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gatehouse.db")
	db, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	if _, err := raw(t, path).Exec(`INSERT INTO migration(version_id, is_applied) VALUES (9999, true)`); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), path)
	if !gatehouse.Is(err, gatehouse.Invalid) || !strings.Contains(err.Error(), "newer") {
		t.Errorf("got %v, want a refusal because the database is newer", err)
	}
}

// Another program holds the file's lock: writes fail as unavailable, reads go
// on, and all goes on by itself when it lets go.
func TestLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gatehouse.db")
	db, err := open(t.Context(), path, map[string]string{"busy_timeout": "50"})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Apply(t.Context(), thing("a", 1)); err != nil {
		t.Fatal(err)
	}
	other := raw(t, path)
	if _, err := other.Exec(`BEGIN IMMEDIATE`); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := db.Apply(t.Context(), thing("b", 1)); !gatehouse.Is(err, gatehouse.Unavailable) || !strings.Contains(err.Error(), "another program holds the lock") {
			t.Errorf("while it is locked: got %v, want kind unavailable and who has the lock", err)
		}
	}
	if _, err := db.Get(t.Context(), "a"); err != nil {
		t.Errorf("reading while it is locked: %v", err)
	}
	if _, err := other.Exec(`ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	if seq, err := db.Apply(t.Context(), thing("b", 1)); err != nil || seq != 2 {
		t.Errorf("when it is free: got %d, %v; want number 2", seq, err)
	}
}

// The database may not grow, as when a quota is reached: refused writes leave
// nothing, small ones and reads go on, and all does when there is room.
func TestFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gatehouse.db")
	db, err := open(t.Context(), path, map[string]string{"max_page_count": "200"})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, db)
	db.Close()
	if db, err = Open(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	before := storetest.Verify(t, db)
	if _, err := db.Apply(t.Context(), thing("big", 1<<20)); err != nil {
		t.Errorf("when there is room: %v", err)
	}
	if n := storetest.Verify(t, db); n != before+1 {
		t.Errorf("got %d events, want %d", n, before+1)
	}
}

// fill writes until the disk is full, and checks that a write that was refused
// left nothing and cost no number.
func fill(t *testing.T, db store.DB) {
	t.Helper()
	var at store.Seq
	for i := 0; ; i++ {
		seq, err := db.Apply(t.Context(), thing(fmt.Sprintf("k%d", i), 20_000))
		if err == nil {
			if at = seq; i > 10_000 {
				t.Fatal("it is never full")
			}
			continue
		}
		if !gatehouse.Is(err, gatehouse.Full) {
			t.Fatalf("write %d: got %v, want kind full", i, err)
		}
		break
	}
	if at == 0 {
		t.Fatal("it was full from the start")
	}
	for range 5 {
		if _, err := db.Apply(t.Context(), thing("more", 1<<20)); !gatehouse.Is(err, gatehouse.Full) {
			t.Errorf("while it is full: got %v, want kind full", err)
		}
	}
	head, err := db.Head(t.Context())
	if err != nil || head.Seq != at {
		t.Errorf("head: got %+v, %v; want number %d", head, err, at)
	}
	if _, err := db.Get(t.Context(), "more"); !gatehouse.Is(err, gatehouse.NotFound) {
		t.Errorf("half of a write is left: %v", err)
	}
	page, err := db.List(t.Context(), store.Query{Kind: "Thing", Where: map[string]string{"size": "20000"}})
	if err != nil || len(page.Records) != int(at) {
		t.Errorf("list: got %d records, %v; want %d", len(page.Records), err, at)
	}
	if n := storetest.Verify(t, db); n != int64(at) {
		t.Errorf("got %d events, want %d", n, at)
	}
}

// A caller who gives up in the midst of a write leaves no trace and no lock.
func TestGivingUp(t *testing.T) {
	db := openTemp(t)
	for i := range 20 {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			_, err := db.Apply(ctx, thing(fmt.Sprintf("k%d", i), 200_000))
			done <- err
		}()
		cancel()
		err := <-done
		_, getErr := db.Get(t.Context(), fmt.Sprintf("k%d", i))
		if (err == nil) != (getErr == nil) {
			t.Errorf("write %d: answered %v, but reading it says %v", i, err, getErr)
		}
	}
	if _, err := db.Apply(t.Context(), thing("last", 1)); err != nil {
		t.Error(err)
	}
	storetest.Verify(t, db)
}
