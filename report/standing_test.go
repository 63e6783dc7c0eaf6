package report

import (
	"fmt"
	"testing"
)

func TestStandingIsBounded(t *testing.T) {
	var all []Refusal
	for i := range MaxListed + 10 {
		all = append(all, Refusal{API: fmt.Sprintf("t/a%04d@v1", MaxListed+9-i), Reason: "no"})
	}
	s := Stand(all, all[:3])
	if len(s.Aside) != MaxListed || s.MoreAside != 10 || s.Aside[0].API != "t/a0000@v1" || len(s.Unattested) != 3 || s.MoreUnattested != 0 {
		t.Fatalf("%d listed and %d more, from %q; %d warnings", len(s.Aside), s.MoreAside, s.Aside[0].API, len(s.Unattested))
	}
	tests := []struct {
		api  string
		want string
	}{
		{"t/a0000@v1", "no"}, {"t/a0499@v1", "no"},
		{"t/A@v1", ""}, {"t/a0000@v2", ""},
		{"t/a0505@v1", "not known"}, {"u/x@v1", "not known"},
	}
	for _, tt := range tests {
		r, ok := s.Refuses(tt.api)
		if ok != (tt.want != "") || tt.want == "no" && r.Reason != "no" {
			t.Errorf("%s: got %v %q, want %q", tt.api, ok, r.Reason, tt.want)
		}
	}
	few := Stand(all[:2], nil)
	if _, ok := few.Refuses("u/x@v1"); ok || !few.Equal(&few) || few.Equal(&s) {
		t.Error("a short list speaks for itself alone")
	}
}
