package onboarding

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/control/access"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// Approve lets an on-boarding through, and makes what it asks for in the same
// transaction: the team, its users and their roles, or what the team is
// allowed more. Whoever has a part in it does not approve it.
func (d *Desk) Approve(ctx context.Context, id, reason string) (*Standing, store.Seq, error) {
	for try := 1; ; try++ {
		s, seq, err := d.approve(ctx, id, reason)
		if err == nil {
			return s, seq, d.guard.CatchUp(ctx, seq)
		}
		if (gatehouse.Is(err, gatehouse.Lost) || errors.Is(err, errMoved)) && try < retries {
			continue // what it was decided on is another by now
		}
		kind := gatehouse.KindOf(err)
		if kind == gatehouse.Lost {
			kind = gatehouse.Conflict
		}
		return nil, 0, gatehouse.E(kind, "approving on-boarding %q: %w", id, err)
	}
}

// errMoved says that the on-boarding moved while it was decided on.
var errMoved = errors.New("it has moved on")

func (d *Desk) approve(ctx context.Context, id, reason string) (*Standing, store.Seq, error) {
	s, err := d.Get(ctx, id)
	if err != nil {
		return nil, 0, err
	}
	if err := s.waits(gatehouse.Requested, gatehouse.Answered); err != nil {
		return nil, 0, err
	}
	if err := d.others(ctx, s); err != nil {
		return nil, 0, err
	}
	t, err := d.stillAccepted(ctx, &s.Onboarding)
	if err != nil {
		return nil, 0, err
	}
	before := s.Onboarding
	s.decided(ctx, gatehouse.Approved, reason, d)
	documents, err := d.documents(ctx, s, t)
	if err != nil {
		return nil, 0, err
	}
	acts, err := d.approval(ctx, s, &before, reason)
	if err != nil {
		return nil, 0, err
	}
	done, err := d.catalog.Apply(ctx, catalog.Request{Documents: documents, Also: func(ctx context.Context) ([]audit.Act, error) {
		if d.moved(ctx, s) {
			return nil, gatehouse.E(gatehouse.Conflict, "%w", errMoved)
		}
		return acts, nil
	}})
	return s, done.Seq, err
}

// approval are the event of the approval and the person's decision.
func (d *Desk) approval(ctx context.Context, s *Standing, before *gatehouse.Onboarding, reason string) ([]audit.Act, error) {
	a, err := s.act("onboarding.approve", before, reason)
	if err != nil || actor(ctx) == access.System {
		return []audit.Act{a}, err
	}
	digest, err := digestOf(before)
	if err != nil {
		return nil, err
	}
	decision := gatehouse.Decision{
		Subject: "Onboarding " + s.ID, Digest: digest, Decision: gatehouse.Approved, By: s.DecidedBy, Time: s.Decided, Comment: reason,
	}
	value, err := jsonx.Marshal(&decision)
	a.Writes = append(a.Writes, store.Write{
		Key: "Decision/" + decision.Subject + "/" + digest + "/" + decision.By, Kind: string(gatehouse.KindDecision), Value: value, Expect: store.Absent,
		Index: map[string]string{"subject": decision.Subject, "by": decision.By, "decision": decision.Decision},
	})
	return []audit.Act{a}, err
}

// digestOf is the SHA-256 of what is decided on.
func digestOf(o *gatehouse.Onboarding) (string, error) {
	text, err := jsonx.Canonical(o)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), err
}

// documents are those that an approval applies.
func (d *Desk) documents(ctx context.Context, s *Standing, t *Terms) ([]catalog.Document, error) {
	v, err := d.catalog.Get(ctx, gatehouse.KindTeam, "", s.Request.Team, noTime)
	switch {
	case err != nil && !gatehouse.Is(err, gatehouse.NotFound):
		return nil, err
	case s.More && err != nil:
		return nil, gatehouse.E(gatehouse.Conflict, "team %q is gone; reject it", s.Request.Team)
	case s.More:
		return d.enlarge(s, v), nil
	case err == nil:
		return nil, gatehouse.E(gatehouse.Conflict, "team %q exists by now; reject it, or ask back for another name and let them ask anew", s.Request.Team)
	}
	if end, err := gatehouse.ParseMoment(s.Request.Expires); s.Request.Expires != "" && (err != nil || !end.After(d.now())) {
		return nil, gatehouse.E(gatehouse.Conflict, "the members' roles would have ended %s; ask back for a later end", s.Request.Expires)
	}
	all := []catalog.Document{newDocument(gatehouse.KindTeam, s.Request.Team, teamOf(&s.Request, t))}
	people, err := d.people(ctx, &s.Request)
	return append(append(all, people...), assignments(s)...), err
}

func newDocument(kind gatehouse.Kind, name string, spec gatehouse.Spec) catalog.Document {
	absent := store.Absent
	return catalog.Document{Expect: &absent, Object: &gatehouse.Object{
		APIVersion: gatehouse.APIVersion, Kind: kind, Metadata: gatehouse.Metadata{Name: name}, Spec: spec,
	}}
}

func teamOf(r *gatehouse.OnboardingRequest, t *Terms) *gatehouse.Team {
	team := &gatehouse.Team{
		Title: r.Title, Summary: r.Summary, Contacts: r.Contacts, Members: r.Members, CostCentre: r.CostCentre, Environments: sorted(r.Environments),
	}
	q := gatehouse.TeamQuotas{}
	if t != nil && t.version.Onboarding != nil && t.version.Onboarding.Quotas != nil {
		q = *t.version.Onboarding.Quotas
	}
	if q = larger(q, r.Quotas); q != (gatehouse.TeamQuotas{}) {
		team.Quotas = &q
	}
	return team
}

// larger is what stands with what is asked for in its place.
func larger(q gatehouse.TeamQuotas, asked *gatehouse.TeamQuotas) gatehouse.TeamQuotas {
	if asked == nil {
		return q
	}
	if asked.APIs > 0 {
		q.APIs = asked.APIs
	}
	if asked.Applications > 0 {
		q.Applications = asked.Applications
	}
	if asked.Requests > 0 {
		q.Requests = asked.Requests
	}
	return q
}

// people are the users that the members name and that are not there yet.
func (d *Desk) people(ctx context.Context, r *gatehouse.OnboardingRequest) (all []catalog.Document, err error) {
	for _, m := range r.Members {
		name, ok := strings.CutPrefix(m, "user:")
		if !ok {
			continue
		}
		_, err := d.catalog.Get(ctx, gatehouse.KindUser, "", name, noTime)
		if err == nil {
			continue
		}
		if !gatehouse.Is(err, gatehouse.NotFound) {
			return nil, err
		}
		u := new(gatehouse.User)
		if strings.Contains(name, "@") {
			u.Email = name
		}
		all = append(all, newDocument(gatehouse.KindUser, name, u))
	}
	return all, nil
}

// maxName is how long the name of an assignment may be.
const maxName = 254

// assignments give the members the role developer on their team.
func assignments(s *Standing) (all []catalog.Document) {
	for _, m := range s.Request.Members {
		name := s.ID + "-" + strings.TrimPrefix(strings.ReplaceAll(m, ":", "-"), "user-")
		if len(name) > maxName {
			sum := sha256.Sum256([]byte(m))
			name = s.ID + "-" + hex.EncodeToString(sum[:16])
		}
		all = append(all, newDocument(gatehouse.KindRoleAssignment, name, &gatehouse.RoleAssignment{
			Subject: m, Role: "developer", Scope: "team/" + s.Request.Team, Expires: s.Request.Expires, Reason: "on-boarding " + s.ID,
		}))
	}
	return all
}

// enlarge allows a team that is there what it asks for beside what it has.
func (d *Desk) enlarge(s *Standing, v *catalog.View) []catalog.Document {
	o := *v.Object
	team := *o.Spec.(*gatehouse.Team)
	if len(team.Environments) > 0 {
		for _, e := range s.Request.Environments {
			if !slices.Contains(team.Environments, e) {
				team.Environments = append(slices.Clone(team.Environments), e)
			}
		}
		team.Environments = sorted(team.Environments)
	}
	if team.Quotas != nil {
		q := *team.Quotas
		// A bound that went meanwhile does not come back, and one that grew does
		// not shrink.
		if q.APIs > 0 {
			q.APIs = max(q.APIs, quota(s.Request.Quotas).APIs)
		}
		if q.Applications > 0 {
			q.Applications = max(q.Applications, quota(s.Request.Quotas).Applications)
		}
		if q.Requests > 0 {
			q.Requests = max(q.Requests, quota(s.Request.Quotas).Requests)
		}
		team.Quotas = &q
	}
	o.Spec = &team
	rev := v.Rev
	return []catalog.Document{{Object: &o, Files: v.Files, Expect: &rev}}
}

func quota(q *gatehouse.TeamQuotas) gatehouse.TeamQuotas {
	if q == nil {
		return gatehouse.TeamQuotas{}
	}
	return *q
}
