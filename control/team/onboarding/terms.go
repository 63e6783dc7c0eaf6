package onboarding

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"gatehouse"
	"gatehouse/admission"
	"gatehouse/store"
)

// Terms are the words that whoever on-boards onto a framework accepts now.
type Terms struct {
	Framework string
	Version   string // in force
	Hash      string // SHA-256 of Text
	Text      string // Markdown

	version *gatehouse.FrameworkVersion
}

// Terms are those of a framework, or of the one in force when none is named;
// nil when none is in force at all.
func (d *Desk) Terms(ctx context.Context, framework string) (*Terms, error) {
	states, err := d.InForce(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case framework != "":
		version := states[framework]
		if version == "" {
			return nil, gatehouse.E(gatehouse.Invalid, "framework %q has no version in force%s", framework, instead(states))
		}
		return d.terms(ctx, framework, version)
	case len(states) > 1:
		return nil, gatehouse.E(gatehouse.Invalid, "several frameworks are in force, and one has to be named%s", instead(states))
	}
	for name, version := range states {
		return d.terms(ctx, name, version)
	}
	return nil, nil
}

func instead(states map[string]string) string {
	var names []string
	for name, version := range states {
		names = append(names, fmt.Sprintf("%q", name+"@"+version))
	}
	if len(names) == 0 {
		return "; none is in force"
	}
	return "; in force: " + strings.Join(sorted(names), ", ")
}

// maxFrameworks bounds how many frameworks are looked at.
const maxFrameworks = 1000

// InForce are the frameworks with a version in force, to its name.
func (d *Desk) InForce(ctx context.Context) (map[string]string, error) {
	page, err := d.db.List(ctx, store.Query{Kind: string(gatehouse.KindFrameworkState), Limit: maxFrameworks})
	if err != nil {
		return nil, err
	}
	states := map[string]string{}
	for _, rec := range page.Records {
		var s gatehouse.FrameworkState
		if err := json.Unmarshal(rec.Value, &s); err != nil {
			return nil, gatehouse.E(gatehouse.Internal, "reading %q: %w", rec.Key, err)
		}
		if s.InForce != "" {
			states[s.Framework] = s.InForce
		}
	}
	return states, nil
}

func (d *Desk) terms(ctx context.Context, framework, version string) (*Terms, error) {
	v, err := d.catalog.Get(ctx, gatehouse.KindFramework, "", framework, noTime)
	if err != nil {
		return nil, err
	}
	t := &Terms{Framework: framework, Version: version, version: v.Object.Spec.(*gatehouse.Framework).Version(version)}
	if t.version == nil {
		return nil, gatehouse.E(gatehouse.Internal, "framework %q has no version %q, which is in force", framework, version)
	}
	t.Text = admission.Words(framework, t.version)
	t.Hash = admission.Hash(t.Text)
	return t, nil
}

// An Accept says which words somebody accepts.
type Accept struct {
	Version string // of the framework
	Hash    string // of the words that were read; "" for those of the version
}

// accept is the acceptance of the terms in force by the one who asks; nil
// where there are none.
func (d *Desk) accept(ctx context.Context, t *Terms, a Accept) (*gatehouse.Acceptance, error) {
	switch {
	case t == nil && a.Version == "":
		return nil, nil
	case t == nil:
		return nil, gatehouse.E(gatehouse.Invalid, "no framework is in force, so there is nothing to accept; leave acceptance out")
	case a.Version == "":
		return nil, gatehouse.E(gatehouse.Invalid, "the responsibilities of framework %q, version %q, are not accepted: read them with \"gatehouse onboard terms\", then accept %q",
			t.Framework, t.Version, t.Framework+"@"+t.Version)
	case a.Version != t.Version:
		return nil, gatehouse.E(gatehouse.Conflict, "version %q of framework %q is not in force, %q is: read its responsibilities with \"gatehouse onboard terms\", then accept %q",
			a.Version, t.Framework, t.Version, t.Framework+"@"+t.Version)
	case a.Hash != "" && a.Hash != t.Hash:
		return nil, gatehouse.E(gatehouse.Conflict, "the words that were accepted (SHA-256 %.12s) are not those of version %q in force (%.12s): read them again", a.Hash, t.Version, t.Hash)
	}
	return &gatehouse.Acceptance{Framework: t.Framework, Version: t.Version, Hash: t.Hash, Text: t.Text, By: actor(ctx), Time: d.now()}, nil
}

// stillAccepted refuses what was accepted of a version that is in force no
// more, or never when one is now.
func (d *Desk) stillAccepted(ctx context.Context, o *gatehouse.Onboarding) (*Terms, error) {
	a := o.Acceptance
	if a == nil {
		t, err := d.Terms(ctx, o.Request.Framework)
		if err == nil && t != nil {
			err = gatehouse.E(gatehouse.Conflict, "the responsibilities of framework %q, version %q, in force since, are not accepted: ask back, so that the answer accepts them", t.Framework, t.Version)
		}
		return t, err
	}
	t, err := d.Terms(ctx, a.Framework)
	if gatehouse.Is(err, gatehouse.Invalid) {
		return nil, gatehouse.E(gatehouse.Conflict, "version %q of framework %q, which was accepted, is not in force any more: ask back, so that the answer accepts one that is", a.Version, a.Framework)
	}
	if err == nil && (t.Version != a.Version || t.Hash != a.Hash) {
		err = gatehouse.E(gatehouse.Conflict, "version %q of framework %q, which was accepted, is not in force any more, %q is: ask back, so that the answer accepts it", a.Version, a.Framework, t.Version)
	}
	return t, err
}

// Accepted is what was accepted when the team was on-boarded last; nil when it
// came another way, or when no framework was in force.
func (d *Desk) Accepted(ctx context.Context, team string) (*gatehouse.Acceptance, error) {
	var last *gatehouse.Acceptance
	f := Filter{Team: team, State: gatehouse.Approved, Limit: 500}
	for {
		page, next, err := d.List(ctx, f)
		if err != nil {
			return nil, err
		}
		for _, s := range page {
			if a := s.Acceptance; a != nil && (last == nil || a.Time.After(last.Time)) {
				last = a
			}
		}
		if next == "" {
			return last, nil
		}
		f.After = next
	}
}
