package server

import (
	"context"
	"encoding/json"
	"time"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/access"
	"gatehouse/control/catalog"
	"gatehouse/control/compile"
	"gatehouse/control/exposure"
	"gatehouse/control/release"
	"gatehouse/policy"
)

// An Explainer answers what gateways of an environment do with an operation;
// fleet.Fleet is one.
type Explainer interface {
	Explain(ctx context.Context, id, env, operation, plan string) (*compile.Explanation, error)
}

// versionRoom answers about API versions: their revisions, what they offer, where
// they are exposed.
type versionRoom struct {
	*Server
	catalog  *catalog.Catalog
	releases *release.Desk
	explain  Explainer
	guard    *access.Guard
}

// BindVersions binds what is asked about API versions.
func (s *Server) BindVersions(c *catalog.Catalog, d *release.Desk, e Explainer, g *access.Guard) {
	r := versionRoom{s, c, d, e, g}
	bind(s, adminapi.ListRevisions, r.listRevisions)
	bind(s, adminapi.GetRevision, r.getRevision)
	bind(s, adminapi.GetStatus, r.getStatus)
	bind(s, adminapi.Explain, r.explainVersion)
	bind(s, adminapi.GetCatalog, r.getCatalog)
	bind(s, adminapi.ListOperations, r.listOperations)
}

func refOf(p adminapi.VersionPath) catalog.Ref {
	return catalog.Ref{Team: p.Team, Name: p.Name, Version: p.Version}
}

func (r versionRoom) listRevisions(ctx context.Context, in *adminapi.ListRevisionsRequest) (*adminapi.Revisions, error) {
	ref := refOf(in.VersionPath)
	all, next, err := r.catalog.Revisions(ctx, ref, in.Limit, in.After)
	if err != nil {
		return nil, err
	}
	live, err := r.releases.Of(ctx, ref)
	if err != nil {
		return nil, err
	}
	out := &adminapi.Revisions{}
	out.Body.Items, out.Body.Next = []adminapi.RevisionItem{}, next
	for _, rev := range all {
		item := adminapi.RevisionItem{Hash: rev.Hash, Created: rev.Created, CreatedBy: rev.CreatedBy}
		for _, rel := range live {
			if rel.Revision == rev.Hash {
				item.Environments = append(item.Environments, rel.Environment)
			}
		}
		out.Body.Items = append(out.Body.Items, item)
	}
	return out, nil
}

func (r versionRoom) getRevision(ctx context.Context, in *adminapi.GetRevisionRequest) (*adminapi.RevisionAnswer, error) {
	ref := refOf(in.VersionPath)
	ref.Revision = in.Revision
	rev, err := r.catalog.Revision(ctx, ref)
	if err != nil {
		return nil, err
	}
	return &adminapi.RevisionAnswer{Body: *rev}, nil
}

func (r versionRoom) getStatus(ctx context.Context, in *adminapi.StatusRequest) (*adminapi.StatusAnswer, error) {
	ref := refOf(in.VersionPath)
	if _, err := r.catalog.Revision(ctx, ref); err != nil {
		return nil, err
	}
	all, next, err := exposure.Page(ctx, r.DB, exposure.Selection{Environment: in.Environment, Team: ref.Team, API: ref.Name, Version: ref.Version}, in.Limit, in.After)
	if err != nil {
		return nil, err
	}
	out := &adminapi.StatusAnswer{}
	out.Body.Items, out.Body.Next = entries(all), next
	return out, nil
}

func (r versionRoom) getCatalog(ctx context.Context, in *adminapi.CatalogRequest) (*adminapi.CatalogAnswer, error) {
	at, err := moment("asOf", in.AsOf)
	if err != nil {
		return nil, err
	}
	all, next, err := exposure.Page(ctx, r.DB, exposure.Selection{
		AsOf: at, Environment: in.Environment, Team: in.Team,
		// Asked API by API: who may see one team's part sees that part.
		May: func(api string) bool { return r.maySee(ctx, api, at) },
	}, in.Limit, in.After)
	if err != nil {
		return nil, err
	}
	out := &adminapi.CatalogAnswer{}
	if out.Body.AsOf = at; at.IsZero() {
		out.Body.AsOf = time.Now().UTC()
	}
	out.Body.Items, out.Body.Next = r.entriesFor(ctx, all, at), next
	return out, nil
}

func entries(all []exposure.Entry) []adminapi.CatalogEntry {
	out := make([]adminapi.CatalogEntry, 0, len(all))
	for _, e := range all {
		out = append(out, entry(&e))
	}
	return out
}

func entry(e *exposure.Entry) adminapi.CatalogEntry {
	c := adminapi.CatalogEntry{
		API: e.API, Version: e.Version, Title: e.Title, Team: e.Team, Environment: e.Environment, Stage: e.Stage, Gateway: e.Gateway,
		Location: e.Location, Audience: e.Audience, Access: e.Access, Lifecycle: e.Lifecycle, Framework: e.Framework, Hosts: e.Hosts,
		Path: e.Path, Revision: e.Revision, Proposed: e.Proposed, Since: e.Since, By: e.By, Note: e.Note, Canary: e.Canary, State: e.State, Reason: e.Reason, Gate: e.Gate, GateUntil: e.GateUntil, GateReason: e.GateReason,
	}
	for _, i := range e.Instances {
		c.Instances = append(c.Instances, adminapi.CatalogInstance(i))
	}
	return c
}

// explainVersion shows the chain of every operation, or of one. Operations to
// which nothing is attached share the version's.
func (r versionRoom) explainVersion(ctx context.Context, in *adminapi.ExplainRequest) (*adminapi.ExplainAnswer, error) {
	id, plan := refOf(in.VersionPath).String(), ""
	if in.Plan != "" || in.Product != "" {
		if in.Plan == "" || in.Product == "" {
			return nil, gatehouse.E(gatehouse.Invalid, "explaining %q: product and plan are named together", id)
		}
		team, name := gatehouse.ParseRef(in.Product, in.Team)
		plan = team + "/" + name + "/" + in.Plan
	}
	base, err := r.explain.Explain(ctx, id, in.Environment, in.Operation, plan)
	if err != nil {
		return nil, err
	}
	out := &adminapi.ExplainAnswer{}
	if in.Operation != "" {
		out.Body.Operations = []adminapi.ExplainedOperation{explained(gatehouse.Operation{ID: base.Operation, Method: base.Method, Path: base.Path}, base.Steps)}
		return out, nil
	}
	ref := refOf(in.VersionPath)
	ref.Revision = base.Revision
	rev, err := r.catalog.Revision(ctx, ref)
	if err != nil {
		return nil, err
	}
	operations, err := r.catalog.Operations(ctx, rev)
	if err != nil {
		return nil, err
	}
	if len(operations) == 0 {
		operations = []gatehouse.Operation{{ID: "*"}}
	}
	attached := rev.Form.Version.Operations
	for _, o := range operations {
		x := base
		if len(attached[o.ID].Policies) > 0 || len(attached[o.Method+" "+o.Path].Policies) > 0 {
			if x, err = r.explain.Explain(ctx, id, in.Environment, o.ID, plan); err != nil {
				return nil, err
			}
		}
		out.Body.Operations = append(out.Body.Operations, explained(o, x.Steps))
	}
	return out, nil
}

func explained(o gatehouse.Operation, steps []policy.Use) adminapi.ExplainedOperation {
	x := adminapi.ExplainedOperation{Operation: o.ID, Method: o.Method, Path: o.Path, Steps: []adminapi.ExplainedStep{}}
	for _, s := range steps {
		step := adminapi.ExplainedStep{Policy: s.Name, From: s.From}
		if len(s.Config) > 0 {
			step.Config = json.RawMessage(s.Config)
		}
		x.Steps = append(x.Steps, step)
	}
	return x
}
