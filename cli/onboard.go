package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/client"
)

func (a *App) onboard() *cobra.Command {
	c := &cobra.Command{
		Use: "onboard", GroupID: "expose", Short: "Bring teams onto the framework", Aliases: []string{"onboarding"},
		Long: `Ask to bring a team onto the framework, or for more than it is allowed; decide on what
others ask. What is approved is made at once: the team, its people and their roles,
the environments it may release into and how much it may have.`,
	}
	c.AddCommand(a.onboardTerms(), a.onboardStart(), a.onboardStatus(), a.onboardList(),
		a.onboardDecide("approve", "Let an on-boarding through", "", (*client.Client).ApproveOnboarding),
		a.onboardDecide("reject", "Turn an on-boarding down", "--reason says why; whoever asked is told it", (*client.Client).RejectOnboarding),
		a.onboardAsk(), a.onboardAnswer(),
		a.onboardDecide("withdraw", "Take an on-boarding back", "", (*client.Client).WithdrawOnboarding), a.onboardKit())
	return c
}

// An onboardForm is what flags say of a request.
type onboardForm struct {
	request  gatehouse.OnboardingRequest
	contacts gatehouse.TeamContacts
	quotas   gatehouse.TeamQuotas
	accept   string
}

func (o *onboardForm) bind(f *pflag.FlagSet) {
	r := &o.request
	f.StringVar(&r.Why, "why", "", "why it is needed")
	f.StringVar(&r.Title, "title", "", "title of a new team, a few words")
	f.StringVar(&r.Summary, "summary", "", "what a new team does")
	f.StringSliceVar(&r.Members, "member", nil, "member of a new team, user:… or group:…; default you; may be repeated")
	f.StringVar(&r.Expires, "expires", "", "day on which the members' roles end, 2027-06-30")
	f.StringSliceVar(&r.Environments, "env", nil, "environment to release into; may be repeated")
	f.StringSliceVar(&r.Clouds, "cloud", nil, "cloud that is wanted: aws, azure, gcp, on-prem; may be repeated")
	f.StringSliceVar(&r.Data, "data-class", nil, "class of data that passes through: public, internal, confidential, restricted; may be repeated")
	f.StringVar(&r.CostCentre, "cost-centre", "", "cost centre that pays")
	f.StringVar(&o.contacts.Email, "email", "", "address of a new team")
	f.StringVar(&o.contacts.OnCall, "on-call", "", "who answers at night")
	f.StringVar(&o.contacts.Channel, "channel", "", "where a new team talks")
	f.IntVar(&o.quotas.APIs, "apis", 0, "how many APIs")
	f.IntVar(&o.quotas.Applications, "applications", 0, "how many applications")
	f.Int64Var(&o.quotas.Requests, "requests", 0, "how many requests a month")
	f.StringVar(&r.Framework, "framework", "", "framework to come onto; needed when several are in force")
	f.StringVar(&o.accept, "accept", "", "accept the responsibilities of a framework version in force, corporate@2026.1")
}

// acceptance finds the words that --accept names.
func (a *App) acceptance(ctx context.Context, o *onboardForm) (out adminapi.OnboardingAcceptance, err error) {
	if o.accept == "" {
		return out, nil
	}
	framework, version, named := strings.Cut(o.accept, "@")
	if !named {
		framework, version = o.request.Framework, o.accept
	}
	if o.request.Framework = cmp.Or(o.request.Framework, framework); framework != o.request.Framework || version == "" {
		return out, misuse("--accept %q is not a version of framework %q; write it as corporate@2026.1", o.accept, o.request.Framework)
	}
	t, err := ask(a, ctx, (*client.Client).GetOnboardingTerms, adminapi.TermsRequest{Framework: o.request.Framework})
	if err != nil {
		return out, err
	}
	if out.Version = version; t.Body.Version == version {
		out.Hash = t.Body.Hash
	}
	return out, nil
}

func (a *App) onboardTerms() *cobra.Command {
	in := adminapi.TermsRequest{}
	c := &cobra.Command{
		Use: "terms", Args: exactly(0, "no arguments"), Short: "Show the responsibilities that are accepted",
		RunE: func(c *cobra.Command, _ []string) error {
			out, err := ask(a, c.Context(), (*client.Client).GetOnboardingTerms, in)
			if err != nil {
				return err
			}
			t := out.Body
			if a.output != "table" {
				return a.show(t, nil, func() []string { return []string{t.Framework + "@" + t.Version} })
			}
			if !t.InForce {
				a.note("no framework is in force, so there is nothing to accept")
				return nil
			}
			for line := range strings.SplitSeq(strings.TrimSuffix(t.Text, "\n"), "\n") {
				fmt.Fprintln(a.Out, printable(line))
			}
			a.note("\nSHA-256 %s\naccept it with --accept %s@%s", t.Hash, t.Framework, t.Version)
			return nil
		},
	}
	c.Flags().StringVar(&in.Framework, "framework", "", "which one; needed when several are in force")
	return c
}

func (a *App) onboardStart() *cobra.Command {
	var o onboardForm
	c := &cobra.Command{
		Use: "start TEAM", Args: exactly(1, "one team"), Short: "Ask for a team to come onto the framework, or for more",
		Long: `Ask for a new team, or, as one who is of it, for more environments and larger quotas of a
team that is there. Read the responsibilities first with "gatehouse onboard terms" and accept
them with --accept. A rule of the framework may let it through at once; otherwise the
provider team decides, and "gatehouse onboard status" tells.`,
		Example: `  gatehouse onboard start shop --why "sell things" --env dev,qa --data-class internal \
    --email shop@example.com --cost-centre 4711 --member user:alice@example.com --accept corporate@2026.1
  gatehouse onboard start shop --why "go live" --env prod --apis 10 --accept corporate@2026.1`,
		RunE: func(c *cobra.Command, args []string) error {
			if o.request.Why == "" {
				return misuse("onboard start needs --why, for whoever decides")
			}
			in := adminapi.StartOnboardingRequest{}
			var err error
			if in.Body.Accept, err = a.acceptance(c.Context(), &o); err != nil {
				return err
			}
			in.Body.Request = o.request
			in.Body.Request.Team = args[0]
			if o.contacts != (gatehouse.TeamContacts{}) {
				in.Body.Request.Contacts = &o.contacts
			}
			if o.quotas != (gatehouse.TeamQuotas{}) {
				in.Body.Request.Quotas = &o.quotas
			}
			out, err := ask(a, c.Context(), (*client.Client).StartOnboarding, in)
			if err != nil {
				return err
			}
			return a.onboardDone(out.Body)
		},
	}
	o.bind(c.Flags())
	return c
}

// onboardDone says what became of an on-boarding.
func (a *App) onboardDone(o adminapi.OnboardingBody) error {
	if a.output != "table" {
		return a.show(o, nil, func() []string { return []string{o.ID} })
	}
	a.note("on-boarding %s is %s", o.ID, o.State)
	switch o.State {
	case gatehouse.Approved:
		a.note("team %s is ready; next: gatehouse onboard kit %s -o %[1]s", o.Request.Team, o.Request.Team)
	case gatehouse.Requested, gatehouse.Answered:
		a.note("the provider team decides; gatehouse onboard status %s tells", o.ID)
	case gatehouse.AskedBack:
		a.note("it waits for an answer of the asking side: gatehouse onboard answer %s TEXT", o.ID)
	}
	fmt.Fprintln(a.Out, o.ID)
	return nil
}

func (a *App) onboardStatus() *cobra.Command {
	return &cobra.Command{
		Use: "status [ID]", Args: between(0, 1, "the id of an on-boarding, such as shop-1, or none"),
		Short: "Show one on-boarding, or what you asked for",
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.onboardings(c.Context(), adminapi.ListOnboardingsRequest{Mine: true, Limit: 1000}, 1000)
			}
			out, err := ask(a, c.Context(), (*client.Client).GetOnboarding, adminapi.OnboardingRef{ID: args[0]})
			if err != nil {
				return err
			}
			if a.output != "table" {
				return a.show(out.Body, nil, func() []string { return []string{out.Body.ID} })
			}
			a.onboardPage(out.Body)
			return nil
		},
	}
}

// onboardPage prints one on-boarding for people.
func (a *App) onboardPage(o adminapi.OnboardingBody) {
	r := o.Request
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(a.Out, "%-14s %s\n", name, printable(value))
		}
	}
	list := func(name string, values []string) { line(name, strings.Join(values, ", ")) }
	line("on-boarding", o.ID+": "+o.State)
	line("team", r.Team+map[bool]string{true: ", which asks for more", false: ""}[o.More])
	line("title", r.Title)
	line("why", r.Why)
	list("members", r.Members)
	line("until", r.Expires)
	list("environments", r.Environments)
	list("clouds", r.Clouds)
	list("data", r.Data)
	line("cost centre", r.CostCentre)
	if r.Contacts != nil {
		list("contacts", nonempty(r.Contacts.Email, r.Contacts.OnCall, r.Contacts.Channel))
	}
	line("quotas", quotaText(r.Quotas))
	line("asked", o.Asked.Format(time.RFC3339)+" by "+o.AskedBy)
	if t := o.Acceptance; t != nil {
		line("accepted", fmt.Sprintf("%s@%s by %s, SHA-256 %s", t.Framework, t.Version, t.By, t.Hash))
	}
	if !o.Decided.IsZero() {
		line("decided", o.Decided.Format(time.RFC3339)+" by "+o.DecidedBy)
		line("reason", o.Reason)
	}
	for _, n := range o.Notes {
		line("note", n)
	}
	for _, m := range o.Comments {
		line(m.Is, fmt.Sprintf("%s: %s", m.By, m.Text))
	}
}

func nonempty(list ...string) (out []string) {
	for _, s := range list {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

func quotaText(q *gatehouse.TeamQuotas) string {
	if q == nil {
		return ""
	}
	var parts []string
	for _, p := range []struct {
		n    int64
		what string
	}{{int64(q.APIs), "APIs"}, {int64(q.Applications), "applications"}, {q.Requests, "requests a month"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	return strings.Join(parts, ", ")
}
