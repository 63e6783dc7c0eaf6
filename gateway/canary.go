package gateway

import (
	"fmt"
	"maps"
	"time"

	"gatehouse/gateway/pipeline"
	"gatehouse/report"
	"gatehouse/snapshot"
)

// A canary is one that is in force, with what proves that it may be.
type canary struct {
	*pipeline.Canary
	proof *proof // nil: it has none
	fault string // why the gate does not cover it
}

// buildCanary builds the revision that takes a share of the callers.
func (s *swap) buildCanary(c *change, data []byte) error {
	var chunk snapshot.Canary
	if err := snapshot.Decode(data, &chunk); err != nil {
		return err
	}
	c.revision = chunk.API.Revision
	if chunk.API.ID() != c.Name {
		return fmt.Errorf("chunk %s: holds a canary of %q, not of %q", c.Hash, chunk.API.ID(), c.Name)
	}
	if chunk.Weight < 0 || chunk.Weight > 100 {
		return fmt.Errorf("chunk %s: weight %d is not 0 to 100", c.Hash, chunk.Weight)
	}
	k := new(canary)
	if len(chunk.Attestation) > 0 {
		var err error
		if k.proof, err = s.g.prove(chunk.Attestation); err != nil {
			return err
		}
	}
	made, err := s.g.builder.API(&chunk.API)
	if err != nil {
		return err
	}
	k.Canary, c.canary = pipeline.NewCanary(made, chunk.Weight), k
	return nil
}

// canaries puts those that changed beside the API versions they are of. The
// table has them only where both sides stand under the same path and hosts.
func (s *swap) canaries() {
	g := s.g
	next := g.canaries
	touched := false
	touch := func() {
		if !touched {
			touched, next = true, maps.Clone(next)
		}
	}
	for _, e := range s.removed {
		if e.Kind == snapshot.KindCanary && next[e.Name] != nil {
			touch()
			s.gone = append(s.gone, next[e.Name])
			delete(next, e.Name)
		}
	}
	for _, c := range s.changed {
		if c.canary == nil || c.err != nil {
			continue
		}
		touch()
		if old := next[c.Name]; old != nil {
			s.gone = append(s.gone, old)
		}
		next[c.Name] = c.canary
	}
	if g.canaries = next; len(next) == 0 {
		return
	}
	s.next.Canaries = make(map[*pipeline.API]*pipeline.Canary, len(next))
	for id, k := range next {
		if a := g.apis[id]; k.Fits(a) {
			s.next.Canaries[a] = k.Canary
		} else if a != nil {
			s.aside = append(s.aside, report.Refusal{API: snapshot.KindCanary + " " + id, Revision: k.Revision,
				Reason: "it does not answer under the path and hosts of the revision it stands beside"})
		}
	}
}

// judgeCanaries says which canaries may take callers. One that the gate does
// not cover takes none where the environment enforces; its share goes on with
// the other revision.
func (g *Gateway) judgeCanaries(now time.Time) {
	t := &g.gate
	for _, k := range g.canaries {
		k.fault = ""
		if t.mode == "" {
			k.Shut(false)
			continue
		}
		ends, err := t.coversWith(k.proof, k.API, now)
		if err != nil {
			k.fault = err.Error()
		} else if t.next.IsZero() || ends.Before(t.next) {
			t.next = ends
		}
		k.Shut(err != nil && t.mode == snapshot.GateEnforce)
	}
}

// canaryFaults lists canaries that the gate does not cover.
func (g *Gateway) canaryFaults() (out []report.Refusal) {
	for id, k := range g.canaries {
		if k.fault != "" {
			out = append(out, report.Refusal{API: snapshot.KindCanary + " " + id, Revision: k.Revision, Reason: k.fault})
		}
	}
	return out
}
