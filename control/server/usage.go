package server

import (
	"context"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/usage"
	"gatehouse/report"
	"gatehouse/store"
)

// BindUsage binds the route of usage.
func (s *Server) BindUsage(u *usage.Usage, now func() time.Time) {
	bind(s, adminapi.QueryUsage, func(ctx context.Context, in *adminapi.UsageRequest) (*adminapi.UsageAnswer, error) {
		if err := s.allow(ctx, adminapi.QueryUsage.Action, usageOn(in)); err != nil {
			return nil, err
		}
		q, err := usageQuery(in, now().UTC())
		if err != nil {
			return nil, err
		}
		rows, err := u.Query(ctx, q)
		if err != nil {
			return nil, err
		}
		out := new(adminapi.UsageAnswer)
		out.Body.From, out.Body.To, out.Body.Items = q.From, q.To, make([]adminapi.UsageRow, 0, len(rows))
		for _, r := range rows {
			out.Body.Items = append(out.Body.Items, usageRow(&r))
		}
		return out, nil
	})
}

// usageOn is what a query is about: one API, application or product, else the
// whole organization.
func usageOn(in *adminapi.UsageRequest) string {
	switch {
	case in.API != "":
		api, _, _ := strings.Cut(in.API, "@")
		return "API/" + api
	case in.Application != "":
		return "Application/" + in.Application
	case in.Product != "":
		return "Product/" + in.Product
	}
	return "organization"
}

func usageQuery(in *adminapi.UsageRequest, now time.Time) (q store.UsageQuery, err error) {
	q = store.UsageQuery{By: in.By, Where: map[string]string{}}
	if in.API != "" {
		if team, name, version, _ := gatehouse.ParseVersionRef(in.API, ""); team == "" || name == "" || version == "" {
			return q, gatehouse.E(gatehouse.Invalid, "api: %q does not name an API version; team/name@version will do, such as payments/orders@v1", in.API)
		}
	}
	if q.To, err = moment("to", in.To); err != nil {
		return q, err
	}
	if q.From, err = moment("from", in.From); err != nil {
		return q, err
	}
	if q.To.IsZero() {
		q.To = now
	}
	if q.From.IsZero() {
		q.From = q.To.Add(-24 * time.Hour)
	}
	for name, value := range map[string]string{
		"environment": in.Environment, "gateway": in.Gateway, "api": in.API, "operation": in.Operation, "application": in.Application,
		"product": in.Product, "plan": in.Plan, "class": in.Class, "denied": in.Denied, "revision": report.ShortRevision(in.Revision),
	} {
		if value != "" {
			q.Where[name] = value
		}
	}
	return q, nil
}

func usageRow(r *usage.Row) adminapi.UsageRow {
	out := adminapi.UsageRow{
		Hour: r.Hour, Environment: r.Environment, Gateway: r.Gateway, API: r.API, Operation: r.Operation, Application: r.Application,
		Product: r.Product, Plan: r.Plan, Class: r.Class, Denied: r.Denied, Revision: r.Revision, Requests: r.Requests, BytesIn: r.BytesIn, BytesOut: r.BytesOut,
		P50: r.P50.Microseconds(), P95: r.P95.Microseconds(), P99: r.P99.Microseconds(),
	}
	if r.Requests > 0 {
		out.BackendMicros = r.BackendMicros / r.Requests
	}
	return out
}
