package release_test

import (
	"fmt"
	"slices"
	"testing"

	"gatehouse/control/catalog"
	"gatehouse/control/release/releasetest"
	"gatehouse/store"
)

// TestPastInPages holds that pages of a release's history are the whole of it,
// each state once, newest first.
func TestPastInPages(t *testing.T) {
	w := releasetest.New(t)
	w.MustApply(releasetest.Base(t))
	for i := range 9 {
		w.MustApply(catalog.Request{Documents: []catalog.Document{releasetest.APIDoc(t, "orders", "/orders/v1", fmt.Sprintf(`,"hosts":["h%d.example.com"]`, i))}})
	}
	ref, err := catalog.ParseRef("payments/orders@v1")
	if err != nil {
		t.Fatal(err)
	}
	seqs := func(limit int) (all []store.Seq) {
		before := store.Seq(0)
		for {
			page, more, err := w.Past(w.Ctx, ref, "dev", limit, before)
			if err != nil || len(page) > limit {
				t.Fatalf("limit %d: %d states, %v", limit, len(page), err)
			}
			for _, p := range page {
				all = append(all, p.Seq)
			}
			if !more {
				return all
			}
			before = page[len(page)-1].Seq
		}
	}
	whole := seqs(1000)
	if len(whole) != 10 || !slices.IsSortedFunc(whole, func(a, b store.Seq) int { return int(b - a) }) {
		t.Fatalf("the whole: %v", whole)
	}
	for limit := 1; limit <= 11; limit++ {
		if got := seqs(limit); !slices.Equal(got, whole) {
			t.Errorf("limit %d: %v, the whole is %v", limit, got, whole)
		}
	}
}
