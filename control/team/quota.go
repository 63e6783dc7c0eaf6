package team

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/jsonx"
	"gatehouse/policy/mock"
	"gatehouse/store"
)

// monthOf is the start of t's calendar month, UTC.
func monthOf(t time.Time) time.Time {
	return time.Date(t.UTC().Year(), t.UTC().Month(), 1, 0, 0, 0, 0, time.UTC)
}

// fewAPIs is how many are asked about one by one; for more, all is summed once.
const fewAPIs = 50

// served are the requests that backends and mocks answered in a span, by API
// version, "team/name@version"; what a policy or the gateway turned down is none.
// For nil they are those of all.
func (d *Desk) served(ctx context.Context, from, to time.Time, apis []string) (map[string]int64, error) {
	sums := map[string]int64{}
	sum := func(where map[string]string) error {
		rows, err := d.db().Usage(ctx, store.UsageQuery{From: from, To: to.Add(time.Hour), By: []string{"api", "denied"}, Where: where})
		for _, r := range rows {
			if r.Denied == "" || r.Denied == mock.Kind.Name {
				sums[r.API] += r.Requests
			}
		}
		return err
	}
	if len(apis) > fewAPIs {
		if err := sum(nil); err != nil {
			return nil, err
		}
		mine := map[string]int64{}
		for _, api := range apis {
			mine[api] = sums[api]
		}
		return mine, nil
	}
	for _, api := range apis {
		if err := sum(map[string]string{"api": api}); err != nil {
			return nil, err
		}
	}
	return sums, nil
}

// quotas are usage against what bounds the team.
func (f *facts) quotas() (all []gatehouse.TeamQuota) {
	q := f.team.Quotas
	if q == nil {
		return nil
	}
	for _, u := range []struct {
		name       string
		used, most int64
	}{{"apis", int64(len(f.apis)), int64(q.APIs)}, {"applications", int64(f.apps), int64(q.Applications)}, {"requests", f.served, q.Requests}} {
		if u.most > 0 {
			all = append(all, gatehouse.QuotaUse(u.name, u.used, u.most))
		}
	}
	return all
}

// kindQuotaWarning is the kind of the records of what teams were told about
// their quotas, kept under "QuotaWarning/<team>".
const kindQuotaWarning gatehouse.Kind = "QuotaWarning"

// A quotaWarning is the last thing a team was told in a month.
type quotaWarning struct {
	Team    string    `json:"team"`
	Month   string    `json:"month"` // 2027-01
	Warning string    `json:"warning"`
	Used    int64     `json:"used"`
	Most    int64     `json:"most"`
	Time    time.Time `json:"time"`
}

// warnEvery is how often a node looks at quotas: summing a month is work.
const warnEvery = 15 * time.Minute

// WarnQuotas looks, now and then, at what teams' APIs served this month. One
// goroutine of a process calls it.
func (d *Desk) WarnQuotas(ctx context.Context) error {
	now := d.now()
	if since := now.Sub(d.warned); since >= 0 && since < warnEvery {
		return nil
	}
	d.warned = now
	return d.warnQuotas(ctx, now)
}

// warnQuotas puts on record, once for each team, month and warning, that its
// APIs served 80, or 100, per cent of the requests it may have. Every node does
// it; the record is moved by compare-and-swap, so it happens once.
func (d *Desk) warnQuotas(ctx context.Context, now time.Time) error {
	bound, apis := map[string]int64{}, []string{}
	err := d.each(ctx, catalog.Filter{Kind: gatehouse.KindTeam}, func(v *catalog.View) error {
		if q := v.Object.Spec.(*gatehouse.Team).Quotas; q != nil && q.Requests > 0 {
			bound[v.Object.Metadata.Name] = q.Requests
		}
		return nil
	})
	if err != nil || len(bound) == 0 {
		return err
	}
	for _, team := range slices.Sorted(maps.Keys(bound)) {
		views, err := d.owned(ctx, gatehouse.KindAPI, team)
		if err != nil {
			return err
		}
		apis = append(apis, versions(views)...)
	}
	sums, err := d.served(ctx, monthOf(now), now, apis)
	if err != nil {
		return err
	}
	used := map[string]int64{}
	for api, n := range sums {
		team, _, _ := strings.Cut(api, "/")
		used[team] += n
	}
	for _, team := range slices.Sorted(maps.Keys(bound)) {
		if u := gatehouse.QuotaUse("requests", used[team], bound[team]); u.Warning != "" {
			if err := d.warn(ctx, team, u, now); err != nil && !gatehouse.Is(err, gatehouse.Conflict) {
				return err
			}
		}
	}
	return nil
}

// versions are the versions of APIs as counts name them, "team/name@version".
func versions(views []*catalog.View) (all []string) {
	for _, v := range views {
		for _, version := range v.Object.Spec.(*gatehouse.API).Versions {
			all = append(all, v.Object.Metadata.Ref()+"@"+version.Name)
		}
	}
	return all
}

// warn tells a team of a quota, unless it was told as much this month.
func (d *Desk) warn(ctx context.Context, team string, u gatehouse.TeamQuota, now time.Time) error {
	next := quotaWarning{Team: team, Month: now.Format("2006-01"), Warning: u.Warning, Used: u.Used, Most: u.Most, Time: now.Truncate(time.Microsecond)}
	key, rev := string(kindQuotaWarning)+"/"+team, store.Absent
	rec, err := d.db().Get(ctx, key)
	switch {
	case err == nil:
		var was quotaWarning
		if err := json.Unmarshal(rec.Value, &was); err != nil {
			return gatehouse.E(gatehouse.Internal, "reading %q: %w", key, err)
		}
		if was.Month == next.Month && (was.Warning == next.Warning || was.Warning == gatehouse.QuotaReached) && was.Most == next.Most {
			return nil
		}
		rev = rec.Rev
	case !gatehouse.Is(err, gatehouse.NotFound):
		return err
	}
	value, err := jsonx.Marshal(&next)
	if err != nil {
		return err
	}
	_, err = d.Trail.Commit(ctx, audit.Act{
		Action: "team.quota-" + u.Warning, Object: "Team " + team, Team: team,
		Reason: fmt.Sprintf("its APIs served %d of %d requests in %s (%d %%)", u.Used, u.Most, now.Format("January 2006"), u.Percent),
		Writes: []store.Write{{Key: key, Kind: string(kindQuotaWarning), Value: value, Expect: rev, Index: map[string]string{"team": team}}},
	})
	return err
}
