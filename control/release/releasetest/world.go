// Package releasetest is a catalog with its releases to test both by, and the
// documents that the tests of both begin with.
package releasetest

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/control/release"
	"gatehouse/report"
	"gatehouse/store"
	"gatehouse/store/memory"
	"gatehouse/store/sqlite"
)

// A World is a catalog with its releases on an empty store, and a clock that
// goes on by a second whenever it is read.
type World struct {
	*catalog.Catalog
	*release.Desk
	T     *testing.T
	Ctx   context.Context
	Now   time.Time
	DB    store.DB
	Trail *audit.Trail
}

// New is a world in memory.
func New(t *testing.T) *World { return NewOn(t, memory.New()) }

// NewOn is a world on a store, on behalf of alice.
func NewOn(t *testing.T, db store.DB) *World {
	w := &World{T: t, DB: db, Now: time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)}
	t.Cleanup(func() { db.Close() })
	w.Trail = &audit.Trail{DB: db, Now: func() time.Time { w.Now = w.Now.Add(time.Second); return w.Now }}
	w.Restart()
	w.Ctx = audit.WithRequest(t.Context(), audit.Request{Actor: "user:alice@example.com", Authentication: "token:x"})
	return w
}

// Restart opens the catalog anew on the same store.
func (w *World) Restart() {
	w.Catalog = catalog.New(w.Trail)
	w.Desk = release.New(w.Catalog, w.DB)
}

// MustApply applies what must be accepted.
func (w *World) MustApply(req catalog.Request) catalog.Result {
	w.T.Helper()
	r, err := w.Apply(w.Ctx, req)
	if err != nil {
		if e, ok := err.(*gatehouse.Error); ok {
			w.T.Fatalf("applying: %v %v", err, e.Faults)
		}
		w.T.Fatalf("applying: %v", err)
	}
	return r
}

// Refuses applies what must be refused, with an error that contains want, and
// nothing written.
func (w *World) Refuses(req catalog.Request, kind gatehouse.ErrorKind, want string) {
	w.T.Helper()
	before, _ := w.DB.Head(w.Ctx)
	_, err := w.Apply(w.Ctx, req)
	if !gatehouse.Is(err, kind) {
		w.T.Fatalf("applying: got %v of kind %q, want kind %q", err, gatehouse.KindOf(err), kind)
	}
	text := err.Error()
	var e *gatehouse.Error
	if x, ok := err.(*gatehouse.Error); ok {
		e = x
		for _, f := range e.Faults {
			text += "\n" + f.Pointer + " " + f.String()
		}
	}
	if !strings.Contains(text, want) {
		w.T.Errorf("applying: got %q, want it to contain %q", text, want)
	}
	if after, _ := w.DB.Head(w.Ctx); after != before {
		w.T.Errorf("a refused apply moved the store from %v to %v", before, after)
	}
}

// Actions are what an apply did, without what it left alone.
func Actions(r catalog.Result) string {
	var all []string
	for _, c := range r.Changes {
		if c.Action != catalog.Unchanged {
			ref, _, _ := strings.Cut(c.Ref, "#")
			all = append(all, c.Action+" "+string(c.Kind)+" "+ref)
		}
	}
	return strings.Join(all, ", ")
}

// HeadOf is the newest revision of "team/name@version".
func (w *World) HeadOf(ref string) string {
	w.T.Helper()
	r, err := catalog.ParseRef(ref)
	if err != nil {
		w.T.Fatal(err)
	}
	rev, err := w.Revision(w.Ctx, r)
	if err != nil {
		w.T.Fatal(err)
	}
	return rev.Hash
}

// Released is what is wanted of "team/name@version" in an environment; nil for
// nothing.
func (w *World) Released(env, ref string) *gatehouse.Release {
	w.T.Helper()
	team, name, version, _ := gatehouse.ParseVersionRef(ref, "")
	rec, err := w.DB.Get(w.Ctx, catalog.ReleaseKey(env, team, name, version))
	if gatehouse.Is(err, gatehouse.NotFound) {
		return nil
	}
	if err != nil {
		w.T.Fatal(err)
	}
	var r gatehouse.Release
	if err := json.Unmarshal(rec.Value, &r); err != nil {
		w.T.Fatal(err)
	}
	return &r
}

// As is the world's context on behalf of someone else.
func (w *World) As(actor string) context.Context {
	return audit.WithRequest(w.Ctx, audit.Request{Actor: actor, Authentication: "token:y"})
}

// Wants is an error of a kind with a text in it.
func (w *World) Wants(err error, kind gatehouse.ErrorKind, text string) {
	w.T.Helper()
	if !gatehouse.Is(err, kind) || !strings.Contains(err.Error(), text) {
		w.T.Errorf("got %v of kind %q, want %q of kind %q", err, gatehouse.KindOf(err), text, kind)
	}
}

// OK is a release that must have been let through.
func (w *World) OK(r release.Released, err error) release.Released {
	w.T.Helper()
	if err != nil {
		w.T.Fatal(err)
	}
	return r
}

// Count has a gateway report requests of a revision.
func (w *World) Count(env, revision, app string, class int, n int64) {
	w.T.Helper()
	w.Now = w.Now.Add(time.Second)
	u := &store.Usage{Spool: "s", Number: w.Now.UnixNano(), Rows: []store.UsageRow{{Hour: w.Now.Truncate(time.Hour), Environment: env, API: "shop/cart@v1",
		Application: app, Class: class, Revision: report.ShortRevision(revision), Requests: n}}}
	if _, err := w.DB.Apply(w.Ctx, store.Batch{Usage: u}); err != nil {
		w.T.Fatal(err)
	}
}

// RecordOf are object and reason of the events of an action.
func (w *World) RecordOf(action string) (reasons []string) {
	w.T.Helper()
	for e, err := range w.DB.Events(w.Ctx, store.EventQuery{Action: action}) {
		if err != nil {
			w.T.Fatal(err)
		}
		reasons = append(reasons, e.Object+": "+e.Reason)
	}
	return reasons
}

// Engines are what the product runs on without a server beside it.
func Engines(t *testing.T) map[string]func(t *testing.T) store.DB {
	return map[string]func(t *testing.T) store.DB{
		"memory": func(*testing.T) store.DB { return memory.New() },
		"sqlite": func(t *testing.T) store.DB {
			db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "gatehouse.db"))
			if err != nil {
				t.Fatal(err)
			}
			return db
		},
	}
}
