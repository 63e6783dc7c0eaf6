package team

import (
	"cmp"
	"slices"
	"strings"

	"gatehouse"
)

// counts are the team's figures.
func (f *facts) counts(people, left int) gatehouse.TeamCounts {
	c := gatehouse.TeamCounts{
		Members: people, APIs: len(f.apis), Products: len(f.products), Applications: f.apps, Waivers: len(f.waivers), Support: len(f.support),
		Requests: f.served, Left: left, Gate: map[string]int{},
	}
	for _, r := range f.releases {
		if r.State == gatehouse.ReleaseRequested {
			c.Waiting++
		}
		if r.Revision == "" {
			continue
		}
		c.Releases++
		c.Gate[cmp.Or(f.outcome(r), "none")]++
	}
	for _, s := range f.asked {
		switch s.status.State {
		case gatehouse.Approved:
			c.Subscriptions++
		case gatehouse.Requested:
			c.Asked++
		}
	}
	return c
}

// outcome is what the gate found of the revision that is released; "" when it
// looked at none or at another one.
func (f *facts) outcome(r gatehouse.Release) string {
	if g, ok := f.gate[releaseID(r.Environment, r.API, r.Version)]; ok && g.Revision == r.Revision {
		return g.Outcome
	}
	return ""
}

func (f *facts) pageAPIs() (all []gatehouse.TeamAPI) {
	in := map[string][]gatehouse.Release{}
	for _, r := range f.releases {
		in[r.API+"@"+r.Version] = append(in[r.API+"@"+r.Version], r)
	}
	for _, v := range head(f.apis) {
		spec, ref := v.Object.Spec.(*gatehouse.API), v.Object.Metadata.Ref()
		a := gatehouse.TeamAPI{API: ref, Title: spec.Title}
		for _, version := range spec.Versions {
			out := gatehouse.TeamVersion{Version: version.Name, Lifecycle: cmp.Or(version.Lifecycle, "published")}
			for _, r := range in[ref+"@"+version.Name] {
				one := gatehouse.TeamRelease{Environment: r.Environment, State: r.State, Revision: r.Revision, Since: r.Time, Gate: f.outcome(r)}
				if one.Gate != "" {
					one.Expires = f.gate[releaseID(r.Environment, ref, version.Name)].Expires
				}
				out.Releases = append(out.Releases, one)
			}
			f.byStage(out.Releases)
			a.Versions = append(a.Versions, out)
		}
		all = append(all, a)
	}
	return all
}

// byStage sorts releases as the team's environments stand.
func (f *facts) byStage(list []gatehouse.TeamRelease) {
	at := func(env string) int {
		i := slices.IndexFunc(f.envs, func(e environment) bool { return e.name == env })
		if i < 0 {
			return len(f.envs) // one that the team is not allowed in any more
		}
		return i
	}
	slices.SortStableFunc(list, func(a, b gatehouse.TeamRelease) int {
		return cmp.Or(at(a.Environment)-at(b.Environment), strings.Compare(a.Environment, b.Environment))
	})
}

func (f *facts) pageProducts() (all []gatehouse.TeamProduct) {
	states := map[string]map[string]int{}
	for _, s := range f.asked {
		team, name := gatehouse.ParseRef(s.spec.Product, f.teamOf(s))
		ref := team + "/" + name
		if states[ref] == nil {
			states[ref] = map[string]int{}
		}
		states[ref][s.status.State]++
	}
	for _, v := range head(f.products) {
		spec := v.Object.Spec.(*gatehouse.Product)
		p := gatehouse.TeamProduct{Product: v.Object.Metadata.Ref(), Title: spec.Title, Plans: []string{}, Subscriptions: states[v.Object.Metadata.Ref()]}
		for _, plan := range spec.Plans {
			p.Plans = append(p.Plans, plan.Name)
		}
		all = append(all, p)
	}
	return all
}

func (f *facts) teamOf(s subscribed) string {
	team, _ := gatehouse.ParseRef(s.ref, "")
	return team
}

// pageSubscriptions are those to the team's products, what waits first, then
// those of its applications.
func (f *facts) pageSubscriptions() (all []gatehouse.TeamSubscription) {
	seen := map[string]bool{}
	for _, list := range [][]subscribed{f.asked, f.own} {
		for _, s := range list {
			team := f.teamOf(s)
			if seen[s.ref] || over(s.status.State) {
				continue
			}
			seen[s.ref] = true
			all = append(all, gatehouse.TeamSubscription{
				Subscription: s.ref, Application: qualify(s.spec.Application, team), Product: qualify(s.spec.Product, team), Plan: s.spec.Plan,
				Environment: s.spec.Environment, State: s.status.State, Since: s.status.Since, Expires: s.status.Expires, Own: team == f.name,
			})
		}
	}
	slices.SortStableFunc(all, func(a, b gatehouse.TeamSubscription) int {
		return cmp.Or(rank(a)-rank(b), strings.Compare(a.Subscription, b.Subscription))
	})
	return head(all)
}

func rank(s gatehouse.TeamSubscription) int {
	switch {
	case s.State == gatehouse.Requested && !s.Own:
		return 0
	case !s.Own:
		return 1
	}
	return 2
}

func over(state string) bool {
	return state == gatehouse.Rejected || state == gatehouse.Expired || state == gatehouse.Cancelled
}

func qualify(ref, team string) string {
	t, n := gatehouse.ParseRef(ref, team)
	return t + "/" + n
}

// pageWaivers are the open ones, the first to end first.
func (f *facts) pageWaivers() []gatehouse.Waiver {
	slices.SortFunc(f.waivers, func(a, b gatehouse.Waiver) int {
		return cmp.Or(a.Expires.Compare(b.Expires), strings.Compare(a.ID, b.ID))
	})
	return f.waivers
}
