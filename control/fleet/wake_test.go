package fleet_test

import (
	"fmt"
	"sync"
	"testing"

	"gatehouse/link"
	"gatehouse/snapshot"
	"gatehouse/store/memory"
)

// TestInstancesOfAGatewayShareADelta holds that what is worked out for one instance
// serves those that come from the same place, and only those.
func TestInstancesOfAGatewayShareADelta(t *testing.T) {
	db := memory.New()
	seed(t, db)
	put(t, db, "Instance/local/one", `{"gateway":"local","instance":"one"}`)
	p := startPlane(t, db, t.TempDir())
	fresh := func(have link.Position) *snapshot.Delta {
		d, err := p.Manifest(t.Context(), link.Peer{Gateway: "local", Instance: "one"}, have, nil)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	first := fresh(link.Position{})
	if fresh(link.Position{}) != first {
		t.Error("a second instance without anything gets a delta of its own")
	}
	api(t, db, "more", 1)
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	have := link.Position{Serial: first.Manifest.Serial, Digest: first.Digest}
	step, whole := fresh(have), fresh(link.Position{})
	if step.Base != have.Serial || len(step.Entries) == 0 || whole.Base != 0 || whole.Digest != step.Digest || fresh(have).Base != have.Serial {
		t.Errorf("from %d: %+v; from nothing: %+v", have.Serial, step, whole)
	}
}

// BenchmarkWake has 300 instances of one gateway hear of a change to one of 5,000
// APIs.
func BenchmarkWake(b *testing.B) {
	db := memory.New()
	seed(b, db)
	p := startPlane(b, db, b.TempDir())
	for i := range 5000 {
		api(b, db, fmt.Sprintf("n%d", i), 1)
	}
	if err := p.Refresh(b.Context()); err != nil {
		b.Fatal(err)
	}
	have := link.Position{}
	for i := 0; b.Loop(); i++ {
		d, err := p.Manifest(b.Context(), link.Peer{Gateway: "local", Instance: "one"}, have, nil)
		if err != nil {
			b.Fatal(err)
		}
		have = link.Position{Serial: d.Manifest.Serial, Digest: d.Digest}
		api(b, db, "n0", i+2)
		if err := p.Refresh(b.Context()); err != nil {
			b.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 300 {
			wg.Go(func() {
				if d, err := p.Manifest(b.Context(), link.Peer{Gateway: "local", Instance: "one"}, have, nil); d == nil || err != nil {
					b.Error(d, err)
				}
			})
		}
		wg.Wait()
	}
}
