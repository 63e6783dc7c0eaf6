package server

import (
	"cmp"
	"context"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/access"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/control/exposure"
)

// mayFind reports whether the caller may read the object, or find it as one of
// the audience it is meant for.
func (r catalogRoom) mayFind(ctx context.Context, o *gatehouse.Object) bool {
	return r.guard.AuthorizeOn(audit.From(ctx).Actor, catalog.Action(o.Kind, "get"), access.Found(o)) == nil
}

// told is the view as the caller may read it: whole by a role, else as the
// audience it is meant for is told of it.
func (r catalogRoom) told(ctx context.Context, v *catalog.View) (*catalog.View, error) {
	if r.mayRead(ctx, v.Object) {
		return v, nil
	}
	return v.Told(func(audience string) bool { return r.reaches(ctx, v.Object, audience) })
}

// reaches reports whether the caller may read the object, were it meant for the
// audience.
func (r catalogRoom) reaches(ctx context.Context, o *gatehouse.Object, audience string) bool {
	on := access.Found(o)
	on.Audience = audience
	return r.guard.Can(audit.From(ctx).Actor, catalog.Action(o.Kind, "get"), on).Allowed
}

// offered refuses a subscription to a product or plan of another team that the
// caller cannot find. What is subscribed to already stays as it was agreed.
func (r catalogRoom) offered(ctx context.Context, w catalog.Write, all []catalog.Write) error {
	if w.After == nil {
		return nil
	}
	s, ok := w.After.Spec.(*gatehouse.Subscription)
	team := w.After.Metadata.Team
	if !ok {
		return nil
	}
	if w.Before != nil {
		if was, ok := w.Before.Spec.(*gatehouse.Subscription); ok && was.Plan == s.Plan && was.Product == s.Product {
			return nil
		}
	}
	owner, name := gatehouse.ParseRef(s.Product, team)
	product, err := r.product(ctx, owner, name, all)
	if owner == team || product == nil || err != nil {
		return err // what is not there is told by the room
	}
	if err := r.guard.AuthorizeOn(audit.From(ctx).Actor, "product.get", access.Found(product)); err != nil {
		return err
	}
	for _, p := range product.Spec.(*gatehouse.Product).Plans {
		if p.Name == s.Plan && p.Audience != "" && !r.reaches(ctx, product, p.Audience) {
			return gatehouse.E(gatehouse.Denied, "subscribing to plan %q of product %q: it is meant for the audience %s; choose another plan, or ask team %q", p.Name, owner+"/"+name, p.Audience, owner)
		}
	}
	return nil
}

// product is the product as it will be, nil when there is none.
func (r catalogRoom) product(ctx context.Context, team, name string, all []catalog.Write) (*gatehouse.Object, error) {
	key := gatehouse.Key(gatehouse.KindProduct, team, name)
	if at := slices.IndexFunc(all, func(w catalog.Write) bool { return w.After != nil && w.After.Key() == key }); at >= 0 {
		return all[at].After, nil
	}
	rec, err := r.DB.Get(ctx, key)
	if err != nil {
		if gatehouse.Is(err, gatehouse.NotFound) {
			err = nil
		}
		return nil, err
	}
	_, o, err := gatehouse.ReadStored(key, rec.Value)
	return o, err
}

// maySee reports whether the caller may see an API in the catalog: by a role, or now
// as one of the audience it is meant for.
func (r versionRoom) maySee(ctx context.Context, api string, at time.Time) bool {
	if at.IsZero() {
		return r.allow(ctx, adminapi.GetCatalog.Action, "API/"+api) == nil
	}
	return r.guard.AuthorizeOn(audit.From(ctx).Actor, adminapi.GetCatalog.Action, access.ParseOn("API/"+api)) == nil
}

// entriesFor are the entries that the caller may see: whole by a role, else, now
// and where something is served, as the audience it is meant for is told of it.
func (r versionRoom) entriesFor(ctx context.Context, all []exposure.Entry, at time.Time) []adminapi.CatalogEntry {
	actor, may := audit.From(ctx).Actor, map[string]bool{}
	out := []adminapi.CatalogEntry{}
	for _, e := range all {
		team, name := gatehouse.ParseRef(e.API, "")
		on := access.On{Kind: gatehouse.KindAPI, Team: team, Name: name}
		whole, known := may[e.API] // asked API by API: who may see one team's part sees that part
		if !known {
			whole = r.guard.Can(actor, "catalog.get", on).Allowed
			may[e.API] = whole
		}
		switch v := (gatehouse.Version{Lifecycle: e.Lifecycle}); {
		case whole:
			out = append(out, entry(&e))
		case at.IsZero() && e.Revision != "" && v.Served():
			on.Audience = cmp.Or(e.Audience, "internal")
			if r.guard.Can(actor, "catalog.get", on).Allowed {
				out = append(out, toldEntry(entry(&e)))
			}
		}
	}
	return out
}

// toldEntry leaves out who did it, what runs on which instance, and what is on
// its way.
func toldEntry(e adminapi.CatalogEntry) adminapi.CatalogEntry {
	return adminapi.CatalogEntry{
		API: e.API, Version: e.Version, Title: e.Title, Team: e.Team, Environment: e.Environment, Stage: e.Stage, Gateway: e.Gateway, Location: e.Location,
		Audience: e.Audience, Access: e.Access, Lifecycle: e.Lifecycle, Hosts: e.Hosts, Path: e.Path, Revision: e.Revision, Since: e.Since, State: e.State,
	}
}
