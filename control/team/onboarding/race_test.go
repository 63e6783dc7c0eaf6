package onboarding

import (
	"context"
	"sync"
	"testing"

	"gatehouse"
	"gatehouse/store"
	"gatehouse/store/memory"
)

// A slow store lets something happen once, before it first lists on-boardings.
type slow struct {
	store.DB
	once      sync.Once
	meanwhile func()
}

func (s *slow) List(ctx context.Context, q store.Query) (store.Page, error) {
	if q.Kind == string(gatehouse.KindOnboarding) && s.meanwhile != nil {
		s.once.Do(s.meanwhile)
	}
	return s.DB.List(ctx, q)
}

// Two ask for a team at two control planes, and the one is let through between
// the other's looks at the team and at its on-boardings: the other is told that
// the team exists, and leaves no request that nobody can approve.
func TestATeamThatCameBetweenTwoLooks(t *testing.T) {
	db := memory.New()
	a := newHouseOn(t, db).furnish()
	between := &slow{DB: db}
	b := newHouseOn(t, between)
	between.meanwhile = func() {
		if _, _, err := a.Approve(a.as("boss"), a.start("ann", request("shop"), "").ID, ""); err != nil {
			t.Error(err)
		}
	}
	_, _, err := b.Start(b.as("bob"), request("shop"), Accept{})
	b.refused(err, gatehouse.Conflict, "it exists already")
	if page, _, err := a.List(t.Context(), Filter{Team: "shop", Limit: 10}); err != nil || len(page) != 1 {
		t.Errorf("%d on-boardings of the team, %v; want 1", len(page), err)
	}
}
