package catalog

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// Apply makes the documents be what they say, all in one transaction or none.
// What is so already is left alone: nothing is written and no event made. A
// changed API gets a new revision for each version whose form changed, and
// environments with mode automatic take it in the same transaction.
//
// The error is of kind Invalid with every fault that was found, Conflict when
// what is to go is still referred to, Lost when a document's Expect does not
// hold, or what Allow answered.
func (c *Catalog) Apply(ctx context.Context, req Request) (Result, error) {
	req.Documents = slices.Clone(req.Documents)
	for i := range req.Documents {
		d := &req.Documents[i]
		if d.Object == nil || d.Object.Spec == nil {
			return Result{}, gatehouse.E(gatehouse.Invalid, "applying: a document has no kind and spec")
		}
		if err := d.cleanFiles(); err != nil {
			return Result{}, err
		}
	}
	ahead, err := c.readAhead(ctx, &req)
	if err != nil {
		return Result{}, err
	}
	return c.carryOut(ctx, &req, ahead)
}

func (c *Catalog) remove(ctx context.Context, keys []string, expect *store.Seq, req Request) (Result, error) {
	req.remove, req.expect = keys, expect
	return c.carryOut(ctx, &req, &readings{done: map[string]*reading{}})
}

// carryOut plans the request on the state there is, and writes the plan.
func (c *Catalog) carryOut(ctx context.Context, req *Request, ahead *readings) (Result, error) {
	var result Result
	ctx = c.rehearse(ctx, req, ahead)
	carry := c.change
	if req.DryRun {
		carry = c.look
	}
	err := carry(ctx, func(guard store.Seq) ([]audit.Act, func(store.Seq), error) {
		p := c.newPlan(ctx, req, ahead)
		if err := c.sync(ctx, guard); err != nil {
			return nil, nil, err
		}
		if err := p.work(ctx); err != nil {
			return nil, nil, err
		}
		var err error
		if result, err = p.result(); err != nil || req.DryRun {
			return nil, nil, err
		}
		acts, err := p.acts()
		if err == nil && req.Also != nil {
			var also []audit.Act
			also, err = req.Also(ctx)
			acts = append(slices.Clone(also), acts...) // the guard is added to the first of them
		}
		if err == nil && req.Then != nil {
			var then []audit.Act
			then, err = req.Then(acts)
			acts = append(acts, then...)
		}
		return acts, func(seq store.Seq) { result.Seq = seq; p.claims.keep(seq) }, err
	})
	if err != nil {
		return Result{}, err
	}
	return result, nil
}

// result tells what the plan does, in the order of [gatehouse.Kinds].
func (p *Plan) result() (Result, error) {
	r := Result{Held: p.Held}
	for _, it := range p.byKind() {
		c := Change{Kind: it.kind, Ref: it.ref, Action: it.action()}
		if c.Action == Unchanged && !it.asked && len(it.made) == 0 {
			continue
		}
		if c.Action == Update {
			c.Diff = audit.Diff(it.old(), it.text)
			if it.set != it.was.stored.Set {
				c.Set = it.set
			}
		}
		if it.asked || it.changed {
			r.Changes = append(r.Changes, c)
		}
		for _, id := range it.made {
			r.Changes = append(r.Changes, Change{Kind: gatehouse.KindRevision, Ref: id, Action: Create})
		}
	}
	for _, key := range sorted(p.Releases) {
		w := p.Releases[key]
		action := Update
		switch {
		case w.Next == nil:
			action = Delete
		case w.Was == nil:
			action = Create
		}
		before, after, err := w.texts()
		if err != nil {
			return r, err
		}
		c := Change{Kind: gatehouse.KindRelease, Ref: w.id(), Action: action}
		if w.Next != nil {
			c.Revision = w.Next.Revision
		}
		if action == Update {
			c.Diff = audit.Diff(before, after)
		}
		r.Changes = append(r.Changes, c)
	}
	return r, nil
}

func (it *item) action() string {
	switch {
	case it.deleted():
		return Delete
	case it.was == nil:
		return Create
	case it.changed || it.set != it.was.stored.Set:
		return Update
	}
	return Unchanged
}

// byKind is the order in which things are told and written: what others refer
// to first, deletions last and the other way round.
func (p *Plan) byKind() []*item {
	rank := func(it *item) int {
		at := slices.IndexFunc(gatehouse.Kinds, func(k gatehouse.KindInfo) bool { return k.Kind == it.kind })
		if it.deleted() {
			return 2*len(gatehouse.Kinds) - at
		}
		return at
	}
	order := slices.Clone(p.order)
	slices.SortStableFunc(order, func(a, b *item) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.key, b.key)) })
	return order
}

// acts are the events of the plan with the writes that carry them out.
func (p *Plan) acts() ([]audit.Act, error) {
	var acts []audit.Act
	for _, it := range p.byKind() {
		switch {
		case it.deleted():
			o := it.was.object
			acts = append(acts, audit.Act{
				Action: Action(it.kind, "delete"), Object: o.Ref(), Team: teamOf(o), Before: it.old(),
				Writes: append(it.writes, store.Write{Key: it.key, Kind: string(it.kind), Expect: it.was.rev}),
			})
		case it.put():
			a, err := p.putAct(it)
			if err != nil {
				return nil, err
			}
			acts = append(acts, a)
		}
	}
	for _, key := range sorted(p.Releases) {
		a, err := p.Releases[key].act()
		if err != nil {
			return nil, err
		}
		acts = append(acts, a)
	}
	return slices.Concat(acts, p.notices, p.also), nil
}

// teamOf is the team in whose trail an event on the object is found.
func teamOf(o *gatehouse.Object) string {
	if o.Kind == gatehouse.KindTeam {
		return o.Metadata.Name
	}
	return o.Metadata.Team
}

func (p *Plan) putAct(it *item) (audit.Act, error) {
	stored := gatehouse.Stored{Object: it.text, Files: it.files, Set: it.set, Status: it.status}
	value, err := jsonx.Marshal(&stored)
	if err != nil {
		return audit.Act{}, err
	}
	expect := store.Absent
	if it.was != nil {
		expect = it.was.rev
	}
	var status *gatehouse.SubscriptionStatus
	if it.kind == gatehouse.KindSubscription {
		if err := json.Unmarshal(it.status, &status); err != nil {
			return audit.Act{}, gatehouse.E(gatehouse.Internal, "reading %s: %w", it.object.Ref(), err)
		}
	}
	a := audit.Act{
		Action: cmp.Or(it.named, Action(it.kind, "put")), Object: it.object.Ref(), Team: teamOf(it.object), Before: it.old(), After: it.text, Reason: it.reason,
		Writes: append(it.writes, store.Write{
			Key: it.key, Kind: string(it.kind), Value: value, Expect: expect, Index: Indexes(it.object, it.set, status),
		}),
	}
	if !it.changed {
		a.Action = Action(it.kind, "revise")
		if it.set != it.was.stored.Set {
			a.Action, a.Reason = Action(it.kind, "put"), "taken over by set "+it.set
		}
	}
	return a, nil
}
