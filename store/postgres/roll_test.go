package postgres_test

import (
	"errors"
	"testing"
	"time"

	"gatehouse/store"
	"gatehouse/store/postgres/pgtest"
)

// Processes of one database know of each other which have ended. One whose
// connection broke takes its place again.
func TestRoll(t *testing.T) {
	server := pgtest.New(t)
	url := server.Database(t)
	one, two := openURL(t, url), openURL(t, url)
	if store.Process(one) == store.Process(two) {
		t.Error("both have one name")
	}
	until := func(what string, gone bool) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); store.Gone(t.Context(), two, store.Process(one)) != gone; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: gone is %v", what, !gone)
			}
		}
	}
	until("while it lives", false)
	if err := errors.Join(server.Stop(), server.Start()); err != nil {
		t.Fatal(err)
	}
	until("after the database was stopped", false)
	if err := one.Close(); err != nil {
		t.Fatal(err)
	}
	until("after its end", true)
	for _, name := range []string{"", "?", "a name of before"} {
		if store.Gone(t.Context(), two, name) {
			t.Errorf("%q is said to be gone", name)
		}
	}
}
