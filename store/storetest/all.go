package storetest

import (
	"context"
	"fmt"
	"testing"

	"gatehouse"
	"gatehouse/store"
)

// everyRecord reads every record of a kind, few and many of them.
func everyRecord(t *testing.T, db store.DB) {
	for r, err := range db.All(t.Context(), "Thing") {
		t.Fatalf("from an empty store: %+v, %v", r, err)
	}
	const n = 11_000 // more than engines look for one by one
	want := map[string]store.Seq{}
	for from := 0; from < n; from += 5500 {
		var b store.Batch
		for i := from; i < from+5500; i++ {
			w := put(fmt.Sprintf("Many/%05d", i*7919%n), store.Absent)
			w.Kind = "Many"
			b.Writes = append(b.Writes, w)
		}
		b.Writes = append(b.Writes, put(fmt.Sprintf("Thing/%d", from), store.Absent))
		seq := apply(t, db, b)
		for _, w := range b.Writes {
			want[w.Key] = seq
		}
	}
	seq := apply(t, db, store.Batch{Writes: []store.Write{{Key: "Many/00007", Kind: "Many", Expect: store.Any}, {Key: "Many/00008", Kind: "Many", Value: []byte(`{"again":1}`), Expect: store.Any}}})
	delete(want, "Many/00007")
	want["Many/00008"] = seq

	got := map[string]store.Seq{}
	for _, kind := range []string{"Many", "Thing"} {
		began := false
		for r, err := range db.All(t.Context(), kind) {
			if err != nil {
				t.Fatal(err)
			}
			if !began { // what is written meanwhile is of another state
				began = true
				apply(t, db, store.Batch{Writes: []store.Write{{Key: "Late/" + kind, Kind: kind, Value: []byte(`{}`), Expect: store.Absent}}})
			}
			one, err := db.Get(t.Context(), r.Key)
			if len(got)%1000 == 0 && (err != nil || string(one.Value) != string(r.Value) || !one.Time.Equal(r.Time)) {
				t.Errorf("%s: %s %v, alone %s %v (%v)", r.Key, r.Value, r.Time, one.Value, one.Time, err)
			}
			if _, twice := got[r.Key]; twice || r.Kind != kind {
				t.Errorf("%s %s: twice, or of another kind", r.Kind, r.Key)
			}
			got[r.Key] = r.Rev
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %d records, want %d", len(got), len(want))
	}
	for key, rev := range want {
		if got[key] != rev {
			t.Errorf("%s: got revision %d, want %d", key, got[key], rev)
		}
	}

	for range db.All(t.Context(), "Many") { // who has enough stops
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	failed := false
	for r, err := range db.All(ctx, "Many") {
		if failed = gatehouse.Is(err, gatehouse.Unavailable); !failed {
			t.Errorf("cancelled: %+v, %v", r, err)
		}
	}
	if !failed {
		t.Error("cancelled: no error")
	}
	apply(t, db, store.Batch{Writes: []store.Write{put("Thing/after", store.Absent)}})
}
