package diff

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/definition/breaking"
)

func TestCompareForms(t *testing.T) {
	form := func(change func(*gatehouse.RevisionForm)) *gatehouse.RevisionForm {
		f := &gatehouse.RevisionForm{Team: "shop", Name: "cart", Audience: "partner", Version: gatehouse.Version{Name: "v1", Path: "/cart", Backend: "cart",
			Policies: []gatehouse.PolicyUse{{Name: "timeout", Config: []byte(`{"backend":"5s"}`)}}}}
		if change != nil {
			change(f)
		}
		return f
	}
	tests := []struct {
		name   string
		change func(*gatehouse.RevisionForm)
		want   string
	}{
		{"nothing", nil, ""},
		{"backend by its full name", func(f *gatehouse.RevisionForm) { f.Version.Backend = "shop/cart" }, ""},
		{"slash at the end", func(f *gatehouse.RevisionForm) { f.Version.Path = "/cart/" }, ""},
		{"path", func(f *gatehouse.RevisionForm) { f.Version.Path = "/carts" }, "error path-changed"},
		{"token asked for", func(f *gatehouse.RevisionForm) { f.Version.Access = "token" }, "error access-changed"},
		{"opened", func(f *gatehouse.RevisionForm) { f.Version.Access = "open" }, "info access-changed"},
		{"for fewer", func(f *gatehouse.RevisionForm) { f.Audience = "internal" }, "error audience-changed"},
		{"for more", func(f *gatehouse.RevisionForm) { f.Audience = "public" }, "info audience-changed"},
		{"retired", func(f *gatehouse.RevisionForm) { f.Version.Lifecycle = "retired" }, "error lifecycle-changed"},
		{"policy", func(f *gatehouse.RevisionForm) {
			f.Version.Policies = append(f.Version.Policies, gatehouse.PolicyUse{Name: "cors"})
		}, "warn policy-added"},
		{"policy off", func(f *gatehouse.RevisionForm) { f.Version.Policies = nil }, "info policy-removed"},
		{"policy otherwise", func(f *gatehouse.RevisionForm) {
			f.Version.Policies = []gatehouse.PolicyUse{{Name: "timeout", Config: []byte(`{"backend":"1s"}`)}}
		}, "warn policy-changed"},
		{"policy of an operation", func(f *gatehouse.RevisionForm) {
			f.Version.Operations = map[string]gatehouse.OperationUse{"list": {Policies: []gatehouse.PolicyUse{{Name: "cors"}}}}
		}, "warn policy-added list"},
	}
	for _, tt := range tests {
		var got []string
		for _, c := range compareForms(form(nil), form(tt.change)) {
			got = append(got, strings.TrimSpace(fmt.Sprint(c.Level, " ", c.ID, " ", c.Operation)))
		}
		if text := strings.Join(got, ", "); text != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, text, tt.want)
		}
	}
}

// Who called what goes is told apart from who called what stays.
func TestAffected(t *testing.T) {
	was := []gatehouse.Operation{{ID: "list", Method: "GET", Path: "/a"}, {ID: "drop", Method: "DELETE", Path: "/a/{id}"}}
	is := []gatehouse.Operation{{ID: "list", Method: "GET", Path: "/a"}, {ID: "gone", Method: "DELETE", Path: "/b"}}
	d := &Difference{Removed: missing(was, is), Added: missing(is, was)}
	if ids, all := d.broken(was); all || len(ids) != 1 || !ids["drop"] || len(d.Added) != 1 {
		t.Errorf("removed %v, broken %v, added %v", d.Removed, ids, d.Added)
	}
	if gone := missing(was, []gatehouse.Operation{was[0], {ID: "x", Method: "DELETE", Path: "/a/{name}"}}); len(gone) != 0 {
		t.Errorf("a parameter's name is nothing a caller notices: %v", gone)
	}
	d.Definition = []breaking.Change{{Level: breaking.Error, Operation: "GET /a", OperationID: "list"}, {Level: breaking.Warn, Operation: "GET /c"}}
	if ids, _ := d.broken(was); len(ids) != 2 || !slices.Contains(keys(ids), "list") {
		t.Errorf("broken %v", ids)
	}
	d.Gatehouse = []breaking.Change{{Level: breaking.Error, ID: "path-changed"}}
	if _, all := d.broken(was); !all {
		t.Error("another path breaks everyone")
	}
}
