package catalog

import (
	"fmt"
	"strings"
	"testing"

	"gatehouse"
)

// boundTeam is the team payments with what it is allowed.
func boundTeam(spec string) string {
	return `{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"payments"},"spec":{` + spec + `}}`
}

func TestQuotasBoundWhatATeamHas(t *testing.T) {
	w := newWorld(t)
	w.apply(base(t)) // no bounds: one API
	app := func(name string) string {
		return fmt.Sprintf(`{"apiVersion":"gatehouse/v1","kind":"Application","metadata":{"team":"payments","name":%q},"spec":{}}`, name)
	}
	w.apply(Request{Documents: docs(t, boundTeam(`"quotas":{"apis":2,"applications":1}`))})
	w.apply(Request{Documents: []Document{apiDoc(t, "second", "/second", "")}, Files: files()})
	w.refuses(Request{Documents: []Document{apiDoc(t, "third", "/third", "")}, Files: files()}, gatehouse.Invalid,
		`/metadata/name API payments/third: metadata.name: is above the quota of team "payments" (quotas.apis: 2; it has 2)`)
	w.refuses(Request{Documents: docs(t, app("one"), app("two"))}, gatehouse.Invalid, `two: metadata.name: is above the quota of team "payments" (quotas.applications: 1; it has 0)`)
	// What is there is changed as before, and one that goes makes room.
	w.apply(Request{Documents: []Document{apiDoc(t, "second", "/second-place", "")}, Files: files()})
	w.apply(Request{Documents: docs(t, app("one"))})
	// A bound may come with what it bounds, and a smaller one takes nothing away.
	w.refuses(Request{Documents: append(docs(t, boundTeam(`"quotas":{"apis":1}`)), apiDoc(t, "third", "/third", "")), Files: files()}, gatehouse.Invalid, "quotas.apis: 1; it has 2")
	w.apply(Request{Documents: docs(t, boundTeam(`"quotas":{"apis":1}`))})
	w.apply(Request{Documents: []Document{apiDoc(t, "second", "/second", "")}, Files: files()})
	w.apply(Request{Documents: append(docs(t, boundTeam(`"quotas":{"apis":3}`)), apiDoc(t, "third", "/third", "")), Files: files()})
	w.apply(Request{Documents: docs(t, boundTeam(``))})
	w.apply(Request{Documents: []Document{apiDoc(t, "fourth", "/fourth", "")}, Files: files()})
}

func TestTeamsReleaseWhereTheyAreAllowed(t *testing.T) {
	w := newWorld(t)
	w.refuses(Request{Documents: docs(t, boundTeam(`"environments":["prd"]`))}, gatehouse.Invalid, `environment "prd" does not exist`)
	b := base(t)
	b.Documents[0] = docs(t, boundTeam(`"environments":["qa"]`))[0]
	w.apply(b)
	if w.released("dev", "payments/orders@v1") != nil {
		t.Error("an automatic environment took what is not allowed in it")
	}
	release := func(env string) error {
		_, err := w.Release(w.ctx, orders, env, Terms{})
		return err
	}
	if err := release("dev"); !gatehouse.Is(err, gatehouse.Conflict) || !strings.Contains(err.Error(), `team "payments" is not allowed in environment "dev", only in "qa"`) {
		t.Errorf("released into dev: %v", err)
	}
	if err := release("qa"); err != nil {
		t.Error(err)
	}
	// Allowed again, dev takes it; barred again, it stays, and goes back or away but not on.
	w.apply(Request{Documents: docs(t, boundTeam(``))})
	first := w.head("payments/orders@v1")
	if err := release("dev"); err != nil {
		t.Fatal(err)
	}
	w.apply(Request{Documents: []Document{apiDoc(t, "orders", "/orders/v1", `,"policies":[{"timeout":{"backend":"5s"}}]`)}, Files: files()})
	w.apply(Request{Documents: docs(t, boundTeam(`"environments":["qa"]`))})
	w.apply(Request{Documents: []Document{apiDoc(t, "orders", "/orders/v1", `,"policies":[{"timeout":{"backend":"6s"}}]`)}, Files: files()})
	if live := w.released("dev", "payments/orders@v1"); live == nil || live.Revision == w.head("payments/orders@v1") {
		t.Errorf("dev went on to what is not allowed in it: %+v", live)
	}
	if r, err := w.Rollback(w.ctx, orders, "dev", ""); err != nil || r.Revision != first {
		t.Errorf("going back: %+v, %v", r, err)
	}
	// An environment that a team names stays.
	if err := w.Delete(w.ctx, gatehouse.KindEnvironment, "", "qa", nil, Request{}); !gatehouse.Is(err, gatehouse.Conflict) {
		t.Errorf("deleting qa: %v", err)
	}
}
