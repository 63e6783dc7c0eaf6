// Package diff tells what changes for callers from one revision of an API
// version to another: in the definition, beside it, and which applications have
// called what goes.
package diff

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/control/catalog"
	"gatehouse/control/release"
	"gatehouse/definition/breaking"
	"gatehouse/store"
)

// A Side is one of two that are compared: a revision of a version, the newest
// when none is named, or the one that is live in an environment.
type Side struct {
	catalog.Ref
	Environment string
}

// A Difference is what changes from one revision to another, and for whom.
type Difference struct {
	From, To Side // with the revisions that were compared
	// Definition is what the definitions say otherwise; Omitted how many of that
	// are not listed. NotCompared is why they could not be compared.
	Definition  []breaking.Change
	Omitted     int
	NotCompared string
	// Gatehouse is what is said otherwise beside the definition.
	Gatehouse []breaking.Change
	Removed   []gatehouse.Operation
	Added     []gatehouse.Operation
	// Since is from when on calls were counted to find Affected.
	Since    time.Time
	Affected []Affected
}

// An Affected is an application that called what is removed or broken; "" are
// callers that named none.
type Affected struct {
	Application string
	Operations  []string // that it called, of those removed or broken
	Requests    int64
	Last        time.Time // the hour in which it last did
}

// Same reports whether nothing is different.
func (d *Difference) Same() bool {
	return len(d.Definition)+len(d.Gatehouse)+len(d.Removed)+len(d.Added) == 0 && d.NotCompared == ""
}

// Breaks reports whether there is a change of level error.
func (d *Difference) Breaks() bool {
	grave := func(c breaking.Change) bool { return c.Level == breaking.Error }
	return slices.ContainsFunc(d.Definition, grave) || slices.ContainsFunc(d.Gatehouse, grave) || len(d.Removed) > 0
}

// MaxDays bounds how far back calls are looked at.
const MaxDays = 366

// maxAffected bounds how many applications are told.
const maxAffected = 1000

// A Differ compares revisions.
type Differ struct {
	Catalog  *catalog.Catalog
	Releases *release.Desk
	DB       store.DB
	Now      func() time.Time
}

// comparing bounds how many definitions are compared at once: each may take all
// of a processor for a second.
var comparing = make(chan struct{}, 2)

// Diff compares two sides, and finds in the counts of some days who called what
// the first has and the second breaks.
func (f *Differ) Diff(ctx context.Context, from, to Side, days int) (*Difference, error) {
	if days < 1 || days > MaxDays {
		return nil, gatehouse.E(gatehouse.Invalid, "comparing %q with %q: calls of 1 to %d days are looked at, not of %d", from.Ref, to.Ref, MaxDays, days)
	}
	a, err := f.revision(ctx, &from)
	if err != nil {
		return nil, err
	}
	b, err := f.revision(ctx, &to)
	if err != nil {
		return nil, err
	}
	d := &Difference{From: from, To: to, Gatehouse: compareForms(&a.Form, &b.Form), Since: f.Now().UTC().AddDate(0, 0, -days).Truncate(time.Hour)}
	was, err := f.Catalog.Operations(ctx, a)
	if err != nil {
		return nil, err
	}
	is, err := f.Catalog.Operations(ctx, b)
	if err != nil {
		return nil, err
	}
	d.Removed, d.Added = missing(was, is), missing(is, was)
	if err := f.definitions(ctx, d, a, b); err != nil {
		return nil, err
	}
	return d, f.affected(ctx, d, was)
}

func (f *Differ) revision(ctx context.Context, s *Side) (*gatehouse.Revision, error) {
	if s.Environment != "" && s.Revision == "" {
		live, err := f.Releases.Live(ctx, s.Ref, s.Environment)
		if err != nil {
			return nil, err
		}
		s.Revision = live
	}
	rev, err := f.Catalog.Revision(ctx, s.Ref)
	if err == nil {
		s.Revision = rev.Hash
	}
	return rev, err
}

// missing are the operations of a that b does not have, by method and path:
// that is what a caller calls.
func missing(a, b []gatehouse.Operation) (gone []gatehouse.Operation) {
	there := map[string]bool{}
	for _, o := range b {
		there[shape(o)] = true
	}
	for _, o := range a {
		if !there[shape(o)] {
			o.Examples = nil
			gone = append(gone, o)
		}
	}
	return gone
}

// shape is an operation without the names of its path's parameters.
func shape(o gatehouse.Operation) string {
	parts := strings.Split(o.Path, "/")
	for i, p := range parts {
		if strings.HasPrefix(p, "{") && strings.HasSuffix(p, "}") {
			parts[i] = "{}"
		}
	}
	return o.Method + " " + strings.Join(parts, "/")
}

// definitions compares what the definitions say, where both have one.
func (f *Differ) definitions(ctx context.Context, d *Difference, a, b *gatehouse.Revision) error {
	x, y := a.Form.Version.Definition, b.Form.Version.Definition
	switch {
	case x == "" && y == "" || x == y && same(a.Form.Files, b.Form.Files):
		return nil
	case x == "" || y == "":
		d.NotCompared = "only one of the two has a definition"
		return nil
	}
	before, err := f.Catalog.Files(ctx, a)
	if err != nil {
		return err
	}
	after, err := f.Catalog.Files(ctx, b)
	if err != nil {
		return err
	}
	select {
	case comparing <- struct{}{}:
		defer func() { <-comparing }()
	case <-ctx.Done():
		return gatehouse.E(gatehouse.Unavailable, "comparing %q with %q: other comparisons are under way; try again", d.From.Ref, d.To.Ref)
	}
	r, err := breaking.Compare(breaking.Definition{Main: x, Files: before}, breaking.Definition{Main: y, Files: after})
	if err != nil {
		d.NotCompared = err.Error()
		return nil
	}
	d.Definition, d.Omitted = r.Changes, r.Omitted
	return nil
}

// affected sums the calls of what is removed or broken, by application.
func (f *Differ) affected(ctx context.Context, d *Difference, was []gatehouse.Operation) error {
	broken, all := d.broken(was)
	if len(broken) == 0 && !all {
		return nil
	}
	where := map[string]string{"api": d.From.String(), "denied": ""}
	if d.From.Environment != "" {
		where["environment"] = d.From.Environment
	}
	rows, err := f.DB.Usage(ctx, store.UsageQuery{From: d.Since, By: []string{"application", "operation", "hour"}, Where: where})
	if err != nil {
		return err
	}
	by := map[string]*Affected{}
	for _, r := range rows {
		if !all && !broken[r.Operation] {
			continue
		}
		one := by[r.Application]
		if one == nil {
			one = &Affected{Application: r.Application}
			by[r.Application] = one
		}
		one.Requests += r.Requests
		if r.Hour.After(one.Last) {
			one.Last = r.Hour
		}
		if !slices.Contains(one.Operations, r.Operation) {
			one.Operations = append(one.Operations, r.Operation)
		}
	}
	for _, one := range by {
		slices.Sort(one.Operations)
		d.Affected = append(d.Affected, *one)
	}
	slices.SortFunc(d.Affected, func(a, b Affected) int {
		return cmp.Or(cmp.Compare(b.Requests, a.Requests), strings.Compare(a.Application, b.Application))
	})
	d.Affected = d.Affected[:min(len(d.Affected), maxAffected)]
	return nil
}

// broken are the operations, as they are counted, that some caller cannot go on
// using; all tells that it is every one.
func (d *Difference) broken(was []gatehouse.Operation) (ids map[string]bool, all bool) {
	ids = map[string]bool{}
	for _, o := range d.Removed {
		ids[o.ID] = true
	}
	for _, c := range d.Gatehouse {
		if c.Level != breaking.Error {
			continue
		}
		if c.Operation == "" {
			return nil, true
		}
		ids[c.Operation] = true
	}
	for _, c := range d.Definition {
		if c.Level != breaking.Error {
			continue
		}
		if c.Operation == "" {
			return nil, true
		}
		method, path, _ := strings.Cut(c.Operation, " ")
		for _, o := range was {
			if o.ID == c.OperationID || shape(o) == shape(gatehouse.Operation{Method: method, Path: path}) {
				ids[o.ID] = true
			}
		}
	}
	return ids, false
}
