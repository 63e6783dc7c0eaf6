package server

import (
	"context"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/governance/framework"
	"gatehouse/control/governance/gate"
)

// BindImpact binds looking ahead to a framework version.
func (s *Server) BindImpact(d *framework.Desk, g *gate.Gate) {
	room := gateRoom{Server: s, gate: g}
	bind(s, adminapi.ImpactFramework, func(ctx context.Context, in *adminapi.ImpactFrameworkRequest) (*adminapi.FrameworkImpact, error) {
		text, err := d.Proposed(ctx, in.Name, in.Version)
		if err != nil {
			return nil, err
		}
		p, err := g.Preview(ctx, gate.Proposal{Framework: in.Name, Version: in.Version, Text: text}, in.After, in.Limit)
		if err != nil {
			return nil, err
		}
		out := &adminapi.FrameworkImpact{}
		out.Body.Items, out.Body.Looked, out.Body.Next = []adminapi.ImpactItem{}, p.Looked, p.Next
		may := room.seen(ctx, "gate.list")
		for _, short := range p.Short {
			if may(short.API) {
				out.Body.Items = append(out.Body.Items, impactItem(short))
			}
		}
		return out, nil
	})
}

func impactItem(s gate.Shortfall) adminapi.ImpactItem {
	i := adminapi.ImpactItem{
		Environment: s.Environment, Mode: s.Mode, API: s.API, Version: s.Version, Revision: s.Revision, Now: s.Now, Outcome: s.Outcome, Until: s.Notice,
		Reason: s.Reason, Controls: []adminapi.ImpactControl{},
	}
	for _, c := range s.Controls {
		switch c.Outcome {
		case gatehouse.GateGrace, gatehouse.GateWaiting, gatehouse.GateFailed:
			k := adminapi.ImpactControl{ID: c.ID, Outcome: c.Outcome, Until: c.Until}
			if len(c.Findings) > 0 {
				k.Detail, k.Remedy, k.More = c.Findings[0].Detail, c.Findings[0].Remedy, len(c.Findings)-1+c.More
			}
			i.Controls = append(i.Controls, k)
		}
	}
	return i
}
