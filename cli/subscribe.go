package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/client"
)

func (a *App) subscribe() *cobra.Command {
	in := adminapi.SubscribeRequest{}
	c := &cobra.Command{
		Use: "subscribe TEAM/PRODUCT", GroupID: "expose", Args: exactly(1, "one product"),
		Short: "Let an application use a product",
		Long: `Ask for a subscription of an application to a product under a plan. The application is
created if it is new. A plan with automatic approval answers at once, and with
--key the first key is printed: this once, it cannot be shown again.`,
		Example: "  gatehouse subscribe payments/commerce --plan free --app billing/invoices --env dev --key",
		RunE: func(c *cobra.Command, args []string) error {
			in.Body.Product = args[0]
			if in.Body.Plan == "" || in.Body.Application == "" || in.Body.Environment == "" {
				return misuse("subscribe needs --plan, --app and --env")
			}
			for _, ref := range []string{args[0], in.Body.Application} {
				if t, n := gatehouse.ParseRef(ref, ""); t == "" || n == "" {
					return misuse("%q needs a team: TEAM/NAME will do", ref)
				}
			}
			out, err := ask(a, c.Context(), (*client.Client).Subscribe, in)
			if err != nil {
				return err
			}
			if err := a.inStep(c.Context(), out.Body.Seq, stepTime, noAPI); err != nil {
				return err
			}
			if a.output == "table" {
				a.note("subscription %s is %s", out.Body.Subscription, out.Body.State)
				if out.Body.Key != "" {
					a.note("this is its key; it is not shown again:")
					fmt.Fprintln(a.Out, out.Body.Key)
				}
				return nil
			}
			return a.show(out.Body, nil, func() []string { return []string{out.Body.Subscription} })
		},
	}
	f := c.Flags()
	f.StringVar(&in.Body.Plan, "plan", "", "plan of the product")
	f.StringVar(&in.Body.Application, "app", "", "application, TEAM/NAME")
	f.StringVar(&in.Body.Environment, "env", "", "environment")
	f.BoolVar(&in.Body.Key, "key", false, "create the first key and print it")
	return c
}

func (a *App) subscription() *cobra.Command {
	c := &cobra.Command{Use: "subscription", GroupID: "expose", Short: "Decide on subscriptions", Aliases: []string{"subscriptions", "sub"}}
	list := a.list()
	list.Use, list.Short, list.GroupID = "list", "List subscriptions with their state", ""
	list.Args = exactly(0, "no arguments")
	run := list.RunE
	list.RunE = func(c *cobra.Command, _ []string) error { return run(c, []string{"subscriptions"}) }
	c.AddCommand(list)
	for _, d := range []struct{ verb, short string }{
		{"approve", "Let a requested subscription through"}, {"reject", "Turn a requested subscription down"},
		{"suspend", "Stop a subscription for a while"}, {"resume", "Let a suspended subscription go on"},
		{"cancel", "End a subscription for good"},
	} {
		c.AddCommand(a.decide(d.verb, d.short))
	}
	return c
}

func (a *App) decide(verb, short string) *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: verb + " TEAM/SUBSCRIPTION", Short: short, Args: exactly(1, "one subscription"),
		RunE: func(c *cobra.Command, args []string) error {
			in := adminapi.DecideSubscriptionRequest{}
			var err error
			if in.OwnedRef, err = ownedArg(args[0], "subscription"); err != nil {
				return err
			}
			if reason != "" {
				in.Body = &struct {
					Reason string `json:"reason,omitempty" maxLength:"4000"`
				}{reason}
			}
			api, err := a.connect()
			if err != nil {
				return err
			}
			do := map[string]func() (*adminapi.SubscriptionAnswer, error){
				"approve": func() (*adminapi.SubscriptionAnswer, error) { return api.ApproveSubscription(c.Context(), in) },
				"reject":  func() (*adminapi.SubscriptionAnswer, error) { return api.RejectSubscription(c.Context(), in) },
				"suspend": func() (*adminapi.SubscriptionAnswer, error) { return api.SuspendSubscription(c.Context(), in) },
				"resume":  func() (*adminapi.SubscriptionAnswer, error) { return api.ResumeSubscription(c.Context(), in) },
				"cancel":  func() (*adminapi.SubscriptionAnswer, error) { return api.CancelSubscription(c.Context(), in) },
			}[verb]
			out, err := do()
			if err != nil {
				return err
			}
			if err := a.inStep(c.Context(), out.Body.Seq, stepTime, noAPI); err != nil {
				return err
			}
			return a.show(out.Body, func() table {
				return table{heads: []string{"subscription", "state", "by", "reason"}, rows: [][]string{{args[0], out.Body.State, out.Body.By, out.Body.Reason}}}
			}, func() []string { return []string{args[0]} })
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return c
}

func ownedArg(text, what string) (adminapi.OwnedRef, error) {
	team, name, ok := strings.Cut(text, "/")
	if !ok || team == "" || name == "" {
		return adminapi.OwnedRef{}, misuse("%q does not name a %s; TEAM/NAME will do", text, what)
	}
	return adminapi.OwnedRef{Team: team, Name: name}, nil
}
