package framework

import (
	"context"
	"fmt"
	"strings"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/jsonx"
)

// Enforce puts an approved version in force; the one before is superseded. It
// counts the approvals again: somebody whose role ended since does not count.
func (d *Desk) Enforce(ctx context.Context, name, version, reason string) (*Moved, error) {
	return d.move(ctx, "putting in force", "framework.enforce", name, version, reason, func(m *move) error {
		if err := checkReason(reason, false, ""); err != nil {
			return err
		}
		v := m.state()
		if state := m.standing.State(version); state != gatehouse.Approved {
			if state == gatehouse.InForce {
				return gatehouse.E(gatehouse.Conflict, "it is in force already")
			}
			return gatehouse.E(gatehouse.Conflict, "it is %s, and only what is approved is put in force%s", state, next(state, m.ref()))
		}
		text, err := d.Text(ctx, v.Hash)
		if err != nil {
			return err
		}
		if err := early(text.Version.ValidFrom, m.now); err != nil {
			return err
		}
		if err := ended(text.Version.ValidUntil, m.now); err != nil {
			return err
		}
		counted, not, err := m.count(ctx)
		if err != nil {
			return err
		}
		if len(counted) < v.Approvals {
			return gatehouse.E(gatehouse.Conflict, "%d of %d approvals count%s; someone else has to approve it", len(counted), v.Approvals, uncounted(not))
		}
		if err := m.supersede(); err != nil {
			return err
		}
		m.set(gatehouse.InForce, reason)
		m.standing.InForce = version
		if m.standing.Governed.IsZero() {
			m.standing.Governed = m.now
			return m.inaugurate(ctx)
		}
		return nil
	})
}

// inaugurate writes along what keeps live what is live now.
func (m *move) inaugurate(ctx context.Context) error {
	if m.Inaugurate == nil {
		return nil
	}
	acts, err := m.Inaugurate(ctx, m.name, m.version, m.state().Hash)
	m.more = append(m.more, acts...)
	return err
}

func uncounted(not []Uncounted) string {
	var all []string
	for _, n := range not {
		all = append(all, fmt.Sprintf("%q %s", n.By, n.Why))
	}
	if len(all) == 0 {
		return ""
	}
	return ": " + strings.Join(all, ", ")
}

// supersede ends the version that was in force.
func (m *move) supersede() error {
	was := m.standing.InForce
	if was == "" {
		return nil
	}
	v := m.standing.Versions[was]
	before, err := jsonx.Marshal(v)
	if err != nil {
		return err
	}
	v.State, v.Since, v.By, v.Reason = gatehouse.Superseded, m.now, m.actor, m.version+" is in force"
	m.standing.Versions[was] = v
	after, err := jsonx.Marshal(v)
	m.more = append(m.more, audit.Act{Action: "framework.supersede", Object: Subject(m.name, was), Before: before, After: after, Reason: v.Reason})
	return err
}

// Withdraw ends a version for good: one that waits is not decided on any more,
// and one in force binds nobody and vouches for nothing from then on.
func (d *Desk) Withdraw(ctx context.Context, name, version, reason string) (*Moved, error) {
	return d.move(ctx, "withdrawing", "framework.withdraw", name, version, reason, func(m *move) error {
		if err := checkReason(reason, true, "withdrawn"); err != nil {
			return err
		}
		switch state := m.standing.State(version); {
		case state == gatehouse.Draft:
			return gatehouse.E(gatehouse.Conflict, "it is a draft: take it out of the framework's document")
		case !standing(state):
			return gatehouse.E(gatehouse.Conflict, "it is %s already", state)
		}
		if m.standing.InForce == version {
			m.standing.InForce = ""
		}
		m.set(gatehouse.Withdrawn, reason)
		return nil
	})
}
