package access

import (
	"context"

	"gatehouse"
	"gatehouse/control/audit"
)

// A Trace says who else did what a service account did.
type Trace int

const (
	// ByHand is whoever made a token for it, and so may have acted as it.
	ByHand Trace = iota
	// ByTeam is them and the members of the team that answers for it.
	ByTeam
)

// Apart holds a second step to four eyes: it refuses whoever is not a person
// apart from the one before, who "asked for it" or what else they did. That is
// the same one; a program, which is nobody's eyes; and who stands behind the
// program that was before, as far as trace goes.
//
// Who makes tokens for others can act as they; the trail says of each step with
// which token it was taken, and of each token who made it. Only what a whole
// framework rests on is held to that too, by package framework with [Guard.Makers].
func (g *Guard) Apart(ctx context.Context, before, did string, trace Trace) error {
	who := audit.From(ctx).Actor
	if err := Apart(who, before, did); err != nil {
		return err
	}
	behind, err := g.behind(ctx, before, trace)
	if err != nil {
		return err
	}
	if behind[who] {
		return gatehouse.E(gatehouse.Denied, "%q is behind %q, which %s; someone else has to decide", who, before, did)
	}
	return nil
}

func (g *Guard) behind(ctx context.Context, subject string, trace Trace) (map[string]bool, error) {
	if trace == ByTeam {
		return g.Behind(ctx, subject)
	}
	return g.Hands(ctx, subject)
}

// Apart is what [Guard.Apart] refuses whatever is stored.
func Apart(who, before, did string) error {
	switch {
	case who == before:
		return gatehouse.E(gatehouse.Denied, "%q %s; someone else has to decide", who, did)
	case !person(who):
		return gatehouse.E(gatehouse.Denied, "%q is no person; a person has to decide", who)
	}
	return nil
}
