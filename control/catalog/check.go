package catalog

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/bundle"
	"gatehouse/control/access"
	"gatehouse/jsonx"
	"gatehouse/policy/all"
)

// check looks at every document that changes: by itself, its policies, and
// what it refers to.
func (p *plan) check(ctx context.Context) error {
	var keys []string
	named := map[*item][]reference{}
	for _, it := range p.order {
		if it.deleted() || !it.changed {
			continue
		}
		p.faults = append(p.faults, it.object.Check()...)
		p.policies(it.object)
		p.rules(it.object)
		p.events(it.object)
		if err := p.circles(ctx, it); err != nil {
			return err
		}
		named[it] = references(it.object)
		for _, r := range named[it] {
			keys = append(keys, r.key())
		}
	}
	if err := p.load(ctx, keys); err != nil {
		return err
	}
	for _, it := range p.order {
		for _, r := range named[it] {
			if err := p.resolve(ctx, it, r); err != nil {
				return err
			}
		}
		if s, ok := specOf[*gatehouse.Subscription](it); ok && it.changed {
			if t, _ := gatehouse.ParseRef(s.Application, it.object.Metadata.Team); t != it.object.Metadata.Team {
				p.fault(it.object.Ref(), "/spec/application", fmt.Sprintf("application %q belongs to another team: a subscription is of its application's team", s.Application))
			}
		}
	}
	return nil
}

func specOf[T gatehouse.Spec](it *item) (T, bool) {
	var none T
	if it.deleted() {
		return none, false
	}
	s, ok := it.object.Spec.(T)
	return s, ok
}

// resolve reports a reference that leads nowhere.
func (p *plan) resolve(ctx context.Context, it *item, r reference) error {
	if r.kind == gatehouse.KindRole {
		if _, builtIn := access.BuiltIn(r.name); builtIn {
			return nil
		}
	}
	o, err := p.after(ctx, r.key())
	if err != nil {
		return err
	}
	what := bundle.Noun(r.kind)
	if o == nil {
		detail := fmt.Sprintf("%s %q does not exist", what, r.text)
		if gone, ok := p.items[r.key()]; ok && gone.deleted() {
			detail = fmt.Sprintf("%s %q is to be deleted", what, r.text)
		}
		p.fault(it.object.Ref(), r.pointer, detail)
		return nil
	}
	if r.part == "" {
		return nil
	}
	switch s := o.Spec.(type) {
	case *gatehouse.API:
		var names []string
		for _, v := range s.Versions {
			names = append(names, v.Name)
		}
		if !slices.Contains(names, r.part) {
			p.fault(it.object.Ref(), r.pointer, fmt.Sprintf("API %q has no version %q%s", r.key()[len("API/"):], r.part, meant(r.part, names)))
		}
	case *gatehouse.Product:
		var names []string
		for _, v := range s.Plans {
			names = append(names, v.Name)
		}
		if !slices.Contains(names, r.part) {
			p.fault(it.object.Ref(), "/spec/plan", fmt.Sprintf("product %q has no plan %q%s", r.text, r.part, meant(r.part, names)))
		}
	}
	return nil
}

func quoted(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(q, ", ")
}

// policies checks every use of a policy against its kind.
func (p *plan) policies(o *gatehouse.Object) {
	each := func(uses []gatehouse.PolicyUse, pointer ...string) {
		for i, u := range uses {
			if u.Name == gatehouse.PolicySetUse {
				continue
			}
			at := append(pointer[:len(pointer):len(pointer)], itoa(i), u.Name)
			kind, ok := all.Find(u.Name)
			if !ok {
				p.fault(o.Ref(), jsonx.Pointer(at...), fmt.Sprintf("%q is not a policy%s", u.Name, meant(u.Name, known())))
				continue
			}
			if _, err := kind.Decode(u.Config); err != nil {
				p.fault(o.Ref(), jsonx.Pointer(append(at, bundle.PolicyField(err, u.Name)...)...), err.Error())
			}
		}
	}
	eachUses(o, each)
}

func known() []string {
	var names []string
	for _, k := range all.Kinds {
		names = append(names, k.Name)
	}
	slices.Sort(names)
	return names
}

// meant is what follows an unknown word: the nearest one there is, or all when
// they are few.
func meant(word string, known []string) string {
	if near := gatehouse.Nearest(word, known); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	if len(known) == 0 || len(known) > 20 {
		return ""
	}
	return "; there is " + quoted(known)
}

// circles reports what refers to itself: a team above itself, an environment
// that waits for itself, a version that succeeds itself or what is not there.
func (p *plan) circles(ctx context.Context, it *item) error {
	switch s := it.object.Spec.(type) {
	case *gatehouse.Team:
		return p.parents(ctx, it, s)
	case *gatehouse.Environment:
		if s.Release != nil {
			if i := slices.Index(s.Release.After, it.ref); i >= 0 {
				p.fault(it.object.Ref(), "/spec/release/after/"+itoa(i), fmt.Sprintf("%q waits for itself", it.ref))
			}
		}
	case *gatehouse.API:
		var names []string
		for _, v := range s.Versions {
			names = append(names, v.Name)
		}
		for i, v := range s.Versions {
			if v.Deprecation == nil || v.Deprecation.Successor == "" || strings.ContainsAny(v.Deprecation.Successor, ":/@") {
				continue
			}
			switch at, next := pointerTo(i, "deprecation", "successor"), v.Deprecation.Successor; {
			case next == v.Name:
				p.fault(it.object.Ref(), at, fmt.Sprintf("%q succeeds itself", next))
			case !slices.Contains(names, next):
				p.fault(it.object.Ref(), at, fmt.Sprintf("%q is not a version of this API%s", next, meant(next, names)))
			}
		}
	}
	return nil
}

func (p *plan) parents(ctx context.Context, it *item, s *gatehouse.Team) error {
	chain := []string{it.ref}
	for parent := s.Parent; parent != "" && len(chain) < 100; {
		if chain = append(chain, parent); parent == it.ref {
			p.fault(it.object.Ref(), "/spec/parent", "a team cannot be above itself: "+strings.Join(chain, " below "))
			return nil
		}
		o, err := p.after(ctx, gatehouse.Key(gatehouse.KindTeam, "", parent))
		if err != nil || o == nil {
			return err
		}
		parent = o.Spec.(*gatehouse.Team).Parent
	}
	return nil
}

// eachUses goes through every list of policies of an object.
func eachUses(o *gatehouse.Object, do func(uses []gatehouse.PolicyUse, pointer ...string)) {
	switch s := o.Spec.(type) {
	case *gatehouse.API:
		for i, v := range s.Versions {
			do(v.Policies, "spec", "versions", itoa(i), "policies")
			for _, name := range sorted(v.Operations) {
				do(v.Operations[name].Policies, "spec", "versions", itoa(i), "operations", name, "policies")
			}
		}
	case *gatehouse.Product:
		for i, plan := range s.Plans {
			do(plan.Policies, "spec", "plans", itoa(i), "policies")
		}
	case *gatehouse.PolicySet:
		do(s.Policies, "spec", "policies")
	case *gatehouse.Environment:
		do(s.Policies, "spec", "policies")
	case *gatehouse.Framework:
		for i, v := range s.Versions {
			for j, m := range v.Policies {
				do(m.Policies, "spec", "versions", itoa(i), "policies", itoa(j), "policies")
			}
		}
	}
}
