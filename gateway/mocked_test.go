package gateway

import (
	"encoding/json"
	"strings"
	"testing"

	"gatehouse/policy"
	"gatehouse/snapshot"
)

// A whole version is mocked by one use at the version: each operation answers
// with its own example, and there is no backend.
func TestMockedVersion(t *testing.T) {
	w := newWorld(t, Options{})
	a := orders()
	a.Access, a.Policies = "open", []policy.Use{use("mock", `{}`)}
	for i := range a.Operations {
		a.Operations[i].Examples = []policy.Example{{Status: 200, ContentType: "application/json", Body: json.RawMessage(`"` + a.Operations[i].ID + `"`)}}
	}
	w.api(a)
	b := *a
	b.Backend = snapshot.Backend{}
	w.set(snapshot.KindAPI, a.ID(), &b)
	if aside := w.swap(); len(aside) > 0 {
		t.Fatalf("aside: %+v", aside)
	}
	for _, tt := range []struct {
		method, path string
		status       int
		text         string
	}{
		{"GET", "/orders/v1/things", 200, `"list"`},
		{"POST", "/orders/v1/things", 200, `"create"`},
		{"GET", "/orders/v1/things/7", 200, `"get"`},
		{"OPTIONS", "/orders/v1/things", 204, ""},
		{"DELETE", "/orders/v1/things", 405, "method-not-allowed"},
		{"GET", "/orders/v1/none", 404, "operation-unknown"},
	} {
		r := w.do(tt.method, tt.path)
		if r.StatusCode != tt.status || !strings.Contains(r.text, tt.text) || r.Header.Get("X-Backend") != "" {
			t.Errorf("%s %s: got %d %q, want %d with %q", tt.method, tt.path, r.StatusCode, r.text, tt.status, tt.text)
		}
	}

	a.Operations[1].Examples = nil
	w.api(a)
	if aside := w.swap(); len(aside) != 1 || !strings.Contains(aside[0].Reason, `operation "create": policy mock`) {
		t.Errorf("an operation without an example: got %+v, want the API aside and the operation named", aside)
	}
}
