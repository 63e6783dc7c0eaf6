package release

import (
	"context"
	"encoding/json"

	"gatehouse"
	"gatehouse/control/catalog"
	"gatehouse/store"
)

// Of are the releases of a version, in order of environment.
func (d *Desk) Of(ctx context.Context, ref catalog.Ref) ([]gatehouse.Release, error) {
	return list(ctx, d.db, map[string]string{"api": ref.API(), "version": ref.Version})
}

// Canaries are the releases with a canary that is on its way.
func (d *Desk) Canaries(ctx context.Context) ([]gatehouse.Release, error) {
	return list(ctx, d.db, map[string]string{"canary": gatehouse.CanaryRunning})
}

// Live is the revision of a version that is wanted in an environment.
func (d *Desk) Live(ctx context.Context, ref catalog.Ref, env string) (string, error) {
	rec, err := d.db.Get(ctx, keyOf(env, ref))
	if err != nil && !gatehouse.Is(err, gatehouse.NotFound) {
		return "", err
	}
	var rel gatehouse.Release
	if err == nil {
		if err := json.Unmarshal(rec.Value, &rel); err != nil {
			return "", gatehouse.E(gatehouse.Internal, "reading %q: %w", rec.Key, err)
		}
	}
	if rel.Revision == "" {
		return "", gatehouse.E(gatehouse.NotFound, "API version %q is not released in %q", ref, env)
	}
	return rel.Revision, nil
}

// list reads all releases that conditions find.
func list(ctx context.Context, db store.DB, where map[string]string) (all []gatehouse.Release, err error) {
	q := store.Query{Kind: string(gatehouse.KindRelease), Where: where, Limit: pageOf}
	for {
		page, err := db.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, rec := range page.Records {
			var r gatehouse.Release
			if err := json.Unmarshal(rec.Value, &r); err != nil {
				return nil, gatehouse.E(gatehouse.Internal, "reading %q: %w", rec.Key, err)
			}
			all = append(all, r)
		}
		if q.After = page.Next; q.After == "" {
			return all, nil
		}
	}
}
