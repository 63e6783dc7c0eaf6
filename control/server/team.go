package server

import (
	"context"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/team"
)

// teamRoom carries out the routes of teams.
type teamRoom struct {
	*Server
	desk *team.Desk
}

// BindTeams binds kits, checklists and overviews.
func (s *Server) BindTeams(d *team.Desk) {
	r := teamRoom{s, d}
	bind(s, adminapi.MakeKit, r.kit)
	bind(s, adminapi.GetTeamPage, r.page)
	bind(s, adminapi.GetTeamChecklist, r.checklist)
	bind(s, adminapi.GetOverview, r.overview)
}

func (r teamRoom) kit(ctx context.Context, in *adminapi.KitRequest) (*adminapi.KitAnswer, error) {
	k, err := r.desk.Kit(ctx, in.Team, team.KitOptions{Address: in.Body.Address, Backends: in.Body.Backends})
	if err != nil {
		return nil, err
	}
	out := &adminapi.KitAnswer{}
	out.Body.ServiceAccount, out.Body.Made, out.Body.Files = k.ServiceAccount, k.Made, map[string]string{}
	for name, text := range k.Files {
		out.Body.Files[name] = string(text)
	}
	return out, nil
}

// may reports whether the caller may do one of the actions on a team.
func (r teamRoom) may(ctx context.Context, team string, actions ...string) bool {
	for _, a := range actions {
		if r.allow(ctx, a, "team/"+team) == nil {
			return true
		}
	}
	return false
}

func (r teamRoom) page(ctx context.Context, in *adminapi.TeamRef) (*adminapi.TeamPageAnswer, error) {
	p, err := r.desk.Page(ctx, in.Team, team.Show{
		Members: r.may(ctx, in.Team, "team.members", "access.who"), Activity: r.may(ctx, in.Team, "team.activity", "audit.query"),
	})
	if err != nil {
		return nil, err
	}
	return &adminapi.TeamPageAnswer{Body: *p}, nil
}

func (r teamRoom) checklist(ctx context.Context, in *adminapi.TeamRef) (*adminapi.ChecklistAnswer, error) {
	list, err := r.desk.Checklist(ctx, in.Team)
	if err != nil {
		return nil, err
	}
	out := &adminapi.ChecklistAnswer{}
	out.Body.Team, out.Body.Total, out.Body.Items = in.Team, len(list), list
	for _, i := range list {
		if i.Done {
			out.Body.Done++
		}
	}
	return out, nil
}

func (r teamRoom) overview(ctx context.Context, in *adminapi.OverviewRequest) (*adminapi.OverviewAnswer, error) {
	rows, sum, next, err := r.desk.Rows(ctx, in.After, in.Limit, func(team string) bool { return r.may(ctx, team, "team.get") })
	if err != nil {
		return nil, err
	}
	out := &adminapi.OverviewAnswer{}
	out.Body.Items, out.Body.Sum, out.Body.Next = append([]gatehouse.TeamRow{}, rows...), sum, next
	return out, nil
}
