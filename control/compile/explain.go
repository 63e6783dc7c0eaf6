package compile

import (
	"cmp"
	"maps"
	"slices"
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
	Method    string       `json:"method,omitempty"`
	Path      string       `json:"path,omitempty"`
	Access    string       `json:"access"`
	Backend   string       `json:"backend,omitempty"`
	Steps     []policy.Use `json:"steps"` // in order; each says where it comes from
}

// Explain answers the effective chain of an operation, by operationId or
// "POST /orders", or of the version when operation is "". With a plan,
// "payments/commerce/gold", its steps stand where they run, and so does the step
// that finds out who calls, named [AccessStep]. What was set aside is answered
// with its reason.
func (s *State) Explain(id, env, operation, plan string) (*Explanation, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e := s.envs[env]
	if e == nil || s.model.envs[env] == nil {
		return nil, gatehouse.E(gatehouse.NotFound, "explaining %q: there is no environment %q%s", id, env, gatehouse.OrThere(env, slices.Sorted(maps.Keys(s.model.envs))))
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
	x := &Explanation{API: id, Revision: a.Revision, Access: a.Access, Backend: a.Backend.Name}
	levels := order{access: a.Access}
	levels.add(a.Mandatory)
	steps, err := e.plan(env, plan)
	if err != nil {
		return nil, err
	}
	levels.plan(steps)
	levels.add(a.Policies)
	if operation != "" {
		op, ok := find(a.Operations, operation)
		if !ok && !a.Any {
			return nil, gatehouse.E(gatehouse.NotFound, "explaining %q: it has no operation %q", id, operation)
		}
		x.Operation, x.Method, x.Path = op.ID, op.Method, op.Path
		levels.add(op.Policies)
	}
	key, err := e.keyHeader(env)
	if err != nil {
		return nil, err
	}
	x.Steps = levels.steps(key)
	return x, nil
}

// find is the operation of that id, or "POST /orders".
func find(all []snapshot.Operation, name string) (snapshot.Operation, bool) {
	i := slices.IndexFunc(all, func(o snapshot.Operation) bool { return o.ID == name || o.Method+" "+o.Path == name })
	if i < 0 {
		return snapshot.Operation{}, false
	}
	return all[i], true
}

// keyHeader is where keys come in the environment.
func (e *environment) keyHeader(env string) (string, error) {
	var x snapshot.Environment
	if c, ok := e.chunks[chunkID{env, snapshot.KindEnvironment, env}]; ok {
		if err := snapshot.Decode(c.data, &x); err != nil {
			return "", gatehouse.E(gatehouse.Internal, "explaining environment %q: %w", env, err)
		}
	}
	return cmp.Or(x.KeyHeader, "X-API-Key"), nil
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
