package gate_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/control/governance/gate"
)

// automatic makes prod take revisions by itself.
const automatic = `{apiVersion: gatehouse/v1, kind: Environment, metadata: {name: prod}, spec: {stage: prod, jurisdiction: EU, release: {mode: automatic}}}`

// bulk is a bundle of n APIs; round makes each a new revision.
func bulk(n, round int) string {
	all := make([]string, n)
	for i := range all {
		name := fmt.Sprint("bulk", i)
		all[i] = api("name: orders}", "name: "+name+"}", "path: /orders/v1", fmt.Sprintf("title: Round %d\n      path: /%s", round, name))
	}
	return strings.Join(all, "\n---\n")
}

// BenchmarkBulk is a bundle of 200 APIs into an environment that takes and judges
// them at once, and what somebody else who changes something waits for at most.
func BenchmarkBulk(b *testing.B) {
	const apis = 200
	w := newWorld(b)
	w.apply(automatic)
	w.enforce("2026.1", many())
	round := 0
	var worst time.Duration
	for b.Loop() {
		round++
		done := make(chan struct{})
		go func() {
			w.apply(bulk(apis, round), large(20, fmt.Sprint("Round", round)))
			close(done)
		}()
		for n := 0; ; n++ {
			select {
			case <-done:
			case <-time.After(10 * time.Millisecond):
				began := time.Now()
				w.apply(fmt.Sprintf(`{apiVersion: gatehouse/v1, kind: Team, metadata: {name: other}, spec: {title: "%d-%d"}}`, round, n))
				worst = max(worst, time.Since(began))
				continue
			}
			break
		}
		r, err := w.gate.Show(w.ctx, targetOf("bulk0"))
		if err != nil || r.Result.Outcome != gatehouse.GatePassed || !r.Result.Released {
			b.Fatalf("%v: %+v", err, r)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/bundle")
	b.ReportMetric(float64(worst.Milliseconds()), "ms-others")
}

func targetOf(name string) gate.Target {
	return gate.Target{Environment: "prod", Team: "payments", Name: name, Version: "v1"}
}
