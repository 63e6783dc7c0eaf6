package team

import (
	"context"

	"gatehouse"
	"gatehouse/control/access"
	"gatehouse/control/catalog"
	"gatehouse/control/team/onboarding"
	"gatehouse/store"
)

// Show says what of a page the caller may see beside the team itself.
type Show struct {
	Members  bool // with their roles
	Activity bool // events of the trail
}

// maxActivity is how many events a page shows.
const maxActivity = 20

// Page is all that a team's page shows.
func (d *Desk) Page(ctx context.Context, team string, show Show) (*gatehouse.TeamPage, error) {
	f, err := d.read(ctx, team)
	if err != nil {
		return nil, err
	}
	t := f.team
	p := &gatehouse.TeamPage{
		Team: team, Title: t.Title, Summary: t.Summary, Parent: t.Parent, CostCentre: t.CostCentre, Contacts: t.Contacts, Time: d.now(),
		Environments: []string{}, Quotas: f.quotas(), APIs: f.pageAPIs(), Products: f.pageProducts(), Subscriptions: f.pageSubscriptions(),
		Waivers: head(f.pageWaivers()), Support: head(f.support),
	}
	for _, e := range f.envs {
		p.Environments = append(p.Environments, e.name)
	}
	if p.Checklist, err = d.checklist(ctx, f); err != nil {
		return nil, err
	}
	people, total := d.Guard.Index().People(team, "", maxShown)
	p.Counts = f.counts(total, left(p.Checklist))
	p.Members = members(people, show.Members)
	if !show.Members {
		p.Withheld = append(p.Withheld, "roles")
	}
	if err := d.activity(ctx, p, show.Activity); err != nil {
		return nil, err
	}
	if p.Onboardings, err = d.open(ctx, team); err != nil {
		return nil, err
	}
	if d.Levels != nil {
		p.ServiceLevels, err = d.Levels(ctx, team)
	}
	return p, err
}

func head[T any](list []T) []T { return list[:min(len(list), maxShown)] }

func left(list []gatehouse.ChecklistItem) (n int) {
	for _, i := range list {
		if !i.Done {
			n++
		}
	}
	return n
}

func members(people []access.Person, roles bool) (all []gatehouse.TeamMember) {
	for _, p := range people {
		m := gatehouse.TeamMember{Subject: p.Subject, Disabled: p.Disabled}
		for _, h := range p.Holds {
			if roles {
				m.Roles = append(m.Roles, gatehouse.TeamRole{Role: h.Role, Assignment: h.Name, Via: h.Via, Expires: h.Expires})
			}
		}
		all = append(all, m)
	}
	return all
}

func (d *Desk) activity(ctx context.Context, p *gatehouse.TeamPage, show bool) error {
	if !show {
		p.Withheld = append(p.Withheld, "activity")
		return nil
	}
	page, err := d.Trail.Query(ctx, store.EventQuery{Team: p.Team, Desc: true, Limit: maxActivity})
	p.Activity = page.Events
	return err
}

// open are the team's on-boardings that wait for somebody; one is at a time.
func (d *Desk) open(ctx context.Context, team string) (all []gatehouse.TeamOnboarding, err error) {
	for _, state := range []string{gatehouse.Requested, gatehouse.AskedBack, gatehouse.Answered} {
		page, _, err := d.Onboarding.List(ctx, onboarding.Filter{Team: team, State: state, Limit: maxShown})
		if err != nil {
			return nil, err
		}
		for _, s := range page {
			all = append(all, gatehouse.TeamOnboarding{ID: s.ID, State: s.State, Asked: s.Asked})
		}
	}
	return all, nil
}

// Rows are one page of teams for the provider's page: those that may says yes
// to, their figures, and the sum over the page.
func (d *Desk) Rows(ctx context.Context, after string, limit int, may func(team string) bool) (rows []gatehouse.TeamRow, sum gatehouse.TeamCounts, next string, err error) {
	page, err := d.Catalog.List(ctx, catalog.Filter{Kind: gatehouse.KindTeam, After: after, Limit: limit})
	if err != nil {
		return nil, sum, "", err
	}
	for _, v := range page.Items {
		if name := v.Object.Metadata.Name; may(name) {
			row, err := d.row(ctx, name)
			if gatehouse.Is(err, gatehouse.NotFound) {
				continue // it went meanwhile
			}
			if err != nil {
				return nil, sum, "", err
			}
			rows = append(rows, *row)
			sum.Add(row.Counts)
		}
	}
	return rows, sum, page.Next, nil
}

func (d *Desk) row(ctx context.Context, team string) (*gatehouse.TeamRow, error) {
	f, err := d.read(ctx, team)
	if err != nil {
		return nil, err
	}
	list, err := d.checklist(ctx, f)
	if err != nil {
		return nil, err
	}
	_, people := d.Guard.Index().People(team, "", 0)
	row := &gatehouse.TeamRow{Team: team, Title: f.team.Title, Counts: f.counts(people, left(list)), Quotas: f.quotas()}
	for _, w := range f.pageWaivers() {
		if w.State == gatehouse.Approved {
			row.WaiverEnds = w.Expires
			break
		}
	}
	return row, nil
}
