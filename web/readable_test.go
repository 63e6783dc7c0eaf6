package web_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// evil stands in every field that people write and pages show.
const evil = `<img src=x onerror=document.title='taken'><script>document.title='taken'</script>&quot;'`

// infest fills a house with text that would do harm as markup.
func infest(h house) {
	h.t.Helper()
	e := quote(evil)
	doc := func(kind, meta, spec string) string {
		return fmt.Sprintf(`{"apiVersion":"gatehouse/v1","kind":%q,"metadata":%s,"spec":%s}`, kind, meta, spec)
	}
	boss, ann := h.on("user:boss@example.com"), h.on("user:ann@example.com")
	h.put("/v1/teams/payments", doc("Team", `{"name":"payments"}`, `{"title":`+e+`,"summary":`+e+`,"contacts":{"email":"p@example.com","onCall":`+e+`,"channel":`+e+`}}`))
	h.put("/v1/gateways/edge", doc("Gateway", `{"name":"edge"}`, `{"title":`+e+`,"environment":"prod","location":{"cloud":"aws","region":"eu-central-1"}}`))
	boss.put("/v1/frameworks/corporate", doc("Framework", `{"name":"corporate"}`, `{"title":`+e+`,"summary":`+e+`,"versions":[{"name":"2027.1","service":{"summary":`+e+`,"functional":{"access":`+e+`,"secureConfiguration":[`+e+`]},
		"nonFunctional":{"request":`+e+`,"terms":`+e+`,"responsibilities":[{"task":`+e+`,"provider":"R","consumer":"A"}]}},
		"controls":[{"id":"own-contact","title":`+e+`,"text":`+e+`,"mappings":{"x-own":[`+e+`]},"check":{"cel":{"expression":"api.support.contact != \"\"","message":`+e+`}}},
		{"id":"threats","title":`+e+`,"check":{"question":{"text":`+e+`}}}]}]}`))
	const at = "/v1/frameworks/corporate/versions/2027.1"
	boss.post(at+"/submit", `{"reason":`+e+`}`)
	boss.post(at+"/comments", `{"text":`+e+`}`)
	h.on("user:one@example.com").post(at+"/approve", `{"comment":`+e+`}`)
	h.on("user:two@example.com").post(at+"/approve", `{"comment":`+e+`}`)
	boss.post(at+"/enforce", `{"reason":`+e+`}`)
	ann.put("/v1/teams/payments/apis/orders", doc("API", `{"team":"payments","name":"orders"}`, `{"title":`+e+`,"summary":`+e+`,"framework":"corporate","audience":"partner","data":{"classification":"internal"},
		"versions":[{"name":"v1","path":"/orders/v1","backend":"orders","lifecycle":"deprecated","deprecation":{"since":"2026-01-01","sunset":"2030-01-01","successor":"v2"}},{"name":"v2","path":"/orders/v2","backend":"orders"}]}`))
	ann.put("/v1/teams/payments/products/commerce", doc("Product", `{"team":"payments","name":"commerce"}`, `{"title":`+e+`,"summary":`+e+`,"apis":["orders"],"plans":[{"name":"gold","approval":"manual","title":`+e+`,"summary":`+e+`,"quota":{"requests":1000,"per":"month"},"sla":{"availability":99.9,"latency":{"p95":"200ms"},"support":{"firstResponse":"1h"}}},{"name":"free","approval":"automatic"}]}`))
	ann.put("/v1/teams/payments/applications/shop", doc("Application", `{"team":"payments","name":"shop"}`, `{"title":`+e+`,"summary":`+e+`}`))
	ann.post("/v1/subscribe", `{"product":"payments/commerce","plan":"free","application":"payments/kiosk","environment":"dev","key":true}`)
	const version = "/v1/teams/payments/apis/orders/versions/v2"
	ann.post(version+"/promote", `{"from":"dev","to":"qa","note":`+e+`}`)
	ann.post(version+"/promote", `{"from":"qa","to":"pre","note":`+e+`}`)
	ann.put("/v1/teams/payments/apis/orders", doc("API", `{"team":"payments","name":"orders"}`, `{"title":`+e+`,"summary":`+e+`,"framework":"corporate","audience":"partner",
		"versions":[{"name":"v1","path":"/orders/v1","backend":"orders","lifecycle":"deprecated"},{"name":"v2","path":"/orders/v2","backend":"orders","policies":[{"timeout":{"backend":"3s"}}]}]}`))
	ann.post(version+"/release", `{"environment":"qa","note":`+e+`,"canary":{"steps":[5,50],"every":"10m","stopOn":[{"measure":"errors","over":2}]}}`)
	ann.post(version+"/gate/answer", `{"environment":"prod","control":"threats","text":`+e+`}`)
	ann.post(version+"/gate/run", `{"environment":"prod"}`)
	ann.post("/v1/waivers", `{"api":"payments/orders","control":"own-contact","environment":"prod","reason":`+e+`,"expires":`+quote(time.Now().Add(100*time.Hour).UTC().Format(time.RFC3339))+`}`)
	h.put("/v1/teams/billing", doc("Team", `{"name":"billing"}`, `{}`))
	h.person("ben@example.com", "developer", "team/billing")
	ben := h.on("user:ben@example.com")
	ben.post("/v1/support", `{"team":"billing","api":"payments/orders@v2","category":"incident","severity":"high","title":`+quote(evil[:60])+`,"text":`+e+`}`)
	var terms struct{ Hash string }
	h.read("/v1/onboarding-terms", &terms)
	h.on("user:newt@example.com").post("/v1/onboardings", `{"request":{"team":"museum","title":`+e+`,"summary":`+e+`,"why":`+e+`,"costCentre":`+quote(evil[:60])+`,"contacts":{"email":"m@example.com","onCall":`+e+`,"channel":`+e+`},"environments":["dev"],"clouds":["aws"],"data":["internal"]},"accept":{"version":"2027.1","hash":`+quote(terms.Hash)+`}}`)
	boss.post("/v1/onboardings/museum-1/ask", `{"question":`+e+`}`)
}

// everyPage is where all of it is shown.
var everyPage = []string{
	"/console/home", "/console/team?team=payments", "/console/catalog", "/console/release", "/console/release?api=payments/orders@v2", "/console/gate", "/console/gate?api=payments/orders@v2&environment=prod", "/console/gate?api=payments/orders@v2&environment=qa",
	"/console/subscription", "/console/support", "/console/support?id=sup-1", "/console/support?new=1", "/console/framework", "/console/framework?framework=corporate&version=2027.1", "/console/onboarding", "/console/onboarding?id=museum-1", "/console/onboarding?new=1",
	"/console/fleet", "/console/sla", "/console/usage", "/console/audit", "/console/access",
	"/portal/", "/portal/product?product=payments/commerce", "/portal/mine?subscription=payments/kiosk-commerce", "/reference/",
}

// faint finds text that does not stand out enough from what is behind it: less
// than 4.5 to 1, large text less than 3 (WCAG 2.2, 1.4.3).
const faint = `(() => {
	const parse = (c) => { const m = c.match(/[\d.]+/g).map(Number); return { r: m[0], g: m[1], b: m[2], a: m[3] ?? 1 }; };
	const light = (c) => { const f = (v) => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }; return .2126 * f(c.r) + .7152 * f(c.g) + .0722 * f(c.b); };
	const over = (top, under) => ({ r: top.r * top.a + under.r * (1 - top.a), g: top.g * top.a + under.g * (1 - top.a), b: top.b * top.a + under.b * (1 - top.a), a: 1 });
	const behind = (n) => { const list = []; for (; n; n = n.parentElement) { const c = parse(getComputedStyle(n).backgroundColor); if (c.a > 0) list.push(c); if (c.a === 1) break; } return list.reverse().reduce((under, c) => over(c, under), { r: 255, g: 255, b: 255, a: 1 }); };
	const bad = [];
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (walk.nextNode()) {
		const n = walk.currentNode.parentElement;
		if (!walk.currentNode.data.trim() || !n.checkVisibility({ checkOpacity: true }) || n.closest(":disabled, .hidden-text, svg, option, noscript")) continue;
		const s = getComputedStyle(n), back = behind(n), ink = over(parse(s.color), back), [a, b] = [light(ink), light(back)].sort((x, y) => y - x);
		const size = parseFloat(s.fontSize), large = size >= 24 || size >= 18.66 && Number(s.fontWeight) >= 700, ratio = (a + .05) / (b + .05);
		if (ratio < (large ? 3 : 4.5)) bad.push(walk.currentNode.data.trim().slice(0, 40) + " (" + n.className + " in " + n.tagName + "): " + ratio.toFixed(2));
	}
	return [...new Set(bad)].slice(0, 5);
})()`

// nameless are controls and pictures without a name, by the browser's own
// reckoning.
func (p *page) nameless() (bad []string) {
	p.t.Helper()
	var tree struct {
		Nodes []struct {
			Ignored    bool
			Role, Name struct{ Value any }
			BackendID  int `json:"backendDOMNodeId"`
		}
	}
	p.do(p.session, "Accessibility.getFullAXTree", map[string]any{}, &tree)
	named := map[string]bool{"button": true, "link": true, "textbox": true, "searchbox": true, "combobox": true, "checkbox": true, "radio": true, "spinbutton": true, "img": true, "image": true, "Iframe": true, "meter": true, "dialog": true, "table": true, "Date": true, "InputTime": true}
	for _, n := range tree.Nodes {
		role, _ := n.Role.Value.(string)
		if name, _ := n.Name.Value.(string); !n.Ignored && named[role] && strings.TrimSpace(name) == "" {
			bad = append(bad, role)
		}
	}
	return bad
}

// TestReadable looks at every page, full of text that would do harm, and holds
// that text stays text; that each control has a name, each page one heading of
// the first level and no id twice; that text stands out in light and in dark;
// and that nothing is wider than a narrow screen.
func TestReadable(t *testing.T) {
	d := drive(t)
	h := settle(t)
	infest(h)
	p := d.as(h, "user:admin", "/console/home")
	for _, at := range everyPage {
		t.Run(strings.ReplaceAll(strings.TrimPrefix(at, "/"), "/", "-"), func(t *testing.T) {
			p.t, p.h.t = t, t
			look := func(width int, scheme string) {
				p.do(p.session, "Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false}, nil)
				p.do(p.session, "Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"}}}, nil)
			}
			look(1400, "light")
			p.open(at)
			p.js(`document.querySelectorAll("main details").forEach((d) => { d.open = true })`, nil)
			p.until(`!document.querySelector(".busy, main[aria-busy]")`)
			var hurt []string
			p.js(`[...document.querySelectorAll('img[src="x"], main script, .problem')].map((n) => n.outerHTML.slice(0, 300))`, &hurt)
			var title string
			if p.js(`document.title`, &title); len(hurt) > 0 || title == "taken" {
				t.Errorf("text became markup, or a problem is shown: %v, title %q", hurt, title)
			}
			var heads, twice int
			p.js(`document.querySelectorAll("h1").length`, &heads)
			p.js(`(() => { const ids = [...document.querySelectorAll("[id]")].map((n) => n.id); return ids.length - new Set(ids).size })()`, &twice)
			if heads != 1 || twice != 0 {
				t.Errorf("it has %d headings of the first level and %d ids twice", heads, twice)
			}
			if bad := p.nameless(); len(bad) > 0 {
				t.Errorf("without a name: %v", bad)
			}
			for _, scheme := range []string{"light", "dark"} {
				for _, width := range []int{1400, 420} {
					look(width, scheme)
					var bad []string
					if p.js(faint, &bad); len(bad) > 0 {
						t.Errorf("%s, %d wide: hard to read: %q", scheme, width, bad)
					}
					var wide int
					if p.js(`document.documentElement.scrollWidth`, &wide); wide > width {
						var out []string
						p.js(`[...document.querySelectorAll("body *")].filter((n) => !n.closest(".scroll, svg") && n.getBoundingClientRect().right > innerWidth + 1).slice(0, 6).map((n) => n.tagName + "." + n.className + " " + (n.innerText ?? "").slice(0, 40))`, &out)
						t.Errorf("%s: %d wide on a screen of %d: %q", scheme, wide, width, out)
					}
				}
			}
			p.quiet()
		})
	}
}
