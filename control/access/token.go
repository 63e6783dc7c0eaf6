package access

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/store"
)

// How long proofs last.
const (
	DefaultTokenLife = 90 * 24 * time.Hour
	MaxTokenLife     = 366 * 24 * time.Hour
	SessionLife      = 12 * time.Hour
	LoginCodeLife    = 10 * time.Minute
	// KeptEnded is how long one that ended stays listed.
	KeptEnded = 30 * 24 * time.Hour
)

// Forever is the life of a token that only its revocation ends. Only the
// control plane itself gives it, to the first administrator.
const Forever time.Duration = -1

// class is a kind of proof: how its secrets and ids begin.
type class struct {
	kind       gatehouse.Kind
	noun       string
	secret, id string
}

var (
	tokens     = class{gatehouse.KindToken, "token", tokenPrefix, "tok_"}
	sessions   = class{gatehouse.KindSession, "session", sessionPrefix, "ses_"}
	loginCodes = class{gatehouse.KindLoginCode, "login code", loginPrefix, "lgn_"}
)

func (c class) action(verb string) string { return strings.ReplaceAll(c.noun, " ", "-") + "." + verb }

func (c class) key(id string) string { return string(c.kind) + "/" + id }

// Authenticate tells whose token or session a secret is. Anything that proves
// nobody is an error of kind Unauthenticated.
func (g *Guard) Authenticate(ctx context.Context, secret string) (gatehouse.Token, error) {
	for _, c := range []class{tokens, sessions} {
		if strings.HasPrefix(secret, c.secret) {
			return g.prove(ctx, c, secret)
		}
	}
	return gatehouse.Token{}, gatehouse.E(gatehouse.Unauthenticated, "signing in: that is no token of Gatehouse; it begins with %q", tokenPrefix)
}

func (g *Guard) prove(ctx context.Context, c class, secret string) (gatehouse.Token, error) {
	t, err := g.find(ctx, c, secret)
	if err != nil {
		return gatehouse.Token{}, err
	}
	now := g.now()
	switch {
	case !t.Revoked.IsZero():
		return gatehouse.Token{}, gatehouse.E(gatehouse.Unauthenticated, "signing in: %s %q was revoked", c.noun, t.ID)
	case !t.Expires.IsZero() && !now.Before(t.Expires):
		return gatehouse.Token{}, gatehouse.E(gatehouse.Unauthenticated, "signing in: %s %q ended %s", c.noun, t.ID, expired(t.Expires))
	case !g.Index().knows(t.Subject):
		return gatehouse.Token{}, gatehouse.E(gatehouse.Unauthenticated, "signing in: %q, whom %s %q is for, is gone or disabled", t.Subject, c.noun, t.ID)
	}
	t.Hash = ""
	return t, nil
}

// find reads the record a secret belongs to. The id follows from the secret,
// so a wrong one finds no record, and no part of a right one is told by time.
func (g *Guard) find(ctx context.Context, c class, secret string) (gatehouse.Token, error) {
	unknown := gatehouse.E(gatehouse.Unauthenticated, "signing in: the %s is not known here", c.noun)
	if !wellFormed(c.secret, secret) {
		return gatehouse.Token{}, gatehouse.E(gatehouse.Unauthenticated, "signing in: the %s is incomplete or mistyped", c.noun)
	}
	hash := hashOf(secret)
	key, now := c.key(idOf(c.id, hash)), g.now()
	t, step, ok := g.proof.get(key, now)
	if !ok {
		r, err := g.trail.DB.Get(ctx, key)
		if gatehouse.Is(err, gatehouse.NotFound) {
			return gatehouse.Token{}, unknown
		}
		if err != nil {
			return gatehouse.Token{}, err
		}
		if err := json.Unmarshal(r.Value, &t); err != nil {
			return gatehouse.Token{}, gatehouse.E(gatehouse.Internal, "reading %q: %w", key, err)
		}
		g.proof.put(key, t, now, step)
	}
	if subtle.ConstantTimeCompare([]byte(t.Hash), []byte(hash)) != 1 {
		return gatehouse.Token{}, unknown
	}
	return t, nil
}

// A TokenRequest asks for a token.
type TokenRequest struct {
	Subject string        // "user:alice@example.com" or "service:ci"
	Name    string        // what it is for
	Life    time.Duration // 0: DefaultTokenLife; at most MaxTokenLife
}

// CreateToken makes a token for a subject who exists. The secret is returned
// here and nowhere else. The actor needs to be the subject, or to hold all that
// the subject holds.
func (g *Guard) CreateToken(ctx context.Context, r TokenRequest) (secret string, t gatehouse.Token, err error) {
	actor := audit.From(ctx).Actor
	switch {
	case r.Life == 0:
		r.Life = DefaultTokenLife
	case r.Life == Forever && actor == System:
		r.Life = 0
	case r.Life < time.Minute || r.Life > MaxTokenLife:
		return "", t, gatehouse.E(gatehouse.Invalid, "creating a token: a life of %s is not between 1m and %s", r.Life, "366d")
	}
	if len(r.Name) > 200 {
		return "", t, gatehouse.E(gatehouse.Invalid, "creating a token: a name of %d bytes; at most 200", len(r.Name))
	}
	if !g.Index().knows(r.Subject) {
		return "", t, gatehouse.E(gatehouse.Invalid, "creating a token: %q is no user or service account that is enabled", r.Subject)
	}
	if err := g.Index().MayActAs(actor, r.Subject); err != nil {
		return "", t, gatehouse.E(gatehouse.Denied, "creating a token: %w", err)
	}
	secret, t, act, err := g.issue(ctx, tokens, r.Subject, r.Name, r.Life)
	if err != nil {
		return "", t, err
	}
	act.Action = "token.create"
	return g.commit(ctx, secret, t, act)
}

// issue makes a proof and the act that keeps it.
func (g *Guard) issue(ctx context.Context, c class, subject, name string, life time.Duration) (string, gatehouse.Token, audit.Act, error) {
	makers, err := g.Makers(ctx)
	if err != nil {
		return "", gatehouse.Token{}, audit.Act{}, err
	}
	secret, hash := newSecret(c.secret)
	now := g.now().UTC().Truncate(time.Microsecond)
	t := gatehouse.Token{ID: idOf(c.id, hash), Hash: hash, Subject: subject, Name: name, Created: now, CreatedBy: audit.From(ctx).Actor, Makers: makers}
	if life > 0 {
		t.Expires = now.Add(life)
	}
	w := write(c, t, store.Absent)
	t.Hash = ""
	return secret, t, audit.Act{Object: string(c.kind) + " " + t.ID, After: shown(t), Writes: []store.Write{w}}, nil
}

// maxMakers bounds whom one proof is traced to.
const maxMakers = 100

// Makers are whoever made the proof that a request came with, and the one that
// was made with, back to the first: they may have acted as who it is for.
func (g *Guard) Makers(ctx context.Context) (all []string, err error) {
	how, id, _ := strings.Cut(audit.From(ctx).Authentication, ":")
	for _, c := range []class{tokens, sessions, loginCodes} {
		if how != strings.ReplaceAll(c.noun, " ", "-") {
			continue
		}
		t, _, err := g.read(ctx, c, id)
		if gatehouse.Is(err, gatehouse.NotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		all = slices.Compact(slices.Sorted(slices.Values(append(t.Makers, t.CreatedBy))))
		if len(all) > maxMakers {
			return nil, gatehouse.E(gatehouse.Conflict, "%d persons made the proofs before this one; at most %d: sign in with a token made by somebody near its beginning", len(all), maxMakers)
		}
	}
	return all, nil
}

func (g *Guard) commit(ctx context.Context, secret string, t gatehouse.Token, acts ...audit.Act) (string, gatehouse.Token, error) {
	seq, err := g.trail.Commit(ctx, acts...)
	if err != nil {
		return "", gatehouse.Token{}, err
	}
	return secret, t, g.CatchUp(ctx, seq)
}
