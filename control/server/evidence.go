package server

import (
	"context"
	"mime"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/governance/evidence"
)

// evidenceRoom carries out the routes of evidence.
type evidenceRoom struct {
	*Server
	shelf *evidence.Shelf
}

// BindEvidence binds files that prove something.
func (s *Server) BindEvidence(shelf *evidence.Shelf) {
	r := evidenceRoom{s, shelf}
	bind(s, adminapi.AddEvidence, r.add)
	bind(s, adminapi.ListEvidence, r.list)
	bind(s, adminapi.GetEvidence, func(ctx context.Context, in *adminapi.EvidenceRef) (*adminapi.EvidenceAnswer, error) {
		e, err := r.get(ctx, in.Hash)
		if err != nil {
			return nil, err
		}
		return &adminapi.EvidenceAnswer{Body: *e}, nil
	})
	bind(s, adminapi.GetEvidenceContent, r.content)
}

// whose is the place where a team's evidence lies, as permissions are asked.
func whose(team string) string {
	if team == "" || team == "-" {
		return "organization"
	}
	return "team/" + team
}

func (r evidenceRoom) add(ctx context.Context, in *adminapi.AddEvidenceRequest) (*adminapi.EvidenceAnswer, error) {
	b := &in.Body
	if err := r.allow(ctx, "evidence.create", whose(b.Team)); err != nil {
		return nil, err
	}
	if b.Team == "-" {
		return nil, gatehouse.E(gatehouse.Invalid, "keeping evidence %q: %q is not a team", b.Name, b.Team)
	}
	e, err := r.shelf.Add(ctx, evidence.File{Name: b.Name, MediaType: b.MediaType, Team: b.Team, Data: b.Content})
	if err != nil {
		return nil, err
	}
	return &adminapi.EvidenceAnswer{Body: *e}, nil
}

// list is what the caller may see; of a team that was named, of the organization, or
// of all that there is, what is not to be seen is refused.
func (r evidenceRoom) list(ctx context.Context, in *adminapi.ListEvidenceRequest) (*adminapi.EvidenceList, error) {
	if in.Organization && in.Team != "" {
		return nil, gatehouse.E(gatehouse.Invalid, "listing evidence: it is asked for the organization's and for that of team %q; ask for one of them", in.Team)
	}
	if in.Organization || in.Team != "" {
		if err := r.allow(ctx, "evidence.list", whose(in.Team)); err != nil {
			return nil, err
		}
	}
	known := map[string]bool{}
	see := func(team string) bool {
		if _, ok := known[team]; !ok {
			known[team] = r.allow(ctx, "evidence.list", whose(team)) == nil
		}
		return known[team]
	}
	team := in.Team
	if team == "-" {
		team = ""
	}
	all, next, err := r.shelf.List(ctx, evidence.Query{Team: team, Organization: in.Organization, See: see, After: in.After, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &adminapi.EvidenceList{}
	out.Body.Items, out.Body.Next = all, next
	if all == nil {
		out.Body.Items = []gatehouse.Evidence{}
	}
	return out, nil
}

// get is what a file is, for who may see it: those who may see all of its
// team's, or the organization's. Whether there is such a file is told to who
// may see every one.
func (r evidenceRoom) get(ctx context.Context, hash string) (*gatehouse.Evidence, error) {
	e, err := r.shelf.Get(ctx, hash)
	team := ""
	if err == nil {
		team = e.Team
	}
	if denied := r.allow(ctx, "evidence.get", whose(team)); denied != nil {
		return nil, denied
	}
	return e, err
}

func (r evidenceRoom) content(ctx context.Context, in *adminapi.EvidenceRef) (*adminapi.EvidenceContent, error) {
	e, err := r.get(ctx, in.Hash)
	if err != nil {
		return nil, err
	}
	data, err := r.shelf.Content(ctx, in.Hash)
	// Whatever it is, a browser saves it and runs nothing of it.
	return &adminapi.EvidenceContent{
		ContentType: "application/octet-stream", Disposition: mime.FormatMediaType("attachment", map[string]string{"filename": e.Name}), Body: data,
	}, err
}
