package release

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/control/access"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/control/governance/gate"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// request asks for approval; what is live stays so meanwhile.
func (m *move) request(ctx context.Context, rev *gatehouse.Revision, terms Terms) error {
	if m.now != nil && (m.now.State == gatehouse.ReleaseWanted && m.now.Revision == rev.Hash && m.now.Canary == nil || m.now.State == gatehouse.ReleaseRequested && m.now.Proposed == rev.Hash && samePlan(m.now, terms)) {
		return m.tellApprovals(ctx)
	}
	if err := m.p.admit(ctx, m.env, m.at(rev.Hash), gate.Aside); err != nil {
		return err
	}
	next := &gatehouse.Release{
		Environment: m.env, API: m.ref.API(), Version: m.ref.Version, State: gatehouse.ReleaseRequested, Proposed: rev.Hash, ProposedCanary: terms.Canary,
		ProposedAt: terms.At.UTC(), Time: m.p.Now, By: m.p.Actor, Note: terms.Note, Override: terms.Override,
	}
	if m.now != nil {
		next.Revision, next.Previous = m.now.Revision, m.now.Previous
	}
	m.will("release.request", next, "")
	m.out.Needed = m.needed()
	return nil
}

// A Word is what a person says on a release that waits for approval.
type Word struct {
	Reason string
	// Revision, by its hash or the hash's beginning, and Hash, of all that is asked
	// for, are what was read; "" is whatever waits.
	Revision, Hash string
}

// Approve is one person's word for a requested release. Who asked for it
// cannot give it: it takes four eyes. When as many persons as the environment
// asks for have given theirs, it is released.
func (d *Desk) Approve(ctx context.Context, ref catalog.Ref, env string, w Word) (Released, error) {
	return d.move(ctx, "approving", ref, env, func(m *move) error {
		if err := m.waiting(w); err != nil {
			return err
		}
		said, err := m.said(ctx)
		if err != nil {
			return err
		}
		if err := m.mayApprove(ctx, said); err != nil {
			return err
		}
		rev, err := d.catalog.Revision(ctx, m.at(m.now.Proposed))
		if err != nil {
			return err
		}
		if err := m.runs(ctx, rev); err != nil {
			return err
		}
		if err := m.say(gatehouse.Approved, w.Reason); err != nil {
			return err
		}
		m.out.Needed = m.needed()
		m.out.Approvals = append(said, gatehouse.Decision{Decision: gatehouse.Approved, By: m.p.Actor, Time: m.p.Now, Comment: w.Reason})
		if len(m.out.Approvals) < m.out.Needed {
			return nil
		}
		return m.letThrough(ctx, rev, w.Reason)
	})
}

// mayApprove refuses whoever may not approve what waits.
func (m *move) mayApprove(ctx context.Context, said []gatehouse.Decision) error {
	const did = "asked for it"
	if err := access.Apart(m.p.Actor, m.now.By, did); err != nil {
		return err
	}
	rule := m.approvals()
	switch {
	case slices.ContainsFunc(said, func(d gatehouse.Decision) bool { return d.By == m.p.Actor }):
		return gatehouse.E(gatehouse.Conflict, "%q has approved it already; %d more %s to", m.p.Actor, m.needed()-len(said), plural(m.needed()-len(said), "person has", "persons have"))
	case rule.Role != "" && (m.d.Holds == nil || !m.d.Holds(m.p.Actor, rule.Role, "API/"+m.ref.API())):
		return gatehouse.E(gatehouse.Denied, "%q does not hold role %q on API %q, which the environment asks of those who approve", m.p.Actor, rule.Role, m.ref.API())
	case m.d.Apart == nil:
		return nil
	}
	return m.d.Apart(ctx, m.now.By, did)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// letThrough releases what has been approved.
func (m *move) letThrough(ctx context.Context, rev *gatehouse.Revision, reason string) error {
	terms := Terms{Note: m.now.Note, Canary: m.now.ProposedCanary, Override: m.now.Override, approved: true}
	for _, a := range m.out.Approvals {
		terms.by = append(terms.by, a.By)
	}
	if m.now.ProposedAt.After(m.p.Now) {
		terms.At = m.now.ProposedAt
	}
	at := m.p.Now
	if !terms.At.IsZero() {
		at = terms.At
	}
	if err := m.thawed(at, terms.Override); err != nil {
		return err
	}
	if err := m.decided("approved", reason); err != nil {
		return err
	}
	asked := m.now.By
	if terms.At.IsZero() {
		if err := m.bring(ctx, "release.approve", rev, terms); err != nil {
			return err
		}
		if w := m.p.Releases[m.key]; w != nil && w.Next != nil {
			w.Next.By, w.Reason = asked, reason
			if w.Next.Canary != nil {
				w.Next.Canary.By = asked
			}
		}
		return nil
	}
	if err := m.schedule(ctx, rev, terms); err != nil {
		return err
	}
	m.p.schedules[ScheduleKey(m.env, m.ref.API(), m.ref.Version)].next.By = asked
	m.unask("release.approve", reason)
	return nil
}

// unask takes the request off the release; what was live stays.
func (m *move) unask(action, reason string) {
	var next *gatehouse.Release
	if m.now.Revision != "" {
		r := *m.now
		r.State, r.Proposed, r.ProposedCanary, r.ProposedAt, r.Time, r.By, r.Note, r.Override = gatehouse.ReleaseWanted, "", nil, time.Time{}, m.p.Now, m.p.Actor, "", ""
		next = &r
	}
	m.will(action, next, reason)
}

// Reject turns a requested release down; what was live stays. One
// person's word is enough.
func (d *Desk) Reject(ctx context.Context, ref catalog.Ref, env string, w Word) (Released, error) {
	return d.move(ctx, "rejecting", ref, env, func(m *move) error {
		if err := m.waiting(w); err != nil {
			return err
		}
		m.unask("release.reject", w.Reason)
		return m.decided("rejected", w.Reason)
	})
}

func (m *move) waiting(w Word) error {
	if m.now == nil || m.now.State != gatehouse.ReleaseRequested {
		return gatehouse.E(gatehouse.Conflict, "no release waits for approval there")
	}
	if !strings.HasPrefix(m.now.Proposed, w.Revision) {
		return gatehouse.E(gatehouse.Lost, "the revision that waits is %.12s, not %.12s, which was read: read it again", m.now.Proposed, w.Revision)
	}
	asked, err := m.now.Requested()
	if err != nil {
		return err
	}
	return gatehouse.AsRead(w.Hash, asked, "the request")
}

// say adds one person's word to what is written.
func (m *move) say(decision, comment string) error {
	subject, digest, err := m.decisions()
	if err != nil {
		return err
	}
	d := gatehouse.Decision{Subject: subject, Digest: digest, Decision: decision, By: m.p.Actor, Time: m.p.Now, Comment: comment}
	text, err := jsonx.Marshal(&d)
	if err != nil {
		return err
	}
	m.more = append(m.more, audit.Act{
		Action: "release.vote", Object: subject, Team: m.ref.Team, After: text, Reason: comment,
		Writes: []store.Write{{Key: decisionKey(subject, digest, d.By), Kind: string(gatehouse.KindDecision), Value: text, Expect: store.Absent,
			Index: map[string]string{"subject": subject, "by": d.By, "decision": decision}}},
	})
	return nil
}

// decided adds the record of what came of the request to what is written.
func (m *move) decided(decision, reason string) error {
	a := Approval{
		Environment: m.env, API: m.ref.API(), Version: m.ref.Version, Revision: m.now.Proposed, Decision: decision,
		RequestedBy: m.now.By, Requested: m.now.Time, DecidedBy: m.p.Actor, Decided: m.p.Now, Reason: reason,
	}
	text, err := jsonx.Marshal(&a)
	if err != nil {
		return err
	}
	key := "Approval/" + m.env + "/" + m.ref.API() + "/" + m.ref.Version + "/" + a.Revision
	m.more = append(m.more, audit.Act{
		Action: "approval.create", Object: fmt.Sprintf("Approval %s %s", m.env, m.ref), Team: m.ref.Team, After: text, Reason: reason,
		Writes: []store.Write{{
			Key: key, Kind: string(KindApproval), Value: text, Expect: store.Any,
			Index: map[string]string{"environment": m.env, "team": m.ref.Team, "api": m.ref.API(), "version": m.ref.Version, "decision": decision},
		}},
	})
	return nil
}
