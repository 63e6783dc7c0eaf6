package server

import (
	"context"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/audit"
	"gatehouse/control/team/onboarding"
	"gatehouse/store"
)

// onboardingRoom carries out the routes of on-boardings.
type onboardingRoom struct {
	*Server
	desk *onboarding.Desk
}

// BindOnboarding binds asking for, deciding and reading on-boardings.
func (s *Server) BindOnboarding(d *onboarding.Desk) {
	r := onboardingRoom{s, d}
	bind(s, adminapi.GetOnboardingTerms, r.terms)
	bind(s, adminapi.StartOnboarding, func(ctx context.Context, in *adminapi.StartOnboardingRequest) (*adminapi.OnboardingAnswer, error) {
		r.about(ctx, in.Body.Request.Team, in.Body.Request.Team)
		return r.answer(ctx)(d.Start(ctx, in.Body.Request, onboarding.Accept(in.Body.Accept)))
	})
	bind(s, adminapi.ListOnboardings, r.list)
	bind(s, adminapi.GetOnboarding, func(ctx context.Context, in *adminapi.OnboardingRef) (*adminapi.OnboardingAnswer, error) {
		o, err := r.mine(ctx, in.ID)
		return r.answer(ctx)(o, 0, err)
	})
	bind(s, adminapi.ApproveOnboarding, func(ctx context.Context, in *adminapi.DecideOnboardingRequest) (*adminapi.OnboardingAnswer, error) {
		r.about(ctx, in.ID, "")
		return r.answer(ctx)(d.Approve(ctx, in.ID, reasonOf(in)))
	})
	bind(s, adminapi.RejectOnboarding, func(ctx context.Context, in *adminapi.DecideOnboardingRequest) (*adminapi.OnboardingAnswer, error) {
		r.about(ctx, in.ID, "")
		return r.answer(ctx)(d.Reject(ctx, in.ID, reasonOf(in)))
	})
	bind(s, adminapi.AskOnboarding, func(ctx context.Context, in *adminapi.AskOnboardingRequest) (*adminapi.OnboardingAnswer, error) {
		r.about(ctx, in.ID, "")
		return r.answer(ctx)(d.Ask(ctx, in.ID, in.Body.Question))
	})
	bind(s, adminapi.AnswerOnboarding, func(ctx context.Context, in *adminapi.AnswerOnboardingRequest) (*adminapi.OnboardingAnswer, error) {
		if _, err := r.mine(ctx, in.ID); err != nil {
			return nil, err
		}
		return r.answer(ctx)(d.Answer(ctx, in.ID, onboarding.Answer{Text: in.Body.Answer, Request: in.Body.Request, Accept: onboarding.Accept(in.Body.Accept)}))
	})
	bind(s, adminapi.WithdrawOnboarding, func(ctx context.Context, in *adminapi.DecideOnboardingRequest) (*adminapi.OnboardingAnswer, error) {
		if _, err := r.mine(ctx, in.ID); err != nil {
			return nil, err
		}
		return r.answer(ctx)(d.Withdraw(ctx, in.ID, reasonOf(in)))
	})
}

func reasonOf(in *adminapi.DecideOnboardingRequest) string {
	if in.Body == nil {
		return ""
	}
	return in.Body.Reason
}

// about says what a refusal is put on record as being about.
func (r onboardingRoom) about(ctx context.Context, id, team string) {
	st := stateOf(ctx)
	st.object, st.team = "Onboarding "+id, team
}

// mine reads an on-boarding for who has a part in it, or may do the action on
// any. Whether there is such a one is not told to others.
func (r onboardingRoom) mine(ctx context.Context, id string) (*onboarding.Standing, error) {
	o, err := r.desk.Get(ctx, id)
	if err == nil {
		r.about(ctx, o.ID, o.Request.Team)
		if r.desk.Concerns(audit.From(ctx).Actor, &o.Onboarding) {
			return o, nil
		}
	}
	if e := r.allow(ctx, stateOf(ctx).op.Action, "organization"); e != nil {
		return nil, e
	}
	return o, err
}

func (r onboardingRoom) answer(ctx context.Context) func(*onboarding.Standing, store.Seq, error) (*adminapi.OnboardingAnswer, error) {
	return func(o *onboarding.Standing, seq store.Seq, err error) (*adminapi.OnboardingAnswer, error) {
		if err != nil {
			return nil, err
		}
		out := &adminapi.OnboardingAnswer{Body: adminapi.OnboardingBody{Onboarding: o.Onboarding, Seq: int64(seq)}}
		out.Body.Notes, err = r.desk.Notes(ctx, &o.Onboarding)
		return out, err
	}
}

func (r onboardingRoom) terms(ctx context.Context, in *adminapi.TermsRequest) (*adminapi.TermsAnswer, error) {
	t, err := r.desk.Terms(ctx, in.Framework)
	if err != nil {
		return nil, err
	}
	out := &adminapi.TermsAnswer{}
	if t != nil {
		out.Body.InForce, out.Body.Framework, out.Body.Version, out.Body.Hash, out.Body.Text = true, t.Framework, t.Version, t.Hash, t.Text
	}
	return out, nil
}

func (r onboardingRoom) list(ctx context.Context, in *adminapi.ListOnboardingsRequest) (*adminapi.Onboardings, error) {
	f := onboarding.Filter{Team: in.Team, State: in.State, After: in.After, Limit: in.Limit}
	if in.Mine || r.allow(ctx, adminapi.ListOnboardings.Action, "organization") != nil {
		f.Asker = audit.From(ctx).Actor
	}
	page, next, err := r.desk.List(ctx, f)
	if err != nil {
		return nil, err
	}
	out := &adminapi.Onboardings{}
	out.Body.Items, out.Body.Next = make([]gatehouse.Onboarding, 0, len(page)), next
	for _, o := range page {
		out.Body.Items = append(out.Body.Items, o.Onboarding)
	}
	return out, nil
}
