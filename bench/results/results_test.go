package results

import (
	"strings"
	"testing"
	"time"
)

func TestReplace(t *testing.T) {
	const a = "<!-- a: begin -->\none\n<!-- a: end -->\n"
	tests := []struct{ name, page, want string }{
		{"new", "# R\n", "# R\n\n<!-- a: begin -->\ntwo\n<!-- a: end -->\n"},
		{"again", "# R\n\n" + a + "tail\n", "# R\n\n<!-- a: begin -->\ntwo\n<!-- a: end -->\ntail\n"},
		{"another's", "# R\n\n<!-- b: begin -->\none\n<!-- b: end -->\n", "# R\n\n<!-- b: begin -->\none\n<!-- b: end -->\n\n<!-- a: begin -->\ntwo\n<!-- a: end -->\n"},
	}
	for _, tt := range tests {
		if got := replace(tt.page, "a", "two\n\n"); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestQuantiles(t *testing.T) {
	var all []time.Duration
	for i := range 200 {
		all = append(all, time.Duration(200-i)*time.Millisecond)
	}
	got := Quantiles(Times{What: "it", All: all, Goal: "p99 < 1 s"})
	if want := "| it | 101.0 ms | 199.0 ms | 200.0 ms | p99 < 1 s |\n"; !strings.HasSuffix(got, want) || all[0] != 200*time.Millisecond {
		t.Errorf("got %s, want %s and the times as they were", got, want)
	}
}
