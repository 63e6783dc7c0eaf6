package access

import (
	"context"
	"strings"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// AdminUser is the name of the administrator that the first start makes.
const AdminUser = "admin"

// EnsureAdmin makes, on the first start, user "admin" with the role admin on
// the organization and a token that does not expire, and returns the token's
// secret. Where there is such a user or ever was one, it does nothing: an
// administrator that was removed does not come back with a restart.
func (g *Guard) EnsureAdmin(ctx context.Context) (secret string, created bool, err error) {
	key := gatehouse.Key(gatehouse.KindUser, "", AdminUser)
	for _, err := range g.trail.DB.History(ctx, key) {
		if err != nil && !gatehouse.Is(err, gatehouse.NotFound) {
			return "", false, err
		}
		if err == nil {
			return "", false, nil
		}
	}
	ctx = asSystem(ctx)
	user, err := document(gatehouse.KindUser, &gatehouse.User{DisplayName: "Administrator"})
	if err != nil {
		return "", false, err
	}
	role, err := document(gatehouse.KindRoleAssignment, &gatehouse.RoleAssignment{Subject: "user:" + AdminUser, Role: "admin",
		Scope: Organization, Reason: "made by the first start"})
	if err != nil {
		return "", false, err
	}
	secret, t, token, err := g.issue(ctx, tokens, "user:"+AdminUser, "first start", 0)
	if err != nil {
		return "", false, err
	}
	token.Action = tokens.action("create")
	_, _, err = g.commit(ctx, secret, t, user, role, token)
	if gatehouse.Is(err, gatehouse.Conflict) { // another process was first
		return "", false, g.CatchUp(ctx, 0)
	}
	if err != nil {
		return "", false, err
	}
	return secret, true, nil
}

// RenewAdmin makes another token for the administrator, for a start that finds
// the user but not the file with the token. Whoever calls it holds the data
// directory and so the installation. Where the user was removed on purpose the
// error is of kind NotFound, and a start goes on without the file.
func (g *Guard) RenewAdmin(ctx context.Context) (secret string, err error) {
	if !g.Index().knows("user:" + AdminUser) {
		return "", gatehouse.E(gatehouse.NotFound, "renewing the administrator's token: user %q is gone or disabled", AdminUser)
	}
	secret, _, err = g.CreateToken(asSystem(ctx), TokenRequest{Subject: "user:" + AdminUser, Name: "token file was missing", Life: Forever})
	return secret, err
}

func asSystem(ctx context.Context) context.Context {
	return audit.WithRequest(ctx, audit.Request{Actor: System, Authentication: "none"})
}

// document is the act of writing a new document named "admin".
func document(kind gatehouse.Kind, spec gatehouse.Spec) (audit.Act, error) {
	o := gatehouse.Object{APIVersion: gatehouse.APIVersion, Kind: kind, Metadata: gatehouse.Metadata{Name: AdminUser}, Spec: spec}
	text, err := jsonx.Canonical(o)
	if err != nil {
		return audit.Act{}, err
	}
	value, err := jsonx.Canonical(gatehouse.Stored{Object: text})
	if err != nil {
		return audit.Act{}, err
	}
	info, _ := gatehouse.Info(string(kind))
	return audit.Act{Action: strings.TrimSuffix(info.Plural, "s") + ".put", Object: string(kind) + " " + AdminUser, After: value,
		Writes: []store.Write{{Key: o.Key(), Kind: string(kind), Value: value, Expect: store.Absent,
			Index: map[string]string{}}}}, nil
}
