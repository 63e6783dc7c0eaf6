package onboarding

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/admission"
	"gatehouse/store"
)

var noTime time.Time

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

// Start asks for an on-boarding. A team that is there is on-boarded already:
// one who is of it may ask for more environments and larger quotas, nobody
// else. One on-boarding of a team is open at a time.
//
// Where a condition of the framework lets it through, it is approved at once.
func (d *Desk) Start(ctx context.Context, r gatehouse.OnboardingRequest, a Accept) (*Standing, store.Seq, error) {
	for try := 1; ; try++ {
		s, seq, err := d.start(ctx, r, a)
		if gatehouse.Is(err, gatehouse.Lost) && try < retries {
			continue // somebody else took the number
		}
		if err != nil {
			return nil, 0, gatehouse.E(gatehouse.KindOf(err), "on-boarding team %q: %w", r.Team, err)
		}
		if s.Rule == "" {
			return s, seq, nil
		}
		return d.byRule(ctx, s, seq)
	}
}

func (d *Desk) start(ctx context.Context, r gatehouse.OnboardingRequest, a Accept) (*Standing, store.Seq, error) {
	now := d.now()
	s := &Standing{Rev: store.Absent, Onboarding: gatehouse.Onboarding{Request: r, AskedBy: actor(ctx), Asked: now, State: gatehouse.Requested, Since: now}}
	if err := d.weigh(ctx, s, a); err != nil {
		return nil, 0, err
	}
	var err error
	if s.ID, err = d.number(ctx, s); err != nil {
		return nil, 0, err
	}
	if err := d.unmoved(ctx, s); err != nil {
		return nil, 0, err
	}
	act, err := s.act("onboarding.create", nil, r.Why)
	if err != nil {
		return nil, 0, err
	}
	seq, err := d.trail.Commit(ctx, act)
	if gatehouse.Is(err, gatehouse.Conflict) {
		return nil, 0, gatehouse.E(gatehouse.Lost, "%w", err)
	}
	s.Rev = seq
	return s, seq, err
}

// unmoved refuses as Lost what was weighed while there was no team, and has it
// now, or the other way round: an on-boarding of the team was let through before
// the number was drawn.
func (d *Desk) unmoved(ctx context.Context, s *Standing) error {
	_, err := d.catalog.Get(ctx, gatehouse.KindTeam, "", s.Request.Team, noTime)
	if err != nil && !gatehouse.Is(err, gatehouse.NotFound) {
		return err
	}
	if (err == nil) != s.More {
		return gatehouse.E(gatehouse.Lost, "team %q came or went meanwhile", s.Request.Team)
	}
	return nil
}

// weigh looks at what is asked for: by itself, against what there is, whether
// the words are accepted, and whether a rule lets it through.
func (d *Desk) weigh(ctx context.Context, s *Standing, a Accept) error {
	c := gatehouse.NewChecker("on-boarding")
	s.Request.Check(c)
	if len(c.Faults()) == 0 {
		if err := d.compare(ctx, c, s); err != nil {
			return err
		}
	}
	if err := gatehouse.InvalidFaults(c.Faults()); err != nil {
		return err
	}
	t, err := d.Terms(ctx, s.Request.Framework)
	if err != nil {
		return err
	}
	if s.Acceptance, err = d.accept(ctx, t, a); err != nil {
		return err
	}
	if t == nil {
		s.Rule = ""
		return nil
	}
	seen, err := d.seen(ctx, s)
	if err != nil {
		return err
	}
	// A rule that cannot be asked leaves the decision to a person.
	s.Rule, _ = admission.Decide(t.version, seen)
	return nil
}

// compare checks the request against what is there.
func (d *Desk) compare(ctx context.Context, c *gatehouse.Checker, s *Standing) error {
	r := &s.Request
	if err := d.environments(ctx, c, r.Environments); err != nil {
		return err
	}
	v, err := d.catalog.Get(ctx, gatehouse.KindTeam, "", r.Team, noTime)
	switch {
	case err == nil:
		s.More = true
		return d.more(ctx, c, r, v.Object.Spec.(*gatehouse.Team))
	case !gatehouse.Is(err, gatehouse.NotFound):
		return err
	}
	s.More = false
	if len(r.Environments) == 0 {
		c.At("environments").Errorf("is empty: name those to release into")
	}
	if len(r.Members) == 0 && strings.HasPrefix(s.AskedBy, "user:") {
		r.Members = []string{s.AskedBy} // whoever asks alone asks for themselves
	}
	if len(r.Members) == 0 {
		c.At("members").Errorf("is empty: a team has people, such as \"user:alice@example.com\"")
	}
	if len(r.Data) == 0 {
		c.At("data").Errorf("is empty: which classes of data will pass through: public, internal, confidential or restricted")
	}
	if r.Contacts == nil || r.Contacts.Email == "" {
		c.At("contacts").At("email").Errorf("is missing: how to reach the team")
	}
	if end, err := gatehouse.ParseMoment(r.Expires); r.Expires != "" && err == nil && !end.After(d.now()) {
		c.At("expires").Errorf("%q is over already", r.Expires)
	}
	return d.members(ctx, c, r.Members)
}

func (d *Desk) environments(ctx context.Context, c *gatehouse.Checker, names []string) error {
	page, err := d.catalog.List(ctx, environmentsOf)
	if err != nil {
		return err
	}
	var known []string
	for _, v := range page.Items {
		known = append(known, v.Object.Metadata.Name)
	}
	for i, name := range names {
		if slices.Contains(known, name) {
			continue
		}
		detail := fmt.Sprintf("environment %q does not exist", name)
		if near := gatehouse.Nearest(name, known); near != "" {
			detail += fmt.Sprintf("; did you mean %q?", near)
		} else if len(known) > 0 && len(known) <= 20 {
			detail += "; there is " + strings.Join(known, ", ")
		}
		c.At("environments").At(i).Errorf("%s", detail)
	}
	return nil
}

// members checks that groups are there and that programs are none of them.
// People need not be known yet.
func (d *Desk) members(ctx context.Context, c *gatehouse.Checker, members []string) error {
	for i, m := range members {
		kind, name, _ := strings.Cut(m, ":")
		switch kind {
		case "service":
			c.At("members").At(i).Errorf("%q is a program: the kit gives the team a service account of its own", m)
		case "group":
			_, err := d.catalog.Get(ctx, gatehouse.KindGroup, "", name, noTime)
			if gatehouse.Is(err, gatehouse.NotFound) {
				c.At("members").At(i).Errorf("group %q does not exist; name people, or a group there is", name)
			} else if err != nil {
				return err
			}
		}
	}
	return nil
}

// more checks what a team that is there asks for: only what it lacks.
func (d *Desk) more(ctx context.Context, c *gatehouse.Checker, r *gatehouse.OnboardingRequest, t *gatehouse.Team) error {
	if !d.guard.Index().Of(actor(ctx), r.Team) {
		return gatehouse.E(gatehouse.Conflict, "it exists already; one of its members may ask for more environments and larger quotas, others ask its members to let them in, or choose another name")
	}
	for field, given := range map[string]bool{"title": r.Title != "", "summary": r.Summary != "", "members": len(r.Members) > 0, "expires": r.Expires != "",
		"costCentre": r.CostCentre != "", "contacts": r.Contacts != nil} {
		if given {
			c.At(field).Errorf("is for a new team; %q is there, and its document says it", r.Team)
		}
	}
	for i, e := range r.Environments {
		switch {
		case len(t.Environments) == 0:
			c.At("environments").At(i).Errorf("team %q is allowed in every environment", r.Team)
		case slices.Contains(t.Environments, e):
			c.At("environments").At(i).Errorf("team %q is allowed in %q already", r.Team, e)
		}
	}
	has, wants := quotas(t.Quotas), quotas(r.Quotas)
	asked := len(r.Environments) > 0
	for _, name := range slices.Sorted(maps.Keys(wants)) {
		switch {
		case wants[name] == 0:
			continue
		case has[name] == 0:
			c.At("quotas").At(name).Errorf("team %q has no bound on %s", r.Team, name)
		case wants[name] <= has[name]:
			c.At("quotas").At(name).Errorf("%d is not more than the %d it has", wants[name], has[name])
		}
		asked = true
	}
	if !asked && len(c.Faults()) == 0 {
		return gatehouse.E(gatehouse.Conflict, "it exists already, and nothing more is asked for: name environments or larger quotas")
	}
	return nil
}

// quotas are those of a team by name; 0 is no bound.
func quotas(q *gatehouse.TeamQuotas) map[string]int64 {
	if q == nil {
		q = new(gatehouse.TeamQuotas)
	}
	return map[string]int64{"apis": int64(q.APIs), "applications": int64(q.Applications), "requests": q.Requests}
}

// number is the id that the team's next on-boarding gets.
func (d *Desk) number(ctx context.Context, s *Standing) (string, error) {
	team := s.Request.Team
	mine, err := d.db.List(ctx, store.Query{Kind: string(gatehouse.KindOnboarding), Where: map[string]string{"asker": s.AskedBy, "open": "1"}, Limit: MaxOpen})
	if err != nil {
		return "", err
	}
	if len(mine.Records) >= MaxOpen {
		return "", gatehouse.E(gatehouse.Conflict, "%d on-boardings of yours are open; withdraw one, or wait until they are decided", MaxOpen)
	}
	next := 1
	q := store.Query{Kind: string(gatehouse.KindOnboarding), Where: map[string]string{"team": team}, Limit: 500}
	for {
		page, err := d.db.List(ctx, q)
		if err != nil {
			return "", err
		}
		for _, rec := range page.Records {
			o, err := standingOf(rec)
			if err != nil {
				return "", err
			}
			if o.Open() {
				return "", gatehouse.E(gatehouse.Conflict, "on-boarding %q of it is %s already; \"gatehouse onboard status %s\" shows it", o.ID, o.State, o.ID)
			}
			if n, err := strconv.Atoi(o.ID[len(team)+1:]); err == nil {
				next = max(next, n+1)
			}
		}
		if page.Next == "" {
			return team + "-" + strconv.Itoa(next), nil
		}
		q.After = page.Next
	}
}
