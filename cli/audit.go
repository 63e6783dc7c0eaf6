package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/client"
)

func (a *App) audit() *cobra.Command {
	c := &cobra.Command{Use: "audit", GroupID: "watch", Short: "Ask the trail who did what, and let it prove itself"}
	c.AddCommand(a.auditQuery(), a.auditTail(), a.auditVerify(), a.auditExport())
	return c
}

// auditFilter binds the flags by which events are chosen.
func auditFilter(f *pflag.FlagSet, in *adminapi.EventSelection) {
	f.StringVar(&in.Actor, "actor", "", "user:alice@example.com, service:ci, system")
	f.StringVar(&in.Action, "action", "", "api.put; a * at the end matches any rest")
	f.StringVar(&in.Object, "object", "", "\"API payments/orders\"; a * at the end matches any rest")
	f.StringVar(&in.Team, "team", "", "team that owns the object")
	f.StringVar(&in.Outcome, "outcome", "", "allowed, refused or failed")
	f.StringVar(&in.Text, "text", "", "looked for anywhere in the event")
}

func (a *App) auditQuery() *cobra.Command {
	in := adminapi.QueryAuditRequest{Newest: true}
	var oldest bool
	c := &cobra.Command{
		Use: "query", Args: exactly(0, "no arguments but flags"),
		Short: "List events, newest first",
		Example: "  gatehouse audit query --action 'subscription.*' --team billing\n" +
			"  gatehouse audit query --outcome refused --from 24h -o json",
		RunE: func(c *cobra.Command, _ []string) error {
			in.Newest = !oldest
			return a.events(c.Context(), in)
		},
	}
	f := c.Flags()
	auditFilter(f, &in.EventSelection)
	f.StringVar(&in.From, "from", "", "events at or after this moment, or 24h (ago)")
	f.StringVar(&in.To, "to", "", "events before this moment")
	f.IntVar(&in.Limit, "limit", 50, "how many at most")
	f.Int64Var(&in.After, "after", 0, "events beyond this number, in the order asked for")
	f.BoolVar(&oldest, "oldest", false, "oldest first")
	return c
}

// events prints what a query finds.
func (a *App) events(ctx context.Context, in adminapi.QueryAuditRequest) error {
	var err error
	if in.From, err = moment(in.From); err != nil {
		return err
	}
	if in.To, err = moment(in.To); err != nil {
		return err
	}
	out, err := ask(a, ctx, (*client.Client).QueryAudit, in)
	if err != nil {
		return err
	}
	return a.show(out.Body, func() table { return eventTable(out.Body.Items) }, func() []string {
		var n []string
		for _, e := range out.Body.Items {
			n = append(n, strconv.FormatInt(e.Number, 10))
		}
		return n
	})
}

func eventTable(events []*gatehouse.Event) table {
	t := table{heads: []string{"no", "time", "actor", "action", "object", "outcome", "what"}}
	for _, e := range events {
		t.add(strconv.FormatInt(e.Number, 10), e.Time.UTC().Format("2006-01-02 15:04:05"), e.Actor, e.Action, e.Object, e.Outcome, what(e))
	}
	return t
}

// what tells the change, or the reason, in a few words.
func what(e *gatehouse.Event) string {
	if e.Reason != "" {
		return clip(e.Reason)
	}
	var parts []string
	for _, d := range e.Change {
		switch {
		case d.Path == "" && len(d.Before) == 0:
			parts = append(parts, "new")
		case d.Path == "" && len(d.After) == 0:
			parts = append(parts, "gone")
		case d.Path == "":
		case len(d.Before) == 0:
			parts = append(parts, "+"+d.Path)
		case len(d.After) == 0:
			parts = append(parts, "-"+d.Path)
		default:
			parts = append(parts, d.Path)
		}
	}
	return clip(strings.Join(parts, " "))
}

func (a *App) auditTail() *cobra.Command {
	in := adminapi.TailAuditRequest{Now: true, Wait: 25}
	c := &cobra.Command{
		Use: "tail", Args: exactly(0, "no arguments but flags"),
		Short: "Print events as they happen, until interrupted",
		RunE: func(c *cobra.Command, _ []string) error {
			api, err := a.connect()
			if err != nil {
				return err
			}
			for c.Context().Err() == nil {
				out, err := api.TailAudit(c.Context(), in)
				if err != nil {
					if c.Context().Err() != nil {
						return nil
					}
					return err
				}
				for _, e := range out.Body.Items {
					if a.output == "json" {
						data, err := json.Marshal(e)
						if err != nil {
							return err
						}
						fmt.Fprintf(a.Out, "%s\n", data)
						continue
					}
					fmt.Fprintln(a.Out, printable(strings.Join([]string{e.Time.UTC().Format("15:04:05"), e.Actor, e.Action, e.Object, e.Outcome, what(e)}, "  ")))
				}
				in.After, in.Now = max(in.After, out.Body.Next), false
			}
			return nil
		},
	}
	auditFilter(c.Flags(), &in.EventSelection)
	return c
}

func (a *App) auditVerify() *cobra.Command {
	in := adminapi.VerifyAuditRequest{}
	c := &cobra.Command{
		Use: "verify", Args: exactly(0, "no arguments but flags"),
		Short: "Verify the chain of events and name the first that does not hold",
		Long: `Verify that no event was changed, removed, inserted or reordered. The hash it prints is that
of the last event; kept elsewhere, it shows later whether anything before it changed.`,
		RunE: func(c *cobra.Command, _ []string) error {
			out, err := ask(a, c.Context(), (*client.Client).VerifyAudit, in)
			if err != nil {
				return err
			}
			if err := a.show(out.Body, func() table {
				return table{heads: []string{"events", "first", "last", "hash"}, rows: [][]string{{fmt.Sprint(out.Body.Events), fmt.Sprint(out.Body.First), fmt.Sprint(out.Body.Last), out.Body.Hash}}}
			}, func() []string { return []string{out.Body.Hash} }); err != nil {
				return err
			}
			if !out.Body.OK {
				return gatehouse.E(gatehouse.Conflict, "event %d does not hold: %s", out.Body.Broken, out.Body.Detail)
			}
			a.note("the chain holds")
			return nil
		},
	}
	c.Flags().Int64Var(&in.From, "from", 0, "number of the first event")
	c.Flags().Int64Var(&in.To, "to", 0, "number of the last event")
	return c
}

func (a *App) auditExport() *cobra.Command {
	in := adminapi.ExportAuditRequest{Limit: 5000}
	var file string
	c := &cobra.Command{
		Use: "export", Args: exactly(0, "no arguments but flags"),
		Short: "Write events as JSON lines in canonical form, for other systems or to verify offline",
		RunE: func(c *cobra.Command, _ []string) error {
			var err error
			if in.From, err = moment(in.From); err != nil {
				return err
			}
			if in.To, err = moment(in.To); err != nil {
				return err
			}
			api, err := a.connect()
			if err != nil {
				return err
			}
			out := a.Out
			if file != "" {
				f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
				if err != nil {
					return err
				}
				defer f.Close()
				out = f
			}
			lines := 0
			for {
				page, err := api.ExportAudit(c.Context(), in)
				if err != nil {
					return err
				}
				if _, err := out.Write(page.Body); err != nil {
					return err
				}
				lines += bytes.Count(page.Body, []byte("\n"))
				if page.Next == "" {
					break
				}
				if in.After, err = strconv.ParseInt(page.Next, 10, 64); err != nil {
					return err
				}
			}
			a.note("exported %d events", lines)
			return nil
		},
	}
	f := c.Flags()
	auditFilter(f, &in.EventSelection)
	f.StringVar(&in.From, "from", "", "events at or after this moment, or 24h (ago)")
	f.StringVar(&in.To, "to", "", "events before this moment")
	f.StringVarP(&file, "output", "o", "", "file to make; default standard output")
	return c
}

// left tells how long until t, as tables do.
func left(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return when(t)
}
