package gate

import (
	"testing"
	"time"
)

// What nobody waits for takes an eighth of one core at most where releases take
// long to come by, and five thousand of them still ten minutes at most.
func TestBackgroundWorkRests(t *testing.T) {
	const goal = 10 * time.Minute / 5000
	tests := []struct{ took, want time.Duration }{
		{0, 0},
		{time.Millisecond, 7 * time.Millisecond},
		{6 * time.Millisecond, 42 * time.Millisecond},
		{10 * time.Millisecond, 70 * time.Millisecond},
		{15 * time.Millisecond, 65 * time.Millisecond},
		{20 * time.Millisecond, 60 * time.Millisecond},
		{30 * time.Millisecond, 90 * time.Millisecond},
		{time.Minute, time.Second},
	}
	for _, tt := range tests {
		got := resting(tt.took)
		if got != tt.want {
			t.Errorf("after %s it rests %s, want %s", tt.took, got, tt.want)
		}
		if tt.took <= 30*time.Millisecond && tt.took+got > goal {
			t.Errorf("a release takes %s, the goal is %s", tt.took+got, goal)
		}
	}
}
