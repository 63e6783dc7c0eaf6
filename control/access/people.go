package access

import (
	"context"
	"encoding/json"
	"strings"

	"gatehouse"
	"gatehouse/store"
)

// maxPeople bounds whom a service account is traced to.
const maxPeople = 10_000

// person reports whether a subject is a person rather than a program.
func person(subject string) bool { return strings.HasPrefix(subject, "user:") }

// Behind are the subjects, and whoever stands behind those that are service
// accounts: who made a token for one, since they may have used it, and the
// members of the team that answers for it, since it writes what they give it.
func (g *Guard) Behind(ctx context.Context, subjects ...string) (map[string]bool, error) {
	t := tracing{db: g.trail.DB, seen: map[string]bool{}}
	return t.seen, t.all(ctx, subjects)
}

// Hands are the subject, and whoever made a token for it if it is a service
// account, and so may have acted as it.
func (g *Guard) Hands(ctx context.Context, subject string) (map[string]bool, error) {
	t := tracing{db: g.trail.DB, seen: map[string]bool{}, hands: true}
	return t.seen, t.trace(ctx, subject)
}

type tracing struct {
	db    store.DB
	seen  map[string]bool
	hands bool // only who made tokens
}

func (t *tracing) trace(ctx context.Context, subject string) error {
	if subject == "" || t.seen[subject] || len(t.seen) >= maxPeople {
		return nil
	}
	t.seen[subject] = true
	kind, name, _ := strings.Cut(subject, ":")
	switch kind {
	case "service":
		return t.account(ctx, subject, name)
	case "group":
		var g gatehouse.Group
		if err := t.spec(ctx, gatehouse.KindGroup, name, &g); err != nil {
			return err
		}
		return t.all(ctx, g.Members)
	}
	return nil
}

func (t *tracing) all(ctx context.Context, subjects []string) error {
	for _, s := range subjects {
		if err := t.trace(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (t *tracing) account(ctx context.Context, subject, name string) error {
	var account gatehouse.ServiceAccount
	if err := t.spec(ctx, gatehouse.KindServiceAccount, name, &account); err != nil {
		return err
	}
	if account.Team != "" && !t.hands {
		var team gatehouse.Team
		if err := t.spec(ctx, gatehouse.KindTeam, account.Team, &team); err != nil {
			return err
		}
		if err := t.all(ctx, team.Members); err != nil {
			return err
		}
	}
	q := store.Query{Kind: string(gatehouse.KindToken), Where: map[string]string{"subject": subject}, Limit: 500}
	for {
		page, err := t.db.List(ctx, q)
		if err != nil {
			return err
		}
		for _, r := range page.Records {
			var token gatehouse.Token
			if json.Unmarshal(r.Value, &token) == nil {
				if err := t.trace(ctx, token.CreatedBy); err != nil {
					return err
				}
			}
		}
		if page.Next == "" {
			return nil
		}
		q.After = page.Next
	}
}

// spec reads the spec of an object of the organization; one that is gone says
// nothing.
func (t *tracing) spec(ctx context.Context, kind gatehouse.Kind, name string, into any) error {
	r, err := t.db.Get(ctx, gatehouse.Key(kind, "", name))
	if gatehouse.Is(err, gatehouse.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	var stored gatehouse.Stored
	o := struct {
		Spec any `json:"spec"`
	}{into}
	err = json.Unmarshal(r.Value, &stored)
	if err == nil {
		err = json.Unmarshal(stored.Object, &o)
	}
	if err != nil {
		return gatehouse.E(gatehouse.Internal, "reading %q: %w", r.Key, err)
	}
	return nil
}
