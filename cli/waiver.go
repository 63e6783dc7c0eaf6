package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/adminapi"
	"gatehouse/client"
)

func (a *App) waive() *cobra.Command {
	in := adminapi.AskWaiverRequest{}
	var expires string
	c := &cobra.Command{
		Use: "waive TEAM/API[@VERSION]", Args: exactly(1, "one API, or a version of it"), Short: "Ask for an exception from a control until a date",
		Long: `Ask that an API, or one version of it, need not obey one control until a date, at
most 365 days from now. Somebody else approves it: "gatehouse gate approve ID". It
ends by itself, and so does every attestation that rests on it.`,
		Example: "  gatehouse gate waive payments/orders@v1 --control limits --env prod --reason 'the limiter comes in May' --expires 2027-05-31",
		RunE: func(c *cobra.Command, args []string) error {
			b := &in.Body
			switch b.API = args[0]; {
			case b.Control == "":
				return misuse("--control says from which control")
			case b.Reason == "":
				return misuse("--reason says why the API cannot obey it yet")
			}
			if expires != "" { // without an end it is refused, on record
				var err error
				if b.Expires, err = until(expires); err != nil {
					return err
				}
			}
			out, err := ask(a, c.Context(), (*client.Client).AskWaiver, in)
			if err != nil {
				return err
			}
			a.note("asked; someone else has to approve it: gatehouse gate approve %s", out.Body.ID)
			return a.showWaivers(out.Body, []adminapi.WaiverBody{out.Body})
		},
	}
	f := c.Flags()
	f.StringVar(&in.Body.Control, "control", "", "id of the control")
	f.StringVar(&in.Body.Framework, "framework", "", "framework of the control; default the one that judges the API")
	f.StringVar(&in.Body.Environment, "env", "", "only in this environment; default all")
	f.StringVar(&in.Body.Reason, "reason", "", "why")
	f.StringVar(&expires, "expires", "", "until when: a date, whose day counts, or a length of time such as 60d")
	return c
}

// until reads a moment to come: a date means its end, a length of time is from
// now on.
func until(text string) (time.Time, error) {
	if d, err := time.Parse(time.DateOnly, text); err == nil {
		return d.AddDate(0, 0, 1), nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UTC(), nil
	}
	if d, err := parseSpan(text); err == nil {
		return time.Now().UTC().Add(d), nil
	}
	return time.Time{}, misuse("%q is not a moment to come; 2027-05-31, 2027-05-31T12:00:00Z or 60d will do", text)
}

func (a *App) waivers() *cobra.Command {
	in := adminapi.ListWaiversRequest{}
	c := &cobra.Command{
		Use: "waivers", Args: exactly(0, "no argument"), Short: "List waivers, newest first",
		Example: "  gatehouse gate waivers --state requested",
		RunE: func(c *cobra.Command, _ []string) error {
			out, err := ask(a, c.Context(), (*client.Client).ListWaivers, in)
			if err != nil {
				return err
			}
			if out.Body.Next != "" {
				a.note("there are more; --limit and --after %s show them", out.Body.Next)
			}
			return a.showWaivers(out.Body, out.Body.Items)
		},
	}
	f := c.Flags()
	f.StringVar(&in.State, "state", "", "only those that are requested, approved, rejected, revoked or expired")
	f.StringVar(&in.Team, "team", "", "only of this team's APIs")
	f.StringVar(&in.API, "api", "", "only of this API, TEAM/API")
	f.StringVar(&in.Control, "control", "", "only from this control")
	f.StringVar(&in.Framework, "framework", "", "only from controls of this framework")
	f.StringVar(&in.Environment, "env", "", "only those that name this environment")
	f.IntVar(&in.Limit, "limit", 100, "how many at most")
	f.StringVar(&in.After, "after", "", "cursor from the page before")
	return c
}

func (a *App) waiver() *cobra.Command {
	return &cobra.Command{
		Use: "waiver ID", Args: exactly(1, "one waiver"), Short: "Show one waiver",
		RunE: func(c *cobra.Command, args []string) error {
			out, err := ask(a, c.Context(), (*client.Client).GetWaiver, adminapi.WaiverRef{Waiver: args[0]})
			if err != nil {
				return err
			}
			return a.showWaivers(out.Body, []adminapi.WaiverBody{out.Body})
		},
	}
}

func (a *App) decideWaiver(verb, what string, do func(*client.Client, context.Context, adminapi.DecideWaiverRequest) (*adminapi.WaiverAnswer, error)) *cobra.Command {
	var comment, hash string
	c := &cobra.Command{
		Use: verb + " WAIVER", Args: exactly(1, "one waiver"), Short: what,
		RunE: func(c *cobra.Command, args []string) error {
			in := adminapi.DecideWaiverRequest{WaiverRef: adminapi.WaiverRef{Waiver: args[0]}}
			in.Body.Comment, in.Body.Hash = comment, hash
			if hash == "" {
				in.Body.Hash = a.waiverToRead(c.Context(), args[0])
			}
			out, err := ask(a, c.Context(), do, in)
			if err != nil {
				return err
			}
			return a.showWaivers(out.Body, []adminapi.WaiverBody{out.Body})
		},
	}
	c.Flags().StringVar(&comment, "comment", "", "why, for the record")
	c.Flags().StringVar(&hash, "hash", "", "of the waiver as it was read; default the one there is, which is shown")
	return c
}

// waiverToRead shows what a waiver asks for and tells its hash, so that what is
// decided on is what was shown.
func (a *App) waiverToRead(ctx context.Context, id string) (hash string) {
	out, err := ask(a, ctx, (*client.Client).GetWaiver, adminapi.WaiverRef{Waiver: id})
	if err != nil {
		return ""
	}
	w := out.Body
	a.note("%s asks to except %s from %s of %s until %s: %s", w.AskedBy, w.API, w.Control, w.Framework, minute(w.Expires), clip(w.Reason))
	return w.Hash
}

func (a *App) showWaivers(value any, all []adminapi.WaiverBody) error {
	return a.show(value, func() table {
		t := table{heads: []string{"waiver", "api", "environment", "control", "state", "until", "asked by", "decided by", "reason"}}
		for _, w := range all {
			t.add(w.ID, w.API, w.Environment, w.Framework+": "+w.Control, w.State, minute(w.Expires), w.AskedBy, w.DecidedBy, clip(w.Reason))
		}
		return t
	}, func() (names []string) {
		for _, w := range all {
			names = append(names, w.ID)
		}
		return names
	})
}
