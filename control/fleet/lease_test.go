package fleet

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse/link"
)

// TestLeasesNeverOvershoot lets instances ask, use and fall silent at random:
// what they use together in one window never passes the budget.
func TestLeasesNeverOvershoot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2027, 1, 31, 15, 0, 0, 0, time.UTC)
		var l leases
		l.init(func() time.Time { return now })
		const limit = 100
		ask := link.Lease{Key: "k", Limit: limit, Per: time.Hour}
		type holder struct {
			tokens, unsaid, had int64
			until               time.Time
		}
		holders := map[string]*holder{"a": {}, "b": {}, "c": {}}
		var used int64
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			name := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name")
			h := holders[name]
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0, 1:
				ask.Had = h.had
				ask.Used, ask.Want = h.unsaid, rapid.Int64Range(0, 60).Draw(t, "want")
				b := l.budget(leaseKey{"dev", "k"}, &ask, now)
				b.count(&ask, name, now)
				g := b.grant(&ask, name, 1, false, now)
				h.tokens, h.had, h.unsaid, h.until = g.Tokens, g.Tokens, 0, g.Until
			case 2:
				if !now.Before(h.until) {
					h.tokens = 0
				}
				n := rapid.Int64Range(0, h.tokens).Draw(t, "use")
				h.tokens, h.unsaid, used = h.tokens-n, h.unsaid+n, used+n
			case 3:
				h.tokens, h.had, h.unsaid = 0, 0, 0 // killed: it never says what it used
				now = now.Add(time.Duration(rapid.IntRange(0, 5000).Draw(t, "ms")) * time.Millisecond)
			}
			if used > limit {
				t.Fatalf("%d used of %d", used, limit)
			}
		}
	})
}

func TestWindow(t *testing.T) {
	now := time.Date(2027, 1, 31, 15, 20, 30, 0, time.UTC) // a Sunday
	tests := []struct {
		lease    link.Lease
		from, to string
	}{
		{link.Lease{Calendar: "hour"}, "2027-01-31T15:00:00Z", "2027-01-31T16:00:00Z"},
		{link.Lease{Calendar: "day"}, "2027-01-31T00:00:00Z", "2027-02-01T00:00:00Z"},
		{link.Lease{Calendar: "week"}, "2027-01-25T00:00:00Z", "2027-02-01T00:00:00Z"},
		{link.Lease{Calendar: "month"}, "2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z"},
		{link.Lease{Per: time.Minute}, "2027-01-31T15:20:00Z", "2027-01-31T15:21:00Z"},
	}
	for _, tt := range tests {
		from, to := window(&tt.lease, now)
		if from.Format(time.RFC3339) != tt.from || to.Format(time.RFC3339) != tt.to {
			t.Errorf("%+v: %s to %s, want %s to %s", tt.lease, from, to, tt.from, tt.to)
		}
	}
}
