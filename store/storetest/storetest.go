// Package storetest is the contract of store.DB as tests. An engine passes Run
// and adds what is its own: how it starts, what it does when the disk is full.
package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/store"
)

// Run runs the whole contract; each call of open gives a new, empty store that
// is closed when its test ends.
func Run(t *testing.T, open func(t *testing.T) store.DB) {
	for _, tt := range []struct {
		name string
		test func(t *testing.T, db store.DB)
	}{
		{"empty", empty},
		{"write", write},
		{"expect", expect},
		{"all or nothing", allOrNothing},
		{"refused batches", refusedBatches},
		{"bytes are the caller's", bytesAreTheCallers},
		{"odd text", oddText},
		{"large", large},
		{"get many", getMany},
		{"list", list},
		{"list of what lacks an entry", lacking},
		{"list in pages", pages},
		{"pages under writes", pagesUnderWrites},
		{"list as of", listAsOf},
		{"every record", everyRecord},
		{"cursors", cursors},
		{"history", history},
		{"as of a time", asOfTime},
		{"changes", changes},
		{"wait", wait},
		{"events", events},
		{"event chain", eventChain},
		{"usage", usage},
		{"usage once", usageOnce},
		{"usage bins", usageBins},
		{"jobs", jobs},
		{"jobs with a batch", jobsWithABatch},
		{"jobs claimed at once", jobsAtOnce},
		{"jobs dropped", jobsDropped},
		{"writers at once", func(t *testing.T, db store.DB) { Concurrent(t, db) }},
		{"cancelled", cancelled},
		{"callers go away", callersGoAway},
		{"closed", closed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			db := open(t)
			t.Cleanup(func() { db.Close() })
			tt.test(t, db)
		})
	}
	t.Run("model", func(t *testing.T) { model(t, open) })
}

// put is a write of a small record of kind "Thing".
func put(key string, expect store.Seq, index ...string) store.Write {
	w := store.Write{Key: key, Kind: "Thing", Value: []byte(fmt.Sprintf(`{"key":%q}`, key)), Expect: expect}
	for i := 0; i+1 < len(index); i += 2 {
		if w.Index == nil {
			w.Index = map[string]string{}
		}
		w.Index[index[i]] = index[i+1]
	}
	return w
}

func event(action string) *gatehouse.Event {
	return &gatehouse.Event{Time: time.Now().UTC().Truncate(time.Microsecond), Actor: "user:a@example.com", Authentication: "none",
		Action: action, Object: "API payments/orders", Team: "payments", Outcome: gatehouse.Allowed}
}

// apply writes what must succeed.
func apply(t testing.TB, db store.DB, b store.Batch) store.Seq {
	t.Helper()
	seq, err := db.Apply(t.Context(), b)
	if err != nil {
		t.Fatalf("Apply: %v", err)
	}
	return seq
}

func writes(w ...store.Write) store.Batch { return store.Batch{Writes: w} }

// want checks the kind of an error.
func want(t testing.TB, what string, err error, kind gatehouse.ErrorKind) {
	t.Helper()
	if !gatehouse.Is(err, kind) {
		t.Errorf("%s: got error %v (kind %q), want kind %q", what, err, gatehouse.KindOf(err), kind)
	}
}

func keysOf(records []store.Record) (keys []string) {
	for _, r := range records {
		keys = append(keys, r.Key)
	}
	return keys
}

// all reads a list page by page.
func all(ctx context.Context, db store.DB, q store.Query) (records []store.Record, pages int, err error) {
	for {
		page, err := db.List(ctx, q)
		if err != nil {
			return nil, pages, err
		}
		records = append(records, page.Records...)
		pages++
		if page.Next == "" {
			return records, pages, nil
		}
		q.After = page.Next
	}
}
