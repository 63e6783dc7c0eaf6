// Package gate measures how soon a gateway refuses an API whose attestation was
// taken back, and serves it again once it is attested anew.
//
// The control plane is in the measuring process, for the time to count from when
// it has decided; the gateway is a process of its own.
package gate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"gatehouse/adminapi"
	"gatehouse/bench/estate"
	"gatehouse/bench/load"
	"gatehouse/bench/results"
	"gatehouse/bench/site"
	"gatehouse/control"
	"gatehouse/control/audit"
	"gatehouse/control/governance/gate"
)

// A measurement is one run.
type measurement struct {
	apis, rounds int
	site         *site.Site
	control      *control.Control
	revoked      []time.Duration // from the answer of revoking to the first refusal
	restored     []time.Duration // and back
}

// Measure returns a table.
func Measure(ctx context.Context, quick bool) (string, error) {
	m := &measurement{apis: 2000, rounds: 200}
	if quick {
		m.apis, m.rounds = 200, 20
	}
	err := site.Within(ctx, func(s *site.Site, c *control.Control) error {
		m.site, m.control = s, c
		for _, step := range []struct {
			name string
			run  func(context.Context) error
		}{{"filling", m.fill}, {"putting a framework in force", m.govern}, {"revoking", m.revoking}} {
			if err := step.run(ctx); err != nil {
				return fmt.Errorf("%s: %w", step.name, err)
			}
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return m.table(), nil
}

// environment judges by the framework.
const environment = `apiVersion: gatehouse/v1
kind: Environment
metadata: {name: dev}
spec: {stage: dev, gate: {mode: %s, framework: corporate}}
`

// rules are the framework; judge is one who approves it, and boss who writes it.
const rules = `apiVersion: gatehouse/v1
kind: Framework
metadata: {name: corporate}
spec:
  versions:
    - name: "1"
      controls:
        - {id: found, title: It can be found, severity: low, check: {cel: {expression: "api.name != ''", message: "give it a name"}}}
`

const boss = `---
apiVersion: gatehouse/v1
kind: User
metadata: {name: boss@example.com}
spec: {displayName: Boss}
---
apiVersion: gatehouse/v1
kind: RoleAssignment
metadata: {name: boss-provides}
spec: {subject: "user:boss@example.com", role: provider, scope: organization}
`

const judge = `---
apiVersion: gatehouse/v1
kind: User
metadata: {name: %[1]s@example.com}
spec: {displayName: Judge}
---
apiVersion: gatehouse/v1
kind: RoleAssignment
metadata: {name: %[1]s-judges}
spec: {subject: "user:%[1]s@example.com", role: compliance, scope: organization}
`

func (m *measurement) fill(context.Context) error { return m.site.Fill(m.apis) }

// govern takes a framework through its own gate, after which the gateway asks for
// attestations.
func (m *measurement) govern(ctx context.Context) error {
	judges := []string{"carol", "dan"}
	text := fmt.Sprintf(environment, "report") + boss
	for _, who := range judges {
		text += fmt.Sprintf(judge, who)
	}
	if err := m.apply(text); err != nil {
		return err
	}
	author, _, err := m.site.CLI(0, "token", "create", "--subject", "user:boss@example.com", "--name", "boss")
	if err != nil {
		return err
	}
	author = strings.TrimSpace(author)
	if err := m.apply(rules, "--token", author); err != nil {
		return err
	}
	if _, _, err := m.site.CLI(0, "--token", author, "framework", "submit", "corporate@1"); err != nil {
		return err
	}
	for _, who := range judges {
		token, _, err := m.site.CLI(0, "token", "create", "--subject", "user:"+who+"@example.com", "--name", who)
		if err != nil {
			return err
		}
		if _, _, err := m.site.CLI(0, "--token", strings.TrimSpace(token), "framework", "approve", "corporate@1"); err != nil {
			return err
		}
	}
	if _, _, err := m.site.CLI(0, "framework", "enforce", "corporate@1"); err != nil {
		return err
	}
	// All are attested while the environment only reports; then it enforces.
	if err := m.settled(ctx); err != nil {
		return err
	}
	if err := m.apply(fmt.Sprintf(environment, "enforce")); err != nil {
		return err
	}
	return m.settled(ctx)
}

func (m *measurement) apply(text string, more ...string) error {
	return m.site.Apply(text, append([]string{"--wait", "60s"}, more...)...)
}

// settled waits until every API is attested, and the gateway has heard of it.
func (m *measurement) settled(ctx context.Context) error {
	api, err := m.site.Client()
	if err != nil {
		return err
	}
	last := int64(-1)
	for range 120 {
		out, err := api.GetRollout(ctx, adminapi.RolloutRequest{Wait: 30})
		if err != nil {
			return err
		}
		if r := out.Body; r.Seq == last && r.Instances == 1 && r.Applied == 1 && len(r.Refused) == 0 {
			return nil
		}
		last = out.Body.Seq
		time.Sleep(time.Second)
	}
	return errors.New("the gate does not come to rest within two minutes")
}

func (m *measurement) revoking(ctx context.Context) error {
	probe, err := load.Dial(m.site.Traffic)
	if err != nil {
		return err
	}
	defer probe.Close()
	ctx = audit.WithRequest(ctx, audit.Request{Actor: "user:carol@example.com", Authentication: "token"})
	for n := range m.rounds {
		i := n * 7919 % m.apis
		t := gate.Target{Environment: "dev", Team: estate.Team(i), Name: estate.API(i), Version: "v1"}
		t.Revision = m.control.Fleet.State().Release("dev", t.ID())
		// Without a key the API says 401, unless the gate is shut.
		if _, err := until(probe, i, http.StatusUnauthorized); err != nil {
			return fmt.Errorf("%s before: %w", t.ID(), err)
		}
		if _, err := m.control.Gate.Revoke(ctx, t, "to measure it"); err != nil {
			return err
		}
		took, err := until(probe, i, http.StatusServiceUnavailable)
		if err != nil {
			return fmt.Errorf("%s revoked: %w", t.ID(), err)
		}
		m.revoked = append(m.revoked, took)
		if _, err := m.control.Gate.Restore(ctx, t, "to measure it"); err != nil {
			return err
		}
		if took, err = until(probe, i, http.StatusUnauthorized); err != nil {
			return fmt.Errorf("%s restored: %w", t.ID(), err)
		}
		m.restored = append(m.restored, took)
	}
	return nil
}

// until calls until the status is as wanted, and tells how long that took.
func until(probe *load.Conn, i, status int) (time.Duration, error) {
	for begin := time.Now(); ; time.Sleep(time.Millisecond) {
		a, err := probe.Get(estate.Path(i)+"/orders", "", "")
		if err != nil {
			return 0, err
		}
		switch took := time.Since(begin); {
		case a.Status == status:
			return took, nil
		case took > 30*time.Second:
			return 0, fmt.Errorf("still status %d after %v", a.Status, took)
		}
	}
}

func (m *measurement) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## The gate at gateways\n\n%s; load average %s.\n", results.Machine(), results.Load())
	fmt.Fprintf(&b, "%d APIs of 10 operations in an environment that enforces the gate; one attestation after the other is revoked and restored (%d of them), while the gateway is called without a key. ", m.apis, m.rounds)
	b.WriteString("Counted from the answer of the management wing, which the measuring process holds (SQLite), to the first answer of the gateway, a process of its own.\n\n")
	b.WriteString(results.Quantiles(
		results.Times{What: "attestation revoked, until the API is refused", All: m.revoked, Goal: "p99 < 1 s"},
		results.Times{What: "attested again, until it is served", All: m.restored}))
	return b.String()
}
