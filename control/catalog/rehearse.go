package catalog

import (
	"context"

	"gatehouse"
	"gatehouse/store"
)

// rehearse has those who decide on releases judge what a request releases by
// itself before anything is locked: evaluating a thousand revisions takes longer
// than others should wait for. The plan is worked out for that once more, on the
// state there is then; what it finds wrong, the one that counts finds again.
func (c *Catalog) rehearse(ctx context.Context, req *Request, ahead *readings) context.Context {
	if c.Releases == nil || !c.judges(ctx, req) {
		return ctx
	}
	p := c.newPlan(ctx, req, ahead)
	if err := p.through(ctx, p.objects()); err != nil || len(p.faults) > 0 {
		return ctx
	}
	return c.Releases.Rehearse(ctx, p)
}

// judges tells whether the request may make revisions that an environment takes
// by itself and demands the gate of.
func (c *Catalog) judges(ctx context.Context, req *Request) bool {
	makes, demands := false, false
	asks := func(s gatehouse.Spec) bool {
		e, ok := s.(*gatehouse.Environment)
		return ok && e.ReleaseMode() == "automatic" && e.GateMode(true) == gatehouse.GateEnforce
	}
	for i := range req.Documents {
		switch o := req.Documents[i].Object; o.Kind {
		case gatehouse.KindAPI, gatehouse.KindBackend, gatehouse.KindPolicySet:
			makes = true
		case gatehouse.KindEnvironment:
			makes, demands = true, demands || asks(o.Spec)
		}
	}
	if !makes || demands {
		return makes
	}
	page, err := c.db.List(ctx, store.Query{Kind: string(gatehouse.KindEnvironment), Limit: 500})
	if err != nil {
		return false
	}
	for _, r := range page.Records {
		if _, o, err := gatehouse.ReadStored(r.Key, r.Value); err == nil && asks(o.Spec) {
			return true
		}
	}
	return false
}
