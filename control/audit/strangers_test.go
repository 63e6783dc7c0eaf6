package audit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/store"
	"gatehouse/store/memory"
)

func strangers(t *testing.T) (*Strangers, *time.Time, func() []*gatehouse.Event) {
	db := memory.New()
	t.Cleanup(func() { db.Close() })
	now := time.Date(2026, 11, 22, 21, 0, 0, 0, time.UTC)
	s := &Strangers{Trail: &Trail{DB: db, Now: func() time.Time { return now }}}
	return s, &now, func() (all []*gatehouse.Event) {
		for e, err := range db.Events(t.Context(), store.EventQuery{}) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, e)
		}
		return all
	}
}

func knock(t *testing.T, s *Strangers, address string) {
	t.Helper()
	ctx := WithRequest(t.Context(), Request{Actor: "anonymous", Authentication: "none", Address: address, ID: "r"})
	if err := s.Record(ctx, "api.put", "API a/b", "a", gatehouse.Refused, errors.New("no token")); err != nil {
		t.Error(err)
	}
}

// TestFloodIsBounded holds that no number of strangers leaves more than the
// bounds, and that every one of them is counted.
func TestFloodIsBounded(t *testing.T) {
	s, now, events := strangers(t)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for range 250 {
				knock(t, s, "192.0.2.1")
				knock(t, s, fmt.Sprintf("2001:db8:0:1::%d", i+1)) // one network
			}
		})
	}
	wg.Wait()
	if n := len(events()); n != 2*StrangersPerAddress {
		t.Fatalf("2000 requests of two callers left %d events, want %d", n, 2*StrangersPerAddress)
	}
	if err := s.Flush(t.Context(), *now, false); err != nil || len(events()) != 2*StrangersPerAddress {
		t.Errorf("summed up before the minute was over (%v)", err)
	}
	*now = now.Add(time.Minute)
	if err := s.Flush(t.Context(), *now, false); err != nil {
		t.Fatal(err)
	}
	sums := events()[2*StrangersPerAddress:]
	if len(sums) != 2 {
		t.Fatalf("got %d sums", len(sums))
	}
	for _, e := range sums {
		if e.Action != ActionStrangers || e.Outcome != gatehouse.Refused || e.Actor != "anonymous" || !strings.HasPrefix(e.Reason, "990 more ") {
			t.Errorf("got %+v", e)
		}
		if e.Address != "192.0.2.1" && e.Address != "2001:db8:0:1::/64" {
			t.Errorf("address %q", e.Address)
		}
	}
	knock(t, s, "192.0.2.1") // a new minute
	if n := len(events()); n != 2*StrangersPerAddress+3 {
		t.Errorf("the next minute's first: %d events", n)
	}
}

// TestFloodFromEverywhere holds the bounds for callers with many addresses.
func TestFloodFromEverywhere(t *testing.T) {
	s, now, events := strangers(t)
	for i := range 5000 {
		knock(t, s, fmt.Sprintf("10.%d.%d.1", i/250, i%250))
	}
	if n := len(events()); n != StrangersInAll {
		t.Fatalf("got %d events in full, want %d", n, StrangersInAll)
	}
	if len(s.seen) > StrangersInAll || len(s.skipped) > strangersNamed+1 {
		t.Errorf("it remembers %d and %d addresses", len(s.seen), len(s.skipped))
	}
	if err := s.Flush(t.Context(), *now, true); err != nil {
		t.Fatal(err)
	}
	total := 0
	sums := events()[StrangersInAll:]
	for _, e := range sums {
		var n int
		if _, err := fmt.Sscanf(e.Reason, "%d more", &n); err != nil {
			t.Errorf("%q: %v", e.Reason, err)
		}
		total += n
	}
	if total != 5000-StrangersInAll || len(sums) != strangersNamed+1 {
		t.Errorf("%d sums tell of %d, want %d", len(sums), total, 5000-StrangersInAll)
	}
}

// TestSumsOutliveAStoreThatRefuses holds that nothing counted is lost when it
// cannot be written at once.
func TestSumsOutliveAStoreThatRefuses(t *testing.T) {
	s, now, events := strangers(t)
	for range 25 {
		knock(t, s, "192.0.2.1")
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if s.Flush(gone, *now, true) == nil {
		t.Fatal("the store took it all the same")
	}
	if err := s.Flush(t.Context(), *now, true); err != nil {
		t.Fatal(err)
	}
	all := events()
	if last := all[len(all)-1]; !strings.HasPrefix(last.Reason, "15 more ") {
		t.Errorf("got %q", last.Reason)
	}
}
