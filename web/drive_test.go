package web_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// patience bounds how long a page may take to come to what a walk waits for.
const patience = 60 * time.Second

// A driver is a browser that is told what to do through a pair of pipes: JSON
// messages of the DevTools protocol, each ended by a zero byte.
type driver struct {
	t    *testing.T
	to   io.Writer
	from *bufio.Reader
	next int
	said []string // what pages wrote on the console, and faults
}

// drive starts a browser. It ends with the test.
func drive(t *testing.T) *driver {
	t.Helper()
	browser := chromium(t)
	in, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	from, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--no-first-run", "--no-default-browser-check", "--disable-extensions", "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
		"--user-data-dir="+t.TempDir(), "--remote-debugging-pipe", "about:blank")
	cmd.ExtraFiles = []*os.File{in, out} // descriptors 3 and 4, as the flag says
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in.Close()
	out.Close()
	d := &driver{t: t, to: to, from: bufio.NewReader(from)}
	stop := time.AfterFunc(8*time.Minute, func() { _ = cmd.Process.Kill() }) // a browser that hangs ends the test
	t.Cleanup(func() {
		stop.Stop()
		late := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		_, _ = to.Write([]byte(`{"id":1000000,"method":"Browser.close"}` + "\x00")) // it tidies its folder up before it goes
		_, _ = io.Copy(io.Discard, from)
		_ = cmd.Wait()
		late.Stop()
		to.Close()
		from.Close()
	})
	return d
}

type message struct {
	ID      int                       `json:"id,omitempty"`
	Method  string                    `json:"method,omitempty"`
	Session string                    `json:"sessionId,omitempty"`
	Params  json.RawMessage           `json:"params,omitempty"`
	Result  json.RawMessage           `json:"result,omitempty"`
	Error   *struct{ Message string } `json:"error,omitempty"`
}

// do asks the browser something and waits for the answer; events that come in
// between are looked at for what pages complain of.
func (d *driver) do(session, method string, params any, answer any) {
	d.t.Helper()
	d.next++
	p, err := json.Marshal(params)
	if err != nil {
		d.t.Fatal(err)
	}
	text, err := json.Marshal(message{ID: d.next, Method: method, Session: session, Params: p})
	if err != nil {
		d.t.Fatal(err)
	}
	if _, err := d.to.Write(append(text, 0)); err != nil {
		d.t.Fatalf("%s: %v", method, err)
	}
	for {
		raw, err := d.from.ReadBytes(0)
		if err != nil {
			d.t.Fatalf("%s: the browser has gone: %v", method, err)
		}
		var m message
		if err := json.Unmarshal(bytes.TrimRight(raw, "\x00"), &m); err != nil {
			d.t.Fatal(err)
		}
		switch {
		case m.ID == d.next && m.Error != nil:
			d.t.Fatalf("%s: %s", method, m.Error.Message)
		case m.ID == d.next:
			if answer != nil {
				if err := json.Unmarshal(m.Result, answer); err != nil {
					d.t.Fatalf("%s: %v", method, err)
				}
			}
			return
		case m.Method == "Runtime.exceptionThrown", m.Method == "Log.entryAdded" && bytes.Contains(m.Params, []byte(`"level":"error"`)) && !bytes.Contains(m.Params, []byte("Failed to load resource")):
			d.said = append(d.said, string(m.Params))
		}
	}
}

// A page is one window, with cookies of its own.
type page struct {
	*driver
	h       house
	session string
	context string // that its cookies are of
}

// window opens an empty window.
func (d *driver) window(h house) *page {
	d.t.Helper()
	var browser struct{ BrowserContextID string }
	d.do("", "Target.createBrowserContext", map[string]any{}, &browser)
	var target struct{ TargetID string }
	d.do("", "Target.createTarget", map[string]any{"url": "about:blank", "browserContextId": browser.BrowserContextID, "width": 1400, "height": 900}, &target)
	var session struct{ SessionID string }
	d.do("", "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &session)
	p := &page{d, h, session.SessionID, browser.BrowserContextID}
	for _, domain := range []string{"Page", "Runtime", "Log"} {
		p.do(p.session, domain+".enable", map[string]any{}, nil)
	}
	return p
}

// as opens the pages as somebody, at a path.
func (d *driver) as(h house, subject, at string) *page {
	d.t.Helper()
	p := d.window(h)
	p.open(withCode(at, h.codeOf(subject)))
	return p
}

// open goes to a path and waits until the page is at rest there.
func (p *page) open(at string) {
	p.t.Helper()
	p.do(p.session, "Page.navigate", map[string]any{"url": p.h.url + at}, nil)
	p.until(`location.pathname === ` + quote(strings.FieldsFunc(at, func(r rune) bool { return r == '?' || r == '#' })[0]) + ` && document.readyState === "complete" && document.querySelector("h1") && !document.querySelector(".busy, main[aria-busy]")`)
}

func quote(s string) string {
	text, _ := json.Marshal(s) // a string has no form that fails
	return string(text)
}

// js evaluates an expression in the page.
func (p *page) js(expression string, value any) {
	p.t.Helper()
	var out struct {
		Result struct {
			Value       json.RawMessage
			Description string
		}
		ExceptionDetails json.RawMessage
	}
	p.do(p.session, "Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}, &out)
	if out.ExceptionDetails != nil {
		p.t.Fatalf("evaluating %s: %s", expression, out.ExceptionDetails)
	}
	if value != nil && len(out.Result.Value) > 0 {
		if err := json.Unmarshal(out.Result.Value, value); err != nil {
			p.t.Fatalf("evaluating %s: %v", expression, err)
		}
	}
}

// until waits for an expression to be true. A page that is being replaced
// answers with a fault, which is no more than not yet.
func (p *page) until(expression string) {
	p.t.Helper()
	for end := time.Now().Add(patience); ; {
		var ok bool
		p.js(`(() => { try { return Boolean(`+expression+`) } catch { return false } })()`, &ok)
		if ok {
			return
		}
		if time.Now().After(end) {
			p.t.Fatalf("the page does not come to %s; it shows:\n%s", expression, p.text())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// text is what the page shows, a dialog's part first.
func (p *page) text() (text string) {
	p.t.Helper()
	p.js(`[...document.querySelectorAll("dialog"), document.body].filter(Boolean).map((n) => n.innerText).join("\n----\n").slice(0, 6000)`, &text)
	return text
}

// sees waits until the page shows each text.
func (p *page) sees(texts ...string) {
	p.t.Helper()
	for _, text := range texts {
		p.until(`document.body.innerText.includes(` + quote(text) + `)`)
	}
}

// scope is the script that finds what is in front: an open dialog, else the page.
const scope = `const root = document.querySelector("dialog[open]") ?? document; const shown = (n) => n.offsetParent !== null || n.closest("dialog");`

// press clicks the button or link of that name, once it is there and can be.
func (p *page) press(name string) {
	p.t.Helper()
	find := `(() => { ` + scope + ` return [...root.querySelectorAll("button, a, summary")].find((n) => shown(n) && !n.disabled && (n.getAttribute("aria-label") ?? n.innerText).trim() === ` + quote(name) + `) })()`
	p.until(find)
	p.js(find+`.click()`, nil)
}

// fill writes into the control of that label, as a person would.
func (p *page) fill(label, value string) {
	p.t.Helper()
	find := `(() => { ` + scope + ` return [...root.querySelectorAll("label")].filter(shown).find((l) => l.innerText.trim().split("\n")[0] === ` + quote(label) + `)?.querySelector("input, textarea, select") })()`
	p.until(find)
	p.js(`(() => { const c = `+find+`; if (c.type === "checkbox") c.click(); else { c.value = `+quote(value)+`; c.dispatchEvent(new Event("input", { bubbles: true })); c.dispatchEvent(new Event("change", { bubbles: true })); } })()`, nil)
}

// tick presses the box of that label.
func (p *page) tick(label string) { p.t.Helper(); p.fill(label, "") }

// quiet fails the test if any page complained.
func (d *driver) quiet() {
	d.t.Helper()
	for _, line := range d.said {
		d.t.Errorf("the browser says: %.600s", line)
	}
	d.said = nil
}

// read asks the API as the administrator.
func (h house) read(at string, value any) {
	h.t.Helper()
	resp, text := h.send("GET", at, nil, nil)
	if resp.StatusCode != 200 {
		h.t.Fatalf("GET %s: %d %s", at, resp.StatusCode, text)
	}
	if err := json.Unmarshal([]byte(text), value); err != nil {
		h.t.Fatal(err)
	}
}

// person makes a user, with a role where one is given.
func (h house) person(name, role, scope string) {
	h.t.Helper()
	const apiVersion = `"apiVersion":"gatehouse/v1"`
	h.put("/v1/users/"+name, fmt.Sprintf(`{%s,"kind":"User","metadata":{"name":%q},"spec":{}}`, apiVersion, name))
	if role != "" {
		h.put("/v1/role-assignments/"+name[:strings.IndexByte(name, '@')], fmt.Sprintf(`{%s,"kind":"RoleAssignment","metadata":{"name":%q},"spec":{"subject":%q,"role":%q,"scope":%q}}`, apiVersion, name[:strings.IndexByte(name, '@')], "user:"+name, role, scope))
	}
}
