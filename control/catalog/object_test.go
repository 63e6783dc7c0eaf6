package catalog_test

import (
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/control/catalog"
	"gatehouse/control/release"
	"gatehouse/control/release/releasetest"
)

func TestExportThenImportGivesIdenticalRevisions(t *testing.T) {
	w := releasetest.New(t)
	w.MustApply(releasetest.Base(t))
	views, contents, err := w.Export(w.Ctx, catalog.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	req := catalog.Request{Files: contents}
	for _, v := range views {
		req.Documents = append(req.Documents, catalog.Document{Object: v.Object, Files: v.Files})
	}
	empty := releasetest.New(t)
	empty.MustApply(req)
	if got, want := empty.HeadOf("payments/orders@v1"), w.HeadOf("payments/orders@v1"); got != want {
		t.Errorf("imported as revision %s, exported as %s", got, want)
	}
	if _, _, err := w.Export(w.Ctx, catalog.Scope{Most: 100}); !gatehouse.Is(err, gatehouse.Invalid) {
		t.Errorf("more than may be exported at once: %v", err)
	}
	views, _, err = w.Export(w.Ctx, catalog.Scope{Team: "payments"})
	if err != nil || len(views) != 3 {
		t.Errorf("a team's export holds %d documents, %v; want Team, Backend, API", len(views), err)
	}
}

func TestEffectiveFillsDefaultsAndKeepsWhatWasSent(t *testing.T) {
	w := releasetest.New(t)
	w.MustApply(releasetest.Base(t))
	v, err := w.Get(w.Ctx, gatehouse.KindAPI, "payments", "orders", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	full, err := v.Effective()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"lifecycle":"published"`, `"access":"subscription"`, `"audience":"internal"`} {
		if !strings.Contains(string(full.Text), want) || strings.Contains(string(v.Text), want) {
			t.Errorf("%s: effective %s, sent %s", want, full.Text, v.Text)
		}
	}
}

func TestDeprecationTellsSubscribers(t *testing.T) {
	w := releasetest.Town(t, `{"mode":"manual"}`)
	w.MustApply(catalog.Request{Documents: releasetest.Docs(t,
		`{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"billing"},"spec":{"title":"Billing"}}`,
		`{"apiVersion":"gatehouse/v1","kind":"Product","metadata":{"team":"shop","name":"all"},"spec":{"title":"All","apis":["cart"],"plans":[{"name":"free","approval":"automatic"}]}}`,
		`{"apiVersion":"gatehouse/v1","kind":"Application","metadata":{"team":"billing","name":"invoices"},"spec":{"title":"Invoices"}}`,
		`{"apiVersion":"gatehouse/v1","kind":"Subscription","metadata":{"team":"billing","name":"invoices-all"},"spec":{"application":"invoices","product":"shop/all","plan":"free","environment":"prod"}}`)})
	deprecated := func(sunset string) string {
		return strings.Replace(releasetest.CartDoc("/cart", "1", ""), `"access"`, `"lifecycle":"deprecated","deprecation":{"sunset":"`+sunset+`"},"access"`, 1)
	}
	w.MustApply(catalog.Request{Documents: releasetest.Docs(t, deprecated("2027-06-30"))})
	w.MustApply(catalog.Request{Documents: releasetest.Docs(t, strings.Replace(deprecated("2027-06-30"), "Cart", "Trolley", 1))}) // nothing of the deprecation changes
	w.MustApply(catalog.Request{Documents: releasetest.Docs(t, deprecated("2027-09-30"))})
	got := strings.Join(w.RecordOf("api.deprecate"), "\n")
	if strings.Count(got, "Application billing/invoices: shop/cart@v1 is deprecated") != 2 || !strings.Contains(got, "goes on 2027-09-30") {
		t.Errorf("on record:\n%s\nwant a notice for each of two dates", got)
	}
}

func TestVariables(t *testing.T) {
	w := releasetest.Town(t, `{"mode":"manual"}`)
	uses := func(config string) string {
		return strings.Replace(releasetest.CartDoc("/cart", "${var:STEP}", ""), `"policies":[`, `"policies":[`+config, 1)
	}
	w.MustApply(catalog.Request{Documents: releasetest.Docs(t, uses(`{"headers":{"request":{"set":{"X-Region":"at-${var:REGION}"}}}},`))})
	_, err := w.Release(w.Ctx, releasetest.Cart, "prod", release.Terms{})
	w.Wants(err, gatehouse.Conflict, `variable "REGION", which policy headers uses, is not set in environment "prod"; variable "STEP"`)
	environment := func(variables string) string {
		return strings.Replace(releasetest.Prod(`{"mode":"manual"}`), `"stage"`, `"variables":`+variables+`,"stage"`, 1)
	}
	for bad, want := range map[string]string{`{"a b":"x"}`: "is not the name of a variable", `{"A":"${env:X}"}`: "holds a reference", `{"A":"x\ny"}`: "line break"} {
		if _, err := gatehouse.DecodeObject([]byte(environment(bad))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", bad, err, want)
		}
	}
	w.MustApply(catalog.Request{Documents: releasetest.Docs(t, environment(`{"REGION":"eu","STEP":"two"}`))})
	w.OK(w.Release(w.Ctx, releasetest.Cart, "prod", release.Terms{}))
	w.Refuses(catalog.Request{Documents: releasetest.Docs(t, environment(`{"REGION":"eu"}`))}, gatehouse.Invalid, `shop/cart@v1 is live here: variable "STEP"`)
	w.Refuses(catalog.Request{Documents: releasetest.Docs(t, uses(`{"timeout":{"backend":"${var:REGION}"}},`))}, gatehouse.Invalid, `with the variables of environment "prod"`)
	w.Refuses(catalog.Request{Documents: releasetest.Docs(t, uses(`{"timeout":{"backend":"${var:a-b}"}},`))}, gatehouse.Invalid, `"a-b" is not the name of a variable`)
}
