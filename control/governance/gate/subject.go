package gate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/control/compile"
	"gatehouse/policy"
	"gatehouse/rule"
	"gatehouse/snapshot"
)

// A looking is everything that one evaluation looks at.
type looking struct {
	Target
	view     View
	env      *gatehouse.Environment
	rev      *gatehouse.Revision
	bench    *bench
	subject  *rule.Subject // nil when no control can be asked
	live     *gatehouse.Release
	released bool  // the revision is what is live
	seq      int64 // of the store, before anything was read
	// going is true when the revision goes back to what callers knew before.
	going bool
}

// look gathers what an evaluation of t looks at.
func (g *Gate) look(ctx context.Context, v View, t Target) (*looking, error) {
	return g.lookBy(ctx, v, t, g.governed)
}

// lookBy gathers it for an installation that is governed since when that says.
func (g *Gate) lookBy(ctx context.Context, v View, t Target, since func(context.Context) (time.Time, error)) (*looking, error) {
	head, err := g.db.Head(ctx)
	if err != nil {
		return nil, err
	}
	l := &looking{Target: t, view: v, seq: int64(head.Seq)}
	if l.env, err = spec[*gatehouse.Environment](ctx, v, gatehouse.Key(gatehouse.KindEnvironment, "", t.Environment)); err != nil {
		return nil, err
	}
	if l.env == nil {
		return nil, NoEnvironment(ctx, g.db, t.Environment)
	}
	l.rev = new(gatehouse.Revision)
	if ok, err := decode(ctx, v, t.revisionKey(t.Revision), l.rev); err != nil {
		return nil, err
	} else if !ok {
		return nil, gatehouse.E(gatehouse.NotFound, "API version %q has no revision %q", t.ID(), t.Revision)
	}
	var live gatehouse.Release
	if ok, err := decode(ctx, v, t.releaseKey(), &live); err != nil {
		return nil, err
	} else if ok && live.Revision != "" {
		l.live = &live
		l.released = live.Revision == t.Revision
	}
	governed, err := since(ctx)
	if err != nil {
		return nil, err
	}
	if l.bench, err = g.bench(ctx, v, l.env, l.rev.Form.Framework, governed); err != nil || l.bench.judging == nil {
		return l, err
	}
	return l, l.gather(ctx)
}

// gather makes the subject.
func (l *looking) gather(ctx context.Context) error {
	form := &l.rev.Form
	o, err := l.view.Object(ctx, gatehouse.Key(gatehouse.KindAPI, l.Team, l.Name))
	if err != nil {
		return err
	}
	gateways, err := l.view.Gateways(ctx, l.Environment)
	if err != nil {
		return err
	}
	s := &rule.Subject{
		Revision: l.Revision, Form: form, EnvironmentName: l.Environment, Environment: l.env, Gateways: gatewaysOf(gateways),
		FrameworkName: l.bench.framework, FrameworkVersion: l.bench.text.Version.Name,
		Read: func(sum string) ([]byte, error) { return blob(ctx, l.view, sum) },
	}
	if o != nil {
		s.API, s.Labels = o.Spec.(*gatehouse.API), o.Metadata.Labels
	}
	backend, err := l.backend(ctx, s)
	if err != nil {
		return err
	}
	if err := l.operations(ctx, s, backend); err != nil {
		return err
	}
	// What is live is not compared with what came before it: that was looked at
	// when it was released. Nor is going back to what callers knew a change.
	if l.live != nil && !l.released && !l.going {
		published := new(gatehouse.Revision)
		if ok, err := decode(ctx, l.view, l.revisionKey(l.live.Revision), published); err != nil {
			return err
		} else if ok {
			s.Published = &published.Form
		}
	}
	l.subject = s
	return nil
}

func (l *looking) backend(ctx context.Context, s *rule.Subject) (*gatehouse.Backend, error) {
	ref := l.rev.Form.Version.Backend
	if ref == "" {
		return nil, nil
	}
	team, name := gatehouse.ParseRef(ref, l.Team)
	s.BackendName = team + "/" + name
	b, err := spec[*gatehouse.Backend](ctx, l.view, gatehouse.Key(gatehouse.KindBackend, team, name))
	if b != nil {
		if e, ok := b.Environments[l.Environment]; ok {
			s.Backend = &e
		}
	}
	return b, err
}

// operations gives the subject its operations with the chains that compile
// makes for gateways.
func (l *looking) operations(ctx context.Context, s *rule.Subject, backend *gatehouse.Backend) error {
	var defined []gatehouse.Operation
	if l.rev.Operations != "" {
		if ok, err := decode(ctx, l.view, "Operations/"+l.rev.Operations, &defined); err != nil {
			return err
		} else if !ok {
			return gatehouse.E(gatehouse.Internal, "the operations of revision %.12s are not kept", l.Revision)
		}
	}
	rev := *l.rev
	rev.Form.Version.Lifecycle = "published" // a version in design is judged as it will be
	rev.Form.Version.Deprecation = nil
	in := &compile.Inputs{
		EnvironmentName: l.Environment, Environment: l.env, Revision: &rev, Operations: defined, Backend: backend,
		PathOf: func(string) string { return "" },
	}
	if rev.Form.Framework != "" {
		in.Framework, in.Text = &gatehouse.Framework{Versions: []gatehouse.FrameworkVersion{l.bench.text.Version}}, l.bench.text
	}
	var failed error
	in.Set = func(ref string) ([]gatehouse.PolicyUse, bool) {
		team, name := gatehouse.ParseRef(ref, "")
		set, err := spec[*gatehouse.PolicySet](ctx, l.view, gatehouse.Key(gatehouse.KindPolicySet, team, name))
		if err != nil || set == nil {
			failed = err
			return nil, false
		}
		return set.Policies, true
	}
	a, err := compile.API(in)
	if failed != nil {
		return failed
	}
	if err != nil {
		return gatehouse.E(gatehouse.Conflict, "%w", err)
	}
	s.Operations = chains(a, defined)
	return nil
}

// chains are the operations with what each request to them goes through.
func chains(a *snapshot.API, defined []gatehouse.Operation) []rule.Operation {
	common := slices.Concat(a.Mandatory, a.Policies)
	all := make([]rule.Operation, 0, len(a.Operations)+1)
	for i, o := range a.Operations {
		one := rule.Operation{ID: o.ID, Method: o.Method, Path: o.Path, Chain: slices.Concat(common, o.Policies)}
		if i < len(defined) {
			one.Summary = defined[i].Summary
		}
		all = append(all, one)
	}
	if a.Any {
		all = append(all, rule.Operation{ID: "*", Chain: slices.Clone[[]policy.Use](common)})
	}
	return all
}

// short is the beginning of a revision's hash, as people name it.
func short(hash string) string { return fmt.Sprintf("%.12s", hash) }
