package gateway

import (
	"errors"
	"slices"
	"strings"
	"time"

	"gatehouse/attest"
	"gatehouse/gateway/pipeline"
	"gatehouse/report"
	"gatehouse/snapshot"
)

// A gate is what a gateway knows of the compliance gate: the attestations of its
// manifest, and what follows from them for the API versions in force.
//
// An API version without a good attestation is built and keeps its place, but its
// calls are refused, where the environment enforces; where it reports, it is
// served and told. So an attestation that comes alone lets it in at once, and one
// that goes shuts it, without anything being built.
//
// Time only goes forward here: what was refused because its attestation had ended
// stays refused when the clock is set back, until another attestation comes or
// the instance starts anew. Then the clock is believed, but never to be before the
// newest statement in the manifest was issued: it is later than that for certain.
//
// Guarded by Gateway.mu.
type gate struct {
	mode         string // snapshot.GateEnforce, snapshot.GateReport or ""
	environment  string
	installation string
	proofs       map[string]*proof // by API
	// former proofs cover what goes on because its successor does not build; the
	// attestation in the manifest is the successor's. They go with it.
	former map[string]*proof
	faults map[string]string // of API versions in force that are not covered
	latest time.Time         // the highest time seen
	next   time.Time         // when the first attestation in use ends; zero: none does
	timer  *time.Timer
	judged chan struct{}
}

// A proof is what is kept of an attestation.
type proof struct {
	attest.Statement       // without its controls
	err              error // why it proves nothing
}

func newGate() gate {
	return gate{proofs: map[string]*proof{}, former: map[string]*proof{}, faults: map[string]string{}, judged: make(chan struct{}, 1)}
}

// prove reads an attestation's chunk. One that is no good is not set aside but
// kept as such: it is its API that is. An error means that it may be good with a
// key that is to come, and is to be tried again.
func (g *Gateway) prove(data []byte) (*proof, error) {
	s, err := attest.Open(data, g.options.Key)
	if err == nil {
		s.Controls = nil
		return &proof{Statement: *s}, nil
	}
	p := &proof{err: err}
	if errors.Is(err, attest.ErrUnknownKey) {
		return p, err
	}
	return p, nil
}

// judge brings the gate up to the manifest: what changed is judged, and all when
// what the environment demands has changed or an attestation has ended.
func (s *swap) judge(m *snapshot.Manifest) {
	g := s.g
	touched := g.gate.take(s, m)
	now := g.gate.now(g.options.Now())
	e := &s.next.Environment
	if e.Gate != g.gate.mode || e.Name != g.gate.environment || m.Installation != g.gate.installation || g.gate.over(now) {
		g.gate.mode, g.gate.environment, g.gate.installation = e.Gate, e.Name, m.Installation
		g.judgeAll(now)
	} else {
		for id := range touched {
			g.judgeOne(id, now)
		}
		g.judgeCanaries(now)
	}
	g.arm(now)
}

// take takes the attestations that came and went, and tells which API versions
// are to be judged.
func (t *gate) take(s *swap, m *snapshot.Manifest) map[string]struct{} {
	touched := map[string]struct{}{}
	for _, c := range s.changed {
		if c.Kind != snapshot.KindAPI {
			continue
		}
		touched[c.Name] = struct{}{}
		if p := t.proofs[c.Name]; c.err == nil {
			delete(t.former, c.Name)
		} else if a := s.g.apis[c.Name]; a != nil && p != nil && p.err == nil && p.Revision == a.Revision {
			t.former[c.Name] = p
		}
	}
	for _, c := range s.changed {
		if c.Kind == snapshot.KindAttestation && c.proof != nil {
			touched[c.Name] = struct{}{}
			t.proofs[c.Name] = c.proof
			if c.err != nil { // what it replaces is no proof any more either
				s.forget(c.Entry)
				c.before = false
			}
			if c.proof.Issued.After(t.latest) {
				t.latest = c.proof.Issued
			}
		}
	}
	for _, e := range s.removed {
		touched[e.Name] = struct{}{}
		switch e.Kind {
		case snapshot.KindAttestation:
			delete(t.proofs, e.Name)
			delete(t.former, e.Name)
		case snapshot.KindAPI:
			delete(t.former, e.Name)
		}
	}
	return touched
}

// now is the time by which attestations are judged.
func (t *gate) now(clock time.Time) time.Time {
	if clock.After(t.latest) {
		t.latest = clock
	}
	return t.latest
}

// over tells whether an attestation in use has ended.
func (t *gate) over(now time.Time) bool { return !t.next.IsZero() && !now.Before(t.next) }

func (g *Gateway) judgeAll(now time.Time) {
	g.gate.next = time.Time{}
	clear(g.gate.faults)
	for id := range g.apis {
		g.judgeOne(id, now)
	}
	g.judgeCanaries(now)
}

// judgeOne says whether the API version is served.
func (g *Gateway) judgeOne(id string, now time.Time) {
	t, a := &g.gate, g.apis[id]
	delete(t.faults, id)
	if a == nil {
		return
	}
	if t.mode == "" {
		a.Shut(false)
		return
	}
	ends, err := t.covers(a, now)
	if err != nil {
		t.faults[id] = err.Error()
	} else if t.next.IsZero() || ends.Before(t.next) {
		t.next = ends
	}
	a.Shut(err != nil && t.mode == snapshot.GateEnforce)
}

var errMissing = errors.New(attest.Missing + ": none was issued for this revision here, or it was taken back")

// covers reports why no attestation covers the API version now, or until when
// one does.
func (t *gate) covers(a *pipeline.API, now time.Time) (ends time.Time, err error) {
	p := t.proofs[a.ID]
	if f := t.former[a.ID]; p != nil && f != nil && p.Revision != a.Revision {
		p = f
	}
	return t.coversWith(p, a, now)
}

// coversWith is covers by one proof.
func (t *gate) coversWith(p *proof, a *pipeline.API, now time.Time) (ends time.Time, err error) {
	if p == nil {
		return ends, errMissing
	}
	if p.err != nil {
		return ends, p.err
	}
	api, version, _ := strings.Cut(a.ID, "@")
	return p.Expires, p.Covers(t.installation, t.environment, api, version, a.Revision, now)
}

// lookAgain is how often the clock is looked at, for it may be set while a timer
// runs.
const lookAgain = time.Minute

// arm sees to it that the end of an attestation is noticed, whether or not
// anything else happens.
func (g *Gateway) arm(now time.Time) {
	g.gate.stop()
	if g.gate.next.IsZero() || g.closed {
		return
	}
	wait := min(max(g.gate.next.Sub(now), 0), lookAgain)
	g.gate.timer = time.AfterFunc(wait, g.tick)
}

func (t *gate) stop() {
	if t.timer != nil {
		t.timer.Stop()
	}
}

// tick shuts what is not covered any more.
func (g *Gateway) tick() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return
	}
	now := g.gate.now(g.options.Now())
	if g.gate.over(now) {
		g.judgeAll(now)
		select {
		case g.gate.judged <- struct{}{}:
		default:
		}
	}
	g.arm(now)
}

// Judged receives when what is set aside or unattested has changed by the clock
// alone.
func (g *Gateway) Judged() <-chan struct{} { return g.gate.judged }

func (t *gate) shut(id string) bool { return t.mode == snapshot.GateEnforce && t.faults[id] != "" }

func (t *gate) shutCount() int {
	if t.mode != snapshot.GateEnforce {
		return 0
	}
	return len(t.faults)
}

// setAside is all that the manifest names and is not served as named.
func (g *Gateway) setAside() []report.Refusal {
	out := slices.Clone(g.aside)
	if g.gate.mode == snapshot.GateEnforce {
		out = append(out, g.faults()...)
	}
	return out
}

// Standing is what the gateway does otherwise than the manifest in force names it.
func (g *Gateway) Standing() report.Standing {
	g.mu.Lock()
	defer g.mu.Unlock()
	var unattested []report.Refusal
	if g.gate.mode == snapshot.GateReport {
		unattested = g.faults()
	}
	return report.Stand(g.setAside(), unattested)
}

// faults lists what is in force and not covered.
func (g *Gateway) faults() []report.Refusal {
	out := make([]report.Refusal, 0, len(g.gate.faults))
	for id, reason := range g.gate.faults {
		if a := g.apis[id]; a != nil {
			out = append(out, report.Refusal{API: id, Revision: a.Revision, Reason: reason})
		}
	}
	return append(out, g.canaryFaults()...)
}
