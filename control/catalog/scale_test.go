package catalog_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/control/catalog"
	"gatehouse/control/exposure"
	"gatehouse/control/release/releasetest"
)

// many is n APIs of ten operations each, each with a definition of its own.
func many(tb testing.TB, n int) catalog.Request {
	tb.Helper()
	req := catalog.Request{Files: map[string][]byte{}, Set: "many"}
	add := func(text string) *gatehouse.Object {
		o, err := gatehouse.DecodeObject([]byte(text))
		if err != nil {
			tb.Fatal(err)
		}
		return o
	}
	for _, text := range []string{releasetest.TeamDoc, releasetest.DevDoc, releasetest.QADoc, releasetest.ProdDoc, releasetest.BackendDoc} {
		req.Documents = append(req.Documents, catalog.Document{Object: add(text)})
	}
	for i := range n {
		var b strings.Builder
		fmt.Fprintf(&b, "openapi: 3.0.3\ninfo: {title: API %d, version: '1'}\npaths:\n", i)
		for j := range 10 {
			fmt.Fprintf(&b, "  /things%d/{id}:\n    get:\n      operationId: getThing%d\n      parameters: [{name: id, in: path, required: true, schema: {type: string}}]\n      responses:\n        '200': {description: ok, content: {application/json: {schema: {type: object, properties: {id: {type: string}}}}}}\n", j, j)
		}
		sum := releasetest.Sum(b.String())
		req.Files[sum] = []byte(b.String())
		req.Documents = append(req.Documents, catalog.Document{
			Object: add(fmt.Sprintf(`{"apiVersion":"gatehouse/v1","kind":"API","metadata":{"team":"payments","name":"api-%d"},"spec":{"versions":[{"name":"v1","definition":"api.yaml","path":"/api-%d/v1","backend":"orders"}]}}`, i, i)),
			Files:  map[string]string{"api.yaml": sum},
		})
	}
	return req
}

// TestManyAPIs applies a thousand APIs in one bundle, twice. Times are logged,
// not judged; what is judged is that the second apply writes nothing and that
// a change of one API reads a bounded number of records.
func TestManyAPIs(t *testing.T) {
	n := 1000
	if testing.Short() {
		n = 100
	}
	for name, open := range releasetest.Engines(t) {
		t.Run(name, func(t *testing.T) {
			w := releasetest.NewOn(t, open(t))
			req := many(t, n)
			start := time.Now()
			w.MustApply(req)
			t.Logf("%d APIs of 10 operations: %v", n, time.Since(start).Round(time.Millisecond))
			start = time.Now()
			if r := w.MustApply(req); r.Changed() {
				t.Errorf("the second apply changed something: %.200s", releasetest.Actions(r))
			}
			t.Logf("again, no change: %v", time.Since(start).Round(time.Millisecond))
			w.Restart()
			start = time.Now()
			one := req
			one.Set = ""
			one.Documents = []catalog.Document{req.Documents[len(req.Documents)-1]}
			one.Documents[0].Object.Spec.(*gatehouse.API).Title = "Changed"
			w.MustApply(one)
			t.Logf("one change after a restart: %v", time.Since(start).Round(time.Millisecond))
			start = time.Now()
			one.Documents[0].Object.Spec.(*gatehouse.API).Versions[0].Access = "open"
			r := w.MustApply(one)
			t.Logf("one change: %v", time.Since(start).Round(time.Millisecond))
			if !strings.Contains(releasetest.Actions(r), "update Release dev") {
				t.Errorf("one change did %s", releasetest.Actions(r))
			}
			start = time.Now()
			all, err := exposure.Entries(w.Ctx, w.DB, exposure.Selection{})
			if err != nil || len(all) != n {
				t.Errorf("the catalog lists %d, %v", len(all), err)
			}
			t.Logf("catalog: %v", time.Since(start).Round(time.Millisecond))
		})
	}
}
