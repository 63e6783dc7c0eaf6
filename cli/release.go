package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/client"
)

// A move brings a revision into an environment: release, promote, rollback.
type move struct {
	use, short, long, example string
	env, from, note           string
	wait                      time.Duration
	terms                     termFlags
	do                        func(ctx context.Context, api *client.Client, v adminapi.VersionPath, revision string) (*adminapi.ReleaseAnswer, error)
}

// move is the command of a move; envFlag is what its environment is called.
func (a *App) move(m *move, envFlag string) *cobra.Command {
	c := &cobra.Command{
		Use: m.use, GroupID: "expose", Args: exactly(1, "one API version"), Short: m.short, Long: m.long, Example: m.example,
		RunE: func(c *cobra.Command, args []string) error {
			v, revision, err := a.versionArg(c.Context(), args[0])
			if err != nil {
				return err
			}
			if m.env == "" {
				return misuse("--%s says which environment", envFlag)
			}
			api, err := a.connect()
			if err != nil {
				return err
			}
			out, err := m.do(c.Context(), api, v, revision)
			if err != nil {
				return err
			}
			return a.released(c.Context(), v, out.Body, m.wait)
		},
	}
	c.Flags().StringVar(&m.env, envFlag, "", "environment to release into")
	c.Flags().StringVar(&m.note, "note", "", "what is new, or why: kept as release notes")
	c.Flags().DurationVar(&m.wait, "wait", stepTime, "how long to wait for the gateways; 0 does not wait")
	return c
}

func (a *App) release() *cobra.Command {
	m := &move{
		use: "release TEAM/API@VERSION[#REVISION]", short: "Release a revision into an environment",
		long: `Release a revision, the newest unless one is named, into an environment, and wait
until its gateways say that they run it. When --wait runs out before they do, the
exit status is 1 and the message names them, with the reason; the release stays as
it was asked for, and they take it when they can. Instances out of reach do not
count where others of their gateway run it. --wait 0 asks nobody.

With --canary it comes in steps: each is a share of the callers in percent, and a
caller stays on its side while the share grows. A step lasts --every long, and
until it has seen --requests; then the next begins, at last with all callers.
When answers pass a bound of --stop-on, its callers go back at once, and the
record says why. "gatehouse release pause, resume, abort and finish" step in.

With --at it comes later; "gatehouse release list" shows what waits, and
"gatehouse release cancel" takes it back.

Into an environment that is frozen nothing comes, unless who may overrides it
with --override and a reason.`,
		example: "  gatehouse release payments/orders@v1 --env qa\n  gatehouse release payments/orders@v1#3f9c2a --env prod --note 'ticket 4711'\n  gatehouse release payments/orders@v1 --env prod --canary 5,25,50 --every 10m --stop-on 'errors>2%,p95>500ms'\n  gatehouse release payments/orders@v1 --env prod --at '2027-01-31 06:00'",
	}
	m.do = func(ctx context.Context, api *client.Client, v adminapi.VersionPath, revision string) (*adminapi.ReleaseAnswer, error) {
		in := adminapi.ReleaseRequest{VersionPath: v}
		in.Body.Environment, in.Body.Revision = m.env, revision
		var err error
		if in.Body.ReleaseTerms, err = m.terms.read(m.note); err != nil {
			return nil, err
		}
		return api.Release(ctx, in)
	}
	c := a.move(m, "env")
	m.terms.flags(c)
	return c
}

func (a *App) promote() *cobra.Command {
	m := &move{
		use: "promote TEAM/API@VERSION", short: "Release into one environment what is live in another",
		example: "  gatehouse promote payments/orders@v1 --from dev --to qa",
	}
	m.do = func(ctx context.Context, api *client.Client, v adminapi.VersionPath, _ string) (*adminapi.ReleaseAnswer, error) {
		if m.from == "" {
			return nil, misuse("--from says in which environment it is live")
		}
		in := adminapi.PromoteRequest{VersionPath: v}
		in.Body.From, in.Body.To = m.from, m.env
		var err error
		if in.Body.ReleaseTerms, err = m.terms.read(m.note); err != nil {
			return nil, err
		}
		return api.Promote(ctx, in)
	}
	c := a.move(m, "to")
	m.terms.flags(c)
	c.Flags().StringVar(&m.from, "from", "", "environment where it is live")
	return c
}

func (a *App) rollback() *cobra.Command {
	m := &move{use: "rollback TEAM/API@VERSION", short: "Release the revision that was live before"}
	m.do = func(ctx context.Context, api *client.Client, v adminapi.VersionPath, _ string) (*adminapi.ReleaseAnswer, error) {
		in := adminapi.RollbackRequest{VersionPath: v}
		in.Body.Environment, in.Body.Note = m.env, m.note
		return api.Rollback(ctx, in)
	}
	return a.move(m, "env")
}

// released tells what became of a release once gateways have answered.
func (a *App) released(ctx context.Context, v adminapi.VersionPath, r adminapi.ReleaseBody, wait time.Duration) error {
	ref := v.Team + "/" + v.Name + "@" + v.Version
	for _, why := range r.NotPlaced {
		a.note("%s", why)
	}
	switch s := r.Schedule; {
	case s != nil:
		a.note("%s#%s is to come into %s at %s", ref, short(s.Revision), s.Environment, s.At.Format(time.RFC3339))
		return a.show(r, func() table { return scheduleTable([]gatehouse.ReleaseSchedule{*s}) }, func() []string { return []string{ref} })
	case r.Canary != nil:
		a.note("%s", canaryLine(r.Canary))
		if err := a.inStep(ctx, r.Seq, wait, ofVersion(ref)); err != nil {
			return err
		}
		return a.show(r, func() table { return releaseTable(r) }, func() []string { return []string{ref} })
	}
	if r.State == gatehouse.Requested {
		if r.Needed > 1 {
			a.note("%d of %d persons have approved", len(r.Approvals), r.Needed)
		}
		a.note("%s#%s waits for an approval in %s: gatehouse release approve %s#%s --env %s", ref, short(r.Proposed), r.Environment, ref, short(r.Proposed), r.Environment)
		return a.show(r, func() table { return releaseTable(r) }, func() []string { return []string{ref} })
	}
	if err := a.settle(ctx, r.Seq, wait); err != nil {
		return err
	}
	took, live, total, err := a.awaitLive(ctx, v, r, wait)
	if err != nil {
		return err
	}
	what, seen := fmt.Sprintf("%s#%s", ref, short(r.Revision)), r
	switch {
	case total == 0:
		a.note("released %s into %s; no gateway runs that environment yet", what, r.Environment)
	case live == total || wait == 0:
		a.note("applied on %d of %d gateway instances in %s", live, total, took.Round(10*time.Millisecond))
		if live == total {
			seen.State = "live" // the record keeps what is wanted; who asked learns what is so
		}
	default:
		a.note("applied on %d of %d gateway instances after %s", live, total, took.Round(10*time.Millisecond))
		if err = a.behind(ctx, v, r, what); gatehouse.Is(err, gatehouse.Conflict) {
			return err // refused, so there is nothing to show as released
		}
	}
	return errors.Join(a.show(r, func() table { return releaseTable(seen) }, func() []string { return []string{ref} }), err)
}

func releaseTable(r adminapi.ReleaseBody) table {
	t := table{heads: []string{"api", "environment", "state", "revision", "previous", "by"},
		rows: [][]string{{r.API + "@" + r.Version, r.Environment, r.State, short(r.Revision), short(r.Previous), r.By}}}
	if k := r.Canary; k != nil {
		t.heads = append(t.heads, "canary", "share")
		t.rows[0] = append(t.rows[0], short(k.Revision), fmt.Sprintf("%d%%", k.Weight()))
	}
	return t
}
