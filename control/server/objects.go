package server

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/access"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/store"
)

// catalogRoom carries out the routes of objects.
type catalogRoom struct {
	*Server
	catalog *catalog.Catalog
	guard   *access.Guard
}

// BindCatalog binds the objects of every kind, apply and export.
func (s *Server) BindCatalog(c *catalog.Catalog, g *access.Guard) {
	r := catalogRoom{s, c, g}
	bind(s, adminapi.Apply, r.apply)
	bind(s, adminapi.Export, r.export)
	for _, k := range gatehouse.Kinds {
		if routes := adminapi.ObjectsOf[k.Kind]; routes.Owned != nil {
			r.bindOwned(k.Kind, routes.Owned)
		} else {
			r.bindOrg(k.Kind, routes.Org)
		}
	}
}

func (r catalogRoom) bindOwned(k gatehouse.Kind, routes *adminapi.OwnedRoutes) {
	bind(r.Server, routes.Get, func(ctx context.Context, in *adminapi.GetOwned) (*adminapi.Object, error) {
		return r.get(ctx, k, in.OwnedRef, in.GetOptions)
	})
	bind(r.Server, routes.Put, func(ctx context.Context, in *adminapi.PutOwned) (*adminapi.Object, error) {
		return r.put(ctx, k, in.OwnedRef, in.Conditional, in.Body)
	})
	bind(r.Server, routes.Delete, func(ctx context.Context, in *adminapi.DeleteOwned) (*adminapi.Empty, error) {
		return r.delete(ctx, k, in.OwnedRef, in.Conditional, catalog.Request{YesDelete: in.YesDelete, Force: in.Force})
	})
	bind(r.Server, routes.List, func(ctx context.Context, in *adminapi.ListOwned) (*adminapi.Objects, error) {
		team := in.Team
		if team == "-" {
			team = ""
		}
		return r.list(ctx, k, team, in.PageRequest, in.AsOf)
	})
}

func (r catalogRoom) bindOrg(k gatehouse.Kind, routes *adminapi.OrgRoutes) {
	bind(r.Server, routes.Get, func(ctx context.Context, in *adminapi.GetOrg) (*adminapi.Object, error) {
		return r.get(ctx, k, adminapi.OwnedRef{Name: in.Name}, in.GetOptions)
	})
	bind(r.Server, routes.Put, func(ctx context.Context, in *adminapi.PutOrg) (*adminapi.Object, error) {
		return r.put(ctx, k, adminapi.OwnedRef{Name: in.Name}, in.Conditional, in.Body)
	})
	bind(r.Server, routes.Delete, func(ctx context.Context, in *adminapi.DeleteOrg) (*adminapi.Empty, error) {
		return r.delete(ctx, k, adminapi.OwnedRef{Name: in.Name}, in.Conditional, catalog.Request{YesDelete: in.YesDelete, Force: in.Force})
	})
	bind(r.Server, routes.List, func(ctx context.Context, in *adminapi.ListOrg) (*adminapi.Objects, error) {
		return r.list(ctx, k, "", in.PageRequest, in.AsOf)
	})
}

// allowWrites asks whether the caller may put and delete what a request names,
// takes nothing of another team unasked, and gives nobody more than they hold.
func (r catalogRoom) allowWrites(ctx context.Context, writes []catalog.Write) error {
	actor := audit.From(ctx).Actor
	checks := make([]access.Write, len(writes))
	for i, w := range writes {
		if err := r.guard.AuthorizeWrite(actor, w.Action, w.Before, w.After); err != nil {
			return err
		}
		if err := r.offered(ctx, w, writes); err != nil {
			return err
		}
		for _, l := range w.Loans() {
			if err := r.guard.AuthorizeOn(actor, l.Action, access.On{Kind: l.Kind, Team: l.Team, Name: l.Name}); err != nil {
				return err
			}
		}
		checks[i] = access.Write{Before: w.Before, After: w.After}
	}
	return r.guard.CheckWrites(actor, checks...)
}

func (r catalogRoom) get(ctx context.Context, k gatehouse.Kind, ref adminapi.OwnedRef, o adminapi.GetOptions) (*adminapi.Object, error) {
	at, err := moment("asOf", o.AsOf)
	if err != nil {
		return nil, err
	}
	v, err := r.catalog.Get(ctx, k, ref.Team, ref.Name, at)
	if role, ok := access.BuiltIn(ref.Name); ok && k == gatehouse.KindRole && gatehouse.Is(err, gatehouse.NotFound) {
		body, err := builtIn(role)
		return &adminapi.Object{ETag: `"built-in"`, Body: body}, err
	}
	if err != nil {
		return nil, err
	}
	if at.IsZero() {
		if v, err = r.told(ctx, v); err != nil {
			return nil, err
		}
	} else if err := r.guard.AuthorizeOn(audit.From(ctx).Actor, catalog.Action(k, "get"), access.OnObject(v.Object)); err != nil {
		return nil, err // the past is told to who has a role on it
	}
	if o.Effective {
		if v, err = v.Effective(); err != nil {
			return nil, err
		}
	}
	return object(v)
}

func object(v *catalog.View) (*adminapi.Object, error) {
	body, err := objectBody(v)
	return &adminapi.Object{ETag: etag(v.Rev), Body: body}, err
}

func objectBody(v *catalog.View) (adminapi.ObjectBody, error) {
	var b adminapi.ObjectBody
	if err := json.Unmarshal(v.Text, &b); err != nil {
		return b, gatehouse.E(gatehouse.Internal, "reading %s: %w", v.Object.Ref(), err)
	}
	status := map[string]json.RawMessage{}
	if len(v.Status) > 0 {
		if err := json.Unmarshal(v.Status, &status); err != nil {
			return b, gatehouse.E(gatehouse.Internal, "reading %s: %w", v.Object.Ref(), err)
		}
	}
	if v.Set != "" {
		status["set"] = json.RawMessage(strconv.Quote(v.Set))
	}
	if len(status) == 0 {
		return b, nil
	}
	var err error
	b.Status, err = json.Marshal(status)
	return b, err
}

// etag is the entity tag of a revision, strong (RFC 9110 §8.8.3).
func etag(rev store.Seq) string { return `"` + strconv.FormatInt(int64(rev), 10) + `"` }

// expectation turns If-Match and If-None-Match (RFC 9110 §13.1) into the
// revision the object must be at, nil for any.
func (r catalogRoom) expectation(ctx context.Context, k gatehouse.Kind, ref adminapi.OwnedRef, c adminapi.Conditional) (*store.Seq, error) {
	absent := store.Absent
	switch {
	case c.IfNoneMatch == "*":
		return &absent, nil
	case c.IfNoneMatch != "":
		return nil, gatehouse.E(gatehouse.Invalid, "If-None-Match: %q: only * is taken, to create and never replace", c.IfNoneMatch)
	case c.IfMatch == "":
		return nil, nil
	}
	now, err := r.catalog.Get(ctx, k, ref.Team, ref.Name, noTime)
	if gatehouse.Is(err, gatehouse.NotFound) {
		return nil, gatehouse.E(gatehouse.Lost, "If-Match: %s: there is no such object", c.IfMatch)
	}
	if err != nil {
		return nil, err
	}
	for tag := range strings.SplitSeq(c.IfMatch, ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || tag == etag(now.Rev) {
			return &now.Rev, nil
		}
	}
	return nil, gatehouse.E(gatehouse.Lost, "If-Match: %s: it has moved on to %s; read it again", c.IfMatch, etag(now.Rev))
}

func (r catalogRoom) put(ctx context.Context, k gatehouse.Kind, ref adminapi.OwnedRef, c adminapi.Conditional, body json.RawMessage) (*adminapi.Object, error) {
	o, err := gatehouse.DecodeObject(body)
	if err != nil {
		return nil, err
	}
	if err := inPlace(o, k, ref); err != nil {
		return nil, err
	}
	d := catalog.Document{Object: o}
	if d.Expect, err = r.expectation(ctx, k, ref, c); err != nil {
		return nil, err
	}
	now, err := r.catalog.Get(ctx, k, ref.Team, ref.Name, noTime)
	if err == nil {
		d.Files = now.Files
	} else if !gatehouse.Is(err, gatehouse.NotFound) {
		return nil, err
	}
	v, _, err := r.catalog.Put(ctx, d, catalog.Request{Allow: r.allowWrites})
	if err != nil {
		return nil, err
	}
	return object(v)
}

// inPlace refuses a document that is not the one the path names.
func inPlace(o *gatehouse.Object, k gatehouse.Kind, ref adminapi.OwnedRef) error {
	var faults []gatehouse.Fault
	differs := func(pointer, have, want string) {
		if have != want {
			faults = append(faults, gatehouse.Fault{Object: o.Ref(), Pointer: pointer, Detail: fmt.Sprintf("%q is not %q, which the path names", have, want)})
		}
	}
	differs("/kind", string(o.Kind), string(k))
	differs("/metadata/team", o.Metadata.Team, ref.Team)
	differs("/metadata/name", o.Metadata.Name, ref.Name)
	return gatehouse.InvalidFaults(faults)
}

func (r catalogRoom) delete(ctx context.Context, k gatehouse.Kind, ref adminapi.OwnedRef, c adminapi.Conditional, req catalog.Request) (*adminapi.Empty, error) {
	req.Allow = r.allowWrites
	expect, err := r.expectation(ctx, k, ref, c)
	if err != nil {
		return nil, err
	}
	return &adminapi.Empty{}, r.catalog.Delete(ctx, k, ref.Team, ref.Name, expect, req)
}

func (r catalogRoom) list(ctx context.Context, k gatehouse.Kind, team string, p adminapi.PageRequest, asOf string) (*adminapi.Objects, error) {
	f := catalog.Filter{Kind: k, Team: team, Prefix: p.Prefix, After: p.After, Limit: p.Limit, Allow: r.mayFind}
	var err error
	if f.AsOf, err = moment("asOf", asOf); err != nil {
		return nil, err
	}
	if !f.AsOf.IsZero() {
		f.Allow = r.mayRead
	}
	if f.Where, err = catalog.ParseFilter(k, p.Filter); err != nil {
		return nil, err
	}
	if f.Sort, f.Desc, err = catalog.ParseSort(k, p.Sort); err != nil {
		return nil, err
	}
	page, err := r.catalog.List(ctx, f)
	if err != nil {
		return nil, err
	}
	out := &adminapi.Objects{}
	out.Body.Items, out.Body.Next = []adminapi.ObjectBody{}, page.Next
	for _, v := range page.Items {
		if f.AsOf.IsZero() {
			if v, err = r.told(ctx, v); err != nil {
				return nil, err
			}
		}
		b, err := objectBody(v)
		if err != nil {
			return nil, err
		}
		out.Body.Items = append(out.Body.Items, b)
	}
	return out, nil
}

// mayRead reports whether the caller may read the object.
func (r catalogRoom) mayRead(ctx context.Context, o *gatehouse.Object) bool {
	return r.guard.AuthorizeOn(audit.From(ctx).Actor, catalog.Action(o.Kind, "get"), access.OnObject(o)) == nil
}
