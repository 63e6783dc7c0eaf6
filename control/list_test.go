package control_test

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"testing"

	"gatehouse"
	"gatehouse/adminapi"
)

// TestLists holds that pages together are the whole, in the order asked for,
// each object once, also while others are made, and that filters hold.
func TestLists(t *testing.T) {
	s := newSite(t)
	var want []string
	for i := range 25 {
		stage := []string{"dev", "qa"}[i%2]
		name := fmt.Sprintf("e%02d", i)
		s.put(gatehouse.KindEnvironment, "", name, `{"stage":"`+stage+`"}`)
		want = append(want, name)
	}
	all := func(query string, between func(page int)) (names []string) {
		t.Helper()
		after := ""
		for page := 0; ; page++ {
			var list struct {
				Items []adminapi.ObjectBody
				Next  string
			}
			s.read(s.want(200, call{token: s.admin, method: "GET", path: "/v1/environments?limit=4" + query + after}), &list)
			if len(list.Items) > 4 {
				t.Fatalf("a page of %d", len(list.Items))
			}
			for _, o := range list.Items {
				names = append(names, o.Metadata.Name)
			}
			if list.Next == "" {
				return names
			}
			after = "&after=" + list.Next
			if between != nil {
				between(page)
			}
		}
	}
	if got := all("", nil); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	back := slices.Clone(want)
	slices.Reverse(back)
	if got := all("&sort=-name", nil); !slices.Equal(got, back) {
		t.Errorf("backwards: %v", got)
	}
	if got := all("&filter=stage%3Dqa", nil); len(got) != 12 || got[0] != "e01" {
		t.Errorf("in qa: %v", got)
	}
	if got := all("&filter=stage%3Dqa,name%3De01", nil); !slices.Equal(got, []string{"e01"}) {
		t.Errorf("both conditions: %v", got)
	}
	got := all("&sort=stage", func(page int) {
		s.put(gatehouse.KindEnvironment, "", fmt.Sprintf("a%02d", page), `{"stage":"dev"}`)
	})
	seen := map[string]int{}
	for _, name := range got {
		seen[name]++
	}
	for _, name := range want {
		if seen[name] != 1 {
			t.Errorf("%s came %d times while others were made", name, seen[name])
		}
	}
}

// TestCredentialsSaidTwice holds that two tokens are none.
func TestCredentialsSaidTwice(t *testing.T) {
	s := newSite(t)
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/v1/whoami", nil)
	r.Header.Add("Authorization", "Bearer "+s.admin)
	r.Header.Add("Authorization", "Bearer ght_other")
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	if w.Code != 401 {
		t.Errorf("got %d: %s", w.Code, w.Body)
	}
}
