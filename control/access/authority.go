package access

import (
	"context"
	"encoding/json"
	"strings"

	"gatehouse"
	"gatehouse/control/audit"
)

// An Authority is a Guard as package server asks it, by texts.
type Authority struct{ *Guard }

// Authenticate returns the subject that a token or session proves, and how:
// "token:tok_…" or "session:ses_…".
func (a Authority) Authenticate(ctx context.Context, secret string) (subject, authentication string, err error) {
	if secret == "" {
		return "anonymous", "none", gatehouse.E(gatehouse.Unauthenticated, "signing in: the request has no token; send Authorization: Bearer %s…", tokenPrefix)
	}
	// Decisions are made on the newest state, whichever process wrote it.
	if err := a.CatchUp(ctx, 0); err != nil {
		return "anonymous", "none", err
	}
	t, err := a.Guard.Authenticate(ctx, secret)
	if err != nil {
		return "anonymous", "none", err
	}
	how := "token:"
	if strings.HasPrefix(secret, sessionPrefix) {
		how = "session:"
	}
	return t.Subject, how + t.ID, nil
}

// Authorize returns nil when the subject may do the action on the object, such
// as "API/payments/orders", "team/payments" or "organization", else an error
// of kind Denied that says what is missing. Where a document lies within more
// than its key tells (a subscription's environment, an assignment's scope), it
// is read, but only when the key alone does not do.
func (a Authority) Authorize(ctx context.Context, subject, action, on string) error {
	place := ParseOn(on)
	if subject == System || a.Can(subject, action, place).Allowed {
		return nil
	}
	if finding.Allow(action) {
		var err error
		if place, err = a.Find(ctx, a.Index(), place); err != nil {
			return err
		}
	}
	o, err := a.document(ctx, place)
	if err != nil {
		return err
	}
	if o != nil {
		return a.AuthorizeOn(subject, action, OnObject(o))
	}
	return a.AuthorizeOn(subject, action, place)
}

// AuthorizeOn is Authorize for a place that is known.
func (g *Guard) AuthorizeOn(subject, action string, on On) error {
	if subject == System || g.Can(subject, action, on).Allowed {
		return nil
	}
	return g.refusal(subject, action, on)
}

// AuthorizeWrite asks for the action on a document as it is and as it will be:
// nobody moves a document out of, or into, where they have no say. Before is
// nil for a new one, after for one that is deleted.
func (g *Guard) AuthorizeWrite(subject, action string, before, after *gatehouse.Object) error {
	for _, o := range []*gatehouse.Object{before, after} {
		if o == nil {
			continue
		}
		if err := g.AuthorizeOn(subject, action, OnObject(o)); err != nil {
			return err
		}
	}
	return nil
}

// Allow decides, on the newest state and on behalf of whom ctx says, whether
// all of the writes may be done together: each by its action, as it is and as
// it will be, and by none may anyone come to more than the actor holds.
func (g *Guard) Allow(ctx context.Context, writes []Write) error {
	if err := g.CatchUp(ctx, 0); err != nil {
		return err
	}
	actor := audit.From(ctx).Actor
	for _, w := range writes {
		if err := g.AuthorizeWrite(actor, w.Action, w.Before, w.After); err != nil {
			return err
		}
	}
	return g.CheckWrites(actor, writes...)
}

func (g *Guard) refusal(subject, action string, on On) error {
	e := g.Why(subject, action, on)
	advice := ""
	if len(e.Remedies) > 0 {
		advice = "; " + e.Remedies[0]
	}
	return gatehouse.E(gatehouse.Denied, "%s on %s: %s%s", action, on, e.Reason, advice)
}

// document reads a document that lies within more than its key tells; nil for
// others, and where there is none.
func (a Authority) document(ctx context.Context, on On) (*gatehouse.Object, error) {
	switch on.Kind {
	case gatehouse.KindGateway, gatehouse.KindSubscription, gatehouse.KindServiceAccount, gatehouse.KindRoleAssignment:
	default:
		return nil, nil
	}
	r, err := a.trail.DB.Get(ctx, gatehouse.Key(on.Kind, on.Team, on.Name))
	if gatehouse.Is(err, gatehouse.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var s gatehouse.Stored
	var o gatehouse.Object
	err = json.Unmarshal(r.Value, &s)
	if err == nil {
		err = json.Unmarshal(s.Object, &o)
	}
	if err != nil {
		return nil, gatehouse.E(gatehouse.Internal, "reading %q: %w", r.Key, err)
	}
	return &o, nil
}
