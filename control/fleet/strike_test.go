package fleet_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"gatehouse/link"
	"gatehouse/snapshot"
	"gatehouse/store"
	"gatehouse/store/memory"
)

// A key that is revoked while a control plane reads what there is, which takes a
// while with a million of them, is refused at once, and so is one whose revocation
// the process before did not live to tell. Then the configuration says it all.
func TestRevokedWhileReading(t *testing.T) {
	mem := memory.New()
	seed(t, mem)
	dir, data := t.TempDir(), t.TempDir()
	before := key(t, mem, "key_0", "before", false)
	c := key(t, mem, "key_1", "secret", false)
	put(t, mem, "Subscription/a/other", approved("approved"))
	p := startPlane(t, mem, dir)
	g := startGateway(t, data, token(t, p, "local"), "one", newTable(), p.pipe.Dial, nil)
	g.table.until(t, "keys arrive", func() bool {
		return g.table.has("credentials", c.Shard()) && g.table.has("credentials", before.Shard())
	})
	g.stop()
	p.stop()

	key(t, mem, "key_0", "before", true) // nobody is there to tell
	db := slow{mem, make(chan struct{}), make(chan struct{})}
	p = startPlane(t, db, dir)
	<-db.read
	g = startGateway(t, data, "", "", newTable(), p.pipe.Dial, nil)
	g.table.until(t, "the key revoked before is struck", func() bool { return slices.Contains(g.table.strikes().Keys, before) })
	key(t, mem, "key_1", "secret", true)
	g.table.until(t, "the key revoked meanwhile is struck", func() bool { return slices.Contains(g.table.strikes().Keys, c) })
	put(t, mem, "Subscription/a/other", approved("suspended"))
	g.table.until(t, "a suspended subscription is struck", func() bool { return slices.Contains(g.table.strikes().Subscriptions, "a/other") })
	put(t, mem, "Subscription/a/other", approved("approved"))
	g.table.until(t, "one that is resumed counts again", func() bool { return len(g.table.strikes().Subscriptions) == 0 })
	put(t, mem, "Subscription/a/other", "")
	g.table.until(t, "a deleted subscription is struck", func() bool { return slices.Contains(g.table.strikes().Subscriptions, "a/other") })

	if !g.table.has("credentials", c.Shard()) {
		t.Error("the configuration changed while it was read")
	}
	close(db.end)
	g.table.until(t, "nothing is struck any more", func() bool { s := g.table.strikes(); return s.Sum() == snapshot.Hash{} })
	if g.table.has("credentials", c.Shard()) || g.table.has("credentials", before.Shard()) {
		t.Error("strikes ended before the configuration said what they said")
	}
}

// A longSince store takes until it is told to end to tell what was before head.
type longSince struct {
	slow
	head store.Seq
}

func (s longSince) Changes(ctx context.Context, after store.Seq, limit int) ([]store.Change, store.Seq, error) {
	if after < s.head {
		select {
		case <-s.end:
		case <-ctx.Done():
			return nil, after, ctx.Err()
		}
	}
	return s.DB.Changes(ctx, after, limit)
}

// Looking at what was before the start, which may be large, does not keep what is
// revoked now.
func TestRevokedWhileLookingBack(t *testing.T) {
	mem := memory.New()
	seed(t, mem)
	put(t, mem, "Instance/local/one", `{"gateway":"local","instance":"one"}`)
	c := key(t, mem, "key_1", "secret", false)
	head, err := mem.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	db := longSince{slow{mem, make(chan struct{}), make(chan struct{})}, head.Seq + 1} // opening makes the installation
	p := startPlane(t, db, t.TempDir())
	<-db.read
	defer close(db.end)
	key(t, mem, "key_1", "secret", true)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	d, err := p.Manifest(ctx, link.Peer{Gateway: "local", Instance: "one"}, link.Position{Strikes: true}, nil)
	if err != nil || d == nil || d.Strikes == nil || !slices.Contains(d.Strikes.Keys, c) {
		t.Fatalf("got %+v, %v; want the key struck", d, err)
	}
}

func approved(state string) string {
	return `{"object":{"spec":{"application":"app","product":"p","plan":"default","environment":"dev"}},"status":{"state":"` + state + `"}}`
}

// Strikes are for those who take them, and for those of the environment.
func TestStrikesForWhom(t *testing.T) {
	mem := memory.New()
	seed(t, mem)
	put(t, mem, "Environment/prod", doc(`{"stage":"prod"}`), "Gateway/far", doc(`{"environment":"prod"}`),
		"Instance/far/one", `{"gateway":"far","instance":"one"}`, "Instance/local/one", `{"gateway":"local","instance":"one"}`)
	key(t, mem, "key_1", "secret", true)
	db := slow{mem, make(chan struct{}), make(chan struct{})}
	p := startPlane(t, db, t.TempDir())
	<-db.read
	defer close(db.end)
	near, far := link.Peer{Gateway: "local", Instance: "one"}, link.Peer{Gateway: "far", Instance: "one"}
	if d, err := p.Manifest(t.Context(), near, link.Position{Strikes: true}, nil); err != nil || d == nil || d.Strikes == nil || len(d.Strikes.Keys) != 1 {
		t.Fatalf("the key's environment: %+v, %v; want the key struck", d, err)
	}
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if d, err := p.Manifest(short, far, link.Position{Strikes: true}, nil); d != nil || err != nil {
		t.Errorf("another environment: %+v, %v; want nothing", d, err)
	}
	if d, err := p.Manifest(short, near, link.Position{}, nil); d != nil || err != nil {
		t.Errorf("a gateway of before: %+v, %v; want nothing", d, err)
	}
}
