package catalog

import (
	"context"
	"fmt"
	"strings"

	"gatehouse"
	"gatehouse/bundle"
	"gatehouse/policy/all"
)

// check looks at every document that changes: by itself, and among what it names.
func (p *Plan) check(ctx context.Context) error {
	var keys []string
	for _, it := range p.order {
		if it.deleted() || !it.changed {
			continue
		}
		p.faults = append(p.faults, it.object.Check()...)
		p.events(it.object)
		for _, r := range bundle.References(it.object) {
			keys = append(keys, r.Key())
		}
	}
	if err := p.Load(ctx, keys); err != nil {
		return err
	}
	around := p.around(ctx)
	for _, it := range p.order {
		if it.deleted() || !it.changed {
			continue
		}
		found, err := bundle.Inspect(it.object, around)
		if err != nil {
			return err
		}
		for _, f := range found {
			if f.Dangling != nil {
				f.Detail = p.dangling(f.Dangling)
			}
			p.Fault(it.object.Ref(), f.Pointer, f.Detail)
		}
	}
	return nil
}

// around is what documents are inspected among: all there will be.
func (p *Plan) around(ctx context.Context) bundle.Surroundings {
	return bundle.Surroundings{
		Policies: all.Find, PolicyNames: all.Names(), Actions: p.c.Actions,
		Find: func(kind gatehouse.Kind, team, name string) (*gatehouse.Object, error) {
			return p.After(ctx, gatehouse.Key(kind, team, name))
		},
	}
}

// parameters reports path parameters in a version's policies that an operation
// they hold for does not have.
func (p *Plan) parameters(ctx context.Context, it *item, i int, h *head) error {
	found, err := bundle.Parameters(it.object, i, h.operations, p.around(ctx))
	for _, f := range found {
		p.Fault(it.object.Ref(), f.Pointer, f.Detail)
	}
	return err
}

// dangling says of a reference that it leads nowhere.
func (p *Plan) dangling(r *bundle.Reference) string {
	if gone, ok := p.items[r.Key()]; ok && gone.deleted() {
		return fmt.Sprintf("%s %q is to be deleted", bundle.Noun(r.Kind), r.Text)
	}
	return fmt.Sprintf("%s %q does not exist", bundle.Noun(r.Kind), r.Text)
}

func specOf[T gatehouse.Spec](it *item) (T, bool) {
	var none T
	if it.deleted() {
		return none, false
	}
	s, ok := it.object.Spec.(T)
	return s, ok
}

func quoted(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(q, ", ")
}
