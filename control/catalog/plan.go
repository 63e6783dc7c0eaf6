package catalog

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/store"
)

// A Plan is everything that one request leads to, worked out before anything
// is written. What of it is about releases is decided by [Releases].
type Plan struct {
	*reader
	c        *Catalog
	req      *Request
	readings *readings

	// Now is the moment of the decision, Actor who has it made.
	Now   time.Time
	Actor string
	// Force is why versions go although they have traffic; "" keeps them.
	Force string
	// Environments are as they will be.
	Environments map[string]*gatehouse.Environment
	// Releases are what is decided on releases, by their keys.
	Releases map[string]*Wish
	// Held are revisions that the gate keeps out.
	Held []Held

	items   map[string]*item
	order   []*item
	notices []audit.Act // that owners of applications are told of
	also    []audit.Act // of those who decide on releases
	claims  *overlay    // nil: no route changes
	faults  []gatehouse.Fault
}

// An item is one object that the plan puts, deletes, or only looks at again
// because something it includes changes.
type item struct {
	named   string // how the trail is to name the action; "" is by the kind
	key     string
	kind    gatehouse.Kind
	ref     string
	was     *kept             // nil: there was none
	object  *gatehouse.Object // nil: deleted
	text    json.RawMessage   // canonical; nil when deleted
	files   map[string]string
	set     string
	status  json.RawMessage
	asked   bool // the request names it
	changed bool // its document differs
	reason  string
	writes  []store.Write // what comes with it: contents, operations, revisions
	made    []string      // revisions it makes, "payments/orders@v1#…"
	heads   map[string]head
	lost    []string // versions it had and has no longer
}

func (i *item) deleted() bool { return i.object == nil }

// old is the document as it was, nil if there was none.
func (i *item) old() json.RawMessage {
	if i.was == nil {
		return nil
	}
	return i.was.stored.Object
}

// put reports whether the record must be written.
func (i *item) put() bool {
	if i.deleted() {
		return false
	}
	return i.was == nil || i.changed || i.set != i.was.stored.Set || !bytes.Equal(i.status, i.was.stored.Status)
}

func (c *Catalog) newPlan(ctx context.Context, req *Request, r *readings) *Plan {
	return &Plan{
		reader: newReader(c.db), c: c, req: req, Now: c.now(), Actor: audit.From(ctx).Actor, Force: req.Force, readings: r,
		items: map[string]*item{}, Releases: map[string]*Wish{},
	}
}

// work goes through all steps; each reads what it needs in few round trips.
func (p *Plan) work(ctx context.Context) error {
	return p.through(ctx, append(p.objects(), p.follow, p.dropKeys, p.deprecate, p.route, p.bound, p.referred))
}

// objects are the steps before any release is decided on. They touch nothing
// that a lock guards.
func (p *Plan) objects() []func(context.Context) error {
	return []func(context.Context) error{
		p.gather, p.prune, p.ask, p.check, p.frameworks, p.quotas, p.environments, p.variables, p.dependents, p.subscriptions, p.revise, p.placement,
	}
}

func (p *Plan) through(ctx context.Context, steps []func(context.Context) error) error {
	for i, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
		// Faults of documents end it before what builds on them; all of one
		// stage are told together.
		if len(p.faults) > 0 && (i >= 3) {
			return gatehouse.InvalidFaults(p.sortedFaults())
		}
	}
	return nil
}

func (p *Plan) sortedFaults() []gatehouse.Fault {
	slices.SortStableFunc(p.faults, func(a, b gatehouse.Fault) int {
		return cmp.Or(cmp.Compare(a.Object, b.Object), cmp.Compare(a.Pointer, b.Pointer))
	})
	return p.faults[:min(len(p.faults), 100)]
}

func (p *Plan) Fault(object, pointer, detail string) {
	p.faults = append(p.faults, gatehouse.Fault{Object: object, Pointer: pointer, Detail: detail})
}

// gather makes an item of every document and finds out what differs.
func (p *Plan) gather(ctx context.Context) error {
	keys := make([]string, 0, len(p.req.Documents))
	for _, d := range p.req.Documents {
		keys = append(keys, d.Object.Key())
	}
	if err := p.Load(ctx, keys); err != nil {
		return err
	}
	for _, d := range p.req.Documents {
		it := &item{key: d.Object.Key(), kind: d.Object.Kind, ref: d.Object.Metadata.Ref(), object: d.Object, files: d.Files, asked: true, named: d.Action}
		if _, twice := p.items[it.key]; twice {
			p.Fault(d.Object.Ref(), "/metadata/name", "stands twice in what is applied: an object has one document")
			continue
		}
		var err error
		if it.text, err = d.Object.Canonical(); err != nil {
			return gatehouse.E(gatehouse.Invalid, "reading %s: %w", d.Object.Ref(), err)
		}
		if it.was, err = p.object(ctx, it.key); err != nil {
			return err
		}
		if err := expected(d, it.was); err != nil {
			return err
		}
		it.set = p.req.Set
		it.changed = true
		if it.was != nil {
			it.status = it.was.stored.Status
			it.changed = !bytes.Equal(it.text, it.was.stored.Object) || !maps.Equal(it.files, it.was.stored.Files)
			it.set = cmp.Or(it.set, it.was.stored.Set)
		}
		p.add(it)
	}
	return nil
}

func expected(d Document, was *kept) error {
	rev := store.Absent
	if was != nil {
		rev = was.rev
	}
	if d.Expect == nil || *d.Expect == store.Any || *d.Expect == rev {
		return nil
	}
	switch {
	case *d.Expect == store.Absent:
		return gatehouse.E(gatehouse.Lost, "writing %s: it exists already, at revision %d", d.Object.Ref(), rev)
	case was == nil:
		return gatehouse.E(gatehouse.Lost, "writing %s: it is gone; revision %d was expected", d.Object.Ref(), *d.Expect)
	}
	return gatehouse.E(gatehouse.Lost, "writing %s: it has moved on to revision %d; revision %d was expected", d.Object.Ref(), rev, *d.Expect)
}

func (p *Plan) add(it *item) {
	p.items[it.key] = it
	p.order = append(p.order, it)
}

// drop plans the deletion of an object that is there.
func (p *Plan) drop(was *kept) {
	o := was.object
	p.add(&item{key: o.Key(), kind: o.Kind, ref: o.Metadata.Ref(), was: was, asked: true, changed: true})
}

// again plans to look at an object that no document names; nil when it is to
// be deleted.
func (p *Plan) again(k *kept, reason string) *item {
	key := k.object.Key()
	it := p.items[key]
	if it == nil {
		it = &item{
			key: key, kind: k.object.Kind, ref: k.object.Metadata.Ref(), was: k, object: k.object, text: k.stored.Object,
			files: k.stored.Files, set: k.stored.Set, status: k.stored.Status, reason: reason,
		}
		p.add(it)
	}
	if it.deleted() {
		return nil
	}
	return it
}

// After is the object as it will be, nil if there will be none.
func (p *Plan) After(ctx context.Context, key string) (*gatehouse.Object, error) {
	if it, ok := p.items[key]; ok {
		return it.object, nil
	}
	k, err := p.object(ctx, key)
	if k == nil || err != nil {
		return nil, err
	}
	return k.object, nil
}

// prune deletes what is to go: what the request says, and what the set applied
// before and no longer names.
func (p *Plan) prune(ctx context.Context) error {
	for i, key := range p.req.remove {
		was, err := p.object(ctx, key)
		if err != nil {
			return err
		}
		if was == nil {
			return gatehouse.E(gatehouse.NotFound, "deleting %q: it does not exist", key)
		}
		if i == 0 && p.req.expect != nil {
			if err := expected(Document{Object: was.object, Expect: p.req.expect}, was); err != nil {
				return err
			}
		}
		p.drop(was)
	}
	if !p.req.Prune {
		return nil
	}
	if p.req.Set == "" {
		return gatehouse.E(gatehouse.Invalid, "pruning: no set is named, and only what the same set applied earlier may be deleted; give --set NAME")
	}
	for _, k := range slices.Backward(gatehouse.Kinds) {
		found, err := p.List(ctx, store.Query{Kind: string(k.Kind), Where: map[string]string{"set": p.req.Set}})
		if err != nil {
			return err
		}
		for _, rec := range found {
			if p.items[rec.Key] != nil {
				continue
			}
			was, err := p.object(ctx, rec.Key)
			if err != nil {
				return err
			}
			p.drop(was)
		}
	}
	return nil
}

// ask puts every document and deletion to whoever decides about permission.
func (p *Plan) ask(ctx context.Context) error {
	var writes []Write
	for _, it := range p.order {
		w := Write{Action: Action(it.kind, "put"), After: it.object}
		if it.was != nil {
			w.Before = it.was.object
		}
		if it.deleted() {
			w.Action = Action(it.kind, "delete")
			if w.Before.Metadata.Protected && !p.req.YesDelete {
				return gatehouse.E(gatehouse.Conflict, "deleting %s: it is protected; --yes-delete deletes it nevertheless", w.Before.Ref())
			}
		}
		writes = append(writes, w)
	}
	if p.req.Allow == nil {
		return nil
	}
	return p.req.Allow(ctx, writes)
}
