package gate_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse"
	"gatehouse/control/governance/gate"
)

// A naive model of the exceptions and answers of one API version: lists that are
// gone through one by one, and a clock.
type naive struct {
	now     time.Time
	waivers []*naiveWaiver
	answers map[string]*naiveAnswer // by what was asked about
	about   string
	warned  int
}

type naiveWaiver struct {
	id, by, state string
	ends, decided time.Time
	spoke         []time.Time // ends that were announced
}

type naiveAnswer struct {
	by, state string
	decided   time.Time
}

const holds = 40 * day // an answer

func aPerson(who string) bool { return strings.HasPrefix(who, "user:") }

func (n *naive) ask(end time.Time) bool {
	for _, w := range n.waivers {
		if w.state == gatehouse.Requested {
			return false
		}
	}
	return end.After(n.now) && !end.After(n.now.Add(365*day))
}

// decide is whether a word on a waiver counts, and what it makes of it.
func (n *naive) decide(w *naiveWaiver, verb, who string) (state string, ok bool) {
	switch verb {
	case "approve":
		return gatehouse.Approved, w.state == gatehouse.Requested && who != w.by && aPerson(who) && w.ends.After(n.now)
	case "reject":
		return gatehouse.Rejected, w.state == gatehouse.Requested
	}
	return gatehouse.Revoked, w.state == gatehouse.Requested || w.state == gatehouse.Approved
}

func (n *naive) sweep() {
	for _, w := range n.waivers {
		switch {
		case w.state != gatehouse.Requested && w.state != gatehouse.Approved:
		case !w.ends.After(n.now):
			w.state = gatehouse.Expired
		case w.state == gatehouse.Approved:
			spoken := false
			for _, d := range []time.Duration{30 * day, 7 * day, day} {
				at := w.ends.Add(-d)
				if at.After(w.decided) && !at.After(n.now) && !slices.Contains(w.spoke, at) {
					w.spoke, spoken = append(w.spoke, at), true
				}
			}
			if spoken {
				n.warned++
			}
		}
	}
}

// outcomes are what the gate is to find.
func (n *naive) outcomes() (limits, review string) {
	limits, review = gatehouse.GateFailed, gatehouse.GateWaiting
	for _, w := range n.waivers {
		if w.state == gatehouse.Approved && n.now.Before(w.ends) {
			limits = gatehouse.GateWaived
		}
	}
	if a := n.answers[n.about]; a != nil && a.state == gatehouse.Approved && n.now.Before(a.decided.Add(holds)) {
		review = gatehouse.GatePassed
	}
	return limits, review
}

// A living is the product beside its model.
type living struct {
	*rapid.T
	w *world
	n *naive
}

// same demands that the product took or refused what the model did.
func (l *living) same(what string, err error, want bool) {
	l.Helper()
	if (err == nil) != want {
		l.Fatalf("%s: got %v, want it let through: %t", what, err, want)
	}
}

func (l *living) who() string {
	return rapid.SampledFrom([]string{"user:dev@example.com", "user:sec@example.com", "user:sec2@example.com", "service:ci"}).Draw(l.T, "who")
}

func (l *living) word(ctx context.Context, g *gate.Gate, verb, id string) error {
	do := map[string]func(context.Context, string, gate.Word) (*gatehouse.Waiver, error){"approve": g.ApproveWaiver, "reject": g.RejectWaiver, "revoke": g.RevokeWaiver}[verb]
	_, err := do(ctx, id, gate.Word{Comment: "so it is"})
	return err
}

func (l *living) some() *naiveWaiver {
	if len(l.n.waivers) == 0 {
		return nil
	}
	return rapid.SampledFrom(l.n.waivers[max(0, len(l.n.waivers)-3):]).Draw(l.T, "waiver")
}

func (l *living) askWaiver() {
	by, end := l.who(), l.n.now.Add(time.Duration(rapid.SampledFrom([]int{-1, 0, 3, 9, 20, 40, 40, 200, 366}).Draw(l.T, "days"))*day)
	want := l.n.ask(end)
	got, err := l.w.gate.AskWaiver(l.w.as(by), gatehouse.Waiver{Control: "limits", API: "payments/orders", Environment: "prod", Reason: "later", Expires: end})
	l.same(by+" asks for a waiver", err, want)
	if want {
		l.n.waivers = append(l.n.waivers, &naiveWaiver{id: got.ID, by: by, state: gatehouse.Requested, ends: end})
	}
}

func (l *living) decideWaiver() {
	w, verb, who := l.some(), rapid.SampledFrom([]string{"approve", "approve", "approve", "reject", "revoke"}).Draw(l.T, "verb"), l.who()
	if w == nil {
		return
	}
	state, want := l.n.decide(w, verb, who)
	l.same(who+" says "+verb, l.word(l.w.as(who), l.w.gate, verb, w.id), want)
	if want {
		w.state, w.decided = state, l.n.now
	}
}

// twoAtOnce has two persons say different things on one waiver at two nodes: one
// of them is heard.
func (l *living) twoAtOnce() {
	w, a, b := l.some(), l.who(), l.who()
	if w == nil {
		return
	}
	other, _ := l.w.node()
	_, mayA := l.n.decide(w, "approve", a)
	_, mayB := l.n.decide(w, "reject", b)
	errs := make(chan error)
	go func() { errs <- l.word(l.w.as(b), other, "reject", w.id) }()
	approved := l.word(l.w.as(a), l.w.gate, "approve", w.id)
	rejected := <-errs
	switch {
	case approved == nil && rejected == nil, approved == nil && !mayA, rejected == nil && !mayB, (mayA || mayB) && approved != nil && rejected != nil:
		l.Fatalf("%s approves (may: %t): %v; %s rejects (may: %t): %v", a, mayA, approved, b, mayB, rejected)
	case approved == nil:
		w.state, w.decided = gatehouse.Approved, l.n.now
	case rejected == nil:
		w.state, w.decided = gatehouse.Rejected, l.n.now
	}
}

func (l *living) answer() {
	by := l.who()
	_, err := l.w.gate.Answer(l.w.as(by), l.w.target(), gate.Reply{Control: "review", Text: "it was"})
	l.same(by+" answers", err, true)
	l.n.answers[l.n.about] = &naiveAnswer{by: by, state: gatehouse.Requested}
}

func (l *living) confirm() {
	who, reject, a := l.who(), rapid.Bool().Draw(l.T, "reject"), l.n.answers[l.n.about]
	want := a != nil && a.state == gatehouse.Requested && who != a.by && strings.HasPrefix(who, "user:sec")
	_, err := l.w.gate.Confirm(l.w.as(who), l.w.target(), gate.Reply{Control: "review", Reject: reject, Text: "so it is"})
	l.same(fmt.Sprintf("%s confirms, rejecting: %t", who, reject), err, want)
	if want {
		if a.state, a.decided = gatehouse.Approved, l.n.now; reject {
			a.state = gatehouse.Rejected
		}
	}
}

// change makes what was asked about something else, or what it was.
func (l *living) change() {
	l.n.about = rapid.SampledFrom([]string{"internal", "confidential"}).Draw(l.T, "classification")
	l.w.apply(api("audience: partner", "audience: partner\n  data: {classification: "+l.n.about+"}"))
}

func (l *living) time() {
	l.w.later(time.Duration(rapid.SampledFrom([]int{1, 20, 24, 24 * 6, 24 * 30, 24 * 100}).Draw(l.T, "hours")) * time.Hour)
}

func (l *living) sweep() {
	l.n.sweep()
	g, _ := l.w.node()
	for _, g := range []*gate.Gate{l.w.gate, g} { // the second finds nothing left
		if err := g.SweepWaivers(context.Background()); err != nil {
			l.Fatal(err)
		}
	}
}

// check compares all there is.
func (l *living) check() {
	limits, review := l.n.outcomes()
	if got := outcomes(l.w.run().Result); got["limits"] != limits || strings.TrimSuffix(got["review"], " kept") != review {
		l.Fatalf("the gate finds %v, want limits %s, review %s", got, limits, review)
	}
	for _, w := range l.n.waivers {
		if got, err := l.w.gate.Waiver(l.w.ctx, w.id); err != nil || got.State != w.state {
			l.Fatalf("%v: waiver %+v, want %s", err, got, w.state)
		}
	}
	if got := l.w.events("waiver.warn"); got != l.n.warned {
		l.Fatalf("%d warnings, want %d", got, l.n.warned)
	}
}

// Random requests, words, changes, moves of the clock and two at once come to
// what a naive model says (SAFETY B6).
func TestExceptionsAsModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		l := &living{T: r, w: newWorld(t), n: &naive{answers: map[string]*naiveAnswer{}, about: "internal"}}
		l.w.apply(api("audience: partner", "audience: partner\n  data: {classification: internal}"))
		l.w.enforce("2026.1", "["+limit+`,{id: review, check: {question: {text: "Was it reviewed?", confirm: security, dependsOn: [data], lasts: 40d}}}]`)
		steps := []func(){l.askWaiver, l.askWaiver, l.decideWaiver, l.decideWaiver, l.twoAtOnce, l.answer, l.confirm, l.confirm, l.change, l.time, l.sweep, l.sweep}
		for range rapid.IntRange(20, 60).Draw(r, "steps") {
			l.w.later(time.Second)
			l.n.now = *l.w.clock
			step := rapid.IntRange(0, len(steps)-1).Draw(r, "step")
			steps[step]()
			l.n.now = *l.w.clock
			l.check()
		}
	})
}
