package server

import (
	"context"

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
