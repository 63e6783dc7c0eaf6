package access

import (
	"context"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/store"
)

// CreateLoginCode makes a code with which the subject opens one console
// session, within [LoginCodeLife]. It goes into a link and works once.
func (g *Guard) CreateLoginCode(ctx context.Context, subject string) (code string, t gatehouse.Token, err error) {
	if !g.Index().knows(subject) {
		return "", t, gatehouse.E(gatehouse.Invalid, "creating a login code: %q is no user or service account that is enabled", subject)
	}
	if err := g.Index().MayActAs(audit.From(ctx).Actor, subject); err != nil {
		return "", t, gatehouse.E(gatehouse.Denied, "creating a login code: %w", err)
	}
	code, t, act, err := g.issue(ctx, loginCodes, subject, "", LoginCodeLife)
	if err != nil {
		return "", t, err
	}
	act.Action = loginCodes.action("create")
	return g.commit(ctx, code, t, act)
}

// RedeemLoginCode opens a session for a code and uses the code up, in one
// transaction: of two who redeem one code at the same time, one is refused.
func (g *Guard) RedeemLoginCode(ctx context.Context, code string) (secret string, t gatehouse.Token, err error) {
	login, err := g.prove(ctx, loginCodes, code)
	if err != nil {
		return "", t, err
	}
	_, rev, err := g.read(ctx, loginCodes, login.ID)
	if gatehouse.Is(err, gatehouse.NotFound) {
		return "", t, used(login.ID)
	}
	if err != nil {
		return "", t, err
	}
	by := audit.From(ctx)
	by.Actor, by.Authentication = login.Subject, "login-code:"+login.ID
	ctx = audit.WithRequest(ctx, by)
	secret, t, act, err := g.issue(ctx, sessions, login.Subject, "", SessionLife)
	if err != nil {
		return "", t, err
	}
	act.Action = sessions.action("create")
	act.Writes = append(act.Writes, store.Write{Key: loginCodes.key(login.ID), Kind: string(loginCodes.kind), Expect: rev})
	secret, t, err = g.commit(ctx, secret, t, act)
	if gatehouse.Is(err, gatehouse.Conflict) {
		return "", gatehouse.Token{}, used(login.ID)
	}
	return secret, t, err
}

func used(id string) error {
	return gatehouse.E(gatehouse.Unauthenticated, "signing in: login code %q was used before", id)
}
