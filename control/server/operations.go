package server

import (
	"cmp"
	"context"
	"path"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/access"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
)

// listOperations tells what an API version offers, as it is live in an
// environment or was applied last.
func (r versionRoom) listOperations(ctx context.Context, in *adminapi.ListOperationsRequest) (*adminapi.OperationsAnswer, error) {
	rev, err := r.offered(ctx, refOf(in.VersionPath), in.Environment)
	if err != nil {
		return nil, err
	}
	if on := (access.On{Kind: gatehouse.KindAPI, Team: in.Team, Name: in.Name}); !rev.Form.Version.Served() {
		// Who finds the API finds what is served of it.
		if err := r.guard.AuthorizeOn(audit.From(ctx).Actor, "api.get", on); err != nil {
			return nil, err
		}
	}
	all, err := r.catalog.Operations(ctx, rev)
	if err != nil {
		return nil, err
	}
	v := rev.Form.Version
	out := &adminapi.OperationsAnswer{}
	b := &out.Body
	b.Revision, b.Path, b.Access, b.Lifecycle = rev.Hash, v.Path, cmp.Or(v.Access, "subscription"), cmp.Or(v.Lifecycle, "published")
	if b.Operations = all; all == nil {
		b.Operations = []gatehouse.Operation{}
	}
	if !in.Definition || v.Definition == "" {
		return out, nil
	}
	files, err := r.catalog.Files(ctx, rev)
	if err != nil {
		return nil, err
	}
	for name, text := range files {
		if path.Clean(name) == path.Clean(v.Definition) {
			b.File, b.Definition = name, string(text)
		}
	}
	return out, nil
}

// offered is the revision of a version that is live in an environment, the
// newest where none is named.
func (r versionRoom) offered(ctx context.Context, ref catalog.Ref, environment string) (*gatehouse.Revision, error) {
	if environment != "" {
		live, err := r.releases.Of(ctx, ref)
		if err != nil {
			return nil, err
		}
		for _, rel := range live {
			if rel.Environment == environment {
				ref.Revision = rel.Revision
			}
		}
		if ref.Revision == "" {
			return nil, gatehouse.E(gatehouse.NotFound, "API version %q is not live in environment %q", ref, environment)
		}
	}
	return r.catalog.Revision(ctx, ref)
}
