package pipeline

import (
	"fmt"

	"gatehouse/gateway/credential"
	"gatehouse/snapshot"
)

// A Product is one product, built.
type Product struct {
	unit
	Name  string
	Plans map[string]*Plan
	apis  map[string]bool
}

// A Plan is what runs for the subscriptions of one plan, after the mandatory
// steps; its early steps can only run once the plan is known and come first.
type Plan struct {
	name    credential.PlanName
	product *Product
	steps   []step
}

// Product builds a product and its plans.
func (b *Builder) Product(s *snapshot.Product) (*Product, error) {
	p := &Product{Name: s.Name, Plans: make(map[string]*Plan, len(s.Plans)), apis: make(map[string]bool, len(s.APIs))}
	for _, id := range s.APIs {
		p.apis[id] = true
	}
	var keys []string
	for i := range s.Plans {
		plan := &s.Plans[i]
		built, err := b.build(plan.Policies, place{scope: "plan:" + s.Name + "/" + plan.Name}, false, &keys)
		if err != nil {
			b.shared.release(keys)
			return nil, fmt.Errorf("plan %q: %w", plan.Name, err)
		}
		p.Plans[plan.Name] = &Plan{name: credential.PlanName{Product: s.Name, Plan: plan.Name}, product: p,
			steps: append(built.early, built.rest...)}
	}
	p.users.Store(1)
	p.release = func() { b.shared.release(keys) }
	return p, nil
}
