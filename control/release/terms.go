package release

import (
	"context"
	"fmt"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
)

// Terms say how a revision is to come into an environment, or a version to go.
type Terms struct {
	Note string // what is new, or why
	// At is when; zero is at once.
	At time.Time
	// Canary lets it come in steps; nil is whole.
	Canary *gatehouse.CanaryPlan
	// Override is why a freeze does not hold for it. Who calls sees to it that
	// the actor may.
	Override string
	// Force is why a version goes although it has traffic.
	Force string

	approved bool     // it has been approved already
	by       []string // by whom
}

// furthest is how far ahead a release may be scheduled.
const furthest = 366 * 24 * time.Hour

// allowed refuses what the environment's rule does not let in.
func (m *move) allowed(ctx context.Context, rev *gatehouse.Revision, terms *Terms) error {
	if m.now != nil && m.now.Canary != nil && terms.At.IsZero() {
		return gatehouse.E(gatehouse.Conflict, "revision %.12s is on its way there as a canary: \"gatehouse release finish\" or \"gatehouse release abort\" ends it first", m.now.Canary.Revision)
	}
	waits, err := m.p.before(ctx, m.rule, m.at(rev.Hash))
	if err != nil {
		return err
	}
	if waits.In != "" {
		return gatehouse.E(gatehouse.Conflict, "revision %.12s is not, and was not, live in %q, which the environment asks for: %s", rev.Hash, waits.In, waits.Why)
	}
	if r := m.rule.Release; r != nil && r.Notes == "required" && terms.Note == "" {
		return gatehouse.E(gatehouse.Invalid, "the environment asks for release notes: say what is new with --note")
	}
	if terms.Canary != nil {
		if err := m.canaryFits(ctx, rev, terms.Canary); err != nil {
			return err
		}
	}
	at := m.p.Now
	if !terms.At.IsZero() {
		if at = terms.At.UTC(); !at.After(m.p.Now) {
			return gatehouse.E(gatehouse.Invalid, "%s is past; it is %s now", at.Format(time.RFC3339), m.p.Now.Format(time.RFC3339))
		}
		if at.Sub(m.p.Now) > furthest {
			return gatehouse.E(gatehouse.Invalid, "%s is more than %d days ahead", at.Format(time.RFC3339), int(furthest.Hours()/24))
		}
	}
	if f, _ := m.rule.Frozen(at); f == nil {
		terms.Override = "" // there is nothing to override, and later freezes are not meant
	}
	return m.thawed(at, terms.Override)
}

// thawed refuses what would come in while a freeze holds, and puts it on record
// when one is overridden.
func (m *move) thawed(at time.Time, override string) error {
	f, until := m.rule.Frozen(at)
	switch {
	case f == nil:
		return nil
	case override == "":
		return gatehouse.E(gatehouse.Conflict, "%s; who may can override it with --override and a reason", frozen(f, until))
	}
	m.more = append(m.more, audit.Act{
		Action: "release.override", Object: "Release " + m.env + " " + m.ref.String(), Team: m.ref.Team, Reason: override + " (" + frozen(f, until) + ")",
	})
	return nil
}

func frozen(f *gatehouse.Freeze, until time.Time) string {
	why := ""
	if f.Reason != "" {
		why = ": " + f.Reason
	}
	return fmt.Sprintf("it is frozen until %s%s", until.UTC().Format(time.RFC3339), why)
}
