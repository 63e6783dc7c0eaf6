package bundle

import (
	"fmt"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/jsonx"
	"gatehouse/policy"
)

// maxNesting bounds how deep policy sets name policy sets here.
const maxNesting = 8

// Parameters reports uses of path parameters, "{id}" in a rewrite, that an
// operation they hold for does not have: nothing would stand in their place. It
// looks at the uses of the version at index i and those of its operations, also in
// policy sets; uses above an API hold for operations nobody knows.
func Parameters(o *gatehouse.Object, i int, operations []gatehouse.Operation, s Surroundings) ([]Finding, error) {
	p := parameters{inspection: inspection{Surroundings: s, object: o}}
	v := &o.Spec.(*gatehouse.API).Versions[i]
	at := []string{"spec", "versions", itoa(i)}
	if s.Policies == nil {
		return nil, nil
	}
	p.uses(o.Metadata.Team, v.Policies, append(at[:3:3], "policies"), operations, 0)
	for _, name := range sorted(v.Operations) {
		n := slices.IndexFunc(operations, func(o gatehouse.Operation) bool { return o.ID == name || o.Method+" "+o.Path == name })
		if n >= 0 {
			p.uses(o.Metadata.Team, v.Operations[name].Policies, append(at[:3:3], "operations", name, "policies"), operations[n:n+1], 0)
		}
	}
	return p.found, p.err
}

type parameters struct{ inspection }

// uses looks at a list of policies; within a set, depth above zero, where names
// the use of the set.
func (p *parameters) uses(team string, uses []gatehouse.PolicyUse, where []string, operations []gatehouse.Operation, depth int) {
	for n, u := range uses {
		at := where
		if depth == 0 {
			at = append(slices.Clone(where), itoa(n), u.Name)
		}
		if ref, ok := u.Set(); ok {
			setTeam, name := gatehouse.ParseRef(ref, team)
			if set := p.find(gatehouse.KindPolicySet, setTeam, name); set != nil && depth < maxNesting {
				p.uses(setTeam, set.Spec.(*gatehouse.PolicySet).Policies, at, operations, depth+1)
			}
			continue
		}
		p.use(u, at, operations)
	}
}

func (p *parameters) use(u gatehouse.PolicyUse, at []string, operations []gatehouse.Operation) {
	kind, ok := p.Policies(u.Name)
	if !ok {
		return
	}
	config, err := kind.Decode(u.Config)
	if err != nil {
		return // Inspect says so
	}
	parametric, ok := config.(policy.Parametric)
	if !ok {
		return
	}
	for _, name := range parametric.PathParameters() {
		for _, o := range operations {
			has := pathParameters(o.Path)
			if slices.Contains(has, name) {
				continue
			}
			near := ""
			if word := gatehouse.Nearest(name, has); word != "" {
				near = fmt.Sprintf("; did you mean \"{%s}\"?", word)
			} else if len(operations) > 1 {
				near = "; attach the policy to the operations that have it"
			}
			p.found = append(p.found, Finding{Pointer: jsonx.Pointer(at...), Detail: fmt.Sprintf("%s: \"{%s}\" is no path parameter of operation %q (%s %s)%s", u.Name, name, o.ID, o.Method, o.Path, near)})
			break
		}
	}
}

// pathParameters are the names between the braces of a path template.
func pathParameters(path string) (names []string) {
	for {
		_, after, ok := strings.Cut(path, "{")
		name, rest, closed := strings.Cut(after, "}")
		if !ok || !closed {
			return names
		}
		names, path = append(names, strings.TrimSuffix(name, "+")), rest
	}
}
