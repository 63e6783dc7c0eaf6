package server

import (
	"context"
	"net/http"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/access"
	"gatehouse/control/audit"
	"gatehouse/jsonx"
)

// accessRoom carries out the routes of who is there and what they may do.
type accessRoom struct {
	*Server
	guard *access.Guard
}

// BindAccess binds whoami, tokens, sessions and the questions about access.
func (s *Server) BindAccess(g *access.Guard) {
	r := accessRoom{s, g}
	bind(s, adminapi.Whoami, r.whoami)
	bind(s, adminapi.ListTokens, func(ctx context.Context, in *adminapi.ListTokensRequest) (*adminapi.Tokens, error) {
		return r.list(ctx, in, "token.list", g.Tokens)
	})
	bind(s, adminapi.ListSessions, func(ctx context.Context, in *adminapi.ListTokensRequest) (*adminapi.Tokens, error) {
		return r.list(ctx, in, "session.list", g.Sessions)
	})
	bind(s, adminapi.CreateToken, r.createToken)
	bind(s, adminapi.RevokeToken, func(ctx context.Context, in *adminapi.TokenRef) (*adminapi.Empty, error) {
		return r.revoke(ctx, in.Token, "Token", g.Token, g.RevokeToken)
	})
	bind(s, adminapi.RevokeSession, func(ctx context.Context, in *adminapi.SessionRef) (*adminapi.Empty, error) {
		return r.revoke(ctx, in.Session, "Session", g.Session, g.RevokeSession)
	})
	bind(s, adminapi.CreateLoginCode, r.createLoginCode)
	bind(s, adminapi.Login, r.login)
	bind(s, adminapi.Logout, r.logout)
	bind(s, adminapi.ListBuiltInRoles, builtInRoles)
	bind(s, adminapi.AccessCan, r.can)
	bind(s, adminapi.AccessWhy, r.why)
	bind(s, adminapi.AccessWho, r.who)
}

func (r accessRoom) whoami(ctx context.Context, _ *adminapi.Empty) (*adminapi.WhoamiAnswer, error) {
	who := audit.From(ctx)
	out := &adminapi.WhoamiAnswer{}
	out.Body.Subject, out.Body.Authentication = who.Actor, who.Authentication
	given, groups := r.guard.Index().Given(who.Actor)
	out.Body.Groups, out.Body.Assignments = groups, make([]adminapi.Assignment, 0, len(given))
	for _, a := range given {
		out.Body.Assignments = append(out.Body.Assignments, adminapi.Assignment(a))
	}
	return out, nil
}

// mine is the subject asked about: the caller unless another is named, who is
// then a matter of permission.
func (r accessRoom) mine(ctx context.Context, subject, action, on string) (string, error) {
	actor := audit.From(ctx).Actor
	if subject == "" || subject == actor {
		return actor, nil
	}
	return subject, r.allow(ctx, action, on)
}

func (r accessRoom) list(ctx context.Context, in *adminapi.ListTokensRequest, action string,
	from func(ctx context.Context, subject, after string, limit int) ([]gatehouse.Token, string, error)) (*adminapi.Tokens, error) {
	subject, err := in.Subject, error(nil)
	if action != adminapi.ListTokens.Action || !r.keepsTokensOf(ctx, subject) {
		subject, err = r.mine(ctx, subject, action, access.Organization)
	}
	if err != nil {
		return nil, err
	}
	if subject == "-" {
		subject = ""
	}
	tokens, next, err := from(ctx, subject, in.After, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &adminapi.Tokens{}
	out.Body.Items, out.Body.Next = make([]adminapi.TokenItem, 0, len(tokens)), next
	for _, t := range tokens {
		out.Body.Items = append(out.Body.Items, adminapi.TokenItemOf(t, time.Now()))
	}
	return out, nil
}

func (r accessRoom) createToken(ctx context.Context, in *adminapi.CreateTokenRequest) (*adminapi.NewToken, error) {
	var life jsonx.Duration
	if in.Body.Life != "" {
		var err error
		if life, err = jsonx.ParseDuration(in.Body.Life); err != nil || life == 0 {
			return nil, gatehouse.E(gatehouse.Invalid, "creating a token: life: %q is not a length of time such as \"30d\"", in.Body.Life)
		}
	}
	subject, err := in.Body.Subject, error(nil)
	if !r.keepsTokensOf(ctx, subject) {
		subject, err = r.forWhom(ctx, subject, "token.create")
	}
	if err != nil {
		return nil, err
	}
	secret, t, err := r.guard.CreateToken(ctx, access.TokenRequest{Subject: subject, Name: in.Body.Name, Life: life.Std()})
	if err != nil {
		return nil, err
	}
	out := &adminapi.NewToken{}
	out.Body.TokenItem, out.Body.Token = adminapi.TokenItemOf(t, time.Now()), secret
	return out, nil
}

// forWhom is the subject something is made for. For another than the caller
// the permission is asked on that user or service account; that the caller
// gains nothing by it is for the guard.
func (r accessRoom) forWhom(ctx context.Context, subject, action string) (string, error) {
	on := access.Organization
	if subject != "" {
		kind, name, err := access.ParseSubject(subject)
		if err != nil {
			return "", err
		}
		on = gatehouse.Key(kind, "", name)
	}
	return r.mine(ctx, subject, action, on)
}

// keepsTokensOf reports whether the caller looks after the tokens of a service
// account, as developers do for their team's pipelines. That nobody gains more
// than they hold by it is for the guard.
func (r accessRoom) keepsTokensOf(ctx context.Context, subject string) bool {
	kind, name, err := access.ParseSubject(subject)
	return err == nil && kind == gatehouse.KindServiceAccount && r.allow(ctx, "service-account.token", gatehouse.Key(kind, "", name)) == nil
}

func (r accessRoom) revoke(ctx context.Context, id, kind string, read func(context.Context, string) (gatehouse.Token, error),
	end func(context.Context, string) error) (*adminapi.Empty, error) {
	t, err := read(ctx, id)
	if err != nil && !gatehouse.Is(err, gatehouse.NotFound) {
		return nil, err
	}
	if err != nil || t.Subject != audit.From(ctx).Actor && !(kind == "Token" && r.keepsTokensOf(ctx, t.Subject)) {
		// Whether there is such a one is not told to who may not end it.
		if e := r.allow(ctx, strings.ToLower(kind)+".revoke", access.Organization); e != nil {
			return nil, e
		}
	}
	if err != nil {
		return nil, err
	}
	return &adminapi.Empty{}, end(ctx, id)
}

func (r accessRoom) createLoginCode(ctx context.Context, in *adminapi.LoginCodeRequest) (*adminapi.LoginCode, error) {
	subject, err := r.forWhom(ctx, in.Body.Subject, "login-code.create")
	if err != nil {
		return nil, err
	}
	code, t, err := r.guard.CreateLoginCode(ctx, subject)
	if err != nil {
		return nil, err
	}
	out := &adminapi.LoginCode{}
	out.Body.ID, out.Body.Subject, out.Body.Code, out.Body.Expires = t.ID, t.Subject, code, t.Expires
	return out, nil
}

func (r accessRoom) login(ctx context.Context, in *adminapi.LoginRequest) (*adminapi.LoginAnswer, error) {
	secret, t, err := r.guard.RedeemLoginCode(ctx, in.Body.Code)
	if err != nil {
		return nil, err
	}
	out := &adminapi.LoginAnswer{SetCookie: cookie(ctx, secret, t.Expires)}
	out.Body.ID, out.Body.Subject, out.Body.Expires = t.ID, t.Subject, t.Expires
	return out, nil
}

func (r accessRoom) logout(ctx context.Context, _ *adminapi.Empty) (*adminapi.LogoutAnswer, error) {
	id, ok := strings.CutPrefix(audit.From(ctx).Authentication, "session:")
	if !ok {
		return nil, gatehouse.E(gatehouse.Conflict, "ending the session: the request came with a token; revoke that instead")
	}
	return &adminapi.LogoutAnswer{SetCookie: cookie(ctx, "", time.Unix(1, 0))}, r.guard.RevokeSession(ctx, id)
}

// cookie carries a session. It is for this site alone and not for scripts, and
// Secure where TLS is spoken; on a plain loopback listener it cannot be, as not
// every browser takes a Secure cookie from there.
func cookie(ctx context.Context, secret string, expires time.Time) string {
	st := stateOf(ctx)
	c := http.Cookie{Name: SessionCookie, Value: secret, Path: "/", Expires: expires, Secure: st != nil && st.secure, HttpOnly: true, SameSite: http.SameSiteStrictMode}
	return c.String()
}
