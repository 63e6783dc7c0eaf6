package results

import "testing"

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
