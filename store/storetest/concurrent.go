package storetest

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"gatehouse"
	"gatehouse/store"
)

// Concurrent writes from many goroutines, spread over handles on one database,
// while a watcher on each handle tails the changes. Every watcher must see
// every batch once, in order, without a gap; a counter that is written by
// compare-and-swap must have lost no increment; the chain must hold.
func Concurrent(t *testing.T, dbs ...store.DB) {
	const writers, rounds = 6, 25
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	start, err := dbs[0].Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	final := start.Seq + writers*rounds
	var watch sync.WaitGroup
	for i, db := range dbs {
		watch.Go(func() {
			if err := tail(ctx, db, start.Seq, final); err != nil {
				t.Errorf("watcher on handle %d: %v", i, err)
			}
		})
	}
	var write sync.WaitGroup
	for i := range writers {
		write.Go(func() {
			for range rounds {
				if err := increment(ctx, dbs[i%len(dbs)], i); err != nil {
					t.Errorf("writer %d: %v", i, err)
					stop()
					return
				}
			}
		})
	}
	write.Wait()
	watch.Wait()
	r, err := dbs[0].Get(t.Context(), "Thing/counter")
	if err != nil || string(r.Value) != strconv.Itoa(writers*rounds) {
		t.Errorf("counter: got %s, %v; want %d", r.Value, err, writers*rounds)
	}
	if head, err := dbs[0].Head(t.Context()); err != nil || head.Seq != final {
		t.Errorf("head: got %+v, %v; want number %d: a lost race must take none", head, err, final)
	}
	Verify(t, dbs[0])
}

// increment adds one to the counter, trying again when another was faster.
func increment(ctx context.Context, db store.DB, writer int) error {
	for {
		r, err := db.Get(ctx, "Thing/counter")
		if err != nil && !gatehouse.Is(err, gatehouse.NotFound) {
			return err
		}
		n, _ := strconv.Atoi(string(r.Value)) // absent: 0
		_, err = db.Apply(ctx, store.Batch{
			Writes: []store.Write{
				{Key: "Thing/counter", Kind: "Thing", Value: []byte(strconv.Itoa(n + 1)), Expect: r.Rev},
				{Key: fmt.Sprintf("Thing/%d", writer), Kind: "Thing", Value: []byte(strconv.Itoa(n + 1)), Expect: store.Any, Index: map[string]string{"n": strconv.Itoa(n)}},
			},
			Events: []*gatehouse.Event{event("increment")},
		})
		if !gatehouse.Is(err, gatehouse.Conflict) {
			return err
		}
	}
}

// tail follows the changes until final: two of each batch, none missing.
func tail(ctx context.Context, db store.DB, at, final store.Seq) error {
	for at < final {
		if err := db.Wait(ctx, at); err != nil {
			return err
		}
		changes, upTo, err := db.Changes(ctx, at, 5)
		if err != nil {
			return err
		}
		if upTo-at != store.Seq(len(changes)/2) || len(changes)%2 != 0 {
			return fmt.Errorf("after %d: %d changes up to %d", at, len(changes), upTo)
		}
		for i := 0; i < len(changes); i += 2 {
			if at++; changes[i].Seq != at || changes[i+1].Seq != at || changes[i].Key == changes[i+1].Key {
				return fmt.Errorf("batch %d is missing or torn: got %s of %d and %s of %d", at, changes[i].Key, changes[i].Seq, changes[i+1].Key, changes[i+1].Seq)
			}
		}
	}
	return nil
}
