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

// Tally counts promises of one kind. Running are those of requests that go on; one
// that was closed before anybody had to answer counts nowhere.
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
		m.FirstResponse.add(r, support.Read(r.FirstResponse, r.Calendar(), p.Now()))
		m.Resolution.add(r, support.Read(r.Resolution, r.Calendar(), p.Now()))
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

func (k *Tally) add(of *support.Request, r *support.Reading) {
	switch {
	case r == nil:
	case r.State == "met":
		k.Met++
	case r.State == "missed":
		k.Missed++
	case !of.Over():
		k.Running++
	}
}
