package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/store"

	"pgregory.net/rapid"
)

// A naive store: all states there have been, each a whole copy.
type naive struct {
	states []map[string]thing // after batch i
	taken  map[int64]bool
	events int64
	sum    int64
}

type thing struct {
	value, kind string
	rev         store.Seq
	index       map[string]string
}

func (n *naive) now() map[string]thing { return n.states[len(n.states)-1] }

// apply does what Apply must do and tells whether it must succeed.
func (n *naive) apply(b store.Batch) error {
	next := maps.Clone(n.now())
	seq := store.Seq(len(n.states))
	if b.Usage != nil && n.taken[b.Usage.Number] {
		return store.ErrTaken
	}
	for _, w := range b.Writes {
		if w.Expect != store.Any && w.Expect != n.now()[w.Key].rev {
			return gatehouse.E(gatehouse.Conflict, "conflict")
		}
		if w.Value == nil {
			delete(next, w.Key)
		} else {
			next[w.Key] = thing{string(w.Value), w.Kind, seq, w.Index}
		}
	}
	n.states = append(n.states, next)
	n.events += int64(len(b.Events))
	if b.Usage != nil {
		n.taken[b.Usage.Number] = true
		n.sum += b.Usage.Rows[0].Requests
	}
	return nil
}

// list does what List must do, without pages.
func (n *naive) list(q store.Query) (keys []string) {
	state := n.now()
	if q.AsOf > 0 && int(q.AsOf) < len(n.states) {
		state = n.states[q.AsOf]
	}
	for key, th := range state {
		ok := th.kind == q.Kind && strings.HasPrefix(key, q.Prefix)
		if by := th.index[q.Sort]; q.Below != "" {
			ok = ok && by != "" && by < q.Below
		}
		for name, value := range q.Where {
			ok = ok && th.index[name] == value
		}
		if ok {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(strings.Compare(state[a].index[q.Sort], state[b].index[q.Sort]), strings.Compare(a, b))
	})
	if q.Desc {
		slices.Reverse(keys)
	}
	return keys
}

var (
	someKey   = rapid.SampledFrom([]string{"a", "a/1", "a/2", "b", "B", "é", "z%", "z_"})
	someKind  = rapid.SampledFrom([]string{"K", "K", "L"})
	someName  = rapid.SampledFrom([]string{"x", "y"})
	someValue = rapid.SampledFrom([]string{"", "1", "2", "10", "Ä"})
	someWhere = rapid.MapOfN(someName, someValue, 0, 2)
)

// model compares an engine with the naive store over random batches and lists.
func model(t *testing.T, open func(t *testing.T) store.DB) {
	rapid.Check(t, func(rt *rapid.T) {
		db := open(t)
		defer db.Close()
		n := &naive{states: []map[string]thing{{}}, taken: map[int64]bool{}}
		for range rapid.IntRange(1, 12).Draw(rt, "batches") {
			modelApply(t, rt, db, n)
			modelList(t, rt, db, n)
			modelGet(t, rt, db, n)
		}
		if Verify(rt, db) != n.events {
			rt.Fatalf("the chain has not %d events", n.events)
		}
		rows, err := db.Usage(t.Context(), store.UsageQuery{})
		var sum int64
		for _, r := range rows {
			sum += r.Requests
		}
		if err != nil || sum != n.sum {
			rt.Fatalf("usage: got %d, %v; want %d", sum, err, n.sum)
		}
	})
}

func modelApply(t *testing.T, rt *rapid.T, db store.DB, n *naive) {
	var b store.Batch
	for _, key := range rapid.SliceOfNDistinct(someKey, 0, 4, rapid.ID).Draw(rt, "keys") {
		w := store.Write{Key: key, Kind: someKind.Draw(rt, "kind"), Expect: store.Any, Index: someWhere.Draw(rt, "index")}
		switch rapid.IntRange(0, 9).Draw(rt, "expect") {
		case 0:
			w.Expect = store.Absent
		case 1:
			w.Expect = store.Seq(rapid.IntRange(0, len(n.states)).Draw(rt, "rev"))
		case 2, 3, 4:
			w.Expect = n.now()[key].rev
		}
		if rapid.IntRange(0, 3).Draw(rt, "delete") > 0 {
			w.Value = []byte(fmt.Sprint(rapid.Int().Draw(rt, "value")))
		}
		b.Writes = append(b.Writes, w)
	}
	for range rapid.IntRange(0, 2).Draw(rt, "events") {
		b.Events = append(b.Events, event("model"))
	}
	if rapid.IntRange(0, 4).Draw(rt, "usage") == 0 {
		b.Usage = &store.Usage{Spool: "s", Number: int64(rapid.IntRange(1, 3).Draw(rt, "number")), Rows: []store.UsageRow{{Hour: hour, Requests: 3}}}
	}
	if b.Empty() {
		return
	}
	seq, err := db.Apply(t.Context(), b)
	must := n.apply(b)
	switch {
	case must == nil && (err != nil || int(seq) != len(n.states)-1):
		rt.Fatalf("Apply %+v: got %d, %v; want %d", b, seq, err, len(n.states)-1)
	case errors.Is(must, store.ErrTaken) && !errors.Is(err, store.ErrTaken), must != nil && !gatehouse.Is(err, gatehouse.Conflict):
		rt.Fatalf("Apply %+v: got %d, %v; want %v", b, seq, err, must)
	}
}

func modelList(t *testing.T, rt *rapid.T, db store.DB, n *naive) {
	q := store.Query{Kind: "K", Prefix: rapid.SampledFrom([]string{"", "", "a", "a/", "z%"}).Draw(rt, "prefix"), Where: someWhere.Draw(rt, "where"),
		Sort: rapid.SampledFrom([]string{"", "x", "y"}).Draw(rt, "sort"), Desc: rapid.Bool().Draw(rt, "desc"), Limit: rapid.IntRange(0, 3).Draw(rt, "limit"),
		AsOf: store.Seq(rapid.IntRange(0, len(n.states)).Draw(rt, "as of"))}
	if q.Sort != "" {
		q.Below = rapid.SampledFrom([]string{"", "", "1", "11", "2", "é"}).Draw(rt, "below")
	}
	got, _, err := all(t.Context(), db, q)
	if want := n.list(q); err != nil || !slices.Equal(keysOf(got), want) {
		rt.Fatalf("List %+v: got %q, %v; want %q", q, keysOf(got), err, want)
	}
}

func modelGet(t *testing.T, rt *rapid.T, db store.DB, n *naive) {
	key := someKey.Draw(rt, "key")
	at := store.Seq(rapid.IntRange(0, len(n.states)-1).Draw(rt, "at"))
	for _, state := range []struct {
		get func() (store.Record, error)
		of  map[string]thing
	}{
		{func() (store.Record, error) { return db.Get(t.Context(), key) }, n.now()},
		{func() (store.Record, error) { return db.GetAsOf(t.Context(), key, at) }, n.states[at]},
	} {
		r, err := state.get()
		th, ok := state.of[key]
		if ok != (err == nil) || (err != nil && !gatehouse.Is(err, gatehouse.NotFound)) || string(r.Value) != th.value || r.Rev != th.rev || r.Kind != th.kind {
			rt.Fatalf("get %q (as of %d): got %+v, %v; want %+v", key, at, r, err, th)
		}
	}
}
