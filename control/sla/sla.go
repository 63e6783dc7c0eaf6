// Package sla tells whether what plans and APIs promise was kept: availability
// and latency as gateways measured them, and support as its clocks did.
//
// It measures nothing and keeps nothing: it reads roll-ups of package usage,
// which are hourly and in UTC, and requests of package support. What counts is
// said at [Measure]; where what was counted cannot tell whether a promise of
// latency was kept, the report says so rather than guess: latencies are known
// within 5 %, and by doubling bounds where gateways of before counted them.
package sla

import (
	"context"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/control/catalog"
	"gatehouse/control/support"
	"gatehouse/store"
)

// Windows are the rolling windows in which burn rates are told.
var Windows = []struct {
	Name string
	Time time.Duration
}{{"1h", time.Hour}, {"6h", 6 * time.Hour}, {"24h", 24 * time.Hour}, {"7d", 7 * 24 * time.Hour}, {"30d", 30 * 24 * time.Hour}}

// Promises reads who promised what and how it was kept.
type Promises struct {
	Catalog *catalog.Catalog
	DB      store.DB
	Support *support.Desk
	Now     func() time.Time
}

// A Question says what is asked for; zero fields ask nothing.
type Question struct {
	Team        string // that promises
	API         string // "payments/orders"
	Plan        string // "payments/commerce/gold"
	Application string // "billing/invoices": what its plans promise it
	Environment string
	From, To    time.Time
}

// An Item is one promise in one environment.
type Item struct {
	Kind        string // api, plan or application
	API         string
	Product     string
	Plan        string
	Application string
	Environment string // "" where nothing was counted anywhere
	Objective   gatehouse.SLA
	Measured    Measure
	Burn        map[string]float64 // by window; absent where nothing was counted
	Support     *SupportMeasure
	Why         string // nothing was measured; "" where something was
}

// A Report is the answer to a question.
type Report struct {
	From, To time.Time
	Items    []Item
	Note     string // why there are no items
}

// Month is the calendar month, UTC, as far as it has come.
func Month(text string, now time.Time) (from, to time.Time, err error) {
	if from, err = time.Parse("2006-01", text); err != nil {
		return from, to, gatehouse.E(gatehouse.Invalid, "month: %q is not a month such as \"2026-11\"", text)
	}
	if from.After(now) {
		return from, to, gatehouse.E(gatehouse.Invalid, "month: %q is yet to come", text)
	}
	if to = from.AddDate(0, 1, 0); to.After(now) {
		to = now
	}
	return from, to, nil
}

// Rolling is the window of that length that ends now. Roll-ups are of whole
// hours: it begins at the full hour before, so that it holds the window's full
// hours and what the running one has so far.
func Rolling(d time.Duration, now time.Time) (from, to time.Time) {
	return now.Truncate(time.Hour).Add(-d), now
}

// maxPromises bounds what one report looks at.
const maxPromises = 5000

// Report answers a question.
func (p *Promises) Report(ctx context.Context, q Question) (*Report, error) {
	if err := p.check(ctx, &q); err != nil {
		return nil, err
	}
	promises, used, err := p.promises(ctx, q)
	if err != nil {
		return nil, err
	}
	if len(promises) == 0 {
		return &Report{From: q.From, To: q.To, Note: q.nothing(used)}, nil
	}
	counts, err := p.counts(ctx, q, q.From, q.To, true)
	if err != nil {
		return nil, err
	}
	out := &Report{From: q.From, To: q.To}
	at := map[subject]int{}
	for _, pr := range promises {
		for _, s := range counts.of(pr) {
			item := pr.item(s)
			item.Measured = counts.by[s].judge(pr.objective)
			at[s] = len(out.Items)
			out.Items = append(out.Items, item)
		}
	}
	for _, w := range Windows {
		from, to := Rolling(w.Time, q.To)
		burnt, err := p.counts(ctx, q, from, to, false)
		if err != nil {
			return nil, err
		}
		for s, i := range at {
			if m := burnt.by[s].judge(out.Items[i].Objective); m.Burn != nil {
				if out.Items[i].Burn == nil {
					out.Items[i].Burn = map[string]float64{}
				}
				out.Items[i].Burn[w.Name] = *m.Burn
			}
		}
	}
	if err := p.explain(ctx, q, out.Items); err != nil {
		return nil, err
	}
	return out, p.supported(ctx, q, out)
}

// A promise is an objective and whose it is.
type promise struct {
	subject   // without application and environment
	objective gatehouse.SLA
}

// A subject is what is measured together.
type subject struct{ kind, api, product, plan, application, environment string }

func (pr *promise) item(s subject) Item {
	return Item{Kind: s.kind, API: s.api, Product: s.product, Plan: s.plan, Application: s.application, Environment: s.environment, Objective: pr.objective}
}

// promises finds what is promised, in the order of names; subscribed are how many
// plans the application asked for has.
func (p *Promises) promises(ctx context.Context, q Question) (list []promise, subscribed int, err error) {
	if q.Plan == "" && q.Application == "" {
		err = p.each(ctx, gatehouse.KindAPI, q.Team, q.API, func(v *catalog.View) {
			if s, ok := v.Object.Spec.(*gatehouse.API); ok && s.SLA != nil {
				list = append(list, promise{subject{kind: "api", api: v.Object.Metadata.Ref()}, *s.SLA})
			}
		})
	}
	if err != nil || q.API != "" {
		return list, 0, err
	}
	product, plan, _ := cutLast(q.Plan)
	kind := "plan"
	var used map[string]bool
	if q.Application != "" {
		kind = "application"
		if used, err = p.used(ctx, q.Application); err != nil {
			return nil, 0, err
		}
	}
	err = p.each(ctx, gatehouse.KindProduct, q.Team, product, func(v *catalog.View) {
		s, ok := v.Object.Spec.(*gatehouse.Product)
		for i := 0; ok && i < len(s.Plans); i++ {
			pl := &s.Plans[i]
			if used != nil && !used[v.Object.Metadata.Ref()+"/"+pl.Name] {
				continue
			}
			if pl.SLA != nil && (plan == "" || pl.Name == plan) {
				list = append(list, promise{subject{kind: kind, product: v.Object.Metadata.Ref(), plan: pl.Name, application: q.Application}, *pl.SLA})
			}
		}
	})
	if err == nil && plan != "" && len(list) == 0 && q.Application == "" {
		return nil, 0, gatehouse.E(gatehouse.NotFound, "product %q has no plan %q that promises anything", product, plan)
	}
	return list, len(used), err
}

// used are the plans that an application has, or had, a subscription to.
func (p *Promises) used(ctx context.Context, application string) (map[string]bool, error) {
	team, name := gatehouse.ParseRef(application, "")
	if _, err := p.Catalog.Get(ctx, gatehouse.KindApplication, team, name, time.Time{}); err != nil {
		return nil, err
	}
	page, err := p.Catalog.List(ctx, catalog.Filter{Kind: gatehouse.KindSubscription, Where: map[string]string{"application": application}, Limit: 1000})
	if err != nil {
		return nil, err
	}
	used := map[string]bool{}
	for _, v := range page.Items {
		if s, ok := v.Object.Spec.(*gatehouse.Subscription); ok {
			t, n := gatehouse.ParseRef(s.Product, v.Object.Metadata.Team)
			used[t+"/"+n+"/"+s.Plan] = true
		}
	}
	return used, nil
}

// cutLast splits "payments/commerce/gold" before its last part.
func cutLast(text string) (before, last string, ok bool) {
	i := strings.LastIndexByte(text, '/')
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+1:], true
}

// each reads objects of a kind, of a team or one.
func (p *Promises) each(ctx context.Context, kind gatehouse.Kind, team, ref string, do func(*catalog.View)) error {
	if ref != "" {
		t, name := gatehouse.ParseRef(ref, team)
		v, err := p.Catalog.Get(ctx, kind, t, name, time.Time{})
		if err == nil {
			do(v)
		}
		return err
	}
	f := catalog.Filter{Kind: kind, Team: team, Limit: 500}
	for seen := 0; ; {
		page, err := p.Catalog.List(ctx, f)
		if err != nil {
			return err
		}
		if seen += len(page.Items); seen > maxPromises {
			return gatehouse.E(gatehouse.Invalid, "reporting service levels: there are more than %d objects of kind %s; ask for a team", maxPromises, kind)
		}
		for _, v := range page.Items {
			do(v)
		}
		if f.After = page.Next; f.After == "" {
			return nil
		}
	}
}
