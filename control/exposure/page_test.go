package exposure_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"gatehouse/control/catalog"
	"gatehouse/control/exposure"
	"gatehouse/control/release/releasetest"
	"gatehouse/store/memory"
)

// TestPagesAreTheWholeView goes through the view in pages of every length, now
// and in the past: each entry once, in the order of the whole, and only what may
// be seen. The gateways of one release stay together.
func TestPagesAreTheWholeView(t *testing.T) {
	w := releasetest.NewOn(t, memory.New())
	w.MustApply(releasetest.Base(t))
	docs := releasetest.Docs(t,
		`{"apiVersion":"gatehouse/v1","kind":"Gateway","metadata":{"name":"dev-1"},"spec":{"environment":"dev"}}`,
		`{"apiVersion":"gatehouse/v1","kind":"Gateway","metadata":{"name":"dev-2"},"spec":{"environment":"dev"}}`)
	for i := range 7 {
		name := fmt.Sprintf("orders-%d", i)
		docs = append(docs, releasetest.APIDoc(t, name, "/"+name+"/v1", `,"access":"open"`))
	}
	w.MustApply(catalog.Request{Documents: docs})
	then := w.Now
	w.MustApply(catalog.Request{Documents: []catalog.Document{releasetest.APIDoc(t, "later", "/later/v1", `,"access":"open"`)}})

	name := func(e exposure.Entry) string {
		return e.Environment + " " + e.API + "@" + e.Version + " " + e.Gateway + " " + e.Title
	}
	for _, s := range []exposure.Selection{{}, {AsOf: then}, {May: func(api string) bool { return !strings.HasSuffix(api, "3") }}} {
		whole, err := exposure.Entries(w.Ctx, w.DB, s)
		if err != nil || len(whole) < 14 {
			t.Fatalf("%+v: %d entries, %v", s, len(whole), err)
		}
		for limit := 1; limit < 20; limit++ {
			var all []exposure.Entry
			for after := ""; ; {
				page, next, err := exposure.Page(w.Ctx, w.DB, s, limit, after)
				if err != nil || len(page) > limit+1 {
					t.Fatalf("limit %d: %d entries, %v", limit, len(page), err)
				}
				all = append(all, page...)
				if after = next; after == "" {
					break
				}
			}
			if !slices.EqualFunc(all, whole, func(a, b exposure.Entry) bool { return name(a) == name(b) }) {
				t.Fatalf("limit %d: %d entries in pages, %d in the whole", limit, len(all), len(whole))
			}
		}
	}
}
