// Package rollback measures how soon a gateway serves the revision before once
// somebody asks for it.
//
// The control plane is in the measuring process, for the time to count from when
// it is asked; the gateway is a process of its own.
package rollback

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gatehouse/bench/load"
	"gatehouse/bench/results"
	"gatehouse/bench/site"
	"gatehouse/control"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
)

// A measurement is one run.
type measurement struct {
	apis, rounds int
	site         *site.Site
	control      *control.Control
	decided      []time.Duration // until the management wing has answered
	served       []time.Duration // until the gateway serves it, from the same moment
}

// Measure returns a table.
func Measure(ctx context.Context, quick bool) (string, error) {
	m := &measurement{apis: 2000, rounds: 200}
	if quick {
		m.apis, m.rounds = 200, 40
	}
	err := site.Within(ctx, func(s *site.Site, c *control.Control) error {
		m.site, m.control = s, c
		if err := m.fill(); err != nil {
			return fmt.Errorf("filling: %w", err)
		}
		if err := m.roll(ctx); err != nil {
			return fmt.Errorf("rolling back: %w", err)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return m.table(), nil
}

// api is the one that goes back and forth, in one of its two forms.
const api = `apiVersion: gatehouse/v1
kind: Team
metadata: {name: shop}
spec: {title: Shop}
---
apiVersion: gatehouse/v1
kind: Backend
metadata: {team: shop, name: cart}
spec: {environments: {dev: {targets: [{url: %q}]}}}
---
apiVersion: gatehouse/v1
kind: API
metadata: {team: shop, name: cart}
spec: {versions: [{name: v1, path: /cart, backend: cart, access: open, policies: [{headers: {response: {set: {X-Step: %s}}}}]}]}
`

func (m *measurement) fill() error {
	if err := m.site.Fill(m.apis); err != nil {
		return err
	}
	for _, step := range []string{"one", "two"} {
		if err := m.site.Apply(fmt.Sprintf(api, m.site.Backend, step), "--wait", "60s"); err != nil {
			return err
		}
	}
	return nil
}

// roll goes back, and back again, and waits each time until the gateway answers
// so.
func (m *measurement) roll(ctx context.Context) error {
	probe, err := load.Dial(m.site.Traffic)
	if err != nil {
		return err
	}
	defer probe.Close()
	ctx = audit.WithRequest(ctx, audit.Request{Actor: "user:admin", Authentication: "none"})
	ref, steps := catalog.Ref{Team: "shop", Name: "cart", Version: "v1"}, []string{"one", "two"}
	for i := range m.rounds {
		begin := time.Now()
		if _, err := m.control.Releases.Rollback(ctx, ref, "dev", "to measure it"); err != nil {
			return err
		}
		m.decided = append(m.decided, time.Since(begin))
		for {
			a, err := probe.Get("/cart/x", "", "X-Step")
			if err != nil {
				return err
			}
			if took := time.Since(begin); a.Revision == steps[i%2] {
				m.served = append(m.served, took)
				break
			} else if took > 30*time.Second {
				return fmt.Errorf("round %d: still %q after %v", i, a.Revision, took)
			}
			time.Sleep(time.Millisecond)
		}
	}
	return nil
}

func (m *measurement) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## Rolling back\n\n%s; load average %s.\n", results.Machine(), results.Load())
	fmt.Fprintf(&b, "Beside %d APIs of 10 operations, one API version goes back to the revision before, and back again, %d times. ", m.apis, m.rounds)
	b.WriteString("Counted from when the management wing is asked (SQLite, in the measuring process) to the first answer of the gateway, a process of its own.\n\n")
	b.WriteString(results.Quantiles(
		results.Times{What: "decided and on record", All: m.decided},
		results.Times{What: "served by the gateway", All: m.served, Goal: "p99 < 1 s"}))
	return b.String()
}
