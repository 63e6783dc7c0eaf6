package server

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/adminapi"
)

// market applies the shop and people who are meant to find some of it.
func market(t *testing.T) *office {
	o, _ := newShop(t)
	b := shopBundle()
	more := []string{
		`{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"partner"},"spec":{"audience":"partner"}}`,
		`{"apiVersion":"gatehouse/v1","kind":"API","metadata":{"team":"payments","name":"draft"},"spec":{"title":"Draft","versions":[{"name":"v1","lifecycle":"design","path":"/draft","policies":[{"mock":{}}]}]}}`,
		`{"apiVersion":"gatehouse/v1","kind":"API","metadata":{"team":"payments","name":"rates"},"spec":{"title":"Rates","audience":"partner","versions":[{"name":"v1","path":"/rates","backend":"orders","policies":[{"ip-filter":{"allow":["10.1.2.0/24"]}}]},{"name":"v2","lifecycle":"design","path":"/rates/v2","backend":"orders"}]}}`,
		`{"apiVersion":"gatehouse/v1","kind":"Product","metadata":{"team":"payments","name":"rates","labels":{"owner":"melinda"}},"spec":{"title":"Rates","audience":"partner","apis":["rates"],"plans":[
			{"name":"free","approval":"automatic","policies":[{"ip-filter":{"allow":["10.1.2.0/24"]}}]},{"name":"house","approval":"automatic","audience":"internal"}]}}`,
		`{"apiVersion":"gatehouse/v1","kind":"RoleAssignment","metadata":{"name":"olga"},"spec":{"subject":"user:olga","role":"consumer","scope":"team/billing"}}`,
		`{"apiVersion":"gatehouse/v1","kind":"RoleAssignment","metadata":{"name":"petra"},"spec":{"subject":"user:petra","role":"consumer","scope":"team/partner"}}`,
	}
	documents := b["documents"].([]map[string]any)
	for _, name := range []string{"olga", "petra", "nobody"} {
		more = append(more, `{"apiVersion":"gatehouse/v1","kind":"User","metadata":{"name":"`+name+`"},"spec":{}}`)
	}
	for _, text := range more {
		documents = append(documents, map[string]any{"object": json.RawMessage(text)})
	}
	b["documents"] = documents
	o.do(o.admin, "POST", "/v1/apply", b, 200, nil)
	return o
}

func (o *office) names(token, path string) string {
	o.t.Helper()
	var list struct{ Items []adminapi.ObjectBody }
	o.do(token, "GET", path, nil, 200, &list)
	var all []string
	for _, i := range list.Items {
		all = append(all, i.Metadata.Ref())
	}
	return strings.Join(all, " ")
}

// An application owner, with the built-in role on one team and nothing else,
// finds what is meant for that team, is told how to call it and not how it is
// done, and subscribes to that alone.
func TestWhatIsMeantForATeamIsFoundByItsPeople(t *testing.T) {
	o := market(t)
	for _, tt := range []struct{ who, products, apis, exposed string }{
		{"olga", "payments/commerce payments/rates", "payments/orders payments/rates", "payments/orders payments/rates"},
		{"petra", "payments/rates", "payments/rates", "payments/rates"},
		{"nobody", "", "", ""},
	} {
		token := o.token(tt.who)
		if got := o.names(token, "/v1/teams/-/products?sort=name"); got != tt.products {
			t.Errorf("%s finds products %q, want %q", tt.who, got, tt.products)
		}
		if got := o.names(token, "/v1/teams/-/apis?sort=name"); got != tt.apis {
			t.Errorf("%s finds APIs %q, want %q", tt.who, got, tt.apis)
		}
		// The past, exports and what is no product or API are for roles.
		past := "?asOf=" + url.QueryEscape(time.Now().UTC().Format(time.RFC3339Nano))
		if got := o.names(token, "/v1/teams/-/products"+past); got != "" {
			t.Errorf("%s finds past products %q", tt.who, got)
		}
		if got := o.names(token, "/v1/teams/-/backends"); got != "" {
			t.Errorf("%s finds backends %q", tt.who, got)
		}
		var exposed struct{ Items []adminapi.CatalogEntry }
		o.do(token, "GET", "/v1/catalog", nil, 200, &exposed)
		var seen []string
		for _, e := range exposed.Items {
			seen = append(seen, e.API)
			if e.By != "" || e.Instances != nil || e.Path == "" {
				t.Errorf("%s is told of %+v", tt.who, e)
			}
		}
		if got := strings.Join(seen, " "); got != tt.exposed {
			t.Errorf("%s sees %q in the catalog, want %q", tt.who, got, tt.exposed)
		}
		o.do(token, "GET", "/v1/catalog"+past, nil, 200, &exposed)
		if len(exposed.Items) != 0 {
			t.Errorf("%s sees the past of %v", tt.who, exposed.Items)
		}
		status := map[bool]int{true: 200, false: 403}
		for _, name := range []string{"orders", "rates", "draft"} {
			o.do(token, "GET", "/v1/teams/payments/apis/"+name, nil, status[strings.Contains(tt.apis, "/"+name)], nil)
			o.do(token, "GET", "/v1/teams/payments/apis/"+name+"/versions/v1/operations", nil, status[strings.Contains(tt.apis, "/"+name)], nil)
			o.do(token, "GET", "/v1/teams/payments/apis/"+name+"/versions/v1/revisions", nil, 403, nil)
		}
		o.do(token, "GET", "/v1/teams/payments/apis/rates/versions/v2/operations", nil, 403, nil)
		for _, name := range []string{"commerce", "rates"} {
			o.do(token, "GET", "/v1/teams/payments/products/"+name, nil, status[strings.Contains(tt.products, "/"+name)], nil)
			o.do(token, "GET", "/v1/teams/payments/products/"+name+past, nil, 403, nil)
			var may adminapi.CanAnswer
			o.do(token, "GET", "/v1/access/can?action=product.get&on="+url.QueryEscape("Product/payments/"+name), nil, 200, &may.Body)
			if may.Body.Allowed != strings.Contains(tt.products, "/"+name) {
				t.Errorf("%s is told %v of product %q", tt.who, may.Body.Allowed, name)
			}
		}
	}
	// Of plans those for one's audience; of none what gateways do.
	for who, plans := range map[string]string{"olga": "free house", "petra": "free"} {
		var p, a adminapi.ObjectBody
		token := o.token(who)
		o.do(token, "GET", "/v1/teams/payments/products/rates", nil, 200, &p)
		var spec struct{ Plans []struct{ Name string } }
		if err := json.Unmarshal(p.Spec, &spec); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, plan := range spec.Plans {
			names = append(names, plan.Name)
		}
		if got := strings.Join(names, " "); got != plans {
			t.Errorf("%s is told of plans %q, want %q", who, got, plans)
		}
		o.do(token, "GET", "/v1/teams/payments/apis/rates", nil, 200, &a)
		for _, secret := range []string{"10.1.2.0", "backend", "melinda", "v2", "builtIn"} {
			if text := fmt.Sprintf("%s %s %v", p.Spec, a.Spec, p.Metadata); strings.Contains(text, secret) {
				t.Errorf("%s is told %q in %s", who, secret, text)
			}
		}
		o.do(o.admin, "GET", "/v1/teams/payments/apis/rates", nil, 200, &a)
		if !strings.Contains(string(a.Spec), "10.1.2.0") {
			t.Errorf("an administrator is told only %s", a.Spec)
		}
	}
}

// Nobody subscribes to what is not meant for them, by whichever door.
func TestWhatIsNotMeantForATeamIsNotSubscribedTo(t *testing.T) {
	o := market(t)
	olga, petra := o.token("olga"), o.token("petra")
	ask := func(product, plan, app string) map[string]any {
		return map[string]any{"product": product, "plan": plan, "application": app, "environment": "dev", "key": true}
	}
	o.do(olga, "POST", "/v1/subscribe", ask("payments/commerce", "free", "billing/a"), 200, nil)
	o.do(olga, "POST", "/v1/subscribe", ask("payments/rates", "house", "billing/b"), 200, nil)
	o.do(petra, "POST", "/v1/subscribe", ask("payments/rates", "free", "partner/a"), 200, nil)
	o.do(petra, "POST", "/v1/subscribe", ask("payments/rates", "house", "partner/b"), 403, nil)
	o.do(petra, "POST", "/v1/subscribe", ask("payments/commerce", "free", "partner/b"), 403, nil)

	document := func(plan string) string {
		return `{"apiVersion":"gatehouse/v1","kind":"Subscription","metadata":{"team":"partner","name":"a-rates"},"spec":{"application":"a","product":"payments/rates","plan":"` + plan + `","environment":"dev"}}`
	}
	o.do(petra, "PUT", "/v1/teams/partner/subscriptions/a-rates", json.RawMessage(document("free")), 200, nil)
	o.do(petra, "PUT", "/v1/teams/partner/subscriptions/a-rates", json.RawMessage(document("house")), 403, nil)
	o.do(petra, "POST", "/v1/apply", map[string]any{"documents": []map[string]any{{"object": json.RawMessage(strings.ReplaceAll(document("free"), "payments/rates", "payments/commerce"))}}}, 403, nil)

	// After its end a subscription is asked for anew: by what is meant for whom now.
	o.do(petra, "POST", "/v1/teams/partner/subscriptions/a-rates/cancel", map[string]any{}, 200, nil)
	o.do(petra, "POST", "/v1/subscribe", ask("payments/rates", "house", "partner/a"), 403, nil)
	o.do(petra, "POST", "/v1/subscribe", ask("payments/rates", "free", "partner/a"), 200, nil)
}

// Nobody asks for a moment that is to come; clocks may differ a little.
func TestTheFutureIsNotKnown(t *testing.T) {
	o := market(t)
	for ahead, status := range map[time.Duration]int{time.Hour: 422, 10 * time.Second: 200, -time.Second: 200} {
		at := url.QueryEscape(time.Now().UTC().Add(ahead).Format(time.RFC3339))
		o.do(o.admin, "GET", "/v1/catalog?asOf="+at, nil, status, nil)
		o.do(o.admin, "GET", "/v1/teams/-/apis?asOf="+at, nil, status, nil)
	}
}
