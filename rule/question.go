package rule

import (
	"slices"

	"gatehouse"
)

// A question is answered by a person. Asked here it has one finding, the
// question itself; who brings an answer looks for one with the same inputs.
type question struct{ *gatehouse.QuestionCheck }

// inputs are the parts of the subject that the answer depends on.
func (c *question) inputs(s *Subject) (any, error) {
	parts := map[string]any{}
	on := func(name string) bool { return slices.Contains(c.DependsOn, name) }
	if len(c.DependsOn) == 0 {
		return s.Revision, nil
	}
	v := &s.Form.Version
	if on("definition") {
		parts["definition"] = map[string]any{"main": s.main(), "files": sums(s.Form)}
	}
	if on("operations") {
		names := []string{}
		for _, o := range s.Operations {
			names = append(names, o.ID+" "+o.Method+" "+o.Path)
		}
		parts["operations"] = names
	}
	if on("policies") {
		chains := map[string]any{}
		for _, o := range s.Operations {
			chains[o.ID+" "+o.Method+" "+o.Path] = o.Chain
		}
		parts["policies"] = chains
	}
	if on("backend") {
		parts["backend"] = map[string]any{"name": s.BackendName, "environment": s.Backend}
	}
	if on("data") {
		parts["data"] = s.data()
	}
	if on("audience") {
		parts["audience"] = s.audience()
	}
	if on("access") {
		parts["access"] = access(v)
	}
	if on("path") {
		parts["path"] = map[string]any{"path": v.Path, "hosts": v.Hosts}
	}
	return parts, nil
}

func (c *question) judge(s *Subject, v *Verdict) error {
	remedy := "answer it, and let someone else confirm the answer"
	if c.Evidence {
		remedy = "answer it with a file that proves it, and let someone else confirm the answer"
	}
	if c.Confirm != "" {
		remedy += " who holds role " + c.Confirm
	}
	v.add(gatehouse.GateFinding{Object: s.object(), Detail: c.Text, Remedy: remedy})
	return nil
}
