package release

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/control/catalog"
	"gatehouse/report"
	"gatehouse/store"
)

func hourOf(t time.Time) time.Time { return t.UTC().Truncate(time.Hour) }

// counted is what gateways of an environment counted of a revision from the
// hour on.
func (d *Desk) counted(ctx context.Context, env string, ref catalog.Ref, revision string, from time.Time) (gatehouse.CanaryCount, error) {
	out := gatehouse.CanaryCount{From: from}
	rows, err := d.db.Usage(ctx, store.UsageQuery{From: from, Bins: true, By: []string{"class"}, Where: map[string]string{
		"environment": env, "api": ref.String(), "revision": report.ShortRevision(revision),
	}})
	if err != nil {
		return out, err
	}
	for _, r := range rows {
		out.Requests += r.Requests
		if r.Class == 5 {
			out.Errors += r.Requests
		}
		for i, n := range r.Latency {
			if out.Latency == nil {
				out.Latency = make([]int64, len(report.LatencyBounds)+1)
			}
			out.Latency[i] += n
		}
		out.Bins = out.Bins.Add(r.Bins)
	}
	return out, nil
}

// Since is what has been counted of the canary since its step in force began.
func (d *Desk) Since(ctx context.Context, env string, ref catalog.Ref, k *gatehouse.Canary) (gatehouse.CanaryCount, error) {
	now, err := d.counted(ctx, env, ref, k.Revision, k.Base.From)
	if err != nil {
		return now, err
	}
	now.Requests -= k.Base.Requests
	now.Errors -= k.Base.Errors
	for i, n := range k.Base.Latency {
		if i < len(now.Latency) {
			now.Latency[i] -= n
		}
	}
	now.Bins = now.Bins.Less(k.Base.Bins)
	return now, nil
}
