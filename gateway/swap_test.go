package gateway

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"weak"

	"gatehouse/policy"
	"gatehouse/policy/all"
	"gatehouse/report"
	"gatehouse/snapshot"
)

func requests(counts []report.Count, class int) (n int64) {
	for _, c := range counts {
		if class == 0 || c.Class == class {
			n += c.Requests
		}
	}
	return n
}

func TestSwapReadsOnlyWhatChanged(t *testing.T) {
	w := standard(t)
	if w.swap(); w.reads != 0 {
		t.Errorf("nothing changed, and %d chunks were read", w.reads)
	}
	a := openAPI()
	a.Revision = "r2"
	w.api(a)
	if w.swap(); w.reads != 1 {
		t.Errorf("one API changed, and %d chunks were read", w.reads)
	}
	if got := w.g.Running(); got["t/open@v1"] != "r2" || got["payments/orders@v1"] != "r1" || len(got) != 2 {
		t.Errorf("running: got %v", got)
	}
	delete(w.entries, "api t/open@v1")
	w.swap()
	if r := w.do("GET", "/open/x"); r.StatusCode != 404 {
		t.Errorf("an API that is gone: got %d", r.StatusCode)
	}
	if serial, _ := w.g.InForce(); serial != w.serial {
		t.Errorf("serial: got %d, want %d", serial, w.serial)
	}
}

// What comes with something new and goes back to what it was is read again.
func TestSwapBackAndForth(t *testing.T) {
	w := standard(t)
	changed, other := openAPI(), orders()
	changed.Revision, other.Team, other.Path = "r2", "a", "/other"
	w.api(changed)
	w.api(other)
	w.swap()
	w.api(openAPI())
	if w.swap(); w.reads != 1 || w.g.Running()["t/open@v1"] != "r1" {
		t.Errorf("%d chunks read, running %v", w.reads, w.g.Running())
	}
}

// A table that no request uses any more is let go of, and all that only it had.
func TestOldTablesAreLetGo(t *testing.T) {
	w := standard(t)
	first := weak.Make(w.g.flow.Table())
	for _, revision := range []string{"r2", "r3"} {
		a := openAPI()
		a.Revision = revision
		w.api(a)
		w.swap()
	}
	runtime.GC()
	if first.Value() != nil {
		t.Error("the first table of three is still in memory")
	}
}

func TestSetAside(t *testing.T) {
	bad := map[string]func(*snapshot.API){
		`policy "nonsense" is not known`: func(a *snapshot.API) { a.Policies = []policy.Use{use("nonsense", `{}`)} },
		"unknown field":                  func(a *snapshot.API) { a.Policies = []policy.Use{use("timeout", `{"nonsense":1}`)} },
		"framework corporate: policy": func(a *snapshot.API) {
			u := use("timeout", `{}`)
			u.From = "framework corporate"
			a.Mandatory = []policy.Use{u}
		},
		"are one route": func(a *snapshot.API) {
			a.Operations = []snapshot.Operation{{ID: "a", Method: "GET", Path: "/{a}"}, {ID: "b", Method: "GET", Path: "/{b}"}}
		},
		"no policy verifies one":      func(a *snapshot.API) { a.Access = "token" },
		`access "magic" is not known`: func(a *snapshot.API) { a.Access = "magic" },
		"not in normal form":          func(a *snapshot.API) { a.Path = "/a/../b" },
		`"payments/orders@v1" and "t/open@v1" both claim "/orders/v1" on every host`: func(a *snapshot.API) { a.Path = "/orders/v1" },
		"backend": func(a *snapshot.API) { a.Backend = snapshot.Backend{Name: "t/none", Targets: []snapshot.Target{}} },
		"boom":    func(a *snapshot.API) { a.Policies = []policy.Use{use("boom", `{}`)} },
	}
	for want, spoil := range bad {
		t.Run(want, func(t *testing.T) {
			w := newWorld(t, Options{Find: withBoom})
			w.api(orders())
			a := openAPI()
			spoil(a)
			w.api(a)
			aside := w.swap()
			if len(aside) != 1 || aside[0].API != "t/open@v1" || aside[0].Revision != "r1" || !strings.Contains(aside[0].Reason, want) {
				t.Fatalf("aside: got %+v, want %q", aside, want)
			}
			if r := w.do("GET", "/orders/v1/things"); r.StatusCode != 401 {
				t.Errorf("the other API: got %d", r.StatusCode)
			}
			// Put right, it comes; spoilt again, what was good goes on.
			w.api(openAPI())
			if aside := w.swap(); len(aside) != 0 {
				t.Fatalf("aside: %+v", aside)
			}
			a.Revision = "r2"
			w.api(a)
			if aside := w.swap(); len(aside) != 1 || aside[0].Revision != "r2" {
				t.Fatalf("aside: %+v", aside)
			}
			if r := w.do("GET", "/open/x"); r.StatusCode != 200 || w.g.Running()["t/open@v1"] != "r1" {
				t.Errorf("the revision before: got %d, running %v", r.StatusCode, w.g.Running())
			}
		})
	}
}

// withBoom knows two more kinds: one that panics when built, one when run.
func withBoom(name string) (policy.Kind, bool) {
	switch name {
	case "boom", "bang":
		return policy.Kind{Name: name, New: func() policy.Config { return &boom{name: name} }}, true
	}
	return all.Find(name)
}

type boom struct{ name string }

func (b *boom) Validate() error { return nil }

func (b *boom) Build(policy.Env) (policy.Step, error) {
	if b.name == "boom" {
		panic("boom")
	}
	return func(*policy.Exchange) *policy.Denial { panic("bang") }, nil
}

func TestPanicIsOneRequests(t *testing.T) {
	w := newWorld(t, Options{Find: withBoom})
	a := openAPI()
	a.Policies = []policy.Use{use("bang", `{}`)}
	w.api(a)
	w.swap()
	for range 2 {
		if r := w.do("GET", "/open/x"); r.StatusCode != 500 || r.problem() != "internal" || strings.Contains(r.text, "bang") {
			t.Fatalf("got %d %s", r.StatusCode, r.text)
		}
	}
	if n := w.g.state().Panics; n != 2 {
		t.Errorf("panics: got %d", n)
	}
	if n := requests(w.g.Rollup(), 5); n != 2 {
		t.Errorf("counted: got %d", n)
	}
}

func TestBadChunksAndManifests(t *testing.T) {
	w := standard(t)
	w.api(func() *snapshot.API { a := openAPI(); a.Revision = "r2"; return a }())
	e := w.entries["api t/open@v1"]
	good := w.chunks[e.Hash]
	for name, data := range map[string][]byte{"changed": append([]byte(" "), good...), "gone": nil} {
		w.chunks[e.Hash] = data
		if data == nil {
			delete(w.chunks, e.Hash)
		}
		if aside := w.swap(); len(aside) != 1 || w.g.Running()["t/open@v1"] != "r1" {
			t.Errorf("%s: aside %+v, running %v", name, aside, w.g.Running())
		}
	}
	w.chunks[e.Hash] = good
	if aside := w.swap(); len(aside) != 0 || w.g.Running()["t/open@v1"] != "r2" {
		t.Errorf("good again: aside %+v, running %v", aside, w.g.Running())
	}
	m := w.manifest()
	m.Entries[0], m.Entries[1] = m.Entries[1], m.Entries[0]
	if _, err := w.g.Swap(context.Background(), m, w.chunk); err == nil {
		t.Error("entries out of order were taken")
	}
	fresh, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Shutdown(context.Background())
	if _, err := fresh.Swap(context.Background(), &snapshot.Manifest{}, w.chunk); err == nil || fresh.Ready() == nil {
		t.Error("a manifest without environment was taken")
	}
}

func TestCollisionAcrossSwaps(t *testing.T) {
	w := standard(t)
	early := openAPI()
	early.Team, early.Path = "a", "/open"
	w.api(early)
	aside := w.swap()
	if len(aside) != 1 || aside[0].API != "t/open@v1" || w.g.Running()["a/open@v1"] == "" {
		t.Fatalf("the later must give way: aside %+v, running %v", aside, w.g.Running())
	}
	if aside = w.swap(); len(aside) != 1 || aside[0].API != "t/open@v1" {
		t.Fatalf("and stay aside: %+v", aside)
	}
	delete(w.entries, "api a/open@v1")
	if aside = w.swap(); len(aside) != 0 || w.g.Running()["t/open@v1"] == "" {
		t.Fatalf("and come back: aside %+v, running %v", aside, w.g.Running())
	}
}

func TestHostsFollowTheEnvironment(t *testing.T) {
	w := standard(t)
	w.set(snapshot.KindEnvironment, "dev", &snapshot.Environment{Name: "dev", Hosts: []string{"API.example.com"}, KeyHeader: "X-Other"})
	w.swap()
	if r := w.do("GET", "/open/x"); r.StatusCode != 404 {
		t.Errorf("on another host: got %d", r.StatusCode)
	}
	got := w.raw("GET /orders/v1/things HTTP/1.1\r\nHost: api.example.com\r\nX-Other: " + testKey + "\r\nConnection: close\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 200") {
		t.Errorf("on the host, with the other header: got\n%s", got)
	}
}

func TestKeysEnd(t *testing.T) {
	w := standard(t)
	get := func() reply { return w.do("GET", "/orders/v1/things", "X-API-Key: "+testKey) }
	sub := snapshot.Subscription{Name: "billing/app-commerce", Application: "billing/app", Product: "payments/commerce", Plan: "gold"}
	w.key(testKey, sub, time.Now().Add(-time.Minute).Unix())
	w.swap()
	if r := get(); r.StatusCode != 401 || r.problem() != "key-expired" {
		t.Errorf("expired: got %d %s", r.StatusCode, r.text)
	}
	sub.Product = "payments/other"
	w.key(testKey, sub, 0)
	w.swap()
	if r := get(); r.StatusCode != 403 || r.problem() != "not-subscribed" {
		t.Errorf("another product's: got %d %s", r.StatusCode, r.text)
	}
	c := snapshot.KeyCredential(testKey)
	delete(w.entries, "credentials "+c.Shard())
	w.swap()
	if r := get(); r.StatusCode != 401 || r.problem() != "key-unknown" {
		t.Errorf("revoked: got %d %s", r.StatusCode, r.text)
	}
}

func TestPlanLimitAndLifecycle(t *testing.T) {
	w := standard(t)
	w.set(snapshot.KindProduct, "payments/commerce", &snapshot.Product{Name: "payments/commerce", APIs: []string{"payments/orders@v1"},
		Plans: []snapshot.Plan{{Name: "gold", Policies: []policy.Use{use("rate-limit", `{"requests":2,"per":"1h"}`)}}}})
	a := orders()
	a.Deprecated, a.Sunset, a.Successor = 1700000000, 1800000000, "https://api.example.com/orders/v2"
	w.api(a)
	if aside := w.swap(); len(aside) > 0 {
		t.Fatal(aside)
	}
	for i, want := range []int{200, 200, 429} {
		r := w.do("GET", "/orders/v1/things", "X-API-Key: "+testKey)
		if r.StatusCode != want {
			t.Fatalf("request %d: got %d %s", i, r.StatusCode, r.text)
		}
		if r.Header.Get("Deprecation") != "@1700000000" || r.Header.Get("Sunset") != "Fri, 15 Jan 2027 08:00:00 GMT" || r.Header.Get("Link") != `<https://api.example.com/orders/v2>; rel="successor-version"` {
			t.Errorf("request %d: lifecycle fields: %v", i, r.Header)
		}
		if r.Header.Get("RateLimit") == "" || want == 429 && (r.Header.Get("Retry-After") == "" || !strings.Contains(r.text, `"policy":"rate-limit"`)) {
			t.Errorf("request %d: %v %s", i, r.Header, r.text)
		}
	}
}

func TestPreflightReachesTheOperation(t *testing.T) {
	w := standard(t)
	a := orders()
	a.Operations[1].Policies = []policy.Use{use("cors", `{"origins":["https://app.example.com"]}`)}
	w.api(a)
	if aside := w.swap(); len(aside) > 0 {
		t.Fatal(aside)
	}
	r := w.do("OPTIONS", "/orders/v1/things", "Origin: https://app.example.com", "Access-Control-Request-Method: POST")
	if r.StatusCode != 204 || r.Header.Get("Access-Control-Allow-Origin") != "https://app.example.com" {
		t.Errorf("got %d %v", r.StatusCode, r.Header)
	}
	r = w.do("OPTIONS", "/orders/v1/things", "Origin: https://app.example.com", "Access-Control-Request-Method: GET")
	if r.StatusCode != 204 || r.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("an operation without cors: got %d %v", r.StatusCode, r.Header)
	}
	r = w.do("POST", "/orders/v1/things", "Origin: https://app.example.com")
	if r.StatusCode != 401 || r.Header.Get("Access-Control-Allow-Origin") != "https://app.example.com" {
		t.Errorf("a denial must carry the field, or the page cannot read it: got %d %v", r.StatusCode, r.Header)
	}
}

// While tables are swapped no request fails, and each is counted once.
func TestSwapUnderLoad(t *testing.T) {
	w := standard(t)
	stop := make(chan struct{})
	var sent atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				r, _ := http.NewRequest("GET", "http://"+w.addr+"/orders/v1/things/7", nil)
				r.Header.Set("X-API-Key", testKey)
				resp, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Errorf("request: %v", err)
					return
				}
				resp.Body.Close()
				sent.Add(1)
				if resp.StatusCode != 200 {
					t.Errorf("got %d", resp.StatusCode)
					return
				}
			}
		})
	}
	var counted int64
	for i := range 50 {
		a := orders()
		a.Revision = fmt.Sprint("r", i)
		a.Backend = snapshot.Backend{Name: "t/b", Targets: []snapshot.Target{{URL: w.backend.URL, Weight: 1 + i}}}
		w.api(a)
		if aside := w.swap(); len(aside) > 0 {
			t.Fatal(aside)
		}
		counted += requests(w.g.Rollup(), 2)
	}
	close(stop)
	wg.Wait()
	// The count follows the answer's last byte; the last ones may be a moment behind.
	for deadline := time.Now().Add(5 * time.Second); counted < sent.Load() && time.Now().Before(deadline); {
		counted += requests(w.g.Rollup(), 0)
	}
	if counted != sent.Load() || sent.Load() == 0 {
		t.Errorf("counted %d of %d", counted, sent.Load())
	}
}

func TestNoSecretInTheLog(t *testing.T) {
	w := standard(t)
	w.do("GET", "/orders/v1/things?token=SECRET1", "X-API-Key: "+testKey, "Authorization: Bearer SECRET2", "Cookie: SECRET3")
	w.do("GET", "/orders/v1/things?api_key=SECRET1", "X-API-Key: SECRET4")
	w.g.access.Close()
	if text := w.log.String(); strings.Contains(text, "SECRET") || strings.Contains(text, testKey) || strings.Count(text, "\n") != 2 {
		t.Errorf("the log: %s", text)
	}
}
