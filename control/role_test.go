package control_test

import (
	"encoding/json"
	"slices"
	"testing"

	"gatehouse"
	"gatehouse/adminapi"
)

// TestBuiltInRolesAreShown holds that whoever is signed in sees the roles that
// are there without a document, one by one and together, and changes none.
func TestBuiltInRolesAreShown(t *testing.T) {
	s := newSite(t)
	anyone := s.token("anyone", "", "")
	var list struct{ Items []adminapi.ObjectBody }
	s.read(s.want(200, call{token: anyone, method: "GET", path: "/v1/built-in-roles"}), &list)
	var names []string
	for _, r := range list.Items {
		names = append(names, r.Metadata.Name)
		var status struct{ BuiltIn bool }
		var spec gatehouse.Role
		if json.Unmarshal(r.Status, &status) != nil || !status.BuiltIn || json.Unmarshal(r.Spec, &spec) != nil || len(spec.Permissions) == 0 || spec.Title == "" || spec.Summary == "" {
			t.Errorf("%s: %s %s", r.Metadata.Name, r.Spec, r.Status)
		}
		var one adminapi.ObjectBody
		s.read(s.want(200, call{token: anyone, method: "GET", path: "/v1/roles/" + r.Metadata.Name}), &one)
		if string(one.Spec) != string(r.Spec) {
			t.Errorf("%s alone is %s", r.Metadata.Name, one.Spec)
		}
		s.want(422, call{token: s.admin, method: "PUT", path: "/v1/roles/" + r.Metadata.Name, body: document(gatehouse.KindRole, "", r.Metadata.Name, `{"permissions":["*"]}`)})
		s.want(404, call{token: s.admin, method: "DELETE", path: "/v1/roles/" + r.Metadata.Name})
	}
	if !slices.Equal(names, gatehouse.BuiltInRoles) {
		t.Errorf("got %v, want %v", names, gatehouse.BuiltInRoles)
	}
}
