package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/client"
)

func (a *App) onboardList() *cobra.Command {
	in := adminapi.ListOnboardingsRequest{}
	most := 100
	c := &cobra.Command{
		Use: "list", Args: exactly(0, "no arguments"), Short: "List on-boardings with their state",
		Long: "List on-boardings: those of everybody for who may see them, else your own.",
		RunE: func(c *cobra.Command, _ []string) error {
			if most < 1 {
				return misuse("--limit %d is not a number of on-boardings", most)
			}
			return a.onboardings(c.Context(), in, most)
		},
	}
	f := c.Flags()
	f.StringVar(&in.State, "state", "", "only those requested, asked-back, answered, approved, rejected or withdrawn")
	f.StringVar(&in.Team, "team", "", "only those of this team")
	f.BoolVar(&in.Mine, "mine", false, "only what you asked for")
	f.IntVar(&most, "limit", most, "how many at most")
	return c
}

func (a *App) onboardings(ctx context.Context, in adminapi.ListOnboardingsRequest, most int) error {
	api, err := a.connect()
	if err != nil {
		return err
	}
	all := []gatehouse.Onboarding{}
	for len(all) < most {
		in.Limit = min(1000, most-len(all))
		out, err := api.ListOnboardings(ctx, in)
		if err != nil {
			return err
		}
		all = append(all, out.Body.Items...)
		if in.After = out.Body.Next; in.After == "" {
			break
		}
	}
	if in.After != "" {
		a.note("there are more than %d; --limit shows more", most)
	}
	return a.show(map[string]any{"items": all}, func() table {
		t := table{heads: []string{"on-boarding", "state", "since", "asked by", "environments", "quotas", "decided by"}}
		for _, o := range all {
			t.add(o.ID, o.State, ago(o.Since), o.AskedBy, strings.Join(o.Request.Environments, ", "), quotaText(o.Request.Quotas), o.DecidedBy)
		}
		return t
	}, func() []string {
		var names []string
		for _, o := range all {
			names = append(names, o.ID)
		}
		return names
	})
}

func (a *App) onboardDecide(verb, short, needs string, do func(*client.Client, context.Context, adminapi.DecideOnboardingRequest) (*adminapi.OnboardingAnswer, error)) *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: verb + " ID", Short: short, Args: exactly(1, "one on-boarding, such as shop-1"),
		RunE: func(c *cobra.Command, args []string) error {
			if needs != "" && reason == "" {
				return misuse("onboard %s: %s", verb, needs)
			}
			in := adminapi.DecideOnboardingRequest{OnboardingRef: adminapi.OnboardingRef{ID: args[0]}}
			if reason != "" {
				in.Body = &struct {
					Reason string `json:"reason,omitempty" maxLength:"4000"`
				}{reason}
			}
			out, err := ask(a, c.Context(), do, in)
			if err != nil {
				return err
			}
			return a.onboardDone(out.Body)
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return c
}

func (a *App) onboardAsk() *cobra.Command {
	return &cobra.Command{
		Use: "ask ID QUESTION", Short: "Ask the asking side back", Args: exactly(2, "an on-boarding and a question"),
		RunE: func(c *cobra.Command, args []string) error {
			in := adminapi.AskOnboardingRequest{OnboardingRef: adminapi.OnboardingRef{ID: args[0]}}
			in.Body.Question = args[1]
			out, err := ask(a, c.Context(), (*client.Client).AskOnboarding, in)
			if err != nil {
				return err
			}
			return a.onboardDone(out.Body)
		},
	}
}

func (a *App) onboardAnswer() *cobra.Command {
	var o onboardForm
	c := &cobra.Command{
		Use: "answer ID ANSWER", Short: "Answer what was asked back", Args: exactly(2, "an on-boarding and an answer"),
		Long: `Answer what was asked back. Flags change what is asked for: a list that is given replaces
the one before, and --accept accepts the responsibilities of another version.`,
		Example: `  gatehouse onboard answer shop-1 "qa will do for now" --env dev,qa`,
		RunE: func(c *cobra.Command, args []string) error {
			in := adminapi.AnswerOnboardingRequest{OnboardingRef: adminapi.OnboardingRef{ID: args[0]}}
			in.Body.Answer = args[1]
			api, err := a.connect()
			if err != nil {
				return err
			}
			now, err := api.GetOnboarding(c.Context(), in.OnboardingRef)
			if err != nil {
				return err
			}
			if o.request.Framework == "" {
				o.request.Framework = now.Body.Request.Framework
			}
			if in.Body.Accept, err = a.acceptance(c.Context(), &o); err != nil {
				return err
			}
			if r, changed := o.over(c, now.Body.Request); changed {
				in.Body.Request = &r
			}
			out, err := api.AnswerOnboarding(c.Context(), in)
			if err != nil {
				return err
			}
			return a.onboardDone(out.Body)
		},
	}
	o.bind(c.Flags())
	return c
}

// over lays what flags say over a request.
func (o *onboardForm) over(c *cobra.Command, r gatehouse.OnboardingRequest) (out gatehouse.OnboardingRequest, changed bool) {
	given := func(flag string) bool {
		yes := c.Flags().Changed(flag)
		changed = changed || yes
		return yes
	}
	text := func(flag string, to *string, value string) {
		if given(flag) {
			*to = value
		}
	}
	list := func(flag string, to *[]string, value []string) {
		if given(flag) {
			*to = value
		}
	}
	text("why", &r.Why, o.request.Why)
	text("title", &r.Title, o.request.Title)
	text("summary", &r.Summary, o.request.Summary)
	text("expires", &r.Expires, o.request.Expires)
	text("cost-centre", &r.CostCentre, o.request.CostCentre)
	text("framework", &r.Framework, o.request.Framework)
	list("member", &r.Members, o.request.Members)
	list("env", &r.Environments, o.request.Environments)
	list("cloud", &r.Clouds, o.request.Clouds)
	list("data-class", &r.Data, o.request.Data)
	contacts, quotas := gatehouse.TeamContacts{}, gatehouse.TeamQuotas{}
	if r.Contacts != nil {
		contacts = *r.Contacts
	}
	if r.Quotas != nil {
		quotas = *r.Quotas
	}
	text("email", &contacts.Email, o.contacts.Email)
	text("on-call", &contacts.OnCall, o.contacts.OnCall)
	text("channel", &contacts.Channel, o.contacts.Channel)
	if given("apis") {
		quotas.APIs = o.quotas.APIs
	}
	if given("applications") {
		quotas.Applications = o.quotas.Applications
	}
	if given("requests") {
		quotas.Requests = o.quotas.Requests
	}
	if r.Contacts = nil; contacts != (gatehouse.TeamContacts{}) {
		r.Contacts = &contacts
	}
	if r.Quotas = nil; quotas != (gatehouse.TeamQuotas{}) {
		r.Quotas = &quotas
	}
	return r, changed
}
