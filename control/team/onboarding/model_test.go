package onboarding

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"gatehouse"
)

// A simple is the naive model of on-boarding: who is of which team, which teams
// there are and how many APIs each may have, and where each request stands.
type simple struct {
	members map[string][]string // of teams that are there; groups spelled out
	apis    map[string]int
	asked   []*plain
	events  map[string]int // allowed, by action
}

// A plain is one request.
type plain struct {
	id, team, state string
	part            []string // who asked, and the members it names, and those of the team
	people          []string // of a new team
	apis            int
	more            bool
}

func (p *plain) open() bool {
	return p.state == gatehouse.Requested || p.state == gatehouse.AskedBack || p.state == gatehouse.Answered
}

// may tells whether a person may do something to a request, and where it leads.
func (m *simple) may(who, verb string, p *plain) (next string, ok bool) {
	concerned := slices.Contains(p.part, who) || p.more && slices.Contains(m.members[p.team], who)
	waits := p.state == gatehouse.Requested || p.state == gatehouse.Answered
	switch verb {
	case "approve":
		return gatehouse.Approved, waits && !concerned
	case "ask":
		return gatehouse.AskedBack, waits && !concerned
	case "reject":
		return gatehouse.Rejected, p.open() && !concerned
	case "answer":
		return gatehouse.Answered, p.state == gatehouse.AskedBack && concerned
	default:
		return gatehouse.Withdrawn, p.open() && concerned
	}
}

// did moves the model.
func (m *simple) did(verb, next string, p *plain) {
	p.state = next
	m.events["onboarding."+verb]++
	if verb == "approve" {
		if m.apis[p.team] = p.apis; !p.more {
			m.members[p.team] = p.people
		}
	}
}

// start is the request of a person for a team, and whether it may be made.
func (m *simple) start(who, team string, group bool) (gatehouse.OnboardingRequest, *plain, bool) {
	p := &plain{team: team, state: gatehouse.Requested, part: []string{who}, apis: m.apis[team] + 1}
	r := gatehouse.OnboardingRequest{Team: team, Why: "we grow", Quotas: &gatehouse.TeamQuotas{APIs: p.apis}}
	of, there := m.members[team]
	if p.more = there; !there {
		r.Environments, r.Data, r.Contacts = []string{"dev"}, []string{"internal"}, &gatehouse.TeamContacts{Email: "new@example.com"}
		r.Members, p.people = []string{"user:" + who}, []string{who}
		if group {
			r.Members, p.people = append(r.Members, "group:devs"), append(p.people, "bob") // who is all of it
			p.part = append(p.part, "bob")
		}
	}
	waiting := slices.ContainsFunc(m.asked, func(o *plain) bool { return o.team == team && o.open() })
	return r, p, !waiting && (!there || slices.Contains(of, who))
}

// does asks the desk.
func (h *house) does(who, verb, id string) (err error) {
	switch ctx := h.as(who); verb {
	case "approve":
		_, _, err = h.Approve(ctx, id, "")
	case "reject":
		_, _, err = h.Reject(ctx, id, "not now")
	case "ask":
		_, _, err = h.Ask(ctx, id, "why?")
	case "answer":
		_, _, err = h.Answer(ctx, id, Answer{Text: "because"})
	default:
		_, _, err = h.Withdraw(ctx, id, "")
	}
	return err
}

// TestOnboardingAsTheModel lets right and wrong persons do anything in any order,
// also two at once, for new teams and for those there are: what is let through,
// where each request stands, what teams come of it and what is on record is what
// the naive model says.
func TestOnboardingAsTheModel(t *testing.T) {
	people, teams := []string{"boss", "chief", "ann", "bob", "eve"}, []string{"old", "n0", "n1"}
	verbs := []string{"approve", "ask", "reject", "answer", "withdraw"}
	done, refused := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		h := newHouse(t).furnish()
		m := &simple{members: map[string][]string{"old": {"ann"}}, apis: map[string]int{"old": 2}, events: map[string]int{}}
		outcome := func(what string, err error, ok bool) {
			kind := gatehouse.KindOf(err)
			if (err == nil) != ok || err != nil && kind != gatehouse.Denied && kind != gatehouse.Conflict {
				rt.Fatalf("%s: got %v, the model lets it through: %v", what, err, ok)
			}
			if done++; !ok {
				refused++
			}
		}
		one := func() (string, string, *plain) {
			return rapid.SampledFrom(people).Draw(rt, "who"), rapid.SampledFrom(verbs).Draw(rt, "verb"), m.asked[rapid.IntRange(0, len(m.asked)-1).Draw(rt, "request")]
		}
		rt.Repeat(map[string]func(*rapid.T){
			"": func(*rapid.T) { h.holds(rt, m) },
			"start": func(rt *rapid.T) {
				who, team := rapid.SampledFrom(people[2:]).Draw(rt, "who"), rapid.SampledFrom(teams).Draw(rt, "team")
				r, p, ok := m.start(who, team, rapid.Bool().Draw(rt, "with a group"))
				s, _, err := h.Start(h.as(who), r, Accept{})
				outcome(fmt.Sprintf("%s asks for %s", who, team), err, ok)
				if ok {
					p.id, m.asked = s.ID, append(m.asked, p)
					m.events["onboarding.create"]++
				}
			},
			"decide": func(rt *rapid.T) {
				if len(m.asked) == 0 {
					rt.Skip()
				}
				who, verb, p := one()
				next, ok := m.may(who, verb, p)
				outcome(fmt.Sprintf("%s does %s to %s, which is %s", who, verb, p.id, p.state), h.does(who, verb, p.id), ok)
				if ok {
					m.did(verb, next, p)
				}
			},
			"two at once": func(rt *rapid.T) {
				if len(m.asked) == 0 {
					rt.Skip()
				}
				who, verb, p := one()
				other, another := rapid.SampledFrom(people).Draw(rt, "other"), rapid.SampledFrom(verbs[:3]).Draw(rt, "another")
				next, ok := m.may(who, verb, p)
				beside, may := m.may(other, another, p)
				if !ok || !may || verb == another && verb == "answer" {
					rt.Skip()
				}
				var errs [2]error
				var wg sync.WaitGroup
				wg.Go(func() { errs[0] = h.does(who, verb, p.id) })
				wg.Go(func() { errs[1] = h.does(other, another, p.id) })
				wg.Wait()
				switch {
				case errs[0] == nil && errs[1] == nil:
					// One after the other, where the first leaves something to the second.
					if first := h.order(rt, p.id); first == "onboarding."+verb {
						m.did(verb, next, p)
						beside, may = m.may(other, another, p)
						if m.did(another, beside, p); !may {
							rt.Fatalf("%s did %s after %s had done %s to %s", other, another, who, verb, p.id)
						}
					} else {
						m.did(another, beside, p)
						next, ok = m.may(who, verb, p)
						if m.did(verb, next, p); !ok {
							rt.Fatalf("%s did %s after %s had done %s to %s", who, verb, other, another, p.id)
						}
					}
				case errs[0] == nil:
					m.did(verb, next, p)
				case errs[1] == nil:
					m.did(another, beside, p)
				default:
					rt.Fatalf("%s: both were refused: %v", p.id, errs)
				}
			},
		})
	})
	if refused < done/10 || refused > done*9/10 {
		t.Errorf("%d of %d were refused: what is tried is not of both sorts", refused, done)
	}
	t.Logf("%d tried, %d refused", done, refused)
}

// order is the action of the last but one event on a request.
func (h *house) order(rt *rapid.T, id string) string {
	var all []string
	for _, action := range []string{"onboarding.approve", "onboarding.ask", "onboarding.reject", "onboarding.answer", "onboarding.withdraw"} {
		if _, e := h.events(action); e != nil && e.Object == "Onboarding "+id {
			all = append(all, fmt.Sprintf("%09d %s", e.Number, action))
		}
	}
	if len(all) < 2 {
		rt.Fatalf("%s: both were done, and the trail has %v", id, all)
	}
	slices.Sort(all)
	return all[len(all)-2][10:]
}

// holds compares what stands with the model.
func (h *house) holds(rt *rapid.T, m *simple) {
	for _, p := range m.asked {
		s, err := h.Get(h.as("boss"), p.id)
		if err != nil || s.State != p.state {
			rt.Fatalf("%s is %v, %v; the model says %s", p.id, s, err, p.state)
		}
	}
	for _, team := range []string{"old", "n0", "n1"} {
		v, err := h.catalog.Get(h.t.Context(), gatehouse.KindTeam, "", team, noTime)
		of, there := m.members[team]
		if (err == nil) != there {
			rt.Fatalf("team %s is there: %v; the model says %v", team, err, there)
		}
		if !there {
			continue
		}
		if got := v.Object.Spec.(*gatehouse.Team).Quotas.APIs; got != m.apis[team] {
			rt.Fatalf("team %s may have %d APIs, the model says %d", team, got, m.apis[team])
		}
		for _, who := range []string{"boss", "chief", "ann", "bob", "eve"} {
			if got := h.guard.Index().Of("user:"+who, team); got != slices.Contains(of, who) {
				rt.Fatalf("%s is of team %s: %v; the model says %v", who, team, got, of)
			}
		}
	}
	for action, n := range m.events {
		if got, _ := h.events(action); got != n {
			rt.Fatalf("%d times %s on record, the model says %d", got, action, n)
		}
	}
}
