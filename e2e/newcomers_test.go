package e2e

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/client"
)

// newcomers ask for teams that a rule lets through, each at both control planes
// at once, until stop is called, which tells the on-boardings that there must be.
func (s *site) newcomers(addresses ...string) (stop func() (ids []string)) {
	s.t.Helper()
	var nodes []*client.Client
	for _, a := range addresses {
		nodes = append(nodes, s.user("nina", a))
	}
	ctx, cancel := context.WithCancel(s.t.Context())
	var all sync.WaitGroup
	var ids []string
	all.Go(func() {
		for i := 0; ctx.Err() == nil && i < 60; i++ {
			team := fmt.Sprint("public-", i)
			ids = append(ids, team+"-1")
			var both sync.WaitGroup
			for _, c := range nodes {
				both.Go(func() { s.asks(c, team) })
			}
			both.Wait()
			_ = wait(ctx, 50*time.Millisecond)
		}
	})
	return func() []string { cancel(); all.Wait(); return ids }
}

// asks asks for a team until there is an answer, as people do whose server is
// gone: that there is one already is an answer too.
func (s *site) asks(c *client.Client, team string) {
	in := adminapi.StartOnboardingRequest{}
	in.Body.Request = gatehouse.OnboardingRequest{Team: team, Why: "we begin", Members: []string{"user:bob@example.com"}, Environments: []string{"prod"},
		Data: []string{"public"}, Contacts: &gatehouse.TeamContacts{Email: "new@example.com"}}
	in.Body.Accept.Version = "1"
	for end := time.Now().Add(patience); time.Now().Before(end) && s.t.Context().Err() == nil; _ = wait(s.t.Context(), 50*time.Millisecond) {
		_, err := c.StartOnboarding(s.t.Context(), in)
		if err == nil || gatehouse.Is(err, gatehouse.Conflict) {
			return
		}
		if !gatehouse.Is(err, gatehouse.Unavailable) {
			s.t.Errorf("asking for team %s: %v", team, err)
			return
		}
	}
	s.t.Errorf("asking for team %s: nobody answers", team)
}

// joined looks that each team was asked for once, and is there.
func (s *site) joined(ids []string, happened map[string]map[string]int) {
	s.t.Helper()
	for _, id := range ids {
		team := id[:len(id)-2]
		if n := happened["onboarding.create"]["Onboarding "+id]; n != 1 {
			s.t.Errorf("on-boarding %s was asked for %d times", id, n)
		}
		if n := happened["onboarding.create"]["Onboarding "+team+"-2"]; n != 0 {
			s.t.Errorf("team %s was asked for again when it was there", team)
		}
		if _, err := s.api.Get(s.t.Context(), gatehouse.KindTeam, "", team, adminapi.GetOptions{}); err != nil {
			s.t.Error(err)
		}
	}
	s.t.Logf("%d teams came by a rule", len(ids))
}

// overdue makes the lease over under which a process that was killed had kept
// messages to itself, so that nobody waits two minutes for it.
func (s *site) overdue(database string) {
	s.t.Helper()
	c, err := pgx.Connect(s.t.Context(), database)
	s.done(err)
	_, err = c.Exec(s.t.Context(), `UPDATE job SET due = 1 WHERE due > 0`)
	s.done(errors.Join(err, c.Close(s.t.Context())))
}
