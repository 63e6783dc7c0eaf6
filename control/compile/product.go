package compile

import (
	"maps"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/snapshot"
)

// Environment compiles what holds for all APIs of an environment. gate is what
// it demands of the compliance gate, "" for nothing.
func Environment(name string, e *gatehouse.Environment, gate string) *snapshot.Environment {
	return &snapshot.Environment{Name: name, Stage: e.Stage, Hosts: hosts(e.Hosts), KeyHeader: e.KeyHeader, Gate: gate}
}

// Product compiles a product, "team/name", for an environment where the given
// API versions are live. It returns nil when none of its own are.
func Product(name string, p *gatehouse.Product, live map[string]string, variables map[string]string, set func(string) ([]gatehouse.PolicyUse, bool)) (*snapshot.Product, error) {
	team, _, _ := strings.Cut(name, "/")
	apis := map[string]struct{}{}
	for _, ref := range p.APIs {
		t, n, version, _ := gatehouse.ParseVersionRef(ref, team)
		if version != "" {
			if id := t + "/" + n + "@" + version; live[id] != "" {
				apis[id] = struct{}{}
			}
			continue
		}
		prefix := t + "/" + n + "@"
		for id := range live {
			if strings.HasPrefix(id, prefix) {
				apis[id] = struct{}{}
			}
		}
	}
	if len(apis) == 0 {
		return nil, nil
	}
	out := &snapshot.Product{Name: name, APIs: slices.Sorted(maps.Keys(apis))}
	for i := range p.Plans {
		steps, err := chain{set, variables}.plan(&p.Plans[i], team, name)
		if err != nil {
			return nil, err
		}
		out.Plans = append(out.Plans, snapshot.Plan{Name: p.Plans[i].Name, Policies: steps})
	}
	return out, nil
}
