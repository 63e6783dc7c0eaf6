package sla

import (
	"context"

	"gatehouse/control/support"
)

// A SupportMeasure is how promises of support were kept, of requests that were
// opened within the time of the report.
type SupportMeasure struct {
	Requests                  int
	FirstResponse, Resolution Tally
}

// Tally counts promises of one kind.
type Tally struct{ Met, Missed, Running int }

// supported adds how support kept what it promised. It is not told apart by
// environment: each line of the same promise has the same.
func (p *Promises) supported(ctx context.Context, q Question, out *Report) error {
	if p.Support == nil {
		return nil
	}
	by := map[string]*SupportMeasure{}
	err := p.Support.Each(ctx, q.From, q.To, func(r *support.Request) {
		if r.Promise == "" || q.Application != "" && r.Application != q.Application {
			return
		}
		m := by[r.Promise]
		if m == nil {
			m = new(SupportMeasure)
			by[r.Promise] = m
		}
		m.Requests++
		m.FirstResponse.add(support.Read(r.FirstResponse, r.Calendar(), p.Now()))
		m.Resolution.add(support.Read(r.Resolution, r.Calendar(), p.Now()))
	})
	if err != nil {
		return err
	}
	for i := range out.Items {
		item := &out.Items[i]
		name := "plan " + item.Product + " " + item.Plan
		if item.Kind == "api" {
			name = "API " + item.API
		}
		item.Support = by[name]
	}
	return nil
}

func (k *Tally) add(r *support.Reading) {
	if r == nil {
		return
	}
	switch r.State {
	case "met":
		k.Met++
	case "missed":
		k.Missed++
	default:
		k.Running++
	}
}
