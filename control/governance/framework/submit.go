package framework

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/store"
)

// Submit offers a draft for approval. From then on its text is fixed.
func (d *Desk) Submit(ctx context.Context, name, version, reason string) (*Moved, error) {
	return d.move(ctx, "submitting", "framework.submit", name, version, reason, func(m *move) error {
		if err := checkReason(reason, false, ""); err != nil {
			return err
		}
		doc, err := d.document(ctx, name)
		if err != nil {
			return err
		}
		v := doc.Version(version)
		switch state := m.standing.State(version); {
		case v == nil:
			return gatehouse.E(gatehouse.NotFound, "its document has no version %q any more", version)
		case state != gatehouse.Draft:
			return gatehouse.E(gatehouse.Conflict, "it is %s already%s", state, next(state, m.ref()))
		}
		if err := ended(v.ValidUntil, m.now); err != nil {
			return err
		}
		hash, keep, err := d.text(ctx, name, version, doc)
		if err != nil {
			return err
		}
		if err := d.unrejected(ctx, m, hash); err != nil {
			return err
		}
		return m.submit(ctx, doc, hash, keep)
	})
}

func (m *move) submit(ctx context.Context, doc *document, hash string, keep store.Write) error {
	v := m.state()
	behind, err := m.guard.Behind(ctx, append(slices.Clone(v.Authors), m.actor)...)
	if err != nil {
		return err
	}
	for s := range behind {
		if !slices.Contains(v.Authors, s) && s != m.actor {
			v.Authors = append(v.Authors, s)
		}
	}
	slices.Sort(v.Authors)
	v.Stated = doc.Needed()
	// A lower number of approvals is itself approved by the number before.
	v.Approvals = max(v.Stated, m.standing.Versions[m.standing.InForce].Stated)
	v.Hash, v.Submitted, v.SubmittedBy = hash, m.now, m.actor
	m.standing.Versions[m.version] = v
	m.set(gatehouse.Submitted, "")
	m.writes = append(m.writes, keep)
	return nil
}

// unrejected refuses a text that was rejected as it is.
func (d *Desk) unrejected(ctx context.Context, m *move, hash string) error {
	all, err := d.decisions(ctx, m.name, m.version, hash)
	if err != nil {
		return err
	}
	for _, a := range all {
		if a.Decision == gatehouse.Rejected {
			return gatehouse.E(gatehouse.Conflict, "%q rejected this text on %s%s: change it, then submit it again", a.By, a.Time.Format(time.DateOnly), because(a.Comment))
		}
	}
	return nil
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return fmt.Sprintf(" (%q)", reason)
}

// next says what may be done with a version in a state.
func next(state, ref string) string {
	switch state {
	case gatehouse.Draft:
		return fmt.Sprintf("; submit it with \"gatehouse framework submit %s\"", ref)
	case gatehouse.Submitted:
		return fmt.Sprintf("; it waits for \"gatehouse framework approve %s\"", ref)
	case gatehouse.Approved:
		return fmt.Sprintf("; it waits for \"gatehouse framework enforce %s\"", ref)
	case gatehouse.Superseded, gatehouse.Withdrawn:
		return "; make a new version"
	}
	return ""
}

// ended refuses a version whose last day is over, and early one whose first day
// has not come.
func ended(until string, now time.Time) error {
	if until != "" && now.Format(time.DateOnly) > until {
		return gatehouse.E(gatehouse.Conflict, "its last day was %s: make a new version that is valid longer", until)
	}
	return nil
}

func early(from string, now time.Time) error {
	if from != "" && now.Format(time.DateOnly) < from {
		return gatehouse.E(gatehouse.Conflict, "its first day is %s: put it in force then", from)
	}
	return nil
}
