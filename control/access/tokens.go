package access

import (
	"context"
	"encoding/json"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/store"
)

// write keeps t.
func write(c class, t gatehouse.Token, expect store.Seq) store.Write {
	value, _ := json.Marshal(t) // texts and times always have a form
	return store.Write{Key: c.key(t.ID), Kind: string(c.kind), Value: value, Expect: expect,
		Index: map[string]string{"subject": t.Subject, "ends": ends(t)}}
}

// ends is when t stops proving anything, in a form that sorts.
func ends(t gatehouse.Token) string {
	end := t.Expires
	if !t.Revoked.IsZero() {
		end = t.Revoked
	}
	if end.IsZero() {
		return "never"
	}
	return store.Moment(end)
}

// shown is what the trail and lists show of t: never the hash.
func shown(t gatehouse.Token) json.RawMessage {
	t.Hash = ""
	value, _ := json.Marshal(t)
	return value
}

// Tokens lists the tokens of a subject, or of all when it is "", by id.
func (g *Guard) Tokens(ctx context.Context, subject, after string, limit int) ([]gatehouse.Token, string, error) {
	return g.list(ctx, tokens, subject, after, limit)
}

// Sessions lists the console's sessions, as Tokens does.
func (g *Guard) Sessions(ctx context.Context, subject, after string, limit int) ([]gatehouse.Token, string, error) {
	return g.list(ctx, sessions, subject, after, limit)
}

func (g *Guard) list(ctx context.Context, c class, subject, after string, limit int) ([]gatehouse.Token, string, error) {
	if limit <= 0 || limit > 1000 {
		limit = 1000
	}
	q := store.Query{Kind: string(c.kind), After: after, Limit: limit}
	if subject != "" {
		q.Where = map[string]string{"subject": subject}
	}
	page, err := g.trail.DB.List(ctx, q)
	if err != nil {
		return nil, "", err
	}
	list := make([]gatehouse.Token, 0, len(page.Records))
	for _, r := range page.Records {
		var t gatehouse.Token
		if err := json.Unmarshal(r.Value, &t); err != nil {
			return nil, "", gatehouse.E(gatehouse.Internal, "reading %q: %w", r.Key, err)
		}
		t.Hash = ""
		list = append(list, t)
	}
	return list, page.Next, nil
}

// Token returns one token without its hash.
func (g *Guard) Token(ctx context.Context, id string) (gatehouse.Token, error) {
	t, _, err := g.read(ctx, tokens, id)
	t.Hash = ""
	return t, err
}

// Session returns one session without its hash.
func (g *Guard) Session(ctx context.Context, id string) (gatehouse.Token, error) {
	t, _, err := g.read(ctx, sessions, id)
	t.Hash = ""
	return t, err
}

func (g *Guard) read(ctx context.Context, c class, id string) (t gatehouse.Token, rev store.Seq, err error) {
	r, err := g.trail.DB.Get(ctx, c.key(id))
	if gatehouse.Is(err, gatehouse.NotFound) {
		return t, 0, gatehouse.E(gatehouse.NotFound, "looking for %s %q: there is none", c.noun, id)
	}
	if err != nil {
		return t, 0, err
	}
	if err := json.Unmarshal(r.Value, &t); err != nil {
		return t, 0, gatehouse.E(gatehouse.Internal, "reading %q: %w", r.Key, err)
	}
	return t, r.Rev, nil
}

// RevokeToken ends a token at once; one that ended before stays as it is.
func (g *Guard) RevokeToken(ctx context.Context, id string) error {
	return g.revoke(ctx, tokens, id, "token.revoke")
}

// RevokeSession ends a session at once.
func (g *Guard) RevokeSession(ctx context.Context, id string) error {
	return g.revoke(ctx, sessions, id, "session.revoke")
}

func (g *Guard) revoke(ctx context.Context, c class, id, action string) error {
	t, rev, err := g.read(ctx, c, id)
	if err != nil || !t.Revoked.IsZero() {
		return err
	}
	before := shown(t)
	t.Revoked = g.now().UTC().Truncate(time.Microsecond)
	seq, err := g.trail.Commit(ctx, audit.Act{Action: action, Object: string(c.kind) + " " + id,
		Before: before, After: shown(t), Writes: []store.Write{write(c, t, rev)}})
	if err != nil {
		return err
	}
	return g.CatchUp(ctx, seq)
}

// Sweep removes tokens, sessions and login codes that ended [KeptEnded] ago or
// earlier, and says how many. Every control plane calls it now and then.
func (g *Guard) Sweep(ctx context.Context) (swept int, err error) {
	until := store.Moment(g.now().Add(-KeptEnded))
	for _, c := range []class{tokens, sessions, loginCodes} {
		for {
			page, err := g.trail.DB.List(ctx, store.Query{Kind: string(c.kind), Sort: "ends", Below: until, Limit: 500})
			if err != nil {
				return swept, err
			}
			var acts []audit.Act
			for _, r := range page.Records {
				var t gatehouse.Token
				if json.Unmarshal(r.Value, &t) == nil {
					acts = append(acts, audit.Act{Action: c.action("delete"), Object: string(c.kind) + " " + t.ID, Before: shown(t),
						Reason: "ended long ago", Writes: []store.Write{{Key: r.Key, Kind: r.Kind, Expect: r.Rev}}})
				}
			}
			if len(acts) == 0 {
				break
			}
			if _, err := g.trail.Commit(ctx, acts...); err != nil {
				return swept, err
			}
			swept += len(acts)
		}
	}
	return swept, nil
}
