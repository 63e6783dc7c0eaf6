package compile

import (
	"strings"

	"gatehouse"
	"gatehouse/policy"
	"gatehouse/snapshot"
)

// An Explanation is what gateways of one environment do with an operation.
type Explanation struct {
	API       string       `json:"api"` // "payments/orders@v1"
	Revision  string       `json:"revision"`
	Operation string       `json:"operation,omitempty"`
	Access    string       `json:"access"`
	Backend   string       `json:"backend,omitempty"`
	Steps     []policy.Use `json:"steps"` // in order; each says where it comes from
}

// Explain answers the effective chain of an operation, by operationId or
// "POST /orders", or of the version when operation is "". With a plan,
// "payments/commerce/gold", its steps stand where they run. What was set aside
// is answered with its reason.
func (s *State) Explain(id, env, operation, plan string) (*Explanation, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e := s.envs[env]
	if e == nil || s.model.envs[env] == nil {
		return nil, gatehouse.E(gatehouse.NotFound, "explaining %q: there is no environment %q", id, env)
	}
	if aside, ok := e.asides[snapshot.KindAPI+" "+id]; ok {
		return nil, gatehouse.E(gatehouse.Conflict, "explaining %q: it is set aside in %q: %s", id, env, aside.Reason)
	}
	c, ok := e.chunks[chunkID{env, snapshot.KindAPI, id}]
	if !ok {
		return nil, gatehouse.E(gatehouse.NotFound, "explaining %q: it is not released in %q", id, env)
	}
	var a snapshot.API
	if err := snapshot.Decode(c.data, &a); err != nil {
		return nil, gatehouse.E(gatehouse.Internal, "explaining %q: %w", id, err)
	}
	x := &Explanation{API: id, Revision: a.Revision, Access: a.Access, Backend: a.Backend.Name, Steps: a.Mandatory}
	steps, err := e.plan(env, plan)
	if err != nil {
		return nil, err
	}
	x.Steps = append(append(x.Steps, steps...), a.Policies...)
	if operation == "" {
		return x, nil
	}
	for _, op := range a.Operations {
		if op.ID == operation || op.Method+" "+op.Path == operation {
			x.Operation, x.Steps = op.ID, append(x.Steps, op.Policies...)
			return x, nil
		}
	}
	if a.Any {
		return x, nil
	}
	return nil, gatehouse.E(gatehouse.NotFound, "explaining %q: it has no operation %q", id, operation)
}

func (e *environment) plan(env, ref string) ([]policy.Use, error) {
	if ref == "" {
		return nil, nil
	}
	product, name := ref, ""
	if i := strings.LastIndexByte(ref, '/'); i >= 0 {
		product, name = ref[:i], ref[i+1:]
	}
	var p snapshot.Product
	if c, ok := e.chunks[chunkID{env, snapshot.KindProduct, product}]; ok {
		if err := snapshot.Decode(c.data, &p); err != nil {
			return nil, gatehouse.E(gatehouse.Internal, "explaining plan %q: %w", ref, err)
		}
	}
	for _, plan := range p.Plans {
		if plan.Name == name {
			return plan.Policies, nil
		}
	}
	return nil, gatehouse.E(gatehouse.NotFound, "explaining plan %q: no such plan is live in %q", ref, env)
}
