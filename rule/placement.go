package rule

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gatehouse"
)

// A placement looks at where gateways and backends lie.
type placement struct{ *gatehouse.PlacementCheck }

// A spot is where something lies.
type spot struct {
	What     string             `json:"what"`  // "gateway prod-eu"
	Field    string             `json:"field"` // in its document
	Location gatehouse.Location `json:"location"`
	Known    bool               `json:"known"`
	Gateway  bool               `json:"gateway"`
}

// spots are the gateways of the environment and the backend's targets there.
// What says no jurisdiction of its own lies in the environment's.
func (s *Subject) spots() []spot {
	var all []spot
	for _, g := range s.Gateways {
		at := spot{What: "gateway " + g.Name, Field: "spec.location", Gateway: true}
		if g.Location != nil {
			at.Location, at.Known = *g.Location, true
		}
		at.Location.Jurisdiction = cmp.Or(at.Location.Jurisdiction, s.Environment.Jurisdiction)
		at.Known = at.Known || at.Location.Jurisdiction != ""
		all = append(all, at)
	}
	if s.Backend == nil {
		return all
	}
	for i, t := range s.Backend.Targets {
		at := spot{What: "backend " + s.BackendName, Field: fmt.Sprintf("spec.environments.%s.targets[%d].location", s.EnvironmentName, i)}
		if t.Location != nil {
			at.Location, at.Known = *t.Location, true
		}
		all = append(all, at)
	}
	return all
}

func (c *placement) inputs(s *Subject) (any, error) {
	return map[string]any{"data": s.data(), "audience": s.audience(), "spots": s.spots()}, nil
}

func (c *placement) judge(s *Subject, v *Verdict) error {
	data, spots := s.data(), s.spots()
	if c.Data && len(data.Jurisdictions) > 0 {
		why := "data of the API may not leave " + list(data.Jurisdictions)
		c.within(v, spots, "jurisdiction", data.Jurisdictions, why)
	}
	for i := range c.Rules {
		r := &c.Rules[i]
		if !among(r.Classifications, data.Classification) || !among(r.Audiences, s.audience()) || r.Personal && !data.Personal {
			continue
		}
		why := "rule " + fmt.Sprint(i+1) + " for " + bound(r, data)
		c.within(v, spots, "jurisdiction", r.Jurisdictions, why)
		c.within(v, spots, "cloud", r.Clouds, why)
		c.within(v, spots, "network", r.Networks, why)
	}
	return nil
}

// within finds the spots that lie elsewhere. Where a backend's target lies is
// judged when it is known; a gateway must say it.
func (c *placement) within(v *Verdict, spots []spot, what string, allowed []string, why string) {
	if len(allowed) == 0 {
		return
	}
	for _, at := range spots {
		is := map[string]string{"jurisdiction": at.Location.Jurisdiction, "cloud": at.Location.Cloud, "network": at.Location.Network}[what]
		if is == "" && !at.Gateway || slices.Contains(allowed, is) {
			continue
		}
		kind, name, _ := strings.Cut(at.What, " ")
		f := gatehouse.GateFinding{Object: strings.ToUpper(kind[:1]) + kind[1:] + " " + name, Field: at.Field + "." + what}
		f.Remedy = fmt.Sprintf("let it lie where %s is %s, or change the data the API declares", what, list(allowed))
		if f.Detail = fmt.Sprintf("%s %s is %q; %s", at.What, what, is, why); is == "" {
			f.Detail = fmt.Sprintf("%s does not say its %s; %s", at.What, what, why)
			f.Remedy = fmt.Sprintf("say the gateway's %s: %s", what, list(allowed))
		}
		v.add(f)
	}
}

// bound says in words whom a rule binds, with what made it bind.
func bound(r *gatehouse.PlacementRule, d gatehouse.Data) string {
	var words []string
	if len(r.Classifications) > 0 {
		words = append(words, d.Classification)
	}
	if r.Personal {
		words = append(words, "personal")
	}
	if len(words) == 0 {
		return "all data"
	}
	return strings.Join(words, " and ") + " data"
}

func list(words []string) string { return strings.Join(words, " or ") }
