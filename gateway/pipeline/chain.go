package pipeline

import (
	"fmt"
	"strconv"
	"strings"

	"gatehouse/policy"
)

// A step is a policy built for one place.
type step struct {
	run  policy.Step
	back policy.ResponseStep // nil when it has no response half
	name string
}

// A chain is what runs for an operation, each phase in order. The plan's steps
// come between mandatory and own.
type chain struct {
	early     []step
	token     []step // identify the caller; only where access is by token
	mandatory []step
	own       []step
}

// A place is where uses of policies stand.
type place struct {
	scope    string
	params   []string
	examples []policy.Example
	nowhere  bool // what comes here is no operation, and is refused
}

// A part is a list of uses, built.
type part struct{ early, token, rest []step }

// build makes the steps of uses. With tokens set, steps that identify the caller
// are kept apart from the rest. Keys of shared values are added to keys.
func (b *Builder) build(uses []policy.Use, at place, tokens bool, keys *[]string) (p part, err error) {
	seen := make(map[string]int, len(uses))
	for i := range uses {
		u := &uses[i]
		kind, ok := b.Find(u.Name)
		if !ok {
			return p, fmt.Errorf("policy %q is not known to this gateway", u.Name)
		}
		if at.nowhere && kind.PerOperation {
			continue
		}
		scope := at.scope
		if seen[u.Name]++; seen[u.Name] > 1 {
			scope += "/" + strconv.Itoa(seen[u.Name])
		}
		s, err := b.step(kind, u, place{scope: scope, params: at.params, examples: at.examples}, keys)
		if err != nil {
			if u.From != "" && u.From != "api" {
				return p, fmt.Errorf("%s: policy %w", u.From, err)
			}
			return p, fmt.Errorf("policy %w", err)
		}
		switch {
		case kind.Early:
			p.early = append(p.early, s)
		case kind.Identifies && tokens:
			p.token = append(p.token, s)
		default:
			p.rest = append(p.rest, s)
		}
	}
	return p, nil
}

func (b *Builder) step(kind policy.Kind, u *policy.Use, at place, keys *[]string) (s step, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: building it panicked: %v", kind.Name, r)
		}
	}()
	config, err := kind.Decode(u.Config)
	if err != nil {
		return s, err
	}
	s.name = kind.Name
	s.run, err = config.Build(policy.Env{
		Context: b.Context, Scope: at.scope, Params: at.params, Examples: at.examples,
		OnResponse: func(back policy.ResponseStep) { s.back = both(back, s.back) },
		Secret:     b.Secret, Limits: b.Limits, Fetch: b.Fetch, Log: b.Log,
		Shared: func(key string, make func() (any, func())) any {
			v := b.shared.use(kind.Name+"\x00"+key, make)
			*keys = append(*keys, kind.Name+"\x00"+key)
			return v
		},
	})
	if err != nil && !strings.HasPrefix(err.Error(), kind.Name+":") {
		err = fmt.Errorf("%s: %w", kind.Name, err)
	}
	if err == nil && s.run == nil {
		err = fmt.Errorf("%s: it built no step", kind.Name)
	}
	return s, err
}

// both runs the later registered first.
func both(later, earlier policy.ResponseStep) policy.ResponseStep {
	if earlier == nil {
		return later
	}
	return func(x *policy.Exchange) { later(x); earlier(x) }
}

// run performs steps until one denies. The denial carries the policy's name.
func (c *Call) run(steps []step) *policy.Denial {
	for i := range steps {
		s := &steps[i]
		if s.back != nil {
			c.entered = append(c.entered, s.back)
		}
		if d := s.run(&c.Exchange); d != nil {
			if d.Policy != s.name {
				own := *d // a step may return one value to all
				d = &own
				d.Policy = s.name
			}
			return d
		}
	}
	return nil
}

// back runs the response halves, the last entered first.
func (c *Call) back() {
	for i := len(c.entered) - 1; i >= 0; i-- {
		half := c.entered[i]
		c.entered = c.entered[:i]
		half(&c.Exchange)
	}
}
