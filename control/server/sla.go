package server

import (
	"context"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/sla"
	"gatehouse/jsonx"
)

// BindSLA binds the route of service levels.
func (s *Server) BindSLA(p *sla.Promises, now func() time.Time) {
	bind(s, adminapi.GetServiceLevels, func(ctx context.Context, in *adminapi.PromisesRequest) (*adminapi.PromisesAnswer, error) {
		if err := s.allow(ctx, adminapi.GetServiceLevels.Action, slaOn(in)); err != nil {
			return nil, err
		}
		q, err := slaQuestion(in, now().UTC())
		if err != nil {
			return nil, err
		}
		r, err := p.Report(ctx, q)
		if err != nil {
			return nil, err
		}
		items, next, err := paged(r.Items, in.Paged, func(i *sla.Item) string {
			return strings.Join([]string{i.Kind, i.API, i.Product, i.Plan, i.Application, i.Environment}, "\n")
		})
		if err != nil {
			return nil, err
		}
		out := new(adminapi.PromisesAnswer)
		out.Body.From, out.Body.To, out.Body.Note, out.Body.Items, out.Body.Next = r.From, r.To, r.Note, make([]adminapi.PromiseItem, len(items)), next
		for i := range items {
			out.Body.Items[i] = serviceLevel(&items[i])
		}
		return out, nil
	})
}

// slaOn is what a question is about. An application's owner asks what plans
// promise it; all else is for who promises.
func slaOn(in *adminapi.PromisesRequest) string {
	switch {
	case in.Application != "":
		return "Application/" + in.Application
	case in.API != "":
		return "API/" + in.API
	case in.Plan != "":
		product, _, _ := cutPlan(in.Plan)
		return "Product/" + product
	case in.Team != "":
		return "team/" + in.Team
	}
	return "organization"
}

func cutPlan(text string) (product, plan string, ok bool) {
	i := strings.LastIndexByte(text, '/')
	if i < 0 || strings.Count(text, "/") != 2 {
		return text, "", false
	}
	return text[:i], text[i+1:], true
}

func slaQuestion(in *adminapi.PromisesRequest, now time.Time) (q sla.Question, err error) {
	q = sla.Question{Team: in.Team, API: in.API, Plan: in.Plan, Application: in.Application, Environment: in.Environment}
	if _, _, ok := cutPlan(in.Plan); in.Plan != "" && !ok {
		return q, gatehouse.E(gatehouse.Invalid, "plan: %q is not team/product/plan", in.Plan)
	}
	if strings.Contains(in.API, "@") {
		return q, gatehouse.E(gatehouse.Invalid, "api: %q names a version; promises are made for an API, \"team/name\"", in.API)
	}
	switch {
	case in.Month != "" && in.Window != "":
		return q, gatehouse.E(gatehouse.Invalid, "month and window are both there: one of them")
	case in.Window != "":
		for _, w := range sla.Windows {
			if w.Name == in.Window {
				q.From, q.To = sla.Rolling(w.Time, now)
				return q, nil
			}
		}
		return q, gatehouse.E(gatehouse.Invalid, "window: %q is none of 1h, 6h, 24h, 7d and 30d", in.Window)
	case in.Month == "":
		in.Month = now.Format("2006-01")
	}
	q.From, q.To, err = sla.Month(in.Month, now)
	return q, err
}

func serviceLevel(i *sla.Item) adminapi.PromiseItem {
	m := &i.Measured
	out := adminapi.PromiseItem{Kind: i.Kind, API: i.API, Product: i.Product, Plan: i.Plan, Application: i.Application, Environment: i.Environment,
		Counted: m.Counted, Failed: m.Failed, Left: m.Left, Burn: i.Burn, Why: i.Why}
	if m.Available != "" {
		out.Availability = &adminapi.AvailabilityLevel{Promised: i.Objective.Availability, Measured: m.Availability, Verdict: m.Available, Budget: m.Budget}
	}
	for _, l := range m.Latency {
		level := adminapi.LatencyLevel{Percent: l.Percent, Promised: jsonx.Duration(l.Limit).String(), Verdict: l.Verdict}
		if l.Verdict != sla.NoData {
			level.Over = jsonx.Duration(l.Over).String()
			if l.UpTo > 0 {
				level.UpTo = jsonx.Duration(l.UpTo).String()
			}
		}
		out.Latency = append(out.Latency, level)
	}
	if s := i.Support; s != nil {
		out.Support = &adminapi.SupportLevel{Requests: s.Requests, FirstResponse: adminapi.SupportTally(s.FirstResponse), Resolution: adminapi.SupportTally(s.Resolution)}
	}
	return out
}
