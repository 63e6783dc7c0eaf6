package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestCompletionAsksForWhatWasTyped completes among more objects than a server is
// asked for at once: what was typed decides which are offered.
func TestCompletionAsksForWhatWasTyped(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		limit, err := strconv.Atoi(q.Get("limit"))
		if err != nil || limit > 1000 {
			t.Errorf("asked for %q", r.URL)
		}
		items := []any{}
		for i := range 1500 {
			name := fmt.Sprintf("n%04d", i)
			ref, meta := "pets/"+name, map[string]string{"team": "pets", "name": name}
			if strings.HasPrefix(r.URL.Path, "/v1/environments") {
				ref, meta = name, map[string]string{"name": name}
			}
			if strings.HasPrefix(ref, q.Get("prefix")) && len(items) < limit {
				items = append(items, map[string]any{"metadata": meta, "spec": map[string]any{"versions": []any{map[string]string{"name": "v1"}}}})
			}
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(map[string]any{"items": items}); err != nil {
			t.Error(err)
		}
	}))
	defer s.Close()
	for _, tt := range []struct {
		line string
		want []string
	}{
		{"get api pets/n149", []string{"pets/n1490", "pets/n1491", "pets/n1492", "pets/n1493", "pets/n1494", "pets/n1495", "pets/n1496", "pets/n1497", "pets/n1498", "pets/n1499"}},
		{"status pets/n1499@", []string{"pets/n1499@v1"}},
		{"status pets/n1499@v", []string{"pets/n1499@v1"}},
		{"get api dogs/", nil},
		{"release pets/n0001@v1 --env n1498", []string{"n1498"}},
	} {
		_, out, errs := run(t, slices.Concat([]string{"__complete", "--address", s.URL, "--token", "ght_x"}, strings.Fields(tt.line))...)
		got := strings.Fields(strings.Split(out, "\n:")[0])
		if strings.HasPrefix(out, ":") {
			got = nil
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %.200q, want %q (%s)", tt.line, got, tt.want, errs)
		}
	}
}
