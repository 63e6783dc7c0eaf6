package cli

import (
	"testing"
	"time"

	"gatehouse"
)

// A version in force whose last day is over says so; what was superseded or
// withdrawn does anyway.
func TestStandingOfVersions(t *testing.T) {
	over := time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		state string
		ended time.Time
		want  string
	}{
		{gatehouse.InForce, time.Time{}, "in-force"}, {gatehouse.InForce, over, "in-force, ended"},
		{gatehouse.Superseded, over, "superseded"}, {gatehouse.Withdrawn, over, "withdrawn"}, {gatehouse.Draft, time.Time{}, "draft"},
	} {
		if got := standing(tt.state, tt.ended); got != tt.want {
			t.Errorf("%s, ended %v: got %q, want %q", tt.state, tt.ended, got, tt.want)
		}
	}
}
