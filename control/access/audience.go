package access

import (
	"cmp"
	"context"
	"slices"

	"gatehouse"
	"gatehouse/store"
)

// Audience is what an answer names as the role where nobody gave one: the object
// is meant for an audience, and the subject is of it.
const Audience = "audience"

// finding are the actions by which somebody finds what they can call.
var finding = func() Permissions {
	p, err := CompilePermissions(words("product.get product.list api.get api.list catalog.get"))
	if err != nil {
		panic(err)
	}
	return p
}()

// nearness tells how near a subject is: 1 is whoever is signed in, 2 who holds a
// role in a team of partners, 3 who holds one in the house; 0 is no audience.
func nearness(audience string) int {
	return 1 + slices.Index([]string{"public", "partner", "internal"}, audience)
}

// reach reports whether an audience reaches who is so near. What is no audience
// reaches nobody.
func reach(audience string, near int) bool {
	least := nearness(audience)
	return least > 0 && near >= least
}

// Found is [OnObject], and for a product and an API with a version that is
// served the audience that may find it.
func Found(o *gatehouse.Object) On {
	on := OnObject(o)
	switch s := o.Spec.(type) {
	case *gatehouse.Product:
		on.Audience = cmp.Or(s.Audience, "internal")
	case *gatehouse.API:
		if slices.ContainsFunc(s.Versions, func(v gatehouse.Version) bool { return v.Served() }) {
			on.Audience = cmp.Or(s.Audience, "internal")
		}
	}
	return on
}

// Find is on with its audience, as of the index: it is read for an API or
// product named by its key alone.
func (g *Guard) Find(ctx context.Context, x *Index, on On) (On, error) {
	if on.Kind != gatehouse.KindAPI && on.Kind != gatehouse.KindProduct || on.Name == "" {
		return on, nil
	}
	key := gatehouse.Key(on.Kind, on.Team, on.Name)
	rec, err := g.stood(ctx, x, on.Kind, key)
	if err != nil || rec.Key != key {
		return on, err
	}
	_, o, err := gatehouse.ReadStored(key, rec.Value)
	if err != nil {
		return on, err
	}
	return Found(o), nil
}

// stood is the record at key as of the index, the zero one where there is none.
func (g *Guard) stood(ctx context.Context, x *Index, kind gatehouse.Kind, key string) (store.Record, error) {
	switch {
	case !x.asOf:
		rec, err := g.trail.DB.Get(ctx, key)
		if gatehouse.Is(err, gatehouse.NotFound) {
			return store.Record{}, nil
		}
		return rec, err
	case x.Seq() == 0: // before the first batch there was nothing
		return store.Record{}, nil
	}
	page, err := g.trail.DB.List(ctx, store.Query{Kind: string(kind), Prefix: key, Limit: 1, AsOf: x.Seq()})
	if err != nil || len(page.Records) == 0 {
		return store.Record{}, err
	}
	return page.Records[0], nil
}

// reached is what allows a subject to find what is meant for an audience, if the
// subject is of it.
func (x *Index) reached(subject, action string, on On) (Assignment, bool) {
	if on.Audience == "" || !finding.Allow(action) || !reach(on.Audience, x.near(subject)) {
		return Assignment{}, false
	}
	return Assignment{Subject: subject, Role: Audience, Scope: gatehouse.Key(on.Kind, on.Team, on.Name), Implied: "it is meant for the audience " + on.Audience}, true
}

// near is the nearness of somebody who is signed in: of the nearest place in which
// they hold a role, whichever.
func (x *Index) near(subject string) int {
	best, now := nearness("public"), x.now().UnixMicro()
	var room [64]uint32
	for _, p := range x.principals(subject, room[:0]) {
		for _, g := range x.grants[p] {
			if !x.entries[g.entry].live(now) {
				continue
			}
			if best = max(best, x.nearOf(x.names.scopes.text[g.scope])); best == nearness("internal") {
				return best
			}
		}
	}
	return best
}

// nearOf is how near a role on a scope makes: as near as its team, the house
// itself where it is of none.
func (x *Index) nearOf(scope string) int {
	on, err := ParseScope(scope)
	if err != nil {
		return 0
	}
	name := on.Team
	if on.Kind == gatehouse.KindTeam {
		name = on.Name
	}
	if name == "" {
		return nearness("internal")
	}
	return x.nearTeam(name)
}

// nearTeam is how near a team is: no nearer than the teams above it. One that
// has no document is as near as a stranger.
func (x *Index) nearTeam(name string) int {
	near := nearness("internal")
	for depth := 0; name != "" && depth <= MaxTeamDepth; depth++ {
		t, ok := x.teams[name]
		if !ok {
			return nearness("public")
		}
		near = min(near, nearness(cmp.Or(t.audience, "internal")))
		name = t.parent
	}
	return near
}
