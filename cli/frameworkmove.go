package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/client"
)

// frameworkMove is the command of an action that takes a reason.
func (a *App) frameworkMove(verb, short string, do func(*client.Client, context.Context, adminapi.MoveFrameworkRequest) (*adminapi.FrameworkMoved, error)) *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: verb + " NAME@VERSION", Args: exactly(1, "one framework version"), Short: short,
		RunE: func(c *cobra.Command, args []string) error {
			in := adminapi.MoveFrameworkRequest{}
			var err error
			if in.FrameworkRef, err = frameworkArg(args[0]); err != nil {
				return err
			}
			if verb == "withdraw" && reason == "" {
				return misuse("--reason says why it is withdrawn; it stays on record")
			}
			in.Body = &struct {
				Reason string `json:"reason,omitempty" maxLength:"4000" doc:"Why, for the record; withdrawing needs one."`
			}{reason}
			return a.frameworkMoved(ask(a, c.Context(), do, in))
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return c
}

// frameworkDecide is the command of an approval or rejection.
func (a *App) frameworkDecide(verb, short string, do func(*client.Client, context.Context, adminapi.DecideFrameworkRequest) (*adminapi.FrameworkMoved, error)) *cobra.Command {
	var body adminapi.DecideFrameworkBody
	var proofs []string
	c := &cobra.Command{
		Use: verb + " NAME@VERSION", Args: exactly(1, "one framework version"), Short: short,
		Long: short + ".\n\nNobody decides on what they wrote or submitted, and nobody twice; a decision is\nnever changed. --hash refuses to decide on another text than the one you read.",
		RunE: func(c *cobra.Command, args []string) error {
			ref, err := frameworkArg(args[0])
			if err != nil {
				return err
			}
			if verb == "reject" && body.Comment == "" {
				return misuse("--comment says why it is rejected; its authors read it")
			}
			if body.Evidence, err = a.proofs(c.Context(), proofs, ""); err != nil {
				return err
			}
			out, err := ask(a, c.Context(), do, adminapi.DecideFrameworkRequest{FrameworkRef: ref, Body: &body})
			if err == nil && out.Body.State == gatehouse.Submitted {
				a.approvalsSoFar(c.Context(), ref)
			}
			return a.frameworkMoved(out, err)
		},
	}
	c.Flags().StringVar(&body.Comment, "comment", "", "why, for the record")
	c.Flags().StringArrayVar(&proofs, "evidence", nil, "file that proves it, or the SHA-256 of one that was uploaded; may be given several times")
	c.Flags().StringVar(&body.Hash, "hash", "", "SHA-256 of the text that was read, as \"framework show\" prints it")
	return c
}

// approvalsSoFar says how many of the approvals that a version needs it has.
func (a *App) approvalsSoFar(ctx context.Context, ref adminapi.FrameworkRef) {
	out, err := ask(a, ctx, (*client.Client).GetFrameworkVersion, ref)
	if err == nil && out.Body.State == gatehouse.Submitted {
		a.note("%d of %s given%s", len(out.Body.Counted), many(out.Body.Approvals, "approval"), withComma(strings.Join(out.Body.Counted, ", ")))
	}
}

func (a *App) frameworkMoved(out *adminapi.FrameworkMoved, err error) error {
	if err != nil {
		return err
	}
	b := out.Body
	ref := b.Framework + "@" + b.Version
	switch b.State {
	case gatehouse.Submitted:
		a.note("%s needs %s in all: gatehouse framework approve %s", ref, many(b.Approvals, "approval"), ref)
	case gatehouse.Approved:
		a.note("%s is approved: gatehouse framework enforce %s", ref, ref)
	case gatehouse.InForce:
		a.note("everything released is looked at again; what falls short goes on for each control's grace: gatehouse gate list --on-notice")
	}
	return a.show(b, func() table {
		return table{heads: []string{"version", "state", "since", "by"}, rows: [][]string{{ref, b.State, b.Since.UTC().Format(time.RFC3339), b.By}}}
	}, func() []string { return []string{ref} })
}

func (a *App) frameworkComment() *cobra.Command {
	return &cobra.Command{
		Use: "comment NAME@VERSION [TEXT]", Args: between(1, 2, "a framework version and a text"), Short: "Say something on a version, or read what was said",
		RunE: func(c *cobra.Command, args []string) error {
			ref, err := frameworkArg(args[0])
			if err != nil {
				return err
			}
			if len(args) == 1 {
				return a.frameworkComments(c.Context(), ref)
			}
			in := adminapi.CommentFrameworkRequest{FrameworkRef: ref}
			in.Body.Text = args[1]
			out, err := ask(a, c.Context(), (*client.Client).CommentFramework, in)
			if err != nil {
				return err
			}
			return a.done(out.Body, out.Body.ID, "commented on %s", args[0])
		},
	}
}

func (a *App) frameworkComments(ctx context.Context, ref adminapi.FrameworkRef) error {
	api, err := a.connect()
	if err != nil {
		return err
	}
	all := []adminapi.FrameworkComment{}
	for in := (adminapi.ListFrameworkCommentsRequest{FrameworkRef: ref, Limit: 1000}); ; {
		out, err := api.ListFrameworkComments(ctx, in)
		if err != nil {
			return err
		}
		all = append(all, out.Body.Items...)
		if in.After = out.Body.Next; in.After == "" {
			break
		}
	}
	return a.show(all, func() table {
		t := table{heads: []string{"time", "by", "comment"}}
		for _, x := range all {
			t.add(x.Time.UTC().Format(time.RFC3339), x.By, x.Text)
		}
		return t
	}, nil)
}
