package server

import (
	"testing"

	"gatehouse/adminapi"
)

// TestPagesHoldTheirPlace goes through a list while items come and go: what was
// there all the time is seen once, in order.
func TestPagesHoldTheirPlace(t *testing.T) {
	key := func(s *string) string { return *s }
	var seen []string
	after := ""
	for i, all := range [][]string{{"c", "a", "b", "d"}, {"d", "c", "bb", "b", "aa"}, {"d"}, {"z"}} {
		page, next, err := paged(all, adminapi.Paged{Limit: 2, After: after}, key)
		if err != nil {
			t.Fatal(err)
		}
		if seen = append(seen, page...); next == "" && i < 2 {
			t.Fatalf("ends after %q", seen)
		}
		if after = next; next == "" {
			break
		}
	}
	if got := len(seen); got != 5 || seen[0] != "a" || seen[1] != "b" || seen[2] != "bb" || seen[3] != "c" || seen[4] != "d" {
		t.Errorf("saw %q", seen)
	}
	for _, bad := range []string{"?", "=", "a b"} {
		if _, _, err := paged([]string{"a"}, adminapi.Paged{After: bad}, key); err == nil {
			t.Errorf("cursor %q is taken", bad)
		}
	}
}
