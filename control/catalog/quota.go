package catalog

import (
	"context"
	"fmt"
	"strings"

	"gatehouse"
	"gatehouse/store"
)

// quotas refuses new objects of a team that has as many as it may. What is
// there stays: a quota that shrinks takes nothing away.
func (p *Plan) quotas(ctx context.Context) error {
	for _, kind := range []gatehouse.Kind{gatehouse.KindAPI, gatehouse.KindApplication} {
		made, gone := map[string][]*item{}, map[string]int{}
		for _, it := range p.order {
			switch team, _ := gatehouse.ParseRef(it.ref, ""); {
			case it.kind != kind:
			case it.deleted():
				gone[team]++
			case it.was == nil:
				made[team] = append(made[team], it)
			}
		}
		for _, team := range sorted(made) {
			if err := p.quota(ctx, kind, team, made[team], gone[team]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Plan) quota(ctx context.Context, kind gatehouse.Kind, team string, made []*item, gone int) error {
	most, err := p.most(ctx, kind, team)
	if err != nil || most == 0 || len(made) <= gone {
		return err
	}
	have, err := p.count(ctx, kind, team, most+gone)
	if err != nil {
		return err
	}
	room := max(0, most-(have-gone))
	for _, it := range made[min(room, len(made)):] {
		p.Fault(it.object.Ref(), "/metadata/name", fmt.Sprintf("is above the quota of team %q (quotas.%[2]s: %[3]d; it has %[4]d): delete one, or ask for more with \"gatehouse onboard start %[5]s --%[2]s N\"",
			team, strings.ToLower(string(kind))+"s", most, have-gone, team))
	}
	return nil
}

// most is how many objects of the kind a team may have; 0 is no bound.
func (p *Plan) most(ctx context.Context, kind gatehouse.Kind, team string) (int, error) {
	t, err := p.team(ctx, team)
	switch {
	case err != nil || t == nil || t.Quotas == nil:
		return 0, err
	case kind == gatehouse.KindAPI:
		return t.Quotas.APIs, nil
	}
	return t.Quotas.Applications, nil
}

// team is a team as it will be; nil when there will be none.
func (p *Plan) team(ctx context.Context, name string) (*gatehouse.Team, error) {
	o, err := p.After(ctx, gatehouse.Key(gatehouse.KindTeam, "", name))
	if o == nil || err != nil {
		return nil, err
	}
	return o.Spec.(*gatehouse.Team), nil
}

// count is how many objects of the kind a team has; more than enough are not
// looked at.
func (p *Plan) count(ctx context.Context, kind gatehouse.Kind, team string, enough int) (n int, err error) {
	q := store.Query{Kind: string(kind), Where: map[string]string{"team": team}, Limit: batchOfKeys}
	for n <= enough {
		page, err := p.db.List(ctx, q)
		if err != nil {
			return 0, err
		}
		if n += len(page.Records); page.Next == "" {
			break
		}
		q.After = page.Next
	}
	return n, nil
}
