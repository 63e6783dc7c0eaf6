// Package team gives teams what they work with and shows how they stand.
//
// A kit is a first repository with the service account that its pipeline acts
// as. A checklist says what a new team has done and what is left; an overview
// is all that its page shows. Both are worked out from what is there and never
// stored, so they cannot say anything else.
//
// The package makes no decision on what a team may do: on-boarding is package
// onboarding's, and holding teams to what they are allowed is package catalog's.
package team

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/control/access"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/control/team/onboarding"
	"gatehouse/store"
)

// A Desk answers about teams. It is safe for use by several goroutines and
// processes.
type Desk struct {
	Catalog    *catalog.Catalog
	Guard      *access.Guard
	Trail      *audit.Trail
	Onboarding *onboarding.Desk
	// Support are the requests for help that a team asked or is asked, and that
	// are not over; nil: there is no such room.
	Support func(ctx context.Context, team string) ([]gatehouse.SupportRequest, error)
	// Levels are what callers of a team's APIs got this month; nil: nobody
	// measures.
	Levels func(ctx context.Context, team string) ([]gatehouse.TeamServiceLevel, error)

	warned time.Time // when quotas were looked at last; of the one who sweeps
}

func (d *Desk) db() store.DB { return d.Trail.DB }

func (d *Desk) now() time.Time {
	if d.Trail.Now != nil {
		return d.Trail.Now().UTC()
	}
	return time.Now().UTC()
}

var noTime time.Time

// get reads a team's document.
func (d *Desk) get(ctx context.Context, team string) (*gatehouse.Team, error) {
	v, err := d.Catalog.Get(ctx, gatehouse.KindTeam, "", team, noTime)
	if err != nil {
		return nil, err
	}
	return v.Object.Spec.(*gatehouse.Team), nil
}

// each goes through all objects of a kind that a filter finds.
func (d *Desk) each(ctx context.Context, f catalog.Filter, do func(*catalog.View) error) error {
	f.Limit = 500
	for {
		page, err := d.Catalog.List(ctx, f)
		if err != nil {
			return err
		}
		for _, v := range page.Items {
			if err := do(v); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		f.After = page.Next
	}
}
