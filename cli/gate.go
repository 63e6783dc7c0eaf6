package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/client"
)

func (a *App) gate() *cobra.Command {
	c := &cobra.Command{
		Use: "gate", GroupID: "expose", Short: "See whether APIs obey their framework, and prove it",
		Long: `The compliance gate evaluates a revision of an API version against the framework
version in force for an environment. What passes gets an attestation, signed by
the installation; gateways of environments that enforce the gate serve nothing
without one. A control that cannot be obeyed yet is waived until a date, by
somebody other than who asks.`,
		Example: "  gatehouse gate run payments/orders@v1 --env prod\n  gatehouse gate list --env prod --failing\n  gatehouse gate waive payments/orders@v1 --control limits --reason 'the limiter comes in May' --expires 60d",
	}
	c.AddCommand(
		a.gateRun(), a.gateShow(), a.gateList(),
		a.gateAnswer(), a.gateConfirm(), a.gateAnswers(),
		a.waive(), a.waivers(), a.waiver(),
		a.decideWaiver("approve", "Let a waiver begin; who asked for it cannot", (*client.Client).ApproveWaiver),
		a.decideWaiver("reject", "Turn a waiver down", (*client.Client).RejectWaiver),
		a.decideWaiver("end", "End a waiver before its time", (*client.Client).RevokeWaiver),
		a.gateRevoke(), a.gateRestore(), a.gateVerify(), a.gateKeys(), a.gateEvidence(),
	)
	return c
}

// gateFlags are the environment and the revision that the gate is about.
type gateFlags struct{ env, revision string }

func (f *gateFlags) bind(c *cobra.Command, revision string) {
	c.Flags().StringVar(&f.env, "env", "", "environment")
	c.Flags().StringVar(&f.revision, "revision", "", "revision's hash or its beginning; default "+revision)
}

// of reads TEAM/API@VERSION[#REVISION] with the flags.
func (f *gateFlags) of(a *App, ctx context.Context, arg string) (adminapi.VersionPath, adminapi.GateOf, error) {
	v, revision, err := a.versionArg(ctx, arg)
	if err == nil && f.env == "" {
		err = misuse("--env says for which environment")
	}
	if err == nil && revision != "" && f.revision != "" {
		err = misuse("%q names a revision already; leave --revision out", arg)
	}
	return v, adminapi.GateOf{Environment: f.env, Revision: cmp.Or(f.revision, revision)}, err
}

func (a *App) gateRun() *cobra.Command {
	var f gateFlags
	c := &cobra.Command{
		Use: "run TEAM/API@VERSION[#REVISION]", Args: exactly(1, "one API version"), Short: "Evaluate a revision for an environment",
		Long: `Evaluate a revision, the newest unless one is named, for an environment, and make
its attestation when it passes. Each failing control says which operation and which
place it is about, and what would satisfy it.

The exit status is 0 when the revision passes, 1 when it does not.`,
		Example: "  gatehouse gate run payments/orders@v1 --env prod",
		RunE: func(c *cobra.Command, args []string) error {
			v, of, err := f.of(a, c.Context(), args[0])
			if err != nil {
				return err
			}
			out, err := ask(a, c.Context(), (*client.Client).RunGate, adminapi.RunGateRequest{VersionPath: v, Body: of})
			if err != nil {
				return err
			}
			return a.gateResult(out.Body, true)
		},
	}
	f.bind(c, "the newest")
	return c
}

func (a *App) gateShow() *cobra.Command {
	var f gateFlags
	c := &cobra.Command{
		Use: "show TEAM/API@VERSION[#REVISION]", Args: exactly(1, "one API version"), Short: "Show the last evaluation and the attestation",
		Long: `Show the last evaluation of what is released in an environment, or of the revision
that is named, and its attestation. With -o json the answer is a file that
"gatehouse gate verify" reads.`,
		Example: "  gatehouse gate show payments/orders@v1 --env prod\n  gatehouse gate show payments/orders@v1 --env prod -o json > attestation.json",
		RunE: func(c *cobra.Command, args []string) error {
			v, of, err := f.of(a, c.Context(), args[0])
			if err != nil {
				return err
			}
			out, err := ask(a, c.Context(), (*client.Client).GetGate, adminapi.GetGateRequest{VersionPath: v, Environment: of.Environment, Revision: of.Revision})
			if err != nil {
				return err
			}
			return a.gateResult(out.Body, false)
		},
	}
	f.bind(c, "what is released")
	return c
}

// gateResult shows an evaluation: a line for each control, then what is not
// obeyed. An evaluation that was asked for fails when it does not pass.
func (a *App) gateResult(b adminapi.GateBody, strict bool) error {
	r := b.Result
	id := r.API + "@" + r.Version
	err := a.show(b, func() table { return controlTable(r) }, func() []string { return []string{id + "#" + r.Revision} })
	if err != nil {
		return err
	}
	if a.output == "table" || a.output == "" {
		a.findings(r)
	}
	passed := r.Outcome == gatehouse.GatePassed || r.Outcome == gatehouse.GateWaived || r.Outcome == gatehouse.GateGrace
	judge := strings.TrimSpace(r.Framework + " " + r.FrameworkVersion)
	switch at := b.Attestation; {
	case at != nil && !at.Revoked.IsZero():
		a.note("the attestation of %s#%s in %s was revoked %s by %s: %s", id, short(r.Revision), r.Environment, day(at.Revoked), at.RevokedBy, at.Reason)
	case passed && at != nil:
		a.note("%s#%s passes %s in %s (%s); attested until %s", id, short(r.Revision), judge, r.Environment, r.Outcome, minute(at.Statement.Expires))
	}
	if passed || !strict {
		return nil
	}
	return gatehouse.E(gatehouse.Conflict, "%s#%s does not pass %s in %s: %s", id, short(r.Revision), cmp.Or(judge, "the gate"), r.Environment, cmp.Or(r.Reason, strings.Join(failing(r), ", ")))
}

func failing(r gatehouse.GateResult) (ids []string) {
	for _, c := range r.Controls {
		if c.Outcome == gatehouse.GateFailed || c.Outcome == gatehouse.GateWaiting {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

func minute(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

func controlTable(r gatehouse.GateResult) table {
	t := table{heads: []string{"control", "outcome", "check", "level", "severity", "until", "title"}}
	for _, c := range r.Controls {
		outcome := c.Outcome
		if c.Kept {
			outcome += " (kept)"
		}
		t.add(c.ID, outcome, c.Kind, c.Level, c.Severity, minute(c.Until), clip(c.Title))
	}
	return t
}

// findings tells what is not obeyed, where, and what would satisfy the control.
func (a *App) findings(r gatehouse.GateResult) {
	for _, c := range r.Controls {
		if len(c.Findings) == 0 {
			continue
		}
		fmt.Fprintf(a.Out, "\n%s: %s\n", printable(c.ID), c.Outcome)
		for _, f := range c.Findings {
			fmt.Fprintf(a.Out, "  %s%s\n    %s\n", where(f), printable(f.Detail), printable(f.Remedy))
		}
		if c.More > 0 {
			fmt.Fprintf(a.Out, "  and %d more\n", c.More)
		}
	}
}

// where is the place of a finding: file and line, operation, or field.
func where(f gatehouse.GateFinding) string {
	var words []string
	if f.File != "" {
		place := f.File
		if f.Line > 0 {
			place = fmt.Sprintf("%s:%d:%d", f.File, f.Line, f.Column)
		}
		words = append(words, place)
	}
	if f.Operation != "" {
		words = append(words, f.Operation)
	}
	if len(words) == 0 && f.Object != "" {
		words = append(words, strings.TrimSuffix(f.Object+" "+f.Field, " "))
	}
	if f.Rule != "" {
		words = append(words, f.Rule)
	}
	if len(words) == 0 {
		return ""
	}
	return printable(strings.Join(words, ": ")) + ": "
}

func (a *App) gateList() *cobra.Command {
	in := adminapi.ListGateRequest{}
	c := &cobra.Command{
		Use: "list", Args: exactly(0, "no argument"), Short: "List how what is released stands",
		Example: "  gatehouse gate list --env prod --failing\n  gatehouse gate list --on-notice",
		RunE: func(c *cobra.Command, _ []string) error {
			var all []adminapi.GateItem
			in.Limit = 1000
			for {
				out, err := ask(a, c.Context(), (*client.Client).ListGate, in)
				if err != nil {
					return err
				}
				if all = append(all, out.Body.Items...); out.Body.Next == "" {
					break
				}
				in.After = out.Body.Next
			}
			return a.show(map[string]any{"items": append([]adminapi.GateItem{}, all...)}, func() table { return gateTable(all) }, func() (names []string) {
				for _, i := range all {
					names = append(names, i.Environment+" "+i.API+"@"+i.Version)
				}
				return names
			})
		},
	}
	f := c.Flags()
	f.StringVar(&in.Environment, "env", "", "only this environment")
	f.StringVar(&in.Team, "team", "", "only APIs of this team")
	f.StringVar(&in.API, "api", "", "only this API, TEAM/API")
	f.StringVar(&in.Framework, "framework", "", "only what this framework judges")
	f.BoolVar(&in.Failing, "failing", false, "only what does not pass")
	f.BoolVar(&in.OnNotice, "on-notice", false, "only what falls short and may go on until a date")
	return c
}

func gateTable(all []adminapi.GateItem) table {
	t := table{heads: []string{"environment", "api", "revision", "framework", "outcome", "short of", "waived", "until", "gate"}}
	for _, i := range all {
		until := i.Expires
		if !i.Notice.IsZero() {
			until = i.Notice
		}
		judge := i.Framework
		if i.FrameworkVersion != "" {
			judge += "@" + i.FrameworkVersion
		}
		t.add(i.Environment, i.API+"@"+i.Version, short(i.Revision), judge, i.Outcome, clip(strings.Join(i.Short, ",")), clip(strings.Join(i.Waived, ",")), day(until), i.Mode)
	}
	return t
}

func (a *App) gateRevoke() *cobra.Command {
	return a.attested("revoke", "Take an attestation back", `Take the attestation of what is released, or of the revision that is named, back.
Gateways that enforce the gate refuse the revision within a second, and nobody
releases or rolls back to it until it is restored.`, func(ctx context.Context, arg string, in adminapi.RevokeAttestationRequest) error {
		out, err := ask(a, ctx, (*client.Client).RevokeAttestation, in)
		if err != nil {
			return err
		}
		return a.done(out.Body, arg, "revoked the attestation of %s#%s in %s", arg, short(out.Body.Statement.Revision), in.Body.Environment)
	})
}

func (a *App) gateRestore() *cobra.Command {
	return a.attested("restore", "Let a revoked revision go through the gate again", "", func(ctx context.Context, _ string, in adminapi.RevokeAttestationRequest) error {
		out, err := ask(a, ctx, (*client.Client).RestoreAttestation, in)
		if err != nil {
			return err
		}
		return a.gateResult(out.Body, true)
	})
}

// attested is a command about the attestation of a revision.
func (a *App) attested(verb, what, long string, do func(ctx context.Context, arg string, in adminapi.RevokeAttestationRequest) error) *cobra.Command {
	var f gateFlags
	in := adminapi.RevokeAttestationRequest{}
	c := &cobra.Command{
		Use: verb + " TEAM/API@VERSION[#REVISION]", Args: exactly(1, "one API version"), Short: what, Long: long,
		RunE: func(c *cobra.Command, args []string) error {
			var err error
			if in.VersionPath, in.Body.GateOf, err = f.of(a, c.Context(), args[0]); err != nil {
				return err
			}
			return do(c.Context(), args[0], in)
		},
	}
	f.bind(c, "what is released")
	c.Flags().StringVar(&in.Body.Reason, "reason", "", "why, for the record")
	return c
}
