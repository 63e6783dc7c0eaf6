package web_test

import (
	"os/exec"
	"strings"
	"testing"
)

// chromium finds the browser, or says how to have it.
func chromium(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("browsers take their time")
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if file, err := exec.LookPath(name); err == nil {
			return file
		}
	}
	t.Skip("no chromium is installed, so no page is looked at in a browser; on Debian: sudo apt-get install --no-install-recommends chromium")
	return ""
}

// look opens a page in a window with nothing in it and returns what stands in
// the page once it is at rest.
func look(t *testing.T, d *driver, h house, at string) (text string) {
	t.Helper()
	d.t, h.t = t, t
	p := d.window(h)
	p.open(at)
	p.js(`document.documentElement.outerHTML`, &text)
	d.quiet()
	p.do("", "Target.disposeBrowserContext", map[string]any{"browserContextId": p.context}, nil)
	return text
}

// furnish exposes an API, with text in it that would do harm as markup.
func furnish(h house) {
	const apiVersion = `"apiVersion":"gatehouse/v1"`
	h.put("/v1/environments/dev", `{`+apiVersion+`,"kind":"Environment","metadata":{"name":"dev"},"spec":{"stage":"dev"}}`)
	h.put("/v1/gateways/edge", `{`+apiVersion+`,"kind":"Gateway","metadata":{"name":"edge"},"spec":{"environment":"dev","location":{"cloud":"aws","region":"eu-central-1"}}}`)
	h.put("/v1/teams/payments", `{`+apiVersion+`,"kind":"Team","metadata":{"name":"payments"},"spec":{}}`)
	h.put("/v1/teams/payments/backends/orders", `{`+apiVersion+`,"kind":"Backend","metadata":{"team":"payments","name":"orders"},"spec":{"environments":{"dev":{"targets":[{"url":"http://127.0.0.1:9"}]}}}}`)
	h.put("/v1/teams/payments/apis/orders", `{`+apiVersion+`,"kind":"API","metadata":{"team":"payments","name":"orders"},
		"spec":{"title":"<img src=x onerror=alert(1)>","audience":"partner","versions":[{"name":"v1","lifecycle":"published","path":"/orders/v1","backend":"orders"}]}}`)
	h.put("/v1/teams/payments/products/commerce", `{`+apiVersion+`,"kind":"Product","metadata":{"team":"payments","name":"commerce"},
		"spec":{"title":"<script>alert(2)</script>","apis":["orders"],"plans":[{"name":"gold","approval":"manual"}]}}`)
	h.put("/v1/teams/payments/applications/shop", `{`+apiVersion+`,"kind":"Application","metadata":{"team":"payments","name":"shop"},"spec":{}}`)
	h.put("/v1/teams/payments/subscriptions/shop-commerce", `{`+apiVersion+`,"kind":"Subscription","metadata":{"team":"payments","name":"shop-commerce"},
		"spec":{"application":"shop","product":"payments/commerce","plan":"gold","environment":"dev"}}`)
}

// TestBrowser looks at every page in a real browser: signed in by a code from
// the address, each shows what the installation has; text stays text.
func TestBrowser(t *testing.T) {
	d := drive(t)
	h := open(t)
	furnish(h)
	tests := []struct {
		name, at string
		want     []string
		not      []string
	}{
		{"home", "/console/", []string{"What waits for you", "shop to payments/commerce, plan gold", `href="/console/team?team=payments"`, "somebody else decides"}, nil},
		{"catalog", "/console/catalog", []string{"payments/orders@v1", "edge", "runs nowhere", "/orders/v1", `title="user:admin">user:admin`, "&lt;img src=x onerror=alert(1)&gt;"}, []string{"<img src=x"}},
		{"a past catalog", "/console/catalog?asOf=2020-01-01T00:00:00Z", []string{"Nothing was exposed at that moment", "As it was at"}, []string{"payments/orders@v1"}},
		{"filtered", "/console/catalog?q=nothing-like-it", []string{"Nothing matches"}, []string{"payments/orders@v1"}},
		{"subscriptions", "/console/subscription", []string{"payments/shop-commerce", "1 waits for a decision", "Decide"}, nil},
		{"gateways", "/console/fleet", []string{"edge", "aws · eu-central-1", "No instance has joined", "gateway-token create edge"}, nil},
		{"trail", "/console/audit?action=product.put", []string{"Product payments/commerce", "allowed", "Verify the chain"}, []string{"Application payments/shop"}},
		{"usage", "/console/usage", []string{"Nothing was counted in this time"}, nil},
		{"you", "/console/access", []string{"What you were given", "this browser", "first start", "Sign out"}, nil},
		{"portal", "/portal/", []string{"payments/commerce", "&lt;script&gt;alert(2)&lt;/script&gt;", "Look and subscribe", "Approved by the owning team"}, []string{"<script>alert(2)"}},
		{"a product", "/portal/product?product=payments/commerce", []string{"Subscribe to plan gold", "payments/orders@v1", "/orders/v1", "&lt;img src=x onerror=alert(1)&gt;"}, []string{"<img src=x", "<script>alert(2)"}},
		{"my applications", "/portal/mine?subscription=payments/shop-commerce", []string{"payments/shop", "The owning team decides", "plan gold"}, nil},
		{"reference", "/reference/", []string{"Gatehouse management API", "/v1/subscribe", `id="createLoginCode"`, `id="schema-Problem"`}, nil},
		{"one operation", "/reference/#release", []string{"release.create", "Idempotency-Key"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code := h.code()
			page := look(t, d, h, withCode(tt.at, code))
			for _, w := range tt.want {
				if !strings.Contains(page, w) {
					t.Errorf("%s does not show %q:\n%.4000s", tt.at, w, page)
				}
			}
			for _, n := range append(tt.not, code, `class="problem"`, "Loading…") {
				if strings.Contains(page, n) {
					t.Errorf("%s holds %q:\n%.4000s", tt.at, n, page)
				}
			}
		})
	}
}

// TestBrowserSignedOut holds that who is not signed in is told how to.
func TestBrowserSignedOut(t *testing.T) {
	d := drive(t)
	h := open(t)
	for name, at := range map[string]string{
		"without a code": "/console/", "with an unknown code": "/console/audit?code=ghl_unknown", "at the portal": "/portal/",
	} {
		t.Run(name, func(t *testing.T) {
			page := look(t, d, h, at)
			if !strings.Contains(page, `id="signed-out"`) || !strings.Contains(page, "gatehouse console") {
				t.Errorf("%s does not tell how to sign in:\n%.4000s", at, page)
			}
			if refused := strings.Contains(page, `class="problem"`) && strings.Contains(page, "Request <code>"); refused != strings.Contains(at, "code=") {
				t.Errorf("%s: a refusal with its request's id is shown: %v:\n%.4000s", at, refused, page)
			}
		})
	}
}

// TestBrowserNotYours holds that a person without a permission is told what
// would do, and that looking around leaves no refusal in the trail.
func TestBrowserNotYours(t *testing.T) {
	d := drive(t)
	h := open(t)
	furnish(h)
	h.put("/v1/users/vic@example.com", `{"apiVersion":"gatehouse/v1","kind":"User","metadata":{"name":"vic@example.com"},"spec":{}}`)
	tests := []struct {
		at   string
		want string
	}{
		{"/console/", "You are of no team yet"},
		{"/console/catalog", "Nothing is exposed that you may see"},
		{"/console/release", "There is no API that you may see"},
		{"/console/gate", "Nothing was looked at that you may see"},
		{"/console/framework", "There is no framework yet"},
		{"/console/onboarding", "You have asked for nothing yet"},
		{"/console/support", "No request is open"},
		{"/console/sla", "Not yours to see"},
		{"/console/subscription", "There is no subscription that you may see"},
		{"/console/audit", "Not yours to see"},
		{"/console/fleet", "What runs is not yours to see"},
		{"/console/usage", "Not yours to see"},
		{"/console/access", "You were given nothing yet"},
		{"/portal/", "There is no product you may see"},
		{"/portal/mine", "You have no application yet"},
	}
	for _, tt := range tests {
		t.Run(tt.at, func(t *testing.T) {
			page := look(t, d, h, withCode(tt.at, h.codeOf("user:vic@example.com")))
			if !strings.Contains(page, tt.want) || strings.Contains(page, `class="problem"`) || strings.Contains(page, "payments/orders") {
				t.Errorf("%s does not show %q alone:\n%.6000s", tt.at, tt.want, page)
			}
		})
	}
	if _, text := h.send("GET", "/v1/audit/events?outcome=refused", nil, nil); strings.Contains(text, "vic@example.com") {
		t.Errorf("looking around left refusals: %s", text)
	}
}

// withCode puts a login code into a page's address.
func withCode(at, code string) string {
	at, fragment, _ := strings.Cut(at, "#")
	mark := "?"
	if strings.Contains(at, "?") {
		mark = "&"
	}
	return at + mark + "code=" + code + "#" + fragment
}
