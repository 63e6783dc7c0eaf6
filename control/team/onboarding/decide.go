package onboarding

import (
	"context"

	"gatehouse"
	"gatehouse/control/access"
	"gatehouse/store"
)

// waits refuses a verb on an on-boarding that is over, or in a state that does
// not have it.
func (s *Standing) waits(states ...string) error {
	for _, state := range states {
		if s.State == state {
			return nil
		}
	}
	by := ""
	if s.DecidedBy != "" {
		by = " by " + s.DecidedBy
	}
	switch s.State {
	case gatehouse.AskedBack:
		return gatehouse.E(gatehouse.Conflict, "it is asked-back, and waits for an answer of the asking side")
	case gatehouse.Requested, gatehouse.Answered:
		return gatehouse.E(gatehouse.Conflict, "it is %s, and nothing was asked back", s.State)
	}
	return gatehouse.E(gatehouse.Conflict, "it is %s already%s, which is an end; ask anew", s.State, by)
}

// others refuses whoever has a part in the on-boarding: it takes four eyes.
func (d *Desk) others(ctx context.Context, s *Standing) error {
	who := actor(ctx)
	if who == access.System {
		return nil
	}
	if err := d.guard.Apart(ctx, s.AskedBy, "asked for it", access.ByTeam); err != nil {
		return err
	}
	switch {
	case d.guard.Index().Among(who, s.Request.Members):
		return gatehouse.E(gatehouse.Denied, "%q is among the members it names; someone else has to decide", who)
	case d.Concerns(who, &s.Onboarding):
		return gatehouse.E(gatehouse.Denied, "%q is of team %q, which asks; someone else has to decide", who, s.Request.Team)
	}
	return nil
}

// Reject turns an on-boarding down, with a reason.
func (d *Desk) Reject(ctx context.Context, id, reason string) (*Standing, store.Seq, error) {
	if reason == "" {
		return nil, 0, gatehouse.E(gatehouse.Invalid, "rejecting on-boarding %q: a reason is needed: whoever asked is told it", id)
	}
	return d.change(ctx, "rejecting", "onboarding.reject", id, reason, func(s *Standing) error {
		if err := s.waits(gatehouse.Requested, gatehouse.Answered, gatehouse.AskedBack); err != nil {
			return err
		}
		if err := d.others(ctx, s); err != nil {
			return err
		}
		s.decided(ctx, gatehouse.Rejected, reason, d)
		return nil
	})
}

func (s *Standing) decided(ctx context.Context, state, reason string, d *Desk) {
	s.into(state, d.now())
	s.DecidedBy, s.Decided, s.Reason = actor(ctx), s.Since, reason
}

// Ask puts a question to whoever asked.
func (d *Desk) Ask(ctx context.Context, id, question string) (*Standing, store.Seq, error) {
	if question == "" {
		return nil, 0, gatehouse.E(gatehouse.Invalid, "asking back on on-boarding %q: the question is missing", id)
	}
	return d.change(ctx, "asking back on", "onboarding.ask", id, question, func(s *Standing) error {
		if err := s.waits(gatehouse.Requested, gatehouse.Answered); err != nil {
			return err
		}
		if err := d.others(ctx, s); err != nil {
			return err
		}
		s.into(gatehouse.AskedBack, d.now())
		s.Rule = "" // a person has it in hand now, and decides
		return s.say(actor(ctx), "question", question, s.Since)
	})
}

// An Answer is what the asking side says to a question.
type Answer struct {
	Text string
	// Request replaces what was asked for; nil leaves it. The team stays.
	Request *gatehouse.OnboardingRequest
	// Accept accepts responsibilities anew; the zero value leaves what was
	// accepted.
	Accept Accept
}

// Answer answers a question, and may change what is asked for with it.
func (d *Desk) Answer(ctx context.Context, id string, a Answer) (*Standing, store.Seq, error) {
	if a.Text == "" {
		return nil, 0, gatehouse.E(gatehouse.Invalid, "answering on on-boarding %q: the answer is missing", id)
	}
	return d.change(ctx, "answering on", "onboarding.answer", id, a.Text, func(s *Standing) error {
		if err := s.waits(gatehouse.AskedBack); err != nil {
			return err
		}
		if !d.Concerns(actor(ctx), &s.Onboarding) {
			return gatehouse.E(gatehouse.Denied, "%q has no part in it: whoever asked, or a member, answers", actor(ctx))
		}
		if err := d.amend(ctx, s, a); err != nil {
			return err
		}
		s.into(gatehouse.Answered, d.now())
		return s.say(actor(ctx), "answer", a.Text, s.Since)
	})
}

// amend changes what is asked for and weighs it anew. A person asked, so a
// person decides: no rule does.
func (d *Desk) amend(ctx context.Context, s *Standing, a Answer) error {
	if a.Request == nil && a.Accept.Version == "" {
		return nil
	}
	accept := a.Accept
	if a.Request != nil {
		if a.Request.Team != s.Request.Team {
			return gatehouse.E(gatehouse.Invalid, "it is about team %q; for team %q ask anew", s.Request.Team, a.Request.Team)
		}
		s.Request = *a.Request
	}
	kept := s.Acceptance
	if accept.Version == "" && kept != nil {
		accept = Accept{Version: kept.Version, Hash: kept.Hash}
	}
	if err := d.weigh(ctx, s, accept); err != nil {
		return err
	}
	if a.Accept.Version == "" && kept != nil {
		s.Acceptance = kept // by whom and when stays as it was
	}
	s.Rule = ""
	return nil
}

// Withdraw takes an on-boarding back.
func (d *Desk) Withdraw(ctx context.Context, id, reason string) (*Standing, store.Seq, error) {
	return d.change(ctx, "withdrawing", "onboarding.withdraw", id, reason, func(s *Standing) error {
		if err := s.waits(gatehouse.Requested, gatehouse.Answered, gatehouse.AskedBack); err != nil {
			return err
		}
		if !d.Concerns(actor(ctx), &s.Onboarding) {
			return gatehouse.E(gatehouse.Denied, "%q has no part in it: whoever asked, or a member, withdraws it", actor(ctx))
		}
		s.decided(ctx, gatehouse.Withdrawn, reason, d)
		return nil
	})
}
