// Package catalog holds the objects of the product and the immutable revisions
// of API versions that they make.
//
// Everything that changes an object goes through [Catalog.Apply]: it compares
// what is wanted with what is there, checks it against everything it touches,
// and writes all of it in one transaction with its events, or nothing. A single
// PUT is an apply of one document; plan, prune and export are the same path
// seen from other sides.
//
// Which revision is wanted where is decided by package release, within the
// [Plan] of a change or one of its own ([Catalog.Decide]); the catalog writes
// both in one transaction and sees to it that no two routes collide. It moves
// no subscription from state to state (package subscription does) and asks
// nobody for permission but through [Request.Allow].
package catalog

import (
	"context"
	"strings"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/store"
)

// KindGuard is the kind of the one record that every change of the catalog
// rewrites, so that two processes that share a database cannot both decide on
// a state that the other changes: the later one reads again.
const KindGuard gatehouse.Kind = "Guard"

// guardKey is where the guard lies.
const guardKey = "Guard/catalog"

// retries is how often a change that lost a race against another process is
// decided anew before the caller is told.
const retries = 8

// A Catalog is safe for use by several goroutines; several processes may share
// one database.
type Catalog struct {
	// Releases decides what a change of objects does to releases; nil: nothing
	// is released. Whoever wires the rooms sets it before the catalog is used.
	Releases Releases
	// EventTypes are the types of events that documents may select; none: any.
	EventTypes []string

	trail *audit.Trail
	db    store.DB
	// Actions are what a role can permit; nil: any word of the form of one.
	Actions []string

	mu     sync.Mutex // held from reading a state to writing the next one
	routes *routes    // guarded by mu
}

// New makes the catalog of what trail writes.
func New(trail *audit.Trail) *Catalog {
	return &Catalog{trail: trail, db: trail.DB, routes: newRoutes()}
}

func (c *Catalog) now() time.Time {
	if c.trail.Now != nil {
		return c.trail.Now().UTC().Truncate(time.Microsecond)
	}
	return time.Now().UTC().Truncate(time.Microsecond)
}

// Action is the name in the route table of doing verb to a kind:
// Action(KindPolicySet, "put") is "policy-set.put".
func Action(kind gatehouse.Kind, verb string) string {
	info, ok := gatehouse.Info(string(kind))
	if !ok {
		return strings.ToLower(string(kind)) + "." + verb
	}
	return strings.TrimSuffix(info.Plural, "s") + "." + verb
}

// commit writes acts whole or not at all, with the guard that makes the
// decision behind them hold. guard is the guard's revision that was read
// before anything else.
func (c *Catalog) commit(ctx context.Context, guard store.Seq, acts []audit.Act) (store.Seq, error) {
	if len(acts) == 0 {
		return 0, nil
	}
	acts[0].Writes = append(acts[0].Writes, store.Write{
		Key: guardKey, Kind: string(KindGuard), Value: []byte(`{}`), Expect: guard,
	})
	return c.trail.Commit(ctx, acts...)
}

// guard reads the revision of the guard; [store.Absent] before the first change.
func (c *Catalog) guard(ctx context.Context) (store.Seq, error) {
	r, err := c.db.Get(ctx, guardKey)
	if gatehouse.Is(err, gatehouse.NotFound) {
		return store.Absent, nil
	}
	return r.Rev, err
}

// change decides and writes under the lock and tells done the batch's number; a race that is lost against
// another process is run again on the new state.
func (c *Catalog) change(ctx context.Context, decide decision) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	// Without a turn a large bundle would lose to every small one that
	// another process decides meanwhile.
	defer store.Turn(ctx, c.db, guardKey)()
	return c.decide(ctx, decide)
}

// look is change for what writes nothing and so has nobody wait.
func (c *Catalog) look(ctx context.Context, decide decision) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.decide(ctx, decide)
}

// A decision is what to write, made on the state at the guard's revision.
type decision func(guard store.Seq) ([]audit.Act, func(store.Seq), error)

func (c *Catalog) decide(ctx context.Context, decide decision) error {
	for try := 1; ; try++ {
		guard, err := c.guard(ctx)
		if err != nil {
			return err
		}
		acts, done, err := decide(guard)
		if err != nil || len(acts) == 0 {
			return err
		}
		seq, err := c.commit(ctx, guard, acts)
		if err == nil {
			done(seq)
		}
		switch {
		case !gatehouse.Is(err, gatehouse.Conflict):
			return err
		case try == retries: // which record moved is nothing that the caller named
			return gatehouse.E(gatehouse.Conflict, "others keep changing what this was decided on, so nothing was changed; try again")
		}
	}
}
