package fleet_test

import (
	"context"
	"iter"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/link"
	"gatehouse/store"
	"gatehouse/store/memory"
)

// A slow store has so many keys that reading them lasts until it is told to end.
type slow struct {
	store.DB
	read, end chan struct{}
}

func (s slow) All(ctx context.Context, kind string) iter.Seq2[store.Record, error] {
	if kind != string(gatehouse.KindKey) {
		return s.DB.All(ctx, kind)
	}
	return func(yield func(store.Record, error) bool) {
		close(s.read)
		select {
		case <-s.end:
		case <-ctx.Done():
			yield(store.Record{}, ctx.Err())
		}
	}
}

// While a control plane reads what there is, it knows its gateways, hands out
// shares, lets polls wait and refuses what cannot wait; then it does what was
// asked.
func TestServesWhileReading(t *testing.T) {
	mem := memory.New()
	dir := t.TempDir()
	put(t, mem, "Environment/dev", `{"object":{"spec":{"stage":"dev"}}}`)
	put(t, mem, "Gateway/edge", `{"object":{"spec":{"environment":"dev"}}}`, "Instance/edge/one", `{"gateway":"edge","instance":"one"}`)
	db := slow{mem, make(chan struct{}), make(chan struct{})}
	p := startPlane(t, db, dir)
	peer := link.Peer{Gateway: "edge", Instance: "one"}
	<-db.read

	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := p.Refresh(short); !gatehouse.Is(err, gatehouse.Unavailable) {
		t.Errorf("refreshing without time to wait: %v, want it unavailable", err)
	}
	grants, err := p.Leases(t.Context(), peer, []link.Lease{{Key: "k", Limit: 100, Calendar: "month", Want: 5}})
	if err != nil || grants[0].Tokens != 5 || p.InstancesWith(peer) != 1 {
		t.Errorf("leases: %+v, %v", grants, err)
	}
	if d, err := p.Manifest(short, peer, link.Position{}, nil); d != nil || err != nil {
		t.Errorf("a poll that ends meanwhile: %v, %v; want neither", d, err)
	}
	r, err := p.Rollout(t.Context(), 0, 10*time.Millisecond)
	if err != nil || r.Applied != 0 {
		t.Errorf("rollout: %+v, %v", r, err)
	}

	put(t, mem, "Gateway/late", `{"object":{"spec":{"environment":"dev"}}}`, "Instance/late/one", `{"gateway":"late","instance":"one"}`)
	close(db.end)
	for _, name := range []string{"edge", "late"} {
		d, err := p.Manifest(t.Context(), link.Peer{Gateway: name, Instance: "one"}, link.Position{}, nil)
		if err != nil || d == nil || len(d.Entries) != 1 {
			t.Errorf("%s: %+v, %v; want the environment's chunk", name, d, err)
		}
	}
}
