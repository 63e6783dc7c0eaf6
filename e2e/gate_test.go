package e2e

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/control"
	"gatehouse/control/audit"
	"gatehouse/control/governance/gate"
	management "gatehouse/control/server"
	"gatehouse/gateway/instance"
)

// A gated is a control plane and a gateway in this process, each with a folder of
// its own, and the command line beside them.
type gated struct {
	t       *testing.T
	dir     string
	admin   string
	control *control.Control
	edge    *instance.Instance
	endEdge func()
	endCtl  func()
}

func newGated(t *testing.T) *gated {
	g := &gated{t: t, dir: t.TempDir()}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g.admin = l.Addr().String()
	data := filepath.Join(g.dir, "data")
	if g.control, err = control.Open(t.Context(), control.Options{Data: data, Log: slog.New(slog.DiscardHandler), Version: "test"}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "admin.addr"), []byte("http://"+g.admin+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: g.control.Handler()}
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { g.control.Run(ctx) })
	wg.Go(func() { _ = s.Serve(&management.Either{Listener: l, TLS: g.control.TLS(nil), Plain: true}) }) // ends with Close
	g.endCtl = sync.OnceFunc(func() {
		s.Close()
		stop()
		wg.Wait()
		if err := g.control.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { g.endCtl() })
	return g
}

// cli runs a command, which must succeed, and returns what it prints.
func (g *gated) cli(args ...string) string {
	g.t.Helper()
	c := exec.Command(filepath.Join(program, "gatehouse"), args...)
	c.Env = append(os.Environ(), "GATEHOUSE_DATA="+filepath.Join(g.dir, "data"), "NO_COLOR=1")
	var errs strings.Builder
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		g.t.Fatalf("gatehouse %s: %v\n%s", strings.Join(args, " "), err, errs.String())
	}
	return strings.TrimSpace(string(out))
}

func (g *gated) apply(text string, more ...string) {
	g.t.Helper()
	file := filepath.Join(g.dir, "applied.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		g.t.Fatal(err)
	}
	g.cli(append([]string{"apply", "-f", file, "--wait", "20s"}, more...)...)
}

// startEdge starts the gateway: with a token for the first time, without one
// from its disk.
func (g *gated) startEdge(token string) {
	g.t.Helper()
	var err error
	g.edge, err = instance.Open(g.t.Context(), instance.Options{TrafficAddr: "127.0.0.1:0", Data: filepath.Join(g.dir, "edge"), Control: "https://" + g.admin,
		Token: token, Name: "edge", FastLane: true, Interval: time.Second, Log: slog.New(slog.DiscardHandler), Version: "test"})
	if err != nil {
		g.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.edge.Run(ctx) }()
	g.endEdge = sync.OnceFunc(func() {
		stop()
		if err := <-done; err != nil {
			g.t.Error(err)
		}
	})
	g.t.Cleanup(func() { g.endEdge() })
}

func (g *gated) get(path string) (status int, text string) {
	g.t.Helper()
	r, err := http.NewRequest("GET", g.edge.URL()+path, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	r.Close = true
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// until waits for a status; how soon it comes is for the bench to say.
func (g *gated) until(path string, want int) (text string) {
	g.t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		got, text := g.get(path)
		if got == want {
			return text
		}
		if time.Now().After(end) {
			g.t.Fatalf("GET %s: still %d, want %d: %s", path, got, want, text)
		}
	}
}

// says waits until a command prints a text.
func (g *gated) says(text string, args ...string) {
	g.t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		out := g.cli(args...)
		if strings.Contains(out, text) {
			return
		}
		if time.Now().After(end) {
			g.t.Fatalf("gatehouse %s does not say %q:\n%s", strings.Join(args, " "), text, out)
		}
	}
}

const gatedHouse = `apiVersion: gatehouse/v1
kind: Environment
metadata: {name: prod}
spec: {stage: prod, release: {mode: automatic}, gate: {mode: %[1]s, framework: corporate}}
---
apiVersion: gatehouse/v1
kind: Gateway
metadata: {name: edge}
spec: {environment: prod}
---
apiVersion: gatehouse/v1
kind: Team
metadata: {name: shop}
spec: {title: Shop}
---
apiVersion: gatehouse/v1
kind: Backend
metadata: {team: shop, name: all}
spec: {environments: {prod: {targets: [{url: %[2]q}]}}}
---
apiVersion: gatehouse/v1
kind: API
metadata: {team: shop, name: cart}
spec: {title: Cart, versions: [{name: v1, path: /cart, backend: all, access: open}]}
---
apiVersion: gatehouse/v1
kind: API
metadata: {team: shop, name: menu}
spec: {title: Menu, versions: [{name: v1, path: /menu, backend: all, access: open}]}
---
apiVersion: gatehouse/v1
kind: User
metadata: {name: boss@example.com}
spec: {displayName: Boss}
---
apiVersion: gatehouse/v1
kind: RoleAssignment
metadata: {name: boss-provides}
spec: {subject: "user:boss@example.com", role: provider, scope: organization}
---
apiVersion: gatehouse/v1
kind: User
metadata: {name: carol@example.com}
spec: {displayName: Carol}
---
apiVersion: gatehouse/v1
kind: User
metadata: {name: dan@example.com}
spec: {displayName: Dan}
---
apiVersion: gatehouse/v1
kind: RoleAssignment
metadata: {name: carol-judges}
spec: {subject: "user:carol@example.com", role: compliance, scope: organization}
---
apiVersion: gatehouse/v1
kind: RoleAssignment
metadata: {name: dan-judges}
spec: {subject: "user:dan@example.com", role: compliance, scope: organization}
`

// corporateRules are written by somebody who makes no tokens for who approves them.
const corporateRules = `apiVersion: gatehouse/v1
kind: Framework
metadata: {name: corporate}
spec: {versions: [{name: "1", controls: [{id: titled, title: It has a title, severity: low, check: {cel: {expression: "api.title != ''", message: "give it a title"}}}]}]}
`

// TestGateAtGateways revokes an attestation while the gateway is connected, starts
// it again with nobody to ask, and lets the API in again.
func TestGateAtGateways(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "here") }))
	defer backend.Close()
	g := newGated(t)
	g.apply(fmt.Sprintf(gatedHouse, "report", backend.URL))
	g.startEdge(g.cli("gateway-token", "create", "edge"))
	g.until("/menu/x", 200)
	boss := g.cli("token", "create", "--subject", "user:boss@example.com", "--name", "boss")
	g.apply(corporateRules, "--token", boss)
	g.cli("--token", boss, "framework", "submit", "corporate@1")
	for _, who := range []string{"carol", "dan"} {
		token := g.cli("token", "create", "--subject", "user:"+who+"@example.com", "--name", who)
		g.cli("--token", token, "framework", "approve", "corporate@1")
	}
	// From now on what has no attestation is told of; the gate works on it.
	g.cli("framework", "enforce", "corporate@1")
	for end := time.Now().Add(30 * time.Second); strings.Contains(g.cli("gateways", "show", "edge"), "the gate would refuse"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the gate attests nothing")
		}
	}
	g.apply(fmt.Sprintf(gatedHouse, "enforce", backend.URL))
	g.until("/menu/x", 200)

	ctx := audit.WithRequest(t.Context(), audit.Request{Actor: "user:carol@example.com", Authentication: "token"})
	target := gate.Target{Environment: "prod", Team: "shop", Name: "menu", Version: "v1", Revision: g.control.Fleet.State().Release("prod", "shop/menu@v1")}
	if _, err := g.control.Gate.Revoke(ctx, target, "evidence was false"); err != nil {
		t.Fatal(err)
	}
	if text := g.until("/menu/x", 503); !strings.Contains(text, "gate-refused") {
		t.Errorf("refused as %s", text)
	}
	if got, _ := g.get("/cart/x"); got != 200 {
		t.Errorf("the other API: got %d", got)
	}
	g.says("attestation is missing", "status", "shop/menu@v1")
	g.says("refused", "catalog")
	g.says("shop/menu@v1: attestation is missing", "gateways", "show", "edge")

	// Where the environment only reports, it is served, with a warning.
	g.apply(fmt.Sprintf(gatedHouse, "report", backend.URL))
	g.until("/menu/x", 200)
	g.says("warning: the gate would refuse it: attestation is missing", "status", "shop/menu@v1")
	g.says("the gate would refuse shop/menu@v1", "gateways", "show", "edge")
	g.apply(fmt.Sprintf(gatedHouse, "enforce", backend.URL))
	g.until("/menu/x", 503)

	// A gateway that starts with nobody to ask refuses as well.
	g.endEdge()
	if _, err := g.control.Gate.Restore(ctx, target, "it was true"); err != nil {
		t.Fatal(err)
	}
	alone := g.admin
	g.admin = "127.0.0.1:1" // nobody is there
	g.startEdge("")
	if got, text := g.get("/menu/x"); got != 503 {
		t.Errorf("alone: got %d %s", got, text)
	}
	if got, _ := g.get("/cart/x"); got != 200 {
		t.Errorf("alone, the other API: got %d", got)
	}
	g.endEdge()
	g.admin = alone
	g.startEdge("")
	g.until("/menu/x", 200)
	g.says("live", "status", "shop/menu@v1")
	g.endEdge()
}
