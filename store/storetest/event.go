package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/store"
)

func count(t testing.TB, db store.DB, q store.EventQuery) (n int) {
	t.Helper()
	for _, err := range db.Events(t.Context(), q) {
		if err != nil {
			t.Fatalf("events %+v: %v", q, err)
		}
		n++
	}
	return n
}

// A fataler is a *testing.T, *testing.B or *rapid.T.
type fataler interface {
	Helper()
	Context() context.Context
	Fatal(...any)
	Fatalf(string, ...any)
}

// Verify walks the whole chain of events and returns its length.
func Verify(t fataler, db store.DB) int64 {
	t.Helper()
	head, err := db.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var n int64
	previous := ""
	for e, err := range db.Events(t.Context(), store.EventQuery{}) {
		if n++; err != nil {
			t.Fatal(err)
		}
		sum, err := e.Sum()
		if err != nil || e.Number != n || e.Previous != previous || e.Hash != sum || e.Seq > int64(head.Seq) {
			t.Fatalf("event %d does not follow: number %d, previous %q (want %q), hash %q (want %q), seq %d of %d, %v",
				n, e.Number, e.Previous, previous, e.Hash, sum, e.Seq, head.Seq, err)
		}
		if previous = e.Hash; n == head.Event {
			break
		}
	}
	if n != head.Event || previous != head.Hash {
		t.Fatalf("the chain ends at event %d %q, the head says %d %q", n, previous, head.Event, head.Hash)
	}
	return n
}

func events(t *testing.T, db store.DB) {
	start := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	var b store.Batch
	for i := range 1200 {
		e := event([]string{"api.put", "api.delete", "team.put"}[i%3])
		e.Time = start.Add(time.Duration(i) * time.Second)
		e.Object = fmt.Sprintf("API payments/%d", i%10)
		if i%100 == 7 {
			e.Actor, e.Team, e.Outcome, e.Reason = "service:ci", "billing", gatehouse.Refused, "Müller said NO & <100%"
		}
		b.Events = append(b.Events, e)
	}
	apply(t, db, b)
	for _, tt := range []struct {
		name string
		q    store.EventQuery
		want int
	}{
		{"all", store.EventQuery{}, 1200},
		{"actor", store.EventQuery{Actor: "service:ci"}, 12},
		{"team", store.EventQuery{Team: "billing"}, 12},
		{"outcome", store.EventQuery{Outcome: gatehouse.Refused}, 12},
		{"action", store.EventQuery{Action: "api.put"}, 400},
		{"actions that begin with", store.EventQuery{Action: "api.*"}, 800},
		{"any action", store.EventQuery{Action: "*"}, 1200},
		{"a star elsewhere is a star", store.EventQuery{Action: "*.put"}, 0},
		{"object", store.EventQuery{Object: "API payments/3"}, 120},
		{"objects that begin with", store.EventQuery{Object: "API pay*", Action: "team.put"}, 400},
		{"a star is no actor", store.EventQuery{Actor: "service*"}, 0},
		{"text, in another case", store.EventQuery{Text: "müller SAID no & <100%"}, 12},
		{"text is no pattern", store.EventQuery{Text: "m%ller"}, 0},
		{"from", store.EventQuery{From: start.Add(1190 * time.Second)}, 10},
		{"to", store.EventQuery{To: start.Add(10 * time.Second)}, 10},
		{"from and to", store.EventQuery{From: start.Add(10 * time.Second), To: start.Add(20 * time.Second)}, 10},
		{"to just behind an event", store.EventQuery{To: start.Add(10*time.Second + 1)}, 11},
		{"after", store.EventQuery{After: 1195}, 5},
		{"below", store.EventQuery{After: 6, Desc: true}, 5},
		{"limit", store.EventQuery{Limit: 7}, 7},
		{"limit of few", store.EventQuery{Actor: "service:ci", Limit: 100}, 12},
		{"limit with text", store.EventQuery{Text: "billing", Limit: 5}, 5},
		{"object in quotes", store.EventQuery{Object: "' OR ''='"}, 0},
	} {
		if n := count(t, db, tt.q); n != tt.want {
			t.Errorf("%s: got %d events, want %d", tt.name, n, tt.want)
		}
	}
	last := int64(1201)
	for e, err := range db.Events(t.Context(), store.EventQuery{Desc: true}) {
		if last--; err != nil || e.Number != last {
			t.Fatalf("downwards: got event %+v, %v; want number %d", e, err, last)
		}
	}
	if last != 1 {
		t.Errorf("downwards: the last was %d", last)
	}
}

func eventChain(t *testing.T, db store.DB) {
	odd := event("odd")
	odd.Change = []gatehouse.Difference{{Path: "/a<b>&", Before: json.RawMessage(`{"z": 1.50,  "a":[1e400,"\u2028é"]}`), After: json.RawMessage(`null`)}}
	odd.Reason = strings.Repeat("long ", 10_000) + "\u2028 <&> \x01 \xff"
	odd.Time = time.Date(2027, 3, 1, 12, 0, 0, 123456789, time.FixedZone("x", 3600))
	seq := apply(t, db, store.Batch{Events: []*gatehouse.Event{event("one"), odd}})
	if odd.Number != 2 || odd.Seq != int64(seq) || odd.Hash == "" {
		t.Errorf("Apply seals the caller's events: got %+v", odd)
	}
	apply(t, db, writes(put("Thing/a", store.Any))) // a batch without events in between
	apply(t, db, store.Batch{Events: []*gatehouse.Event{event("three")}, Writes: []store.Write{put("Thing/a", store.Any)}})
	if n := Verify(t, db); n != 3 {
		t.Errorf("got %d events, want 3", n)
	}
}
