package catalog_test

import (
	"fmt"
	"testing"

	"gatehouse"
	"gatehouse/control/catalog"
	"gatehouse/control/release/releasetest"
)

func TestQuotasBoundWhatATeamHas(t *testing.T) {
	w := releasetest.New(t)
	w.MustApply(releasetest.Base(t)) // no bounds: one API
	app := func(name string) string {
		return fmt.Sprintf(`{"apiVersion":"gatehouse/v1","kind":"Application","metadata":{"team":"payments","name":%q},"spec":{}}`, name)
	}
	w.MustApply(catalog.Request{Documents: releasetest.Docs(t, releasetest.BoundTeam(`"quotas":{"apis":2,"applications":1}`))})
	w.MustApply(catalog.Request{Documents: []catalog.Document{releasetest.APIDoc(t, "second", "/second", "")}, Files: releasetest.Files()})
	w.Refuses(catalog.Request{Documents: []catalog.Document{releasetest.APIDoc(t, "third", "/third", "")}, Files: releasetest.Files()}, gatehouse.Invalid,
		`/metadata/name API payments/third: metadata.name: is above the quota of team "payments" (quotas.apis: 2; it has 2)`)
	w.Refuses(catalog.Request{Documents: releasetest.Docs(t, app("one"), app("two"))}, gatehouse.Invalid, `two: metadata.name: is above the quota of team "payments" (quotas.applications: 1; it has 0)`)
	// What is there is changed as before, and one that goes makes room.
	w.MustApply(catalog.Request{Documents: []catalog.Document{releasetest.APIDoc(t, "second", "/second-place", "")}, Files: releasetest.Files()})
	w.MustApply(catalog.Request{Documents: releasetest.Docs(t, app("one"))})
	// A bound may come with what it bounds, and a smaller one takes nothing away.
	w.Refuses(catalog.Request{Documents: append(releasetest.Docs(t, releasetest.BoundTeam(`"quotas":{"apis":1}`)), releasetest.APIDoc(t, "third", "/third", "")), Files: releasetest.Files()}, gatehouse.Invalid, "quotas.apis: 1; it has 2")
	w.MustApply(catalog.Request{Documents: releasetest.Docs(t, releasetest.BoundTeam(`"quotas":{"apis":1}`))})
	w.MustApply(catalog.Request{Documents: []catalog.Document{releasetest.APIDoc(t, "second", "/second", "")}, Files: releasetest.Files()})
	w.MustApply(catalog.Request{Documents: append(releasetest.Docs(t, releasetest.BoundTeam(`"quotas":{"apis":3}`)), releasetest.APIDoc(t, "third", "/third", "")), Files: releasetest.Files()})
	w.MustApply(catalog.Request{Documents: releasetest.Docs(t, releasetest.BoundTeam(``))})
	w.MustApply(catalog.Request{Documents: []catalog.Document{releasetest.APIDoc(t, "fourth", "/fourth", "")}, Files: releasetest.Files()})
}
