package framework

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// Adopt takes frameworks that an earlier program stored into the record, once:
// a version that its file said is in force goes on so, and the record says why.
// Governed stays unset, so that no gateway begins to refuse what it serves
// because of an upgrade; the first version that is put in force by approvals
// sets it.
func (d *Desk) Adopt(ctx context.Context) error {
	q := store.Query{Kind: string(gatehouse.KindFramework), Limit: 500}
	for {
		page, err := d.db.List(ctx, q)
		if err != nil {
			return err
		}
		for _, r := range page.Records {
			name := strings.TrimPrefix(r.Key, string(gatehouse.KindFramework)+"/")
			if err := d.adopt(ctx, name, r); err != nil && !gatehouse.Is(err, gatehouse.Conflict) {
				return fmt.Errorf("adopting framework %q: %w", name, err)
			}
		}
		if page.Next == "" {
			return nil
		}
		q.After = page.Next
	}
}

const adopted = "was stored before approvals were on record"

func (d *Desk) adopt(ctx context.Context, name string, r store.Record) error {
	s, err := d.Standing(ctx, name)
	if err != nil || s.rev != store.Absent {
		return err
	}
	doc, err := documentOf(r)
	if err != nil {
		return err
	}
	authors, err := d.wrote(ctx, name)
	if err != nil {
		return err
	}
	var writes []store.Write
	for _, v := range doc.Versions {
		on := gatehouse.FrameworkVersionState{State: gatehouse.Draft, Authors: authors}
		switch v.State {
		case gatehouse.InForce, gatehouse.Superseded, gatehouse.Withdrawn:
			hash, keep, err := d.text(ctx, name, v.Name, doc)
			if err != nil {
				return err
			}
			on.State, on.Hash, on.Since, on.By, on.Reason, on.Stated = v.State, hash, d.now(), "system", adopted, doc.Needed()
			writes = append(writes, keep)
		}
		if on.State == gatehouse.InForce {
			s.InForce = v.Name
		}
		s.Versions[v.Name] = on
	}
	w, err := s.Write()
	if err != nil {
		return err
	}
	after, err := jsonx.Marshal(&s.FrameworkState)
	if err != nil {
		return err
	}
	// Nothing stores a framework without writing this record too, so that one
	// that is still absent was read as the document is.
	_, err = d.trail.Commit(ctx, audit.Act{
		Action: "framework.adopt", Object: "Framework " + name, After: after, Reason: adopted, Writes: append(writes, w),
	})
	return err
}

// wrote is everybody who ever stored the framework.
func (d *Desk) wrote(ctx context.Context, name string) (authors []string, err error) {
	for e, err := range d.db.Events(ctx, store.EventQuery{Action: "framework.put", Object: "Framework " + name, Outcome: gatehouse.Allowed}) {
		if err != nil {
			return nil, err
		}
		if !slices.Contains(authors, e.Actor) {
			authors = append(authors, e.Actor)
		}
	}
	slices.Sort(authors)
	return authors, nil
}
