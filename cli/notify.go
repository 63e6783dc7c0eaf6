package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"gatehouse/adminapi"
	"gatehouse/client"
)

func (a *App) notify() *cobra.Command {
	c := &cobra.Command{
		Use: "notify", GroupID: "watch", Short: "See who is told of events, and what became of it", Aliases: []string{"notifications"},
		Long: `Events are told to receivers: Webhook documents of the organization, "webhook/NAME",
and what a team names under notify, "team/TEAM/NAME". A delivery is tried for five days.`,
	}
	c.AddCommand(a.notifyReceivers(), a.notifyLog(), a.notifyShow(), a.notifyReplay(), a.notifyTest(), a.notifySecret(), a.notifyTypes())
	return c
}

func (a *App) notifyReceivers() *cobra.Command {
	in := adminapi.ReceiversRequest{}
	c := &cobra.Command{
		Use: "receivers", Short: "List who is told of what", Args: exactly(0, "no arguments but flags"),
		RunE: func(c *cobra.Command, _ []string) error {
			out, err := ask(a, c.Context(), (*client.Client).ListReceiversAll, in)
			if err != nil {
				return err
			}
			return a.show(out.Body, func() table {
				t := table{heads: []string{"receiver", "told by", "at", "events", "outcomes", "waiting", "secret"}}
				for _, r := range out.Body.Items {
					t.add(r.ID, r.Channel, r.Target, strings.Join(r.Events, ","), strings.Join(r.Outcomes, ","), fmt.Sprint(r.Waiting), r.Secret)
				}
				return t
			}, func() []string {
				var ids []string
				for _, r := range out.Body.Items {
					ids = append(ids, r.ID)
				}
				return ids
			})
		},
	}
	c.Flags().StringVar(&in.Team, "team", "", "only those of this team")
	return c
}

func (a *App) notifyLog() *cobra.Command {
	in := adminapi.NotificationsRequest{}
	c := &cobra.Command{
		Use: "log", Short: "List deliveries, newest first", Args: exactly(0, "no arguments but flags"),
		Example: "  gatehouse notify log --state dead\n  gatehouse notify log --receiver team/payments/oncall",
		RunE: func(c *cobra.Command, _ []string) error {
			out, err := ask(a, c.Context(), (*client.Client).ListNotifications, in)
			if err != nil {
				return err
			}
			if out.Body.Next != "" && a.output == "table" {
				defer a.note("there are more: --after %s", out.Body.Next)
			}
			return a.show(out.Body, func() table { return notificationTable(out.Body.Items...) }, func() []string {
				var ids []string
				for _, d := range out.Body.Items {
					ids = append(ids, d.ID)
				}
				return ids
			})
		},
	}
	f := c.Flags()
	f.StringVar(&in.Receiver, "receiver", "", "only to this receiver, webhook/NAME or team/TEAM/NAME")
	f.StringVar(&in.Team, "team", "", "only to receivers of this team")
	f.StringVar(&in.State, "state", "", "waiting, delivered or dead")
	f.IntVar(&in.Limit, "limit", 50, "how many at most")
	f.StringVar(&in.After, "after", "", "behind this page")
	return c
}

func notificationTable(list ...adminapi.Notification) table {
	t := table{heads: []string{"delivery", "receiver", "event", "on", "state", "tried", "created", "next", "error"}}
	for _, d := range list {
		t.add(d.ID, d.Receiver, d.Type, d.Subject, d.State, fmt.Sprint(d.Tried), when(d.Created), when(d.Next), clip(d.Error))
	}
	return t
}

func (a *App) notifyShow() *cobra.Command {
	return &cobra.Command{
		Use: "show DELIVERY", Short: "Show a delivery with its attempts and message", Args: exactly(1, "one delivery"),
		RunE: func(c *cobra.Command, args []string) error {
			out, err := ask(a, c.Context(), (*client.Client).GetNotification, adminapi.NotificationRef{ID: args[0]})
			if err != nil {
				return err
			}
			if a.output == "table" {
				a.table(notificationTable(out.Body))
				for _, t := range out.Body.Attempts {
					fmt.Fprintf(a.Out, "%s  status %d  %d ms  %s\n", t.Time.UTC().Format("2006-01-02 15:04:05"), t.Status, t.Millis, printable(t.Error))
				}
				var text any
				if json.Unmarshal(out.Body.Message, &text) == nil {
					pretty, _ := json.MarshalIndent(text, "", "  ")
					fmt.Fprintf(a.Out, "%s\n", pretty)
				}
				return nil
			}
			return a.show(out.Body, nil, func() []string { return []string{out.Body.ID} })
		},
	}
}

func (a *App) notifyReplay() *cobra.Command {
	return &cobra.Command{
		Use: "replay DELIVERY", Short: "Deliver once more, under the same id", Args: exactly(1, "one delivery"),
		RunE: func(c *cobra.Command, args []string) error {
			out, err := ask(a, c.Context(), (*client.Client).ReplayNotification, adminapi.NotificationRef{ID: args[0]})
			if err != nil {
				return err
			}
			return a.show(out.Body, func() table { return notificationTable(out.Body) }, func() []string { return []string{out.Body.ID} })
		},
	}
}

func (a *App) notifyTest() *cobra.Command {
	return &cobra.Command{
		Use: "test RECEIVER", Short: "Send a receiver a test message", Args: exactly(1, "one receiver"),
		RunE: func(c *cobra.Command, args []string) error {
			in := adminapi.ReceiverRequest{}
			in.Body.Receiver = args[0]
			out, err := ask(a, c.Context(), (*client.Client).TestReceiver, in)
			if err != nil {
				return err
			}
			if a.output == "table" {
				a.note("it is on its way; \"gatehouse notify show %s\" tells what became of it", out.Body.ID)
			}
			return a.show(out.Body, func() table { return notificationTable(out.Body) }, func() []string { return []string{out.Body.ID} })
		},
	}
}

func (a *App) notifySecret() *cobra.Command {
	return &cobra.Command{
		Use: "secret RECEIVER", Short: "Make a new secret that signs a receiver's webhooks", Args: exactly(1, "one receiver"),
		Long: `Make a new secret that signs a receiver's webhooks, and print it: this once. For 24
hours messages carry signatures of the new secret and of the one before.`,
		RunE: func(c *cobra.Command, args []string) error {
			in := adminapi.ReceiverRequest{}
			in.Body.Receiver = args[0]
			out, err := ask(a, c.Context(), (*client.Client).RotateReceiverSecret, in)
			if err != nil {
				return err
			}
			if a.output == "table" {
				a.note("this is the secret of %s; it is not shown again:", out.Body.Receiver)
				fmt.Fprintln(a.Out, out.Body.Secret)
				return nil
			}
			return a.show(out.Body, nil, nil)
		},
	}
}

func (a *App) notifyTypes() *cobra.Command {
	return &cobra.Command{
		Use: "types", Short: "List the types of events there are", Args: exactly(0, "no arguments"),
		Long: `List the types of events that webhooks, alarms and the notify of teams select: first
what changes something, then what only reads, of which an event is made when it is
refused.`,
		RunE: func(c *cobra.Command, _ []string) error {
			out, err := ask(a, c.Context(), (*client.Client).ListEventTypes, adminapi.Empty{})
			if err != nil {
				return err
			}
			var types, reads []string
			for _, e := range out.Body.Items {
				if adminapi.ReadsOnly(e) {
					reads = append(reads, e)
				} else {
					types = append(types, e)
				}
			}
			types = append(types, reads...)
			return a.show(out.Body, func() table {
				t := table{heads: []string{"type", "told when"}}
				for _, e := range types {
					when := "it happens, or is refused"
					if slices.Contains(reads, e) {
						when = "it is refused"
					}
					t.add(e, when)
				}
				return t
			}, func() []string { return types })
		},
	}
}
