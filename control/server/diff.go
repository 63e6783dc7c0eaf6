package server

import (
	"context"
	"strings"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/catalog"
	"gatehouse/control/diff"
	"gatehouse/definition/breaking"
)

// BindDiff binds the comparison of revisions. Whoever asks must be allowed to
// see both sides, and the calls that are counted.
func (s *Server) BindDiff(f *diff.Differ) {
	bind(s, adminapi.Diff, func(ctx context.Context, in *adminapi.DiffRequest) (*adminapi.DiffAnswer, error) {
		from := diff.Side{Ref: refOf(in.VersionPath), Environment: in.Environment}
		from.Revision = in.Revision
		to := diff.Side{Ref: refOf(in.VersionPath), Environment: in.ToEnvironment}
		if in.To != "" {
			ref, err := catalog.ParseRef(in.To)
			if err != nil {
				return nil, gatehouse.E(gatehouse.Invalid, "to: %w", err)
			}
			to.Ref = ref
		}
		if to.API() != from.API() {
			if err := s.allow(ctx, adminapi.Diff.Action, "API/"+to.API()); err != nil {
				return nil, err
			}
		}
		d, err := f.Diff(ctx, from, to, in.Days)
		if err != nil {
			return nil, err
		}
		return &adminapi.DiffAnswer{Body: diffBody(d)}, nil
	})
}

func diffBody(d *diff.Difference) adminapi.DiffBody {
	b := adminapi.DiffBody{
		From: diffSide(d.From), To: diffSide(d.To), Same: d.Same(), Breaking: d.Breaks(), Definition: diffChanges(d.Definition), Omitted: d.Omitted,
		NotCompared: d.NotCompared, Gatehouse: diffChanges(d.Gatehouse), Removed: d.Removed, Added: d.Added, Since: d.Since, Affected: []adminapi.DiffAffected{},
	}
	for _, a := range d.Affected {
		team, _, _ := strings.Cut(a.Application, "/")
		b.Affected = append(b.Affected, adminapi.DiffAffected{Application: a.Application, Team: team, Operations: a.Operations, Requests: a.Requests, Last: a.Last})
	}
	return b
}

func diffSide(s diff.Side) adminapi.DiffSide {
	return adminapi.DiffSide{API: s.API(), Version: s.Version, Revision: s.Revision, Environment: s.Environment}
}

func diffChanges(all []breaking.Change) []adminapi.DiffChange {
	out := make([]adminapi.DiffChange, 0, len(all))
	for _, c := range all {
		out = append(out, adminapi.DiffChange(c))
	}
	return out
}
