package access

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/store"
)

// fillPage is how many records are read at once.
const fillPage = 10_000

// fill reads all records as of a batch (0: now) into an empty index. Of the
// assignments only those that keep admits are taken, when it is given; what
// they need (roles, groups, teams) has been read by then.
func (x *Index) fill(ctx context.Context, db store.DB, asOf store.Seq, keep func(subject, scope string) bool, complain func(error)) error {
	x.bulk = true
	defer x.sorted()
	for _, kind := range kinds {
		q := store.Query{Kind: string(kind), Limit: fillPage, AsOf: asOf}
		for {
			page, err := db.List(ctx, q)
			if err != nil {
				return err
			}
			for _, r := range page.Records {
				if kind == gatehouse.KindRoleAssignment && keep != nil && !kept(r.Value, keep) {
					continue
				}
				if err := x.take(store.Change{Record: r}); err != nil {
					complain(err)
				}
			}
			if page.Next == "" {
				break
			}
			q.After = page.Next
		}
	}
	return nil
}

func kept(value []byte, keep func(subject, scope string) bool) bool {
	var s gatehouse.RoleAssignment
	return decode(value, &s) == nil && keep(s.Subject, s.Scope)
}

// A Question is what an index of the past is asked: about one subject, or about
// one object when Subject is "".
type Question struct {
	Subject string
	On      On
}

// At rebuilds the index as it was at a moment, for one question: roles, groups,
// teams and people whole, of the assignments those that matter to it, so that a
// million of them are read through but not held. Expiry is judged at that
// moment too. One such index is built at a time; it costs a second or two for
// each million assignments.
func (g *Guard) At(ctx context.Context, t time.Time, q Question) (*Index, error) {
	select {
	case g.past <- struct{}{}:
		defer func() { <-g.past }()
	case <-ctx.Done():
		return nil, gatehouse.E(gatehouse.Unavailable, "waiting to look at %s: %w", t.UTC().Format(time.RFC3339), ctx.Err())
	}
	seq, err := g.trail.DB.AsOf(ctx, t)
	if err != nil {
		return nil, err
	}
	x := NewIndex(func() time.Time { return t })
	x.asOf = true
	if seq == 0 { // before the first batch there was nothing
		return x, nil
	}
	x.seq = seq
	return x, x.fill(ctx, g.trail.DB, seq, x.matters(q), g.complain)
}

// matters admits the assignments a question is about. It is asked only after
// groups and teams have been read.
func (x *Index) matters(q Question) func(subject, scope string) bool {
	var subjects, scopes map[string]bool
	return func(subject, scope string) bool {
		if subjects == nil {
			subjects, scopes = map[string]bool{q.Subject: true}, map[string]bool{}
			for _, p := range x.principals(q.Subject, nil) {
				subjects[x.names.subjects.text[p]] = true
			}
			for _, s := range x.enclosing(q.On, nil) {
				scopes[s] = true
			}
		}
		if q.Subject != "" {
			return subjects[subject]
		}
		return scopes[scope]
	}
}
