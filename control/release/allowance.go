package release

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gatehouse"
)

// barred says why a team's APIs are not for an environment; "" when they are.
func (p *plan) barred(ctx context.Context, team, env string) (string, error) {
	o, err := p.After(ctx, gatehouse.Key(gatehouse.KindTeam, "", team))
	if err != nil || o == nil {
		return "", err
	}
	t := o.Spec.(*gatehouse.Team)
	if len(t.Environments) == 0 || slices.Contains(t.Environments, env) {
		return "", nil
	}
	return fmt.Sprintf("team %q is not allowed in environment %q, only in %s: ask for it with \"gatehouse onboard start %s --env %s\"", team, env, quoted(t.Environments), team, env), nil
}

// permitted refuses releases into environments that their team is not allowed
// in. Going back to what was live there, and taking it away, always is.
func (p *plan) permitted(ctx context.Context) error {
	for _, key := range sorted(p.Releases) {
		w := p.Releases[key]
		if w.Next == nil || w.Action == "release.rollback" || w.Was != nil && w.Next.Revision == w.Was.Revision && w.Next.Proposed == "" {
			continue
		}
		team, _ := gatehouse.ParseRef(w.API, "")
		if err := p.allowed(ctx, team, w.Env); err != nil {
			return err
		}
	}
	return nil
}

// allowed refuses an environment that a team's APIs are not for.
func (p *plan) allowed(ctx context.Context, team, env string) error {
	barred, err := p.barred(ctx, team, env)
	if err == nil && barred != "" {
		err = gatehouse.E(gatehouse.Conflict, "%s", barred)
	}
	return err
}

func quoted(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = strconv.Quote(n)
	}
	return strings.Join(q, ", ")
}
