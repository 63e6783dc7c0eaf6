package catalog

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// KindApproval is the kind of the records of who let a release through.
const KindApproval gatehouse.Kind = "Approval"

// An Approval is a decision on a requested release, kept under
// "Approval/<environment>/<team>/<name>/<version>/<revision>"; its history
// holds earlier decisions on the same revision.
type Approval struct {
	Environment string    `json:"environment"`
	API         string    `json:"api"`
	Version     string    `json:"version"`
	Revision    string    `json:"revision"`
	Decision    string    `json:"decision"` // approved or rejected
	RequestedBy string    `json:"requestedBy"`
	Requested   time.Time `json:"requested"`
	DecidedBy   string    `json:"decidedBy"`
	Decided     time.Time `json:"decided"`
	Reason      string    `json:"reason,omitempty"`
}

// request asks for approval; what is live stays so meanwhile.
func (m *move) request(revision, note string) error {
	if m.now != nil && (m.now.State == Wanted && m.now.Revision == revision || m.now.State == Requested && m.now.Proposed == revision) {
		return nil
	}
	next := &gatehouse.Release{
		Environment: m.env, API: m.ref.API(), Version: m.ref.Version, State: Requested, Proposed: revision, Time: m.p.now, By: m.p.actor, Note: note,
	}
	if m.now != nil {
		next.Revision, next.Previous = m.now.Revision, m.now.Previous
	}
	m.p.releases[m.key] = &wish{
		key: m.key, env: m.env, api: m.ref.API(), version: m.ref.Version, was: m.now, rev: m.rev, next: next, action: "release.request",
	}
	return nil
}

// ApproveRelease lets a requested release through. Who asked for it cannot: it
// takes four eyes.
func (c *Catalog) ApproveRelease(ctx context.Context, ref Ref, env, reason string) (Released, error) {
	return c.move(ctx, "approving", ref, env, func(m *move) error {
		if err := m.waiting(); err != nil {
			return err
		}
		if m.now.By == m.p.actor {
			return gatehouse.E(gatehouse.Denied, "%q asked for it; someone else has to approve it", m.now.By)
		}
		rev, err := c.Revision(ctx, Ref{ref.Team, ref.Name, ref.Version, m.now.Proposed})
		if err != nil {
			return err
		}
		if err := m.runs(ctx, rev); err != nil {
			return err
		}
		if err := m.put(ctx, "release.approve", rev.Hash, m.now.Note); err != nil {
			return err
		}
		w := m.p.releases[m.key]
		w.next.By, w.reason = m.now.By, reason
		return m.decided("approved", reason)
	})
}

// RejectRelease turns a requested release down; what was live stays.
func (c *Catalog) RejectRelease(ctx context.Context, ref Ref, env, reason string) (Released, error) {
	return c.move(ctx, "rejecting", ref, env, func(m *move) error {
		if err := m.waiting(); err != nil {
			return err
		}
		w := &wish{key: m.key, env: env, api: ref.API(), version: ref.Version, was: m.now, rev: m.rev, action: "release.reject", reason: reason}
		if m.now.Revision != "" {
			next := *m.now
			next.State, next.Proposed, next.Time, next.By, next.Note = Wanted, "", m.p.now, m.p.actor, ""
			w.next = &next
		}
		m.p.releases[m.key] = w
		return m.decided("rejected", reason)
	})
}

func (m *move) waiting() error {
	if m.now == nil || m.now.State != Requested {
		return gatehouse.E(gatehouse.Conflict, "no release waits for approval there")
	}
	return nil
}

// decided adds the record of the decision to what is written.
func (m *move) decided(decision, reason string) error {
	a := Approval{
		Environment: m.env, API: m.ref.API(), Version: m.ref.Version, Revision: m.now.Proposed, Decision: decision,
		RequestedBy: m.now.By, Requested: m.now.Time, DecidedBy: m.p.actor, Decided: m.p.now, Reason: reason,
	}
	text, err := jsonx.Marshal(&a)
	if err != nil {
		return err
	}
	key := "Approval/" + m.env + "/" + m.ref.API() + "/" + m.ref.Version + "/" + a.Revision
	m.more = append(m.more, audit.Act{
		Action: "approval.create", Object: "Approval " + m.env + " " + m.ref.String(), Team: m.ref.Team, After: text, Reason: reason,
		Writes: []store.Write{{
			Key: key, Kind: string(KindApproval), Value: text, Expect: store.Any,
			Index: map[string]string{"environment": m.env, "team": m.ref.Team, "api": m.ref.API(), "version": m.ref.Version, "decision": decision},
		}},
	})
	return nil
}
