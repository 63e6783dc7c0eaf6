package storetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"testing"

	"gatehouse/store"
)

// callersGoAway cuts calls short at any moment of theirs, and sees that the next
// is served: a transaction that one left open would have the engine's connection,
// and with one connection that writes, refuse everybody from then on.
func callersGoAway(t *testing.T, db store.DB) {
	const calls = 1000
	gone, most := 0, 1000
	for i := range calls {
		ctx, cancel := context.WithCancel(t.Context())
		turns := rand.IntN(1 + rand.IntN(most))
		go func() {
			defer cancel()
			for range turns { // shorter than a timer's least
				if runtime.Gosched(); ctx.Err() != nil {
					return
				}
			}
		}()
		var err error
		if i%2 == 0 {
			_, err = db.Apply(ctx, store.Batch{Writes: []store.Write{put("a", store.Any, "round", "x")}})
		} else {
			_, err = db.List(ctx, store.Query{Kind: "Thing"})
		}
		cancel()
		switch {
		case err != nil && !errors.Is(err, context.Canceled):
			t.Fatalf("call %d, after %d that were cut short: %v", i+1, gone, err)
		case err != nil:
			gone++
			most += most/10 + 1
		default:
			most = max(10, most-most/10) // so that about half are cut short, here and there
		}
		if i%20 == 0 {
			apply(t, db, store.Batch{Writes: []store.Write{put("b", store.Any)}})
		}
	}
	apply(t, db, store.Batch{Writes: []store.Write{put("b", store.Any)}})
	t.Logf("%d of %d calls were cut short", gone, calls)
}
