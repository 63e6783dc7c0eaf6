package storetest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/store"

	"github.com/google/go-cmp/cmp"
)

func empty(t *testing.T, db store.DB) {
	head, err := db.Head(t.Context())
	if err != nil || head != (store.Head{}) {
		t.Errorf("head of an empty store: got %+v, %v", head, err)
	}
	_, err = db.Get(t.Context(), "Thing/a")
	want(t, "Get of nothing", err, gatehouse.NotFound)
	page, err := db.List(t.Context(), store.Query{Kind: "Thing", Limit: 10})
	if err != nil || len(page.Records) != 0 || page.Next != "" || page.Seq != 0 {
		t.Errorf("List of nothing: got %+v, %v", page, err)
	}
	seq, err := db.Apply(t.Context(), store.Batch{})
	if err != nil || seq != 0 {
		t.Errorf("Apply of nothing takes no number: got %d, %v", seq, err)
	}
}

func write(t *testing.T, db store.DB) {
	before := time.Now().Add(-time.Second)
	if seq := apply(t, db, writes(put("Thing/a", store.Absent), put("Thing/b", store.Any))); seq != 1 {
		t.Errorf("first batch: got number %d, want 1", seq)
	}
	r, err := db.Get(t.Context(), "Thing/a")
	if err != nil {
		t.Fatal(err)
	}
	if r.Time.Before(before) || r.Time.After(time.Now().Add(time.Second)) || r.Time.Location() != time.UTC {
		t.Errorf("time of the record: got %v, want now, in UTC", r.Time)
	}
	r.Time = time.Time{}
	if diff := cmp.Diff(store.Record{Key: "Thing/a", Kind: "Thing", Value: []byte(`{"key":"Thing/a"}`), Rev: 1}, r); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	apply(t, db, writes(store.Write{Key: "Thing/a", Expect: 1})) // deletes
	_, err = db.Get(t.Context(), "Thing/a")
	want(t, "Get of a deleted record", err, gatehouse.NotFound)
	if _, err := db.GetAsOf(t.Context(), "Thing/a", 1); err != nil {
		t.Errorf("deleted record as of before: %v", err)
	}
	_, err = db.GetAsOf(t.Context(), "Thing/a", 2)
	want(t, "deleted record as of after", err, gatehouse.NotFound)
	// Deleting what is not there is a batch, but no change.
	seq := apply(t, db, writes(store.Write{Key: "Thing/a", Expect: store.Any}))
	if changes, at, err := db.Changes(t.Context(), 2, 10); err != nil || len(changes) != 0 || at != seq {
		t.Errorf("changes of deleting nothing: got %v up to %d, %v", changes, at, err)
	}
	// A key may come back, as another kind.
	apply(t, db, writes(store.Write{Key: "Thing/a", Kind: "Other", Value: []byte(`1`), Expect: store.Absent}))
	if page, err := db.List(t.Context(), store.Query{Kind: "Other"}); err != nil || len(page.Records) != 1 {
		t.Errorf("list of the kind it came back as: got %+v, %v", page, err)
	}
}

func expect(t *testing.T, db store.DB) {
	apply(t, db, writes(put("Thing/a", store.Absent)))
	apply(t, db, writes(put("Thing/b", store.Absent)))
	for _, tt := range []struct {
		name   string
		key    string
		expect store.Seq
		delete bool
		refuse bool
	}{
		{"absent, but it is there", "Thing/a", store.Absent, false, true},
		{"an older revision", "Thing/b", 1, false, true},
		{"a revision, but there is none", "Thing/none", 1, false, true},
		{"delete at another revision", "Thing/a", 2, true, true},
		{"a later revision", "Thing/a", 99, false, true},
		{"its revision", "Thing/a", 1, false, false},
		{"any", "Thing/b", store.Any, false, false},
		{"absent, and there is none", "Thing/c", store.Absent, false, false},
	} {
		w := put(tt.key, tt.expect)
		if tt.delete {
			w.Value = nil
		}
		head, _ := db.Head(t.Context())
		_, err := db.Apply(t.Context(), writes(w))
		if !tt.refuse {
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		want(t, tt.name, err, gatehouse.Conflict)
		if err != nil && !strings.Contains(err.Error(), fmt.Sprintf("%q", tt.key)) {
			t.Errorf("%s: error %q does not name the key", tt.name, err)
		}
		if after, _ := db.Head(t.Context()); after != head {
			t.Errorf("%s: a refused batch moved the head from %+v to %+v", tt.name, head, after)
		}
	}
}

// A batch of which one write is refused leaves no trace: no record, no history,
// no index entry, no event, no usage, no number.
func allOrNothing(t *testing.T, db store.DB) {
	apply(t, db, store.Batch{Writes: []store.Write{put("Thing/a", store.Absent, "x", "1")}, Events: []*gatehouse.Event{event("first")}})
	head, _ := db.Head(t.Context())
	_, err := db.Apply(t.Context(), store.Batch{
		Writes: []store.Write{put("Thing/new", store.Absent, "x", "1"), put("Thing/a", store.Any, "x", "2"), put("Thing/a2", 7)},
		Events: []*gatehouse.Event{event("second")},
		Usage:  &store.Usage{Spool: "s", Number: 1, Rows: []store.UsageRow{{Requests: 1}}},
	})
	want(t, "batch with one bad write", err, gatehouse.Conflict)
	if after, _ := db.Head(t.Context()); after != head {
		t.Errorf("head: got %+v, want %+v", after, head)
	}
	_, err = db.Get(t.Context(), "Thing/new")
	want(t, "record of a refused batch", err, gatehouse.NotFound)
	page, err := db.List(t.Context(), store.Query{Kind: "Thing", Where: map[string]string{"x": "1"}})
	if got := keysOf(page.Records); err != nil || !slices.Equal(got, []string{"Thing/a"}) {
		t.Errorf("list by x=1: got %q, %v", got, err)
	}
	for range db.History(t.Context(), "Thing/new") {
		t.Error("a refused batch has left history")
	}
	if n := count(t, db, store.EventQuery{}); n != 1 {
		t.Errorf("events: got %d, want 1", n)
	}
	if seq := apply(t, db, store.Batch{Usage: &store.Usage{Spool: "s", Number: 1, Rows: []store.UsageRow{{Requests: 1}}}}); seq != 2 {
		t.Errorf("next batch: got number %d, want 2", seq)
	}
}

func refusedBatches(t *testing.T, db store.DB) {
	long := strings.Repeat("k", store.MaxKey+1)
	for name, b := range map[string]store.Batch{
		"a key twice":          writes(put("Thing/a", store.Any), put("Thing/a", store.Any)),
		"no key":               writes(put("", store.Any)),
		"long key":             writes(put(long, store.Any)),
		"NUL in key":           writes(put("a\x00b", store.Any)),
		"key is no UTF-8":      writes(put("a\xff", store.Any)),
		"no kind":              writes(store.Write{Key: "a", Value: []byte("1")}),
		"empty value":          writes(store.Write{Key: "a", Kind: "Thing", Value: []byte{}}),
		"long index value":     writes(put("a", store.Any, "x", long)),
		"NUL in index value":   writes(put("a", store.Any, "x", "\x00")),
		"index without a name": writes(put("a", store.Any, "", "x")),
		"no spool":             {Usage: &store.Usage{Number: 1}},
		"negative count":       {Usage: &store.Usage{Spool: "s", Number: 1, Rows: []store.UsageRow{{Requests: -1}}}},
		"too many buckets":     {Usage: &store.Usage{Spool: "s", Number: 1, Rows: []store.UsageRow{{Latency: make([]int64, 50)}}}},
		"event that is no JSON": {Events: []*gatehouse.Event{{Action: "x", Change: []gatehouse.Difference{{Before: []byte("{")}}}},
			Writes: []store.Write{put("Thing/z", store.Any)}},
	} {
		_, err := db.Apply(t.Context(), b)
		want(t, name, err, gatehouse.Invalid)
	}
	if head, err := db.Head(t.Context()); err != nil || head != (store.Head{}) {
		t.Errorf("head after refused batches: got %+v, %v", head, err)
	}
	apply(t, db, writes(put("Thing/a", store.Absent))) // and it goes on
}

// Neither what went in nor what came out is shared with the store.
func bytesAreTheCallers(t *testing.T, db store.DB) {
	in := []byte(`{"n":1}`)
	index := map[string]string{"x": "1"}
	e := event("keep")
	apply(t, db, store.Batch{Writes: []store.Write{{Key: "a", Kind: "Thing", Value: in, Index: index}}, Events: []*gatehouse.Event{e}})
	copy(in, "XXXXXXX")
	index["x"] = "2"
	e.Action = "changed"
	for range 2 {
		r, err := db.Get(t.Context(), "a")
		if err != nil || string(r.Value) != `{"n":1}` {
			t.Fatalf("value: got %s, %v", r.Value, err)
		}
		copy(r.Value, "YYYYYYY")
		page, err := db.List(t.Context(), store.Query{Kind: "Thing", Where: map[string]string{"x": "1"}})
		if err != nil || len(page.Records) != 1 || string(page.Records[0].Value) != `{"n":1}` {
			t.Fatalf("list: got %+v, %v", page, err)
		}
		copy(page.Records[0].Value, "ZZZZZZZ")
		for e, err := range db.Events(t.Context(), store.EventQuery{}) {
			if err != nil || e.Action != "keep" {
				t.Fatalf("event: got %+v, %v", e, err)
			}
			e.Action = "changed"
		}
	}
}

// Whatever people type comes back as it was, and is never part of a statement.
func oddText(t *testing.T, db store.DB) {
	texts := []string{"'; DROP TABLE record; --", `"`, `\`, "%", "_", "?", "$1", "ünï/cødé", "日本語", "🦊", "a\nb\tc", " ", "ﬀ", strings.Repeat("x", 500)}
	var b store.Batch
	for _, s := range texts {
		b.Writes = append(b.Writes, put("k/"+s, store.Absent, "t", s, s, "v"))
		e := event("odd." + s)
		e.Actor, e.Reason = s, s
		b.Events = append(b.Events, e)
	}
	e := event("nul\x00 and \xff")
	e.Actor = "nul\x00 and \xff"
	b.Events = append(b.Events, e)
	apply(t, db, b)
	for _, s := range texts {
		if r, err := db.Get(t.Context(), "k/"+s); err != nil || r.Key != "k/"+s {
			t.Errorf("Get %q: got %q, %v", s, r.Key, err)
		}
		for _, where := range []map[string]string{{"t": s}, {s: "v"}} {
			page, err := db.List(t.Context(), store.Query{Kind: "Thing", Where: where, Sort: "t"})
			if got := keysOf(page.Records); err != nil || !slices.Equal(got, []string{"k/" + s}) {
				t.Errorf("list where %q: got %q, %v", where, got, err)
			}
		}
		if n := count(t, db, store.EventQuery{Actor: s, Action: "odd.*"}); n != 1 {
			t.Errorf("events by actor %q: got %d, want 1", s, n)
		}
	}
	page, err := db.List(t.Context(), store.Query{Kind: "Thing", Prefix: "k/%"})
	if got := keysOf(page.Records); err != nil || !slices.Equal(got, []string{"k/%"}) {
		t.Errorf("prefix k/%%: got %q, %v", got, err)
	}
	for _, key := range []string{"", "\x00", "\xff", strings.Repeat("k", 5000)} {
		_, err := db.Get(t.Context(), key)
		want(t, fmt.Sprintf("Get %.10q", key), err, gatehouse.NotFound)
	}
	for _, q := range []store.Query{{Kind: "\xff"}, {Prefix: "\x00"}, {Sort: "\x00"}, {Where: map[string]string{"\x00": "x"}}, {Where: map[string]string{"x": "\xff"}}} {
		_, err := db.List(t.Context(), q)
		want(t, fmt.Sprintf("list by what is no text, %+v", q), err, gatehouse.Invalid)
	}
	if n := count(t, db, store.EventQuery{Actor: "\x00\xff", Object: "\xff*"}); n != 0 {
		t.Errorf("events by what is no text: got %d", n)
	}
	Verify(t, db)
}

func large(t *testing.T, db store.DB) {
	value := append(append([]byte(`"`), bytes.Repeat([]byte("x"), 20<<20)...), '"')
	apply(t, db, writes(store.Write{Key: "Blob/1", Kind: "Blob", Value: value, Expect: store.Absent}))
	r, err := db.Get(t.Context(), "Blob/1")
	if err != nil || !bytes.Equal(r.Value, value) {
		t.Errorf("20 MB: got %d bytes, %v", len(r.Value), err)
	}
	var b store.Batch
	for i := range 4000 {
		b.Writes = append(b.Writes, put(fmt.Sprintf("Thing/%05d", i), store.Absent, "even", fmt.Sprint(i%2 == 0)))
		if i < 3000 {
			b.Events = append(b.Events, event("bulk"))
		}
	}
	seq := apply(t, db, b)
	page, err := db.List(t.Context(), store.Query{Kind: "Thing"})
	if err != nil || len(page.Records) != 4000 || page.Seq != seq {
		t.Errorf("list of 4,000: got %d as of %d, %v", len(page.Records), page.Seq, err)
	}
	for i := range b.Writes {
		b.Writes[i].Expect, b.Writes[i].Value = seq, nil
	}
	b.Events = nil
	apply(t, db, b)
	if page, err := db.List(t.Context(), store.Query{Kind: "Thing", Where: map[string]string{"even": "true"}}); err != nil || len(page.Records) != 0 {
		t.Errorf("list after deleting all: got %d, %v", len(page.Records), err)
	}
	Verify(t, db)
}

func getMany(t *testing.T, db store.DB) {
	var b store.Batch
	var keys []string
	for i := range 700 {
		b.Writes = append(b.Writes, put(fmt.Sprintf("Thing/%d", i), store.Absent))
		keys = append(keys, fmt.Sprintf("Thing/%d", i), fmt.Sprintf("None/%d", i))
	}
	apply(t, db, b)
	found, err := db.GetMany(t.Context(), append(keys, "Thing/1", "\xff", ""))
	if err != nil || len(found) != 700 {
		t.Fatalf("got %d records, %v; want 700", len(found), err)
	}
	for key, r := range found {
		if r.Key != key || string(r.Value) != fmt.Sprintf(`{"key":%q}`, key) {
			t.Errorf("at %q: got %+v", key, r)
		}
	}
	if found, err := db.GetMany(t.Context(), nil); err != nil || len(found) != 0 {
		t.Errorf("no keys: got %v, %v", found, err)
	}
}

func cancelled(t *testing.T, db store.DB) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := db.Apply(ctx, writes(put("Thing/a", store.Absent)))
	want(t, "Apply", err, gatehouse.Unavailable)
	_, err = db.Get(ctx, "Thing/a")
	want(t, "Get", err, gatehouse.Unavailable)
	_, err = db.List(ctx, store.Query{Kind: "Thing"})
	want(t, "List", err, gatehouse.Unavailable)
	for _, err := range db.Events(ctx, store.EventQuery{}) {
		want(t, "Events", err, gatehouse.Unavailable)
	}
	if seq := apply(t, db, writes(put("Thing/a", store.Absent))); seq != 1 {
		t.Errorf("the next batch: got number %d, want 1", seq)
	}
}

func closed(t *testing.T, db store.DB) {
	apply(t, db, writes(put("Thing/a", store.Absent)))
	if err := db.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	_, err := db.Apply(t.Context(), writes(put("Thing/b", store.Absent)))
	want(t, "Apply", err, gatehouse.Unavailable)
	_, err = db.Get(t.Context(), "Thing/a")
	want(t, "Get", err, gatehouse.Unavailable)
	want(t, "Wait", db.Wait(t.Context(), 1), gatehouse.Unavailable)
}
