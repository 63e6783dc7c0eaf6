package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse"
	"gatehouse/store"
)

func history(t *testing.T, db store.DB) {
	const n = 701 // more than iterators read ahead
	for i := 1; i <= n; i++ {
		w := store.Write{Key: "Thing/a", Kind: "Thing", Value: []byte(fmt.Sprint(i)), Expect: store.Any}
		if i%5 == 0 {
			w.Value = nil
		}
		apply(t, db, writes(w, put("Thing/b", store.Any)))
	}
	i := 0
	for c, err := range db.History(t.Context(), "Thing/a") {
		if i++; err != nil {
			t.Fatal(err)
		}
		if c.Seq != store.Seq(i) || c.Rev != c.Seq || c.Kind != "Thing" || c.Deleted != (i%5 == 0) || !c.Deleted && string(c.Value) != fmt.Sprint(i) {
			t.Fatalf("state %d: got %+v", i, c)
		}
		if i == 3 { // a loop may use the store
			if _, err := db.Get(t.Context(), "Thing/b"); err != nil {
				t.Fatal(err)
			}
			apply(t, db, writes(put("Thing/c", store.Any)))
		}
	}
	if i != n {
		t.Errorf("got %d states, want %d", i, n)
	}
	for _, at := range []store.Seq{1, 4, 5, 6, n} {
		r, err := db.GetAsOf(t.Context(), "Thing/a", at)
		if at%5 == 0 {
			want(t, fmt.Sprintf("as of %d", at), err, gatehouse.NotFound)
		} else if err != nil || string(r.Value) != fmt.Sprint(at) || r.Rev != at {
			t.Errorf("as of %d: got %+v, %v", at, r, err)
		}
	}
	_, err := db.GetAsOf(t.Context(), "Thing/a", 0)
	want(t, "as of before all", err, gatehouse.NotFound)
	for c, err := range db.History(t.Context(), "Thing/none") {
		t.Errorf("history of nothing: got %+v, %v", c, err)
	}
	for range db.History(t.Context(), "Thing/a") {
		break
	}
}

func asOfTime(t *testing.T, db store.DB) {
	before := time.Now().Add(-time.Minute)
	for range 3 {
		apply(t, db, writes(put("Thing/a", store.Any)))
	}
	at, err := db.AsOf(t.Context(), before)
	if err != nil || at != 0 {
		t.Errorf("before all: got %d, %v", at, err)
	}
	at, err = db.AsOf(t.Context(), time.Now().Add(time.Minute))
	if err != nil || at != 3 {
		t.Errorf("after all: got %d, %v", at, err)
	}
	for c, err := range db.History(t.Context(), "Thing/a") {
		at, asOfErr := db.AsOf(t.Context(), c.Time)
		if err != nil || asOfErr != nil || at < c.Seq {
			t.Errorf("at the time of batch %d: got %d, %v, %v", c.Seq, at, err, asOfErr)
		}
	}
}

func changes(t *testing.T, db store.DB) {
	apply(t, db, writes(put("a1", store.Any), put("a2", store.Any), put("a3", store.Any))) // 1
	apply(t, db, store.Batch{Events: []*gatehouse.Event{event("nothing")}})                // 2
	apply(t, db, writes(put("b1", store.Any), put("b2", store.Any)))                       // 3
	apply(t, db, writes(store.Write{Key: "a1", Expect: store.Any}))                        // 4
	apply(t, db, store.Batch{Events: []*gatehouse.Event{event("nothing")}})                // 5
	for _, tt := range []struct {
		after store.Seq
		limit int
		want  string
		at    store.Seq
	}{
		{0, 0, "1:a1 1:a2 1:a3 3:b1 3:b2 4:-a1 ", 5},
		{0, 1, "1:a1 1:a2 1:a3 ", 1},
		{0, 3, "1:a1 1:a2 1:a3 ", 1},
		{0, 4, "1:a1 1:a2 1:a3 3:b1 3:b2 ", 3},
		{1, 10, "3:b1 3:b2 4:-a1 ", 5},
		{4, 10, "", 5},
		{5, 10, "", 5},
		{9, 10, "", 9},
	} {
		got, at, err := db.Changes(t.Context(), tt.after, tt.limit)
		var text string
		for _, c := range got {
			sign := ""
			if c.Deleted {
				sign = "-"
			}
			if c.Deleted != (c.Value == nil) || c.Kind != "Thing" || c.Rev != c.Seq || c.Time.IsZero() {
				t.Errorf("after %d: got %+v", tt.after, c)
			}
			text += fmt.Sprintf("%d:%s%s ", c.Seq, sign, c.Key)
		}
		if err != nil || text != tt.want || (at != tt.at && tt.after < 9) {
			t.Errorf("after %d, limit %d: got %q up to %d, %v; want %q up to %d", tt.after, tt.limit, text, at, err, tt.want, tt.at)
		}
	}
}

func wait(t *testing.T, db store.DB) {
	apply(t, db, writes(put("a", store.Any)))
	if err := db.Wait(t.Context(), 0); err != nil {
		t.Errorf("waiting for what is there: %v", err)
	}
	woke := make(chan error, 3)
	for range cap(woke) {
		go func() {
			for { // it may wake early
				if err := db.Wait(t.Context(), 1); err != nil {
					woke <- err
					return
				}
				if head, err := db.Head(t.Context()); err != nil || head.Seq > 1 {
					woke <- err
					return
				}
			}
		}()
	}
	apply(t, db, writes(put("a", store.Any)))
	for range cap(woke) {
		if err := <-woke; err != nil {
			t.Errorf("waiting: %v", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { woke <- db.Wait(ctx, 2) }()
	cancel()
	err := <-woke
	want(t, "waiting until cancelled", err, gatehouse.Unavailable)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("waiting until cancelled: error %v does not wrap context.Canceled", err)
	}
}

// Clock is the contract for times, on an engine that can run in a bubble of
// testing/synctest: a small step back of the clock is levelled, a large one is
// taken, and neither makes a batch unreachable.
func Clock(t *testing.T, open func() store.DB) {
	synctest.Test(t, func(t *testing.T) {
		db := open()
		defer db.Close()
		var times []time.Time
		for i := range 3 {
			apply(t, db, writes(put("a", store.Any)))
			r, err := db.Get(t.Context(), "a")
			if err != nil {
				t.Fatal(err)
			}
			times = append(times, r.Time)
			time.Sleep(time.Hour)
			if at, err := db.AsOf(t.Context(), time.Now().Add(-time.Minute)); err != nil || at != store.Seq(i+1) {
				t.Errorf("59 minutes after batch %d: got %d, %v", i+1, at, err)
			}
		}
		for i, at := range times {
			if got, err := db.AsOf(t.Context(), at.Add(-time.Microsecond)); err != nil || got != store.Seq(i) {
				t.Errorf("just before batch %d: got %d, %v", i+1, got, err)
			}
			if got, err := db.AsOf(t.Context(), at); err != nil || got != store.Seq(i+1) {
				t.Errorf("at batch %d: got %d, %v", i+1, got, err)
			}
		}
	})
}
