package route

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Find agrees with going through all base paths, whatever they and the path are.
func TestFindAgreesWithASearchOfAll(t *testing.T) {
	base := rapid.StringMatching(`(/(a|b|a{40}|)){0,5}`)
	rapid.Check(t, func(t *rapid.T) {
		x, model := new(Index[string]), map[string]bool{}
		for range rapid.IntRange(0, 40).Draw(t, "steps") {
			path := strings.TrimRight(base.Draw(t, "base"), "/")
			if model[path] = rapid.IntRange(0, 3).Draw(t, "insert") > 0; model[path] {
				x = x.Insert("h", path, &path)
			} else {
				x = x.Remove("h", path)
			}
		}
		for range 20 {
			path := rapid.OneOf(base, rapid.SampledFrom([]string{"", "/", "*", "a", "//", "/a//b"})).Draw(t, "path")
			want, found := "", false
			for b, in := range model {
				if in && (b == "" || path == b || strings.HasPrefix(path, b+"/")) && len(b) >= len(want) {
					want, found = b, true
				}
			}
			api, size := x.Find("h", path)
			if (api != nil) != found || found && (*api != want || size != len(want)) {
				t.Fatalf("%q among %v: got %v of %d, want %q, %t", path, model, api, size, want, found)
			}
		}
	})
}

// A table that grows and empties keeps what is in it, and what was made before.
func TestTableGrowsAndEmpties(t *testing.T) {
	const n = 3000
	path := func(i int) string { return fmt.Sprintf("/%s/%d", strings.Repeat("x", i%60), i) }
	check := func(tab *table[int], from, to int) {
		t.Helper()
		if tab.size != to-from {
			t.Fatalf("size: got %d, want %d", tab.size, to-from)
		}
		for i := range n {
			got, want := tab.get(path(i)), i >= from && i < to
			if (got != nil) != want || want && *got != i {
				t.Fatalf("path %d, with %d to %d in: got %v", i, from, to, got)
			}
		}
	}
	var tab table[int]
	for i := range n {
		tab = tab.with(path(i), &i)
	}
	full := tab
	check(&full, 0, n)
	for i := range n {
		tab = tab.with(path(i), nil)
		if i == n/2 {
			check(&tab, i+1, n)
		}
	}
	check(&tab, 0, 0)
	check(&full, 0, n)
	if len(tab.parts) != 1 {
		t.Errorf("an empty table has %d parts", len(tab.parts))
	}
}
