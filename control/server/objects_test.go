package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/access"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/control/compile"
	"gatehouse/control/release"
	"gatehouse/control/subscription"
	"gatehouse/store"
	"gatehouse/store/memory"
)

// newShop is an office whose catalog and subscriptions are open too, with a
// state that follows the store.
func newShop(t *testing.T) (*office, *compile.State) {
	t.Helper()
	db := memory.New()
	t.Cleanup(func() { db.Close() })
	return newShopOn(t, db)
}

// newShopOn is newShop on a store.
func newShopOn(t *testing.T, db store.DB) (*office, *compile.State) {
	t.Helper()
	trail := &audit.Trail{DB: db}
	guard, err := access.Open(t.Context(), trail, nil)
	if err != nil {
		t.Fatal(err)
	}
	secret, _, err := guard.EnsureAdmin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := New(Options{DB: db, Trail: trail, Authority: access.Authority{Guard: guard}, Log: slog.New(slog.DiscardHandler), Version: "test"})
	state, c := compile.New(db), catalog.New(trail)
	s.BindAccess(guard)
	s.BindAudit()
	s.BindCatalog(c, guard)
	releases := release.New(c, db)
	s.BindVersions(c, releases, explainer{state}, guard)
	s.BindReleases(releases)
	s.BindSubscriptions(subscription.New(trail, c), guard)
	return &office{t, s.Handler(), guard, trail, secret, s}, state
}

// An explainer is a state that its owner keeps up to date.
type explainer struct{ *compile.State }

func (e explainer) Explain(_ context.Context, id, env, operation, plan string) (*compile.Explanation, error) {
	return e.State.Explain(id, env, operation, plan)
}

const shopDefinition = `openapi: 3.0.3
info: {title: Orders, version: "1"}
paths:
  /orders:
    get: {operationId: listOrders, responses: {"200": {description: ok}}}
    post: {operationId: createOrder, responses: {"201": {description: ok}}}
`

func shopBundle() map[string]any {
	sum := sha256.Sum256([]byte(shopDefinition))
	hash := hex.EncodeToString(sum[:])
	var documents []map[string]any
	for _, text := range []string{
		`{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"payments"},"spec":{}}`,
		`{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"billing"},"spec":{}}`,
		`{"apiVersion":"gatehouse/v1","kind":"User","metadata":{"name":"bill"},"spec":{}}`,
		`{"apiVersion":"gatehouse/v1","kind":"User","metadata":{"name":"paul"},"spec":{}}`,
		`{"apiVersion":"gatehouse/v1","kind":"RoleAssignment","metadata":{"name":"bill-billing"},"spec":{"subject":"user:bill","role":"developer","scope":"team/billing"}}`,
		`{"apiVersion":"gatehouse/v1","kind":"RoleAssignment","metadata":{"name":"paul-payments"},"spec":{"subject":"user:paul","role":"approver","scope":"team/payments"}}`,
		`{"apiVersion":"gatehouse/v1","kind":"Environment","metadata":{"name":"dev"},"spec":{"stage":"dev"}}`,
		`{"apiVersion":"gatehouse/v1","kind":"Backend","metadata":{"team":"payments","name":"orders"},"spec":{"environments":{"dev":{"targets":[{"url":"http://127.0.0.1:8081"}]}}}}`,
		`{"apiVersion":"gatehouse/v1","kind":"API","metadata":{"team":"payments","name":"orders"},"spec":{"title":"<Orders> & more","versions":[{"name":"v1","definition":"orders.yaml","path":"/orders/v1","backend":"orders",
			"policies":[{"timeout":{"backend":"5s"}}],"operations":{"createOrder":{"policies":[{"rate-limit":{"requests":60,"per":"1m"}}]}}}]}}`,
		`{"apiVersion":"gatehouse/v1","kind":"Product","metadata":{"team":"payments","name":"commerce"},"spec":{"apis":["orders"],"plans":[{"name":"free","approval":"automatic"},{"name":"gold"}]}}`,
	} {
		d := map[string]any{"object": json.RawMessage(text)}
		if strings.Contains(text, `"kind":"API"`) {
			d["files"] = map[string]string{"orders.yaml": hash}
		}
		documents = append(documents, d)
	}
	return map[string]any{"documents": documents, "files": map[string][]byte{hash: []byte(shopDefinition)}, "set": "shop"}
}

// token gives a user one.
func (o *office) token(user string) string {
	o.t.Helper()
	var made adminapi.NewToken
	o.do(o.admin, "POST", "/v1/tokens", map[string]string{"subject": "user:" + user, "name": "t", "life": "1h"}, 201, &made.Body)
	return made.Body.Token
}

func TestApplyReadAndExplainOverTheAPI(t *testing.T) {
	o, state := newShop(t)
	var done adminapi.ApplyResult
	o.do(o.admin, "POST", "/v1/apply", shopBundle(), 200, &done)
	if last := done.Results[len(done.Results)-1]; last.Action != "release" || last.Ref != "dev payments/orders@v1" || done.Seq == 0 {
		t.Fatalf("applied: %+v", done)
	}
	o.do(o.admin, "POST", "/v1/apply", shopBundle(), 200, &done)
	for _, r := range done.Results {
		if r.Action != "unchanged" {
			t.Errorf("the second apply: %+v", r)
		}
	}
	var api adminapi.ObjectBody
	resp := o.do(o.admin, "GET", "/v1/teams/payments/apis/orders", nil, 200, &api)
	if tag := resp.Header.Get("ETag"); tag == "" || !strings.Contains(string(api.Spec), "<Orders> & more") && !strings.Contains(string(api.Spec), `\u003cOrders`) {
		t.Errorf("read: tag %q, %s", tag, api.Spec)
	}
	var list struct{ Items []adminapi.ObjectBody }
	o.do(o.admin, "GET", "/v1/teams/-/apis?filter=set%3Dshop&sort=-name", nil, 200, &list)
	if len(list.Items) != 1 {
		t.Errorf("listed %d", len(list.Items))
	}
	o.do(o.admin, "GET", "/v1/teams/-/apis?filter=colour%3Dred", nil, 422, nil)
	o.do(o.admin, "GET", "/v1/teams/-/apis?after=garbage", nil, 422, nil)

	changes, seq, err := o.trail.DB.Changes(t.Context(), 0, 1<<20)
	if err == nil {
		_, err = state.Apply(t.Context(), changes, seq)
	}
	if err != nil {
		t.Fatal(err)
	}
	var x struct{ Operations []adminapi.ExplainedOperation }
	o.do(o.admin, "GET", "/v1/teams/payments/apis/orders/versions/v1/explain?environment=dev", nil, 200, &x)
	steps := func(i int) (all []string) {
		for _, s := range x.Operations[i].Steps {
			all = append(all, s.Policy+" from "+s.From)
		}
		return all
	}
	if len(x.Operations) != 2 || strings.Join(steps(0), ", ") != "access from api, timeout from api" || strings.Join(steps(1), ", ") != "access from api, timeout from api, rate-limit from operation createOrder" {
		t.Errorf("explained: %+v", x.Operations)
	}
	var entries struct{ Items []adminapi.CatalogEntry }
	o.do(o.admin, "GET", "/v1/catalog", nil, 200, &entries)
	if len(entries.Items) != 1 || entries.Items[0].State != "no-gateway" || entries.Items[0].Title != "<Orders> & more" {
		t.Errorf("catalog: %+v", entries.Items)
	}
	var out adminapi.ExportBody
	o.do(o.admin, "GET", "/v1/export?team=payments", nil, 200, &out)
	if len(out.Documents) != 4 || len(out.Files) != 1 {
		t.Errorf("exported %d documents and %d files", len(out.Documents), len(out.Files))
	}
}

func TestConditionsAndFaultsOverTheAPI(t *testing.T) {
	o, _ := newShop(t)
	o.do(o.admin, "POST", "/v1/apply", shopBundle(), 200, nil)
	team := func(title string) map[string]any {
		return map[string]any{"apiVersion": "gatehouse/v1", "kind": "Team", "metadata": map[string]string{"name": "payments"}, "spec": map[string]string{"title": title}}
	}
	send := func(header, value string, body any) int {
		t.Helper()
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequestWithContext(t.Context(), "PUT", "/v1/teams/payments", strings.NewReader(string(text)))
		r.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + o.admin}, header: {value}}
		w := httptest.NewRecorder()
		o.h.ServeHTTP(w, r)
		return w.Code
	}
	tag := o.do(o.admin, "GET", "/v1/teams/payments", nil, 200, nil).Header.Get("ETag")
	if got := send("If-Match", tag, team("A")); got != 200 {
		t.Errorf("with the tag of what is there: %d", got)
	}
	if got := send("If-Match", tag, team("B")); got != 412 {
		t.Errorf("with a tag that is past: %d, want 412", got)
	}
	if got := send("If-None-Match", "*", team("B")); got != 412 {
		t.Errorf("creating what is there: %d, want 412", got)
	}
	var p adminapi.Problem
	o.do(o.admin, "PUT", "/v1/teams/other", team("A"), 422, &p)
	if len(p.Errors) != 1 || p.Errors[0].Pointer != "/metadata/name" {
		t.Errorf("a document under another's path: %+v", p)
	}
	bad := team("A")
	bad["spec"] = map[string]any{"titel": "A"}
	o.do(o.admin, "PUT", "/v1/teams/payments", bad, 422, &p)
	if len(p.Errors) != 1 || p.Errors[0].Pointer != "/spec/titel" {
		t.Errorf("an unknown field: %+v", p)
	}
	o.do(o.admin, "DELETE", "/v1/teams/payments", nil, 409, &p)
	if !strings.Contains(p.Detail, "still referred to by") {
		t.Errorf("deleting what others refer to: %+v", p)
	}
}

// TestPermissionIsAskedForEachObject has a developer of one team try the
// other's, and give themselves a role, alone and in a bundle.
func TestPermissionIsAskedForEachObject(t *testing.T) {
	o, _ := newShop(t)
	o.do(o.admin, "POST", "/v1/apply", shopBundle(), 200, nil)
	bill := o.token("bill")
	backend := func(team string) map[string]any {
		return map[string]any{"apiVersion": "gatehouse/v1", "kind": "Backend", "metadata": map[string]string{"team": team, "name": "mine"},
			"spec": map[string]any{"environments": map[string]any{"dev": map[string]any{"targets": []any{map[string]string{"url": "http://127.0.0.1:1"}}}}}}
	}
	o.do(bill, "PUT", "/v1/teams/billing/backends/mine", backend("billing"), 200, nil)
	o.do(bill, "PUT", "/v1/teams/payments/backends/mine", backend("payments"), 403, nil)
	o.do(bill, "POST", "/v1/apply", map[string]any{"documents": []any{map[string]any{"object": backend("billing")}, map[string]any{"object": backend("payments")}}}, 403, nil)
	role := map[string]any{"apiVersion": "gatehouse/v1", "kind": "RoleAssignment", "metadata": map[string]string{"name": "mine"},
		"spec": map[string]string{"subject": "user:bill", "role": "admin", "scope": "organization"}}
	o.do(bill, "POST", "/v1/apply", map[string]any{"documents": []any{map[string]any{"object": role}}}, 403, nil)
	var list struct{ Items []adminapi.ObjectBody }
	o.do(bill, "GET", "/v1/teams/-/backends", nil, 200, &list)
	if len(list.Items) != 1 || list.Items[0].Metadata.Team != "billing" {
		t.Errorf("a developer of billing sees backends %+v", list.Items)
	}
}

func TestSubscribeAndDecideOverTheAPI(t *testing.T) {
	o, _ := newShop(t)
	o.do(o.admin, "POST", "/v1/apply", shopBundle(), 200, nil)
	bill, paul := o.token("bill"), o.token("paul")
	ask := map[string]any{"product": "payments/commerce", "plan": "gold", "application": "billing/invoices", "environment": "dev", "key": true}
	var a struct{ Subscription, State, Key string }
	o.do(bill, "POST", "/v1/subscribe", ask, 200, &a)
	if a.Subscription != "billing/invoices-commerce" || a.State != gatehouse.Requested || a.Key != "" {
		t.Fatalf("asked: %+v", a)
	}
	const path = "/v1/teams/billing/subscriptions/invoices-commerce"
	var p adminapi.Problem
	o.do(bill, "POST", path+"/approve", map[string]string{}, 403, &p)
	if !strings.Contains(p.Detail, `team "billing" asked for it itself`) {
		t.Errorf("approving one's own: %+v", p)
	}
	found := false
	for e, err := range o.trail.DB.Events(t.Context(), store.EventQuery{Action: "subscription.approve", Outcome: gatehouse.Refused}) {
		found = err == nil && strings.Contains(e.Reason, `team "billing"`)
	}
	if !found {
		t.Error("the attempt is not on record")
	}
	o.do(paul, "POST", path+"/approve", nil, 200, &a)
	if a.State != gatehouse.Approved {
		t.Errorf("approved: %+v", a)
	}
	var key struct{ ID, Key string }
	o.do(bill, "POST", path+"/keys", nil, 201, &key)
	if key.Key == "" {
		t.Errorf("key: %+v", key)
	}
	o.do(paul, "POST", path+"/keys", nil, 403, nil)
	o.do(bill, "POST", path+"/keys/rotate", map[string]string{"overlap": "1h"}, 201, &key)
	o.do(bill, "POST", path+"/keys", nil, 409, &p)
	o.do(bill, "DELETE", path+"/keys/"+key.ID, nil, 200, nil)
	var raw []byte
	o.do(bill, "GET", path+"/keys", nil, 200, &raw)
	if strings.Contains(string(raw), key.Key) || !strings.Contains(string(raw), `"revoked"`) {
		t.Errorf("keys listed: %s", raw)
	}
}
