package pipeline

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestSharedValuesStopWithTheirLastUser(t *testing.T) {
	var r registry
	var stopped []string
	use := func(key, value string) any {
		return r.use(key, func() (any, func()) { return value, func() { stopped = append(stopped, value) } })
	}
	if use("a", "first") != "first" || use("a", "second") != "first" || use("b", "other") != "other" {
		t.Fatal("one key must have one value while it is used")
	}
	r.release([]string{"a", "b"})
	if !slices.Equal(stopped, []string{"other"}) {
		t.Fatalf("stopped: got %q, want the value nobody uses", stopped)
	}
	r.release([]string{"a"})
	if use("a", "third") != "third" || !slices.Equal(stopped, []string{"other", "first"}) {
		t.Errorf("stopped: got %q; a new user must get a new value", stopped)
	}
}

func TestUnitIsReleasedOnceAndNotHeldAgain(t *testing.T) {
	var u unit
	n := 0
	u.release = func() { n++ }
	u.users.Store(1)
	if !u.hold() {
		t.Fatal("a unit in force could not be held")
	}
	u.Done()
	if n != 0 {
		t.Fatal("released while it is in force")
	}
	u.Done()
	if n != 1 || u.hold() {
		t.Errorf("released %d times, want once and for all", n)
	}
}

func TestBodyStopsAtItsLimit(t *testing.T) {
	for _, tt := range []struct {
		limit int64
		want  error
	}{{0, nil}, {5, nil}, {4, errTooLarge}} {
		b := body{from: strings.NewReader("hello"), limit: tt.limit}
		if _, err := io.ReadAll(&b); !errors.Is(err, tt.want) {
			t.Errorf("limit %d: got %v, want %v", tt.limit, err, tt.want)
		}
		if b.over.Load() != (tt.want != nil) || b.open() != (tt.want != nil) {
			t.Errorf("limit %d: over %t, open %t", tt.limit, b.over.Load(), b.open())
		}
	}
}
