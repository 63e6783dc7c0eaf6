package landscape

import (
	"testing"
	"time"
)

// A request counts as made during a change when the two overlap.
func TestWithin(t *testing.T) {
	at := func(ms int) time.Time { return time.UnixMilli(int64(ms)) }
	spans := []span{{at(10), at(20)}, {at(30), at(40)}}
	for _, tt := range []struct {
		name     string
		from, to int
		want     bool
	}{
		{"before", 1, 9, false}, {"into the first", 5, 15, true}, {"inside", 12, 13, true}, {"over the first", 5, 25, true},
		{"between", 21, 29, false}, {"out of the second", 35, 50, true}, {"after", 41, 50, false},
	} {
		if got := within(spans, at(tt.from), at(tt.to)); got != tt.want {
			t.Errorf("%s: got %v", tt.name, got)
		}
	}
	if thousands(1234567) != "1,234,567" || thousands(123) != "123" {
		t.Errorf("thousands: got %s and %s", thousands(1234567), thousands(123))
	}
}
