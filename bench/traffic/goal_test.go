package traffic

import "testing"

func TestGoal(t *testing.T) {
	for _, tt := range []struct {
		goal goal
		got  float64
		want string
	}{
		{goal{}, 7, ""},
		{most(1.8), 1.804, "≤ 1.8"},
		{most(1.8), 1.81, "≤ 1.8, missed"},
		{least(0.5), 0.5, "≥ 0.5"},
		{least(0.5), 0.49, "≥ 0.5, missed"},
	} {
		if got := tt.goal.against(tt.got); got != tt.want {
			t.Errorf("%+v against %v: got %q, want %q", tt.goal, tt.got, got, tt.want)
		}
	}
}
