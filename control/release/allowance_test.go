package release_test

import (
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/control/catalog"
	"gatehouse/control/release"
	"gatehouse/control/release/releasetest"
)

func TestTeamsReleaseWhereTheyAreAllowed(t *testing.T) {
	w := releasetest.New(t)
	w.Refuses(catalog.Request{Documents: releasetest.Docs(t, releasetest.BoundTeam(`"environments":["prd"]`))}, gatehouse.Invalid, `environment "prd" does not exist`)
	b := releasetest.Base(t)
	b.Documents[0] = releasetest.Docs(t, releasetest.BoundTeam(`"environments":["qa"]`))[0]
	w.MustApply(b)
	if w.Released("dev", "payments/orders@v1") != nil {
		t.Error("an automatic environment took what is not allowed in it")
	}
	release := func(env string) error {
		_, err := w.Release(w.Ctx, releasetest.Orders, env, release.Terms{})
		return err
	}
	if err := release("dev"); !gatehouse.Is(err, gatehouse.Conflict) || !strings.Contains(err.Error(), `team "payments" is not allowed in environment "dev", only in "qa"`) {
		t.Errorf("released into dev: %v", err)
	}
	if err := release("qa"); err != nil {
		t.Error(err)
	}
	// Allowed again, dev takes it; barred again, it stays, and goes back or away but not on.
	w.MustApply(catalog.Request{Documents: releasetest.Docs(t, releasetest.BoundTeam(``))})
	first := w.HeadOf("payments/orders@v1")
	if err := release("dev"); err != nil {
		t.Fatal(err)
	}
	w.MustApply(catalog.Request{Documents: []catalog.Document{releasetest.APIDoc(t, "orders", "/orders/v1", `,"policies":[{"timeout":{"backend":"5s"}}]`)}, Files: releasetest.Files()})
	w.MustApply(catalog.Request{Documents: releasetest.Docs(t, releasetest.BoundTeam(`"environments":["qa"]`))})
	w.MustApply(catalog.Request{Documents: []catalog.Document{releasetest.APIDoc(t, "orders", "/orders/v1", `,"policies":[{"timeout":{"backend":"6s"}}]`)}, Files: releasetest.Files()})
	if live := w.Released("dev", "payments/orders@v1"); live == nil || live.Revision == w.HeadOf("payments/orders@v1") {
		t.Errorf("dev went on to what is not allowed in it: %+v", live)
	}
	if r, err := w.Rollback(w.Ctx, releasetest.Orders, "dev", ""); err != nil || r.Revision != first {
		t.Errorf("going back: %+v, %v", r, err)
	}
	// An environment that a team names stays.
	if err := w.Delete(w.Ctx, gatehouse.KindEnvironment, "", "qa", nil, catalog.Request{}); !gatehouse.Is(err, gatehouse.Conflict) {
		t.Errorf("deleting qa: %v", err)
	}
}
