package support

import (
	"context"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/hours"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// Levels are the parts of a promise, in percent, whose end is announced.
var Levels = []int{75, 100}

// promised fixes what the helping side promises: by the best plan under which
// the asking team uses the API, else by the API, else by the team.
func (d *Desk) promised(ctx context.Context, r *Request, api *gatehouse.API) error {
	var owner *gatehouse.TeamSupport
	if r.To != "" {
		v, err := d.catalog.Get(ctx, gatehouse.KindTeam, "", r.To, time.Time{})
		if err != nil && !gatehouse.Is(err, gatehouse.NotFound) {
			return err
		}
		if err == nil {
			owner = v.Object.Spec.(*gatehouse.Team).Support
		}
	}
	if owner != nil {
		r.Hours, r.Holidays = owner.Hours, owner.Holidays
	}
	var best gatehouse.SLASupport
	if api != nil {
		if api.Support != nil && api.Support.Hours != "" {
			r.Hours = api.Support.Hours
		}
		var err error
		if best, r.Promise, err = d.byPlan(ctx, r); err != nil {
			return err
		}
		if best == (gatehouse.SLASupport{}) && api.SLA != nil && api.SLA.Support != nil {
			best, r.Promise = *api.SLA.Support, "API "+strings.SplitN(r.API, "@", 2)[0]
		}
	}
	if best == (gatehouse.SLASupport{}) && owner != nil {
		if best = (gatehouse.SLASupport{FirstResponse: owner.FirstResponse, Resolution: owner.Resolution}); best != (gatehouse.SLASupport{}) {
			r.Promise = "team " + r.To
		}
	}
	r.FirstResponse, r.Resolution = newClock(best.FirstResponse), newClock(best.Resolution)
	return nil
}

func newClock(limit jsonx.Duration) *gatehouse.SupportClock {
	if limit <= 0 {
		return nil
	}
	return &gatehouse.SupportClock{Limit: limit}
}

// byPlan is the best promise among the plans of the asking side's live
// subscriptions to products that have the API.
func (d *Desk) byPlan(ctx context.Context, r *Request) (best gatehouse.SLASupport, from string, err error) {
	name, _, _ := strings.Cut(r.API, "@")
	products, err := d.db.List(ctx, store.Query{Kind: string(gatehouse.KindProduct), Where: map[string]string{"ref:API/" + name: "1"}, Limit: 500})
	if err != nil {
		return best, "", err
	}
	for _, rec := range products.Records {
		product := strings.TrimPrefix(rec.Key, "Product/")
		where := map[string]string{"product": product, "state": gatehouse.Approved}
		if r.Application != "" {
			where["application"] = r.Application
		}
		team, n := gatehouse.ParseRef(product, "")
		view, err := d.catalog.Get(ctx, gatehouse.KindProduct, team, n, time.Time{})
		if gatehouse.Is(err, gatehouse.NotFound) {
			continue
		}
		if err != nil {
			return best, "", err
		}
		spec := view.Object.Spec.(*gatehouse.Product)
		for _, plan := range spec.Plans {
			if plan.SLA == nil || plan.SLA.Support == nil || !better(*plan.SLA.Support, best) {
				continue
			}
			where["plan"] = plan.Name
			page, err := d.db.List(ctx, store.Query{Kind: string(gatehouse.KindSubscription), Prefix: "Subscription/" + r.From + "/", Where: where, Limit: 1})
			if err != nil {
				return best, "", err
			}
			if len(page.Records) > 0 {
				best, from = *plan.SLA.Support, "plan "+product+" "+plan.Name
			}
		}
	}
	return best, from, nil
}

// better reports whether a promises a person sooner than b, or a solution.
func better(a, b gatehouse.SLASupport) bool {
	sooner := func(x, y jsonx.Duration) (less, differ bool) {
		return x > 0 && (y == 0 || x < y), x != y
	}
	if less, differ := sooner(a.FirstResponse, b.FirstResponse); differ {
		return less
	}
	less, _ := sooner(a.Resolution, b.Resolution)
	return less
}

// tick lets the clocks run or stand as the state wants; answered and solved
// say what has just been done.
func (r *Request) tick(now time.Time) {
	c := r.Calendar()
	set(r.FirstResponse, c, now, r.State == gatehouse.SupportOpen || r.State == gatehouse.SupportAcknowledged)
	set(r.Resolution, c, now, !r.Over() && r.State != gatehouse.SupportWaiting)
}

func set(k *gatehouse.SupportClock, c *hours.Calendar, now time.Time, run bool) {
	switch {
	case k == nil:
	case !k.Met.IsZero() || !run:
		k.Used, k.Since = jsonx.Duration(k.Now(c, now)), time.Time{}
	case k.Since.IsZero():
		k.Since = now
	}
}

// met stops a clock because what was promised is done.
func met(k *gatehouse.SupportClock, c *hours.Calendar, now time.Time) {
	if k != nil && k.Met.IsZero() {
		k.Used, k.Since, k.Met = jsonx.Duration(k.Now(c, now)), time.Time{}, now
	}
}

// A Reading is a clock at a moment.
type Reading struct {
	State string // running, standing, met, missed
	Limit time.Duration
	Used  time.Duration
	Due   time.Time // when the limit is used up, while it runs
}

// Read reads a clock; nil for one that is not there.
func Read(k *gatehouse.SupportClock, c *hours.Calendar, now time.Time) *Reading {
	if k == nil {
		return nil
	}
	out := &Reading{Limit: k.Limit.Std(), Used: k.Now(c, now), State: "standing"}
	switch {
	case out.Used > out.Limit:
		out.State = "missed"
	case !k.Met.IsZero():
		out.State = "met"
	case !k.Since.IsZero():
		out.State = "running"
		out.Due, _ = c.After(k.Since, out.Limit-k.Used.Std())
	}
	return out
}

// wakes is when the background work must look at the request, in a form that
// sorts; [never] when it need not.
func (r *Request) wakes() string {
	next := never
	if r.State == gatehouse.SupportResolved {
		next = store.Moment(r.Since.Add(CloseAfter))
	}
	c := r.Calendar()
	for _, k := range []*gatehouse.SupportClock{r.FirstResponse, r.Resolution} {
		if k == nil || k.Since.IsZero() {
			continue
		}
		for _, level := range Levels {
			if slices.Contains(k.Escalated, level) {
				continue
			}
			if at, ok := c.After(k.Since, part(k, level)-k.Used.Std()); ok {
				next = min(next, store.Moment(at))
			}
		}
	}
	return next
}

// part is a level of a clock's limit.
func part(k *gatehouse.SupportClock, level int) time.Duration {
	return k.Limit.Std() / 100 * time.Duration(level)
}
