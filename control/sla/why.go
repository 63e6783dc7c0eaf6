package sla

import (
	"context"
	"fmt"
	"time"

	"gatehouse"
	"gatehouse/store"
)

// check refuses a question about what there is not, or that asks for two things
// that no promise is made for together.
func (p *Promises) check(ctx context.Context, q *Question) error {
	if q.API != "" && (q.Plan != "" || q.Application != "") {
		return gatehouse.E(gatehouse.Invalid, "api: what an API promises is promised to all who call it; ask for it without a plan or an application")
	}
	for _, named := range []struct {
		kind gatehouse.Kind
		name string
	}{{gatehouse.KindTeam, q.Team}, {gatehouse.KindEnvironment, q.Environment}} {
		if named.name == "" {
			continue
		}
		if _, err := p.Catalog.Get(ctx, named.kind, "", named.name, time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

// nothing is why a report has no items.
func (q *Question) nothing(used int) string {
	switch {
	case q.API != "":
		return fmt.Sprintf("API %q promises nothing: it has no \"sla\"", q.API)
	case q.Application != "" && used == 0:
		return fmt.Sprintf("application %q has no subscription, so no plan promises it anything", q.Application)
	case q.Application != "":
		return fmt.Sprintf("no plan that application %q has subscribed to promises anything: none has an \"sla\"", q.Application)
	case q.Team != "":
		return fmt.Sprintf("team %q promises nothing: none of its APIs and plans has an \"sla\"", q.Team)
	}
	return "nothing is promised: no API and no plan has an \"sla\""
}

// explain says of items why nothing was measured.
func (p *Promises) explain(ctx context.Context, q Question, items []Item) error {
	for i := range items {
		item, where := &items[i], ""
		if q.Environment != "" {
			where = fmt.Sprintf(" in environment %q", q.Environment)
		}
		switch {
		case item.Measured.Counted > 0:
			if l := item.Measured.Latency; len(l) > 0 && l[0].Verdict == NoData {
				item.Why = "latency: every request was turned down, and none of those counts"
			}
		case item.Measured.Left > 0:
			item.Why = "every caller left before the answer"
		case item.Kind == "application":
			item.Why = "the application sent no request under this plan in this time" + where
		case item.Kind == "plan":
			page, err := p.DB.List(ctx, store.Query{Kind: string(gatehouse.KindSubscription), Limit: 1,
				Where: map[string]string{"product": item.Product, "plan": item.Plan, "state": gatehouse.Approved}})
			if err != nil {
				return gatehouse.E(gatehouse.KindOf(err), "reporting service levels: %w", err)
			}
			if item.Why = "no request was counted under this plan in this time" + where; len(page.Records) == 0 {
				item.Why = "no application is subscribed to this plan"
			}
		default:
			item.Why = "no request was counted in this time" + where
		}
	}
	return nil
}
