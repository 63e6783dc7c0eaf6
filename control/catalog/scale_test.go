package catalog

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/store"
	"gatehouse/store/memory"
	"gatehouse/store/sqlite"
)

// many is n APIs of ten operations each, each with a definition of its own.
func many(tb testing.TB, n int) Request {
	tb.Helper()
	req := Request{Files: map[string][]byte{}, Set: "many"}
	add := func(text string) *gatehouse.Object {
		o, err := gatehouse.DecodeObject([]byte(text))
		if err != nil {
			tb.Fatal(err)
		}
		return o
	}
	for _, text := range []string{teamDoc, devDoc, qaDoc, prodDoc, backendDoc} {
		req.Documents = append(req.Documents, Document{Object: add(text)})
	}
	for i := range n {
		var b strings.Builder
		fmt.Fprintf(&b, "openapi: 3.0.3\ninfo: {title: API %d, version: '1'}\npaths:\n", i)
		for j := range 10 {
			fmt.Fprintf(&b, "  /things%d/{id}:\n    get:\n      operationId: getThing%d\n      parameters: [{name: id, in: path, required: true, schema: {type: string}}]\n      responses:\n        '200': {description: ok, content: {application/json: {schema: {type: object, properties: {id: {type: string}}}}}}\n", j, j)
		}
		sum := hashOf([]byte(b.String()))
		req.Files[sum] = []byte(b.String())
		req.Documents = append(req.Documents, Document{
			Object: add(fmt.Sprintf(`{"apiVersion":"gatehouse/v1","kind":"API","metadata":{"team":"payments","name":"api-%d"},"spec":{"versions":[{"name":"v1","definition":"api.yaml","path":"/api-%d/v1","backend":"orders"}]}}`, i, i)),
			Files:  map[string]string{"api.yaml": sum},
		})
	}
	return req
}

func engines(t *testing.T) map[string]func(t *testing.T) store.DB {
	return map[string]func(t *testing.T) store.DB{
		"memory": func(*testing.T) store.DB { return memory.New() },
		"sqlite": func(t *testing.T) store.DB {
			db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "gatehouse.db"))
			if err != nil {
				t.Fatal(err)
			}
			return db
		},
	}
}

// TestManyAPIs applies a thousand APIs in one bundle, twice. Times are logged,
// not judged; what is judged is that the second apply writes nothing and that
// a change of one API reads a bounded number of records.
func TestManyAPIs(t *testing.T) {
	n := 1000
	if testing.Short() {
		n = 100
	}
	for name, open := range engines(t) {
		t.Run(name, func(t *testing.T) {
			w := newWorldOn(t, open(t))
			req := many(t, n)
			start := time.Now()
			w.apply(req)
			t.Logf("%d APIs of 10 operations: %v", n, time.Since(start).Round(time.Millisecond))
			start = time.Now()
			if r := w.apply(req); r.Changed() {
				t.Errorf("the second apply changed something: %.200s", actions(r))
			}
			t.Logf("again, no change: %v", time.Since(start).Round(time.Millisecond))
			w.Catalog = New(w.trail)
			start = time.Now()
			one := req
			one.Set = ""
			one.Documents = []Document{req.Documents[len(req.Documents)-1]}
			one.Documents[0].Object.Spec.(*gatehouse.API).Title = "Changed"
			w.apply(one)
			t.Logf("one change after a restart: %v", time.Since(start).Round(time.Millisecond))
			start = time.Now()
			one.Documents[0].Object.Spec.(*gatehouse.API).Versions[0].Access = "open"
			r := w.apply(one)
			t.Logf("one change: %v", time.Since(start).Round(time.Millisecond))
			if !strings.Contains(actions(r), "update Release dev") {
				t.Errorf("one change did %s", actions(r))
			}
			start = time.Now()
			all, err := w.Entries(w.ctx, Selection{})
			if err != nil || len(all) != n {
				t.Errorf("the catalog lists %d, %v", len(all), err)
			}
			t.Logf("catalog: %v", time.Since(start).Round(time.Millisecond))
		})
	}
}
