package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/adminapi"
	"gatehouse/client"
)

func (a *App) decideRelease(verb, what string) *cobra.Command {
	var env, reason string
	c := &cobra.Command{
		Use: verb + " TEAM/API@VERSION[#REVISION]", Args: exactly(1, "one API version"), Short: what,
		Long: what + `.

What waits is shown, and only that is decided on: when somebody asks for something
else meanwhile, the decision is refused. With #REVISION it is refused as well when
another revision than the one you read waits.`,
		RunE: func(c *cobra.Command, args []string) error {
			v, revision, err := a.versionArg(c.Context(), args[0])
			if err != nil {
				return err
			}
			api, err := a.connect()
			if err != nil {
				return err
			}
			in := adminapi.DecideReleaseRequest{VersionPath: v}
			in.Body.Environment, in.Body.Reason, in.Body.Revision = env, reason, revision
			in.Body.Hash = a.releaseToRead(c.Context(), api, v, env)
			do := api.ApproveRelease
			if verb == "reject" {
				do = api.RejectRelease
			}
			out, err := do(c.Context(), in)
			if err != nil {
				return err
			}
			if verb == "reject" {
				return a.show(out.Body, func() table { return releaseTable(out.Body) }, func() []string { return []string{args[0]} })
			}
			return a.released(c.Context(), v, out.Body, 10*time.Second)
		},
	}
	c.Flags().StringVar(&env, "env", "", "environment")
	c.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return c
}

// releaseToRead shows what waits for approval and tells its hash, so that what is
// decided on is what was shown. It is "" where nothing does, or may be seen.
func (a *App) releaseToRead(ctx context.Context, api *client.Client, v adminapi.VersionPath, env string) (hash string) {
	out, err := api.ListReleases(ctx, adminapi.ListReleasesRequest{VersionPath: v, Environment: env, Paged: adminapi.Paged{Limit: 1}})
	if err != nil || len(out.Body.Items) == 0 || out.Body.Items[0].Hash == "" {
		return ""
	}
	r := out.Body.Items[0]
	how := ""
	if r.ProposedCanary != nil {
		how = ", in steps"
	}
	if !r.ProposedAt.IsZero() {
		how += ", at " + r.ProposedAt.Format(time.RFC3339)
	}
	a.note("%s asks for %s@%s#%s in %s%s: %s", r.By, r.API, r.Version, short(r.Proposed), env, how, clip(r.Note))
	return r.Hash
}

func (a *App) withdraw() *cobra.Command {
	var env, note string
	var forced force
	c := &cobra.Command{
		Use: "withdraw TEAM/API@VERSION", Args: exactly(1, "one API version"), Short: "Take an API version out of an environment",
		RunE: func(c *cobra.Command, args []string) error {
			v, _, err := a.versionArg(c.Context(), args[0])
			if err != nil {
				return err
			}
			why, err := forced.why()
			if err != nil {
				return err
			}
			api, err := a.connect()
			if err != nil {
				return err
			}
			in := adminapi.WithdrawRequest{VersionPath: v}
			in.Body.Environment, in.Body.Note, in.Body.Force = env, note, why
			if _, err := api.Withdraw(c.Context(), in); err != nil {
				return err
			}
			return a.done(map[string]string{"withdrawn": args[0], "environment": env}, args[0], "withdrew %s from %s", args[0], env)
		},
	}
	c.Flags().StringVar(&env, "env", "", "environment")
	forced.bind(c)
	c.Flags().StringVar(&note, "note", "", "why, for the record")
	return c
}
