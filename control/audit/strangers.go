package audit

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/store"
)

// What callers who have proved nothing may leave in the trail each minute. Each
// event takes about half a kilobyte, so that a flood from everywhere fills some
// 100 MB a day and not the disk.
const (
	// StrangersPerAddress events in full are kept of one IPv4 address or one
	// IPv6 network of 64 bits, which is what one caller has at will.
	StrangersPerAddress = 10
	// StrangersInAll events in full are kept of all such callers together.
	StrangersInAll = 120
	// strangersNamed addresses have a line of their own when what came beyond
	// is summed up; the others share one.
	strangersNamed = 30
	// strangersWindow is how long counting goes on before it begins anew.
	strangersWindow = time.Minute
)

// ActionStrangers names the events that sum up refused requests.
const ActionStrangers = "access.strangers"

// Strangers records what callers who have proved nothing were refused: the
// first of each minute in full, the rest as one event with their number, so
// that nobody without credentials can fill the disk. A process that is killed
// takes the numbers of at most a minute with it. It is safe for concurrent use.
type Strangers struct {
	Trail *Trail

	mu      sync.Mutex // guards what follows
	began   time.Time  // of the window
	kept    int        // events in full in this window
	seen    map[string]int
	skipped map[string]*skipped // not yet summed up, by address
}

type skipped struct {
	n           int64
	first, last time.Time
}

// Record is [Trail.Record] within the bounds.
func (s *Strangers) Record(ctx context.Context, action, object, team, outcome string, cause error) error {
	now := s.Trail.event(ctx, action, object, team).Time
	if !s.admit(network(From(ctx).Address), now) {
		return nil
	}
	return s.Trail.Record(ctx, action, object, team, outcome, cause)
}

// admit counts one and reports whether it is kept in full.
func (s *Strangers) admit(from string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if age := now.Sub(s.began); age >= strangersWindow || age < 0 {
		s.began, s.kept, s.seen = now, 0, map[string]int{}
	}
	if s.kept < StrangersInAll && s.seen[from] < StrangersPerAddress {
		s.kept++
		s.seen[from]++ // at most StrangersInAll keys
		return true
	}
	s.skip(from, &skipped{1, now, now})
	return false
}

// skip adds to what is summed up later.
func (s *Strangers) skip(from string, more *skipped) {
	if s.skipped == nil {
		s.skipped = map[string]*skipped{}
	}
	if s.skipped[from] == nil && len(s.skipped) >= strangersNamed {
		from = ""
	}
	k := s.skipped[from]
	if k == nil {
		s.skipped[from] = more
		return
	}
	k.n += more.n
	if more.first.Before(k.first) {
		k.first = more.first
	}
	if more.last.After(k.last) {
		k.last = more.last
	}
}

// Flush writes what was counted in a window that has ended; with end set, as
// when the process stops, that of the present one too.
func (s *Strangers) Flush(ctx context.Context, now time.Time, end bool) error {
	s.mu.Lock()
	if !end && now.Sub(s.began) < strangersWindow || len(s.skipped) == 0 {
		s.mu.Unlock()
		return nil
	}
	due := s.skipped
	s.skipped = nil
	s.mu.Unlock()
	var b store.Batch
	for _, from := range slices.Sorted(maps.Keys(due)) {
		k := due[from]
		whence := "this address"
		if from == "" {
			whence = "other addresses"
		}
		e := s.Trail.event(WithRequest(ctx, Request{Actor: "anonymous", Authentication: "none", Address: from}), ActionStrangers, "organization", "")
		e.Outcome = gatehouse.Refused
		e.Reason = fmt.Sprintf("%d more requests without proof of who asks, from %s, between %s and %s", k.n, whence, k.first.Format(time.RFC3339), k.last.Format(time.RFC3339))
		b.Events = append(b.Events, e)
	}
	_, err := s.Trail.DB.Apply(ctx, b)
	if err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		for from, k := range due {
			s.skip(from, k)
		}
	}
	return err
}

// network is what one caller has at will: an address of IPv4, or the first 64
// bits of one of IPv6.
func network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if a = a.Unmap().WithZone(""); a.Is4() {
		return a.String()
	}
	p, err := a.Prefix(64)
	if err != nil {
		return address
	}
	return p.String()
}
