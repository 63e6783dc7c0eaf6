package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

const corporate = `{"apiVersion":"gatehouse/v1","kind":"Framework","metadata":{"name":"corporate"},"spec":{"title":"Corporate <b>APIs</b>","versions":[{"name":"2027.1",
	"service":{"nonFunctional":{"terms":"Keep your backends up,\nand say who <i>answers</i> for them.","responsibilities":[{"task":"Answer callers","provider":"I","consumer":"RA"}]}},
	"controls":[{"id":"own-contact","title":"Somebody answers for it","severity":"high","check":{"cel":{"expression":"api.support.contact != \"\"","message":"say support.contact"}}},
		{"id":"threats","title":"Are threats known?","check":{"question":{"text":"Where is the threat model?"}}}]}]}}`

// settle furnishes a house with people: one and two judge, boss runs the
// platform, ann builds in team payments and ivy lets releases through there.
func settle(t *testing.T) house {
	t.Helper()
	h := open(t)
	furnish(h)
	// Nobody joins for it, so nothing would ever be live in dev.
	if resp, text := h.send("DELETE", "/v1/gateways/edge", nil, nil); resp.StatusCode > 299 {
		t.Fatalf("DELETE gateway: %d %s", resp.StatusCode, text)
	}
	for _, env := range []string{
		`{"metadata":{"name":"qa"},"spec":{"stage":"qa","release":{"mode":"manual","after":["dev"]}}`, `{"metadata":{"name":"pre"},"spec":{"stage":"qa","release":{"mode":"approved","after":["qa"]}}`, `{"metadata":{"name":"prod"},"spec":{"stage":"prod","release":{"mode":"manual"}}`,
	} {
		var doc struct{ Metadata struct{ Name string } }
		if err := json.Unmarshal([]byte(env+"}"), &doc); err != nil {
			t.Fatal(err)
		}
		h.put("/v1/environments/"+doc.Metadata.Name, `{"apiVersion":"gatehouse/v1","kind":"Environment",`+env[1:]+"}")
	}
	target := `{"targets":[{"url":"http://127.0.0.1:9"}]}`
	h.put("/v1/teams/payments/backends/orders", `{"apiVersion":"gatehouse/v1","kind":"Backend","metadata":{"team":"payments","name":"orders"},"spec":{"environments":{"dev":`+target+`,"qa":`+target+`,"pre":`+target+`,"prod":`+target+`}}}`)
	for _, who := range [][3]string{{"one", "compliance", "organization"}, {"two", "compliance", "organization"}, {"three", "compliance", "organization"}, {"boss", "provider", "organization"}, {"ann", "developer", "team/payments"}, {"ivy", "approver", "team/payments"}, {"newt", "", ""}} {
		h.person(who[0]+"@example.com", who[1], who[2])
	}
	return h
}

// on is the house as somebody else would ask it.
func (h house) on(subject string) house {
	h.t.Helper()
	resp, text := h.send("POST", "/v1/tokens", map[string]string{"subject": subject, "name": "walk"}, nil)
	var out struct{ Token string }
	if err := json.Unmarshal([]byte(text), &out); err != nil || resp.StatusCode != http.StatusCreated {
		h.t.Fatalf("making a token: %d %s", resp.StatusCode, text)
	}
	h.token = out.Token
	return h
}

// post does something by the API.
func (h house) post(at, body string) {
	h.t.Helper()
	if resp, text := h.send("POST", at, json.RawMessage(body), nil); resp.StatusCode > 299 {
		h.t.Fatalf("POST %s: %d %s", at, resp.StatusCode, text)
	}
}

// govern brings the framework in force.
func govern(h house) {
	h.t.Helper()
	boss := h.on("user:boss@example.com")
	const at = "/v1/frameworks/corporate/versions/2027.1"
	boss.put("/v1/frameworks/corporate", corporate)
	boss.post(at+"/submit", `{}`)
	h.on("user:one@example.com").post(at+"/approve", `{}`)
	h.on("user:two@example.com").post(at+"/approve", `{}`)
	boss.post(at+"/enforce", `{}`)
	h.put("/v1/environments/prod", `{"apiVersion":"gatehouse/v1","kind":"Environment","metadata":{"name":"prod"},"spec":{"stage":"prod","release":{"mode":"manual"},"gate":{"framework":"corporate"}}}`)
}

// TestWalkFramework: two who did not write it approve a framework in the
// browser, on the very text they read, and it is put in force.
func TestWalkFramework(t *testing.T) {
	d := drive(t)
	h := settle(t)
	boss := h.on("user:boss@example.com")
	boss.put("/v1/frameworks/corporate", corporate)
	boss.post("/v1/frameworks/corporate/versions/2027.1/submit", `{}`)

	author := d.as(h, "user:boss@example.com", "/console/framework?framework=corporate&version=2027.1")
	author.sees("0 of 2 approvals", "You wrote or submitted it", "Corporate <b>APIs</b>")
	for i, who := range []string{"user:one@example.com", "user:two@example.com"} {
		p := d.as(h, who, "/console/")
		p.press("Read and decide: Framework corporate, version 2027.1")
		p.sees("Somebody answers for it", "own-contact")
		p.fill("Comment", "as agreed <script>")
		if i == 0 {
			p.press("Approve")
			p.sees("1 of 2 approvals", "You have said your word")
			continue
		}
		// Another text waits by the time the second one decides on the first.
		h.on("user:three@example.com").post("/v1/frameworks/corporate/versions/2027.1/reject", `{"comment":"a word is wrong"}`)
		boss.put("/v1/frameworks/corporate", strings.Replace(corporate, "Keep your backends up", "Keep your backends alive", 1))
		boss.post("/v1/frameworks/corporate/versions/2027.1/submit", `{}`)
		p.press("Approve")
		p.until(`document.querySelector("#moves .problem")`)
		var v struct {
			Hash, State string
			Decisions   []struct{ By, Digest string }
		}
		h.read("/v1/frameworks/corporate/versions/2027.1", &v)
		for _, x := range v.Decisions {
			if x.Digest == v.Hash {
				t.Fatalf("%s decided on a text that the page did not show", x.By)
			}
		}
		p.open("/console/framework?framework=corporate&version=2027.1")
		p.press("Approve")
		p.sees("1 of 2 approvals")
	}
	last := d.as(h, "user:one@example.com", "/console/framework?framework=corporate&version=2027.1")
	last.press("Approve")
	last.sees("Approved")
	author.open("/console/framework?framework=corporate&version=2027.1")
	author.press("Put in force")
	author.press("Every API is judged by it then. Put in force?")
	author.sees("It is what APIs are judged by", "Who falls short")
	var v struct{ State string }
	if h.read("/v1/frameworks/corporate/versions/2027.1", &v); v.State != "in-force" {
		t.Errorf("the framework is %q, want in-force", v.State)
	}
	d.quiet()
}

// TestWalkGate: an API falls short; its team asks for a waiver and answers a
// question, somebody else grants both, and it passes.
func TestWalkGate(t *testing.T) {
	d := drive(t)
	h := settle(t)
	govern(h)
	const at = "/console/gate?api=payments/orders@v1&environment=prod"
	ann := d.as(h, "user:ann@example.com", at)
	ann.sees("The gate has not looked at it yet")
	ann.press("Look at the newest revision")
	ann.sees("It does not pass", "say support.contact")
	ann.press("Ask for a waiver")
	ann.fill("Reason", "the contact is named in May <img src=x>")
	ann.press("Ask")
	ann.sees("A waiver was asked for by user:ann@example.com and waits")
	ann.press("Answer the question")
	ann.fill("Your answer", "in the wiki <b>")
	ann.press("Answer")
	ann.sees("user:ann@example.com answered", "in the wiki <b>")
	ann.until(`![...document.querySelectorAll("button")].some((b) => b.innerText === "Confirm")`) // not hers to confirm

	one := d.as(h, "user:one@example.com", "/console/")
	one.press("Decide: payments/orders@v1 excepted from own-contact")
	one.sees("the contact is named in May <img src=x>")
	one.press("Approve")
	one.until(`document.querySelector("dialog").innerText.includes("approved")`)
	one.open("/console/gate?api=payments/orders@v1&environment=prod")
	one.press("Confirm")
	one.until(`document.querySelector("#outcome").innerText.includes("It passes with exceptions")`)
	var g struct {
		Result struct{ Outcome string }
	}
	if h.read("/v1/teams/payments/apis/orders/versions/v1/gate?environment=prod", &g); g.Result.Outcome != "waived" {
		t.Errorf("the gate says %q, want waived", g.Result.Outcome)
	}
	d.quiet()
}

// TestWalkRelease: a revision goes from dev to qa, waits for approval before
// the next, is approved by somebody else, and is taken out of qa.
func TestWalkRelease(t *testing.T) {
	d := drive(t)
	h := settle(t)
	const at = "/console/release?api=payments/orders@v1"
	ann := d.as(h, "user:ann@example.com", at)
	ann.press("Promote")
	ann.sees("Nothing of this version is live there yet")
	ann.fill("Release notes", "first <b>in qa</b>")
	ann.press("Promote")
	ann.until(`document.querySelector("#released")`)
	ann.press("Close")
	ann.until(`document.querySelector("[data-environment=qa]").innerText.includes("first <b>in qa</b>")`)
	ann.js(`[...document.querySelectorAll("[data-environment=qa] button")].find((b) => b.innerText === "Promote").click()`, nil)
	ann.fill("Into", "pre")
	ann.press("Promote")
	ann.sees("It waits for an approval by somebody else")
	ann.press("Close")
	ann.until(`document.querySelector("[data-environment=pre]").innerText.includes("waits for approval")`)
	ann.sees("You asked for it, so somebody else decides.")
	ann.until(`![...document.querySelectorAll("button")].some((b) => b.innerText === "Approve")`) // hers is not the role

	ivy := d.as(h, "user:ivy@example.com", "/console/")
	ivy.press("Look and decide: payments/orders@v1 into pre")
	ivy.press("Approve")
	ivy.until(`!document.querySelector("[data-environment=pre]").innerText.includes("waits for approval")`)

	ann.open(at)
	ann.js(`[...document.querySelectorAll("[data-environment=qa] button")].find((b) => b.innerText === "Take out").click()`, nil)
	ann.tick("I mean it")
	ann.press("Take it out")
	ann.until(`document.querySelector("[data-environment=qa]").innerText.includes("Not released here")`)
	var s struct {
		Items []struct{ Environment, Revision string }
	}
	h.read("/v1/teams/payments/apis/orders/versions/v1/status", &s)
	live := map[string]bool{}
	for _, i := range s.Items {
		live[i.Environment] = i.Revision != ""
	}
	if !live["dev"] || !live["pre"] || live["qa"] {
		t.Errorf("it lives in %v, want dev and pre", live)
	}
	d.quiet()
}

// TestWalkCanary: a revision comes in steps, is paused and sent back; another is
// released at a time and taken back; one is released whole and rolled back.
func TestWalkCanary(t *testing.T) {
	d := drive(t)
	h := settle(t)
	ann := h.on("user:ann@example.com")
	const version = "/v1/teams/payments/apis/orders/versions/v1"
	ann.post(version+"/promote", `{"from":"dev","to":"qa","note":"the first"}`)
	ann.put("/v1/teams/payments/apis/orders", `{"apiVersion":"gatehouse/v1","kind":"API","metadata":{"team":"payments","name":"orders"},"spec":{"versions":[{"name":"v1","path":"/orders/v1","backend":"orders","policies":[{"timeout":{"backend":"3s"}}]}]}}`)
	in := func(environment, button string) string {
		return `[...document.querySelectorAll("[data-environment=` + environment + `] button")].find((b) => b.innerText === ` + quote(button) + `)`
	}
	p := d.as(h, "user:ann@example.com", "/console/release?api=payments/orders@v1")
	press := func(environment, button string) {
		t.Helper()
		p.until(in(environment, button))
		p.js(in(environment, button)+`.click()`, nil)
	}
	shows := func(environment, text string) {
		t.Helper()
		p.until(`document.querySelector("[data-environment=` + environment + `]").innerText.includes(` + quote(text) + `)`)
	}
	press("qa", "Release the newest")
	p.sees("What it changes there, and for whom", "timeout")
	p.tick("In steps, as a canary")
	p.fill("Steps, percent of the callers", "5, 50")
	p.press("Release")
	p.sees("It takes its first callers now: 5, 50 and 100 % of the callers")
	p.press("Close")
	shows("qa", "5 % of the callers since")
	press("qa", "Pause")
	shows("qa", "paused")
	press("qa", "Send all back")
	press("qa", "Really send all back?")
	p.until(`!document.querySelector("[data-environment=qa]").innerText.includes("Canary")`)

	press("qa", "Release the newest")
	p.until(`document.querySelector("dialog[open] input[type=datetime-local]")`)
	p.js(`(() => { const c = document.querySelector("dialog[open] input[type=datetime-local]"); const at = new Date(Date.now() + 86400e3); c.value = new Date(at - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16) })()`, nil)
	p.press("Release")
	p.until(`document.querySelector("#released")`)
	p.press("Close")
	shows("qa", "scheduled by user:ann@example.com")
	press("qa", "Cancel")
	press("qa", "Really cancel it?")
	p.until(`!document.querySelector("[data-environment=qa]").innerText.includes("scheduled by")`)

	press("qa", "Release the newest")
	p.press("Release")
	p.until(`document.querySelector("#released")`)
	p.press("Close")
	press("qa", "Roll back")
	p.sees("comes back, within a second")
	p.fill("Reason", "it fails <b>")
	p.press("Roll back")
	shows("qa", "Release the newest")
	press("qa", "History")
	p.sees("it fails <b>", "the first")
	var past struct {
		Items []struct{ Revision, Note string }
	}
	if h.read(version+"/releases?environment=qa", &past); len(past.Items) < 3 || past.Items[0].Revision != past.Items[len(past.Items)-1].Revision || past.Items[0].Note != "it fails <b>" {
		t.Errorf("what was released is %+v, want the first again after it was rolled back", past.Items)
	}
	d.quiet()
}

// TestWalkOnboarding: a person without a team asks for one, accepting the
// responsibilities word for word; the provider asks back, then approves; and the
// starter kit is there.
func TestWalkOnboarding(t *testing.T) {
	d := drive(t)
	h := settle(t)
	govern(h)
	newt := d.as(h, "user:newt@example.com", "/console/")
	newt.sees("You are of no team yet")
	newt.press("Ask for a team")
	newt.sees("Keep your backends up,\nand say who <i>answers</i> for them.")
	newt.fill("Team (a new name, or a team you are of)", "museum")
	newt.fill("Why it is needed", "we show <i>things</i>")
	newt.fill("Mail of the team", "museum@example.com")
	newt.tick("dev")
	newt.tick("internal")
	newt.press("Ask")
	newt.until(`document.querySelector("#accept:invalid")`) // what is not accepted is not sent
	newt.tick("I accept these responsibilities, as they stand above, for the team.")
	newt.press("Ask")
	newt.sees("It waits for the provider team")
	newt.open("/console/")
	newt.sees("You asked for a team", "museum-1")

	boss := d.as(h, "user:boss@example.com", "/console/")
	boss.press("Open: Team museum asks to come onto the platform")
	boss.sees("we show <i>things</i>")
	boss.press("Ask back")
	boss.sees("Write what you want to know.")
	boss.fill("Reason or question", "Which data?")
	boss.press("Ask back")
	boss.sees("asked back")
	newt.open("/console/")
	newt.press("Open: Team museum asks to come onto the platform")
	newt.fill("Your answer", "opening hours")
	newt.press("Answer")
	newt.sees("answered")
	boss.open("/console/onboarding?id=museum-1")
	boss.press("Approve")
	boss.sees("Team museum is on the platform")

	var o struct {
		State      string
		Acceptance struct{ Text, By string }
	}
	h.read("/v1/onboardings/museum-1", &o)
	var terms struct{ Text string }
	h.read("/v1/onboarding-terms", &terms)
	if o.State != "approved" || o.Acceptance.Text != terms.Text || o.Acceptance.By != "user:newt@example.com" {
		t.Errorf("the on-boarding is %+v, with the words %q", o, terms.Text)
	}
	newt.open("/console/")
	newt.sees("museum", "Checklist")
	newt.press("Starter kit")
	newt.press("Make the kit")
	newt.until(`document.querySelector("#kit a[download='museum-kit.tar']").href.startsWith("blob:")`)
	d.quiet()
}

// TestWalkPortal: an application is subscribed to a plan and gets its key, which
// is shown this once; it is rotated, and the page that comes after has neither.
func TestWalkPortal(t *testing.T) {
	d := drive(t)
	h := settle(t)
	h.put("/v1/teams/payments/products/open", `{"apiVersion":"gatehouse/v1","kind":"Product","metadata":{"team":"payments","name":"open"},"spec":{"title":"Open <b>doors</b>","apis":["orders"],"plans":[{"name":"free","approval":"automatic","quota":{"requests":1000,"per":"month"}}]}}`)
	h.person("eve@example.com", "consumer", "team/payments") // who reads no team
	p := d.as(h, "user:eve@example.com", "/console/")
	p.press("Go to my applications")
	p.press("Find an API")
	p.fill("Find", "doors")
	p.press("Look at plan free of Open <b>doors</b>")
	p.press("Subscribe to plan free")
	p.fill("Application", "")
	p.fill("Name", "kiosk")
	p.press("Subscribe")
	p.sees("payments/kiosk may call in dev", "shown this once")
	var key string
	if p.js(`document.querySelector("#key").innerText`, &key); !strings.HasPrefix(key, "gh_") {
		t.Fatalf("the key is %q", key)
	}
	p.press("Go to my applications")
	p.sees("payments/kiosk")
	if text := p.text(); strings.Contains(text, key) {
		t.Error("the key is shown a second time")
	}
	p.press("Rotate")
	p.fill("How long the old key lives on", "1h")
	p.press("Rotate")
	var second string
	p.until(`document.querySelector("#key")`)
	if p.js(`document.querySelector("#key").innerText`, &second); !strings.HasPrefix(second, "gh_") || second == key {
		t.Fatalf("the new key is %q, the old one %q", second, key)
	}
	var subscriptions struct {
		Items []struct {
			Metadata struct{ Name string }
			Spec     struct{ Application string }
		}
	}
	h.read("/v1/teams/payments/subscriptions", &subscriptions)
	for _, s := range subscriptions.Items {
		if !strings.HasSuffix(s.Spec.Application, "kiosk") {
			continue
		}
		var keys struct{ Items []struct{ State string } }
		h.read("/v1/teams/payments/subscriptions/"+s.Metadata.Name+"/keys", &keys)
		live := 0
		for _, k := range keys.Items {
			if k.State == "live" {
				live++
			}
		}
		if len(keys.Items) != 2 || live != 2 {
			t.Errorf("the keys are %+v, want two that live, the old one for an hour", keys.Items)
		}
	}
	d.quiet()
}

// TestWalkSupport: a team asks another for help, is answered, and closes it.
func TestWalkSupport(t *testing.T) {
	d := drive(t)
	h := settle(t)
	h.put("/v1/teams/billing", `{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"billing"},"spec":{}}`)
	h.person("ben@example.com", "developer", "team/billing")
	ben := d.as(h, "user:ben@example.com", "/console/support?new=billing")
	ben.fill("In a few words", "It <b>fails</b>")
	ben.fill("What happens, since when, and what you expected", "<img src=x onerror=alert(1)> since noon")
	ben.press("Ask")
	ben.sees("sup-1", "<img src=x onerror=alert(1)> since noon")
	boss := d.as(h, "user:boss@example.com", "/console/")
	boss.press("Answer: It <b>fails</b>")
	boss.fill("Say something", "we mended it")
	boss.fill("You speak", "helping")
	boss.fill("And then (of the helping side)", "resolve")
	boss.press("Send")
	boss.sees("resolved")
	ben.open("/console/support?id=sup-1")
	ben.sees("we mended it")
	ben.press("Close it")
	ben.sees("closed", "Open it again")
	d.quiet()
}

// TestWalkNowhere: pages of what is not the reader's say so, and leave no
// refusal on record.
func TestWalkNowhere(t *testing.T) {
	d := drive(t)
	h := settle(t)
	p := d.as(h, "user:newt@example.com", "/console/team?team=payments")
	for _, at := range []string{"/console/team?team=payments", "/console/release?api=payments/orders@v1", "/console/gate?api=payments/orders@v1&environment=dev", "/portal/product?product=payments/commerce"} {
		p.open(at)
		p.sees("Not yours to see")
	}
	for _, at := range []string{"/console/release?api=nonsense", "/console/gate?api=a/b", "/console/team", "/portal/product"} {
		p.open(at)
		p.until(`document.querySelector(".empty") && !document.querySelector(".problem")`)
	}
	h.unrefused("newt")
	d.quiet()
}

// unrefused holds that nothing was refused until now.
func (h house) unrefused(who string) {
	h.t.Helper()
	var trail struct {
		Items []struct{ Actor, Action, Object string }
	}
	h.read("/v1/audit/events?outcome=refused", &trail)
	for _, e := range trail.Items {
		// A link to somebody else's request is refused, on record, as it should be.
		if e.Actor == "user:"+who+"@example.com" && e.Action != "support.get" && e.Action != "onboarding.get" {
			h.t.Errorf("looking around left a refusal: %+v", e)
		}
	}
}

// TestRolesLookAround holds that whoever looks at whatever page runs into no
// refusal: a page asks before it looks, and offers only what the reader may do.
func TestRolesLookAround(t *testing.T) {
	d := drive(t)
	h := settle(t)
	infest(h)
	h.person("eve@example.com", "consumer", "team/payments")
	for _, who := range []string{"newt", "eve", "ivy"} {
		t.Run(who, func(t *testing.T) {
			d.t, h.t = t, t
			p := d.as(h, "user:"+who+"@example.com", "/console/home")
			for _, at := range everyPage {
				p.open(at)
				p.js(`document.querySelectorAll("main details").forEach((d) => { d.open = true })`, nil)
				p.until(`!document.querySelector(".busy, main[aria-busy]")`)
			}
			h.unrefused(who)
			p.quiet()
		})
	}
}
