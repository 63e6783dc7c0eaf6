package e2e

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"gatehouse/adminapi"
	"gatehouse/bundle"
	"gatehouse/client"
)

var seed = flag.Uint64("fault.seed", uint64(time.Now().UnixNano()), "seed of the random moments at which faults strike")

// rounds is how often a fault strikes: a few times by default, as often as the
// goals say with GATEHOUSE_SOAK=1.
func rounds(few, soak int) int {
	if os.Getenv("GATEHOUSE_SOAK") == "1" {
		return soak
	}
	return few
}

// A site is an installation of real processes to break: a control plane,
// gateways in processes of their own, and a backend that counts.
type site struct {
	*world
	t     *testing.T
	admin string            // URL of the management API
	at    map[string]string // URL of each gateway's traffic listener
	ops   map[string]string // URL of each process's operators' listener
	env   []string          // of all processes
	pets  *tally
	api   *client.Client
}

func newSite(t *testing.T) *site {
	t.Helper()
	dir := t.TempDir()
	s := &site{world: newWorld(dir), t: t, at: map[string]string{}, ops: map[string]string{}, pets: newTally(t),
		env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "NO_COLOR=1"}}
	t.Cleanup(s.end)
	t.Cleanup(func() {
		if t.Failed() {
			s.logs()
		}
	})
	return s
}

// logs shows the end of what the processes wrote.
func (s *site) logs() {
	for name := range s.servers {
		text, _ := os.ReadFile(filepath.Join(s.dir, name+".log"))
		s.t.Logf("the log of %s ends:\n%s", name, text[max(0, len(text)-6000):])
	}
}

// data is the data directory of a process.
func (s *site) data(name string) string { return filepath.Join(s.dir, name+"-data") }

// control starts a control plane of its own; the first is the one that s.api asks.
func (s *site) control(name string, flags ...string) {
	s.t.Helper()
	s.role("control", name, flags...)
}

// serve starts a control plane with a gateway, both called name.
func (s *site) serve(name string, flags ...string) {
	s.t.Helper()
	traffic := free()
	s.at[name] = "http://" + traffic
	s.role("serve", name, append(flags, "--traffic-addr", traffic)...)
}

func (s *site) role(role, name string, flags ...string) {
	s.t.Helper()
	admin := free()
	s.run(name, append([]string{"gatehouse", role, "--admin-addr", admin, "--data", s.data(name)}, flags...)...)
	if s.api == nil {
		s.admin = "http://" + admin
		s.api = s.as(name, "http://"+admin)
	}
}

// as is the administrator's client of the control plane at address, by the token
// that the process name left.
func (s *site) as(name, address string) *client.Client {
	s.t.Helper()
	token, err := os.ReadFile(filepath.Join(s.data(name), "admin.token"))
	if err != nil {
		s.t.Fatal(err)
	}
	c, err := client.New(address, strings.TrimSpace(string(token)), &http.Client{Timeout: 20 * time.Second})
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// gateway starts an instance of the gateway "edge" that joins by a fresh token.
func (s *site) gateway(name string, flags ...string) {
	s.t.Helper()
	in := adminapi.CreateGatewayTokenRequest{OrgRef: adminapi.OrgRef{Name: "edge"}}
	out, err := s.api.CreateGatewayToken(s.t.Context(), in)
	if err != nil {
		s.t.Fatal(err)
	}
	traffic := free()
	s.at[name] = "http://" + traffic
	s.run(name, append([]string{"gatehouse-gateway", "--traffic-addr", traffic, "--data", s.data(name), "--name", name,
		"--control", strings.Replace(s.admin, "http://", "https://", 1), "--token", out.Body.Token}, flags...)...)
}

// run starts one of the programs and waits until it is ready. A flag given
// twice counts as given last.
func (s *site) run(name string, args ...string) {
	s.t.Helper()
	ops := free()
	s.ops[name] = "http://" + ops
	args = append([]string{filepath.Join(program, args[0])}, append(args[1:], "--ops-addr", ops)...)
	if err := s.start(name, s.env, &server{args: args, ready: "http://" + ops + "/readyz"}); err != nil {
		s.t.Fatalf("starting %s: %v", name, err)
	}
}

// kill ends a process at once, and stop politely.
func (s *site) kill(name string) { s.servers[name].signal(syscall.SIGKILL) }
func (s *site) stop(name string) { s.servers[name].signal(syscall.SIGTERM) }

// again starts a process as it was, and tells how long it took to get ready.
func (s *site) again(name string) time.Duration {
	s.t.Helper()
	begin, was := time.Now(), s.servers[name]
	if err := s.start(name, s.env, &server{args: was.args, ready: was.ready}); err != nil {
		s.t.Fatalf("starting %s again: %v", name, err)
	}
	return time.Since(begin)
}

// freeze stops a process for a while.
func (s *site) freeze(name string, d time.Duration) {
	p := s.servers[name].cmd.Process
	if err := errors.Join(p.Signal(syscall.SIGSTOP), wait(s.t.Context(), d), p.Signal(syscall.SIGCONT)); err != nil {
		s.t.Error(err)
	}
}

// alive tells whether a process runs.
func (s *site) alive(name string) bool {
	select {
	case <-s.servers[name].done:
		return false
	default:
		return true
	}
}

// apply makes the control plane hold what text says in YAML.
func (s *site) apply(text string) {
	s.t.Helper()
	if _, err := s.try(s.t.Context(), text); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) try(ctx context.Context, text string) (adminapi.ApplyResult, error) {
	return s.send(ctx, []string{"-"}, strings.NewReader(text))
}

// folder makes the control plane hold what files say.
func (s *site) folder(files map[string]string) {
	s.t.Helper()
	dir := s.t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	if _, err := s.send(s.t.Context(), []string{dir}, nil); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) send(ctx context.Context, paths []string, stdin io.Reader) (adminapi.ApplyResult, error) {
	b, err := bundle.Read(paths, bundle.Options{Stdin: stdin})
	if err != nil {
		return adminapi.ApplyResult{}, err
	}
	in := adminapi.ApplyBody{Files: b.Files}
	for _, d := range b.Documents {
		in.Documents = append(in.Documents, adminapi.ApplyDocument{Object: d.Object, File: d.File, Files: d.Files})
	}
	out, err := s.api.Apply(ctx, adminapi.ApplyRequest{Body: in})
	if err != nil {
		return adminapi.ApplyResult{}, err
	}
	return out.Body, nil
}

// command runs one as a user would on the control plane's machine.
func (s *site) command(name string, args ...string) (stdout, stderr string, err error) {
	var out, log bytes.Buffer
	c := exec.CommandContext(s.t.Context(), filepath.Join(program, "gatehouse"), args...)
	c.Env = append(s.env, "GATEHOUSE_DATA="+s.data(name))
	c.Stdout, c.Stderr = &out, &log
	err = c.Run()
	return out.String(), log.String(), err
}

// platform is an environment with a gateway and an API of one team in it, open to
// all, that leads to the site's backend.
func (s *site) platform() string {
	return `
apiVersion: gatehouse/v1
kind: Environment
metadata: {name: dev}
spec: {stage: dev}
---
apiVersion: gatehouse/v1
kind: Gateway
metadata: {name: edge}
spec: {environment: dev, location: {cloud: on-prem, region: dc1, network: private}}
---
apiVersion: gatehouse/v1
kind: Team
metadata: {name: pets}
spec: {title: Pets}
---
` + s.open("pets", "")
}

// open is an API that anybody may call at /NAME, with policies as YAML.
func (s *site) open(name, policies string) string {
	return fmt.Sprintf(`
apiVersion: gatehouse/v1
kind: Backend
metadata: {team: pets, name: %[1]s}
spec: {environments: {dev: {targets: [{url: "http://%[2]s"}]}}}
---
apiVersion: gatehouse/v1
kind: API
metadata: {team: pets, name: %[1]s}
spec: {title: %[1]s, versions: [{name: v1, path: /%[1]s, backend: %[1]s, access: open, policies: [%[3]s]}]}
`, name, s.pets.addr, policies)
}

// inStep waits until the connected gateways run what stands, and there are n.
func (s *site) inStep(n int) {
	s.t.Helper()
	s.eventually(fmt.Sprintf("%d gateway instances run what stands", n), func() error {
		out, err := s.api.GetRollout(s.t.Context(), adminapi.RolloutRequest{Wait: 2})
		if err == nil && (out.Body.Applied < n || out.Body.Applied != out.Body.Instances) {
			err = fmt.Errorf("%+v", out.Body)
		}
		return err
	})
}

// counted sums the calls of an API that gateways reported, by a dimension.
func (s *site) counted(q adminapi.UsageRequest, key func(adminapi.UsageRow) string) (map[string]int64, error) {
	out, err := s.api.QueryUsage(s.t.Context(), q)
	if err != nil {
		return nil, err
	}
	sums := map[string]int64{}
	for _, r := range out.Body.Items {
		sums[key(r)] += r.Requests
	}
	return sums, nil
}

// verify asks the control plane whether its chain of events holds.
func (s *site) verify() {
	s.t.Helper()
	out, err := s.api.VerifyAudit(s.t.Context(), adminapi.VerifyAuditRequest{})
	if err != nil {
		s.t.Fatal(err)
	}
	if !out.Body.OK {
		s.t.Fatalf("the chain of events is broken at %d: %s", out.Body.Broken, out.Body.Detail)
	}
}

// patience is how long what must come about is waited for.
const patience = 30 * time.Second

// eventually tries until there is no error.
func (s *site) eventually(what string, try func() error) {
	s.t.Helper()
	end := time.Now().Add(patience)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(end) || s.t.Context().Err() != nil {
			s.t.Fatalf("%s: not within %s: %v", what, patience, err)
		}
		_ = wait(s.t.Context(), 20*time.Millisecond) // the loop looks at the context
	}
}

// wait sleeps for d, or until ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
