package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/client"
)

func (a *App) team() *cobra.Command {
	c := &cobra.Command{Use: "team", GroupID: "watch", Short: "Show how teams stand and what is left to do", Aliases: []string{"teams"}}
	c.AddCommand(a.teamList(), a.teamShow(), a.teamChecklist())
	return c
}

func (a *App) teamChecklist() *cobra.Command {
	return &cobra.Command{
		Use: "checklist TEAM", Args: exactly(1, "one team"), Short: "Show what a team has done and what is left",
		Long: "Show what a team has done and what is left. Items tick themselves from what is there.",
		RunE: func(c *cobra.Command, args []string) error {
			out, err := ask(a, c.Context(), (*client.Client).GetTeamChecklist, adminapi.TeamRef{Team: args[0]})
			if err != nil {
				return err
			}
			b := out.Body
			if err := a.show(b, func() table { return checklistTable(b.Items) }, func() (names []string) {
				for _, i := range b.Items {
					if !i.Done {
						names = append(names, i.ID)
					}
				}
				return names
			}); err != nil {
				return err
			}
			if a.output == "table" {
				a.note("%d of %d done", b.Done, b.Total)
			}
			return nil
		},
	}
}

func checklistTable(items []gatehouse.ChecklistItem) table {
	t := table{heads: []string{"", "what", "fact, or what would do"}}
	for _, i := range items {
		mark, text := "[x]", i.Detail
		if !i.Done {
			mark, text = "[ ]", i.How
		}
		t.add(mark, i.Title, text)
	}
	return t
}

func (a *App) teamShow() *cobra.Command {
	return &cobra.Command{
		Use: "show TEAM", Args: exactly(1, "one team"), Short: "Show how a team stands",
		Long: `Show how a team stands: members, APIs and where they run, products, subscriptions, gate,
waivers, usage against quotas, support, service levels, checklist and what happened lately.`,
		RunE: func(c *cobra.Command, args []string) error {
			out, err := ask(a, c.Context(), (*client.Client).GetTeamPage, adminapi.TeamRef{Team: args[0]})
			if err != nil {
				return err
			}
			if a.output != "table" {
				return a.show(out.Body, nil, func() []string { return []string{out.Body.Team} })
			}
			a.teamPage(out.Body)
			return nil
		},
	}
}

// part prints one table of a page under its name, when there is anything in it.
func (a *App) part(name string, t table) {
	if len(t.rows) > 0 {
		fmt.Fprintf(a.Out, "\n%s\n", name)
		a.table(t)
	}
}

func (a *App) teamPage(p gatehouse.TeamPage) {
	head := "team " + p.Team
	if p.Title != "" {
		head += ": " + p.Title
	}
	fmt.Fprintln(a.Out, printable(head))
	if p.Summary != "" {
		fmt.Fprintln(a.Out, printable(p.Summary))
	}
	for _, r := range teamFacts(p).rows {
		fmt.Fprintf(a.Out, "%-20s %s\n", r[0], printable(r[1]))
	}
	a.teamExposes(p)
	a.teamOwes(p)
	events := table{heads: []string{"time", "actor", "action", "object", "outcome"}}
	for _, e := range p.Activity {
		events.add(e.Time.Format(time.DateTime), e.Actor, e.Action, e.Object, e.Outcome)
	}
	a.part("Activity", events)
}

// teamFacts are what a page tells in a line each.
func teamFacts(p gatehouse.TeamPage) table {
	facts := table{heads: []string{"", ""}}
	if p.Contacts != nil {
		facts.add("contacts", strings.Join(nonempty(p.Contacts.Email, p.Contacts.OnCall, p.Contacts.Channel), ", "))
	}
	facts.add("environments", strings.Join(p.Environments, ", "))
	for _, q := range p.Quotas {
		facts.add(q.Quota, quotaUse(q))
	}
	if len(p.Quotas) == 0 {
		facts.add("requests this month", fmt.Sprint(p.Counts.Requests))
	}
	for _, o := range p.Onboardings {
		facts.add("on-boarding", o.ID+" is "+o.State)
	}
	if len(p.Withheld) > 0 {
		facts.add("not shown", strings.Join(p.Withheld, ", "))
	}
	return facts
}

// teamExposes prints who a team is, what it offers and what it uses.
func (a *App) teamExposes(p gatehouse.TeamPage) {
	members := table{heads: []string{"subject", "roles"}}
	for _, m := range p.Members {
		members.add(m.Subject, rolesText(m))
	}
	a.part(fmt.Sprintf("Members (%d)", p.Counts.Members), members)
	a.part(fmt.Sprintf("APIs (%d)", p.Counts.APIs), apiTable(p.APIs))
	products := table{heads: []string{"product", "plans", "subscriptions"}}
	for _, x := range p.Products {
		products.add(x.Product, strings.Join(x.Plans, ", "), countsText(x.Subscriptions))
	}
	a.part(fmt.Sprintf("Products (%d)", p.Counts.Products), products)
	subs := table{heads: []string{"subscription", "application", "product", "plan", "environment", "state"}}
	for _, s := range p.Subscriptions {
		subs.add(s.Subscription, s.Application, s.Product, s.Plan, s.Environment, s.State)
	}
	a.part("Subscriptions", subs)
}

// teamOwes prints what a team was let off, is asked for, promised and has to do.
func (a *App) teamOwes(p gatehouse.TeamPage) {
	waivers := table{heads: []string{"waiver", "API", "control", "state", "ends", "reason"}}
	for _, w := range p.Waivers {
		waivers.add(w.ID, w.API, w.Control, w.State, w.Expires.Format(time.DateOnly), w.Reason)
	}
	a.part(fmt.Sprintf("Waivers (%d)", p.Counts.Waivers), waivers)
	support := table{heads: []string{"request", "state", "severity", "from", "title"}}
	for _, s := range p.Support {
		support.add(s.ID, s.State, s.Severity, s.From, s.Title)
	}
	a.part(fmt.Sprintf("Support (%d)", p.Counts.Support), support)
	levels := table{heads: []string{"API", "environment", "plan", "objective", "promised", "attained", "met"}}
	for _, l := range p.ServiceLevels {
		levels.add(l.API, l.Environment, l.Plan, l.Objective, l.Promised, l.Attained, yes(l.Met))
	}
	a.part("Service levels this month", levels)
	a.part(fmt.Sprintf("Checklist (%d left)", p.Counts.Left), checklistTable(p.Checklist))
}

func quotaUse(q gatehouse.TeamQuota) string {
	text := fmt.Sprintf("%d of %d (%d %%)", q.Used, q.Most, q.Percent)
	if q.Quota == "requests" {
		text += " this month"
	}
	switch q.Warning {
	case gatehouse.QuotaNear:
		text += ", near the quota"
	case gatehouse.QuotaReached:
		text += ", quota reached"
	}
	return text
}

func rolesText(m gatehouse.TeamMember) string {
	var all []string
	for _, r := range m.Roles {
		text := r.Role
		if len(r.Via) > 0 {
			text += " through " + strings.Join(r.Via, " in ")
		}
		if !r.Expires.IsZero() {
			text += " until " + r.Expires.Format(time.DateOnly)
		}
		all = append(all, text)
	}
	if m.Disabled {
		all = append(all, "disabled")
	}
	return strings.Join(all, ", ")
}

func countsText(counts map[string]int) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[k], k))
	}
	return strings.Join(parts, ", ")
}

func apiTable(apis []gatehouse.TeamAPI) table {
	t := table{heads: []string{"API", "lifecycle", "environment", "state", "revision", "since", "gate"}}
	for _, x := range apis {
		for _, v := range x.Versions {
			if len(v.Releases) == 0 {
				t.add(x.API+"@"+v.Version, v.Lifecycle, "", "not released", "", "", "")
			}
			for _, r := range v.Releases {
				t.add(x.API+"@"+v.Version, v.Lifecycle, r.Environment, r.State, short(r.Revision), ago(r.Since), r.Gate)
			}
		}
	}
	return t
}

func (a *App) teamList() *cobra.Command {
	var overview bool
	c := &cobra.Command{
		Use: "list", Args: exactly(0, "no arguments"), Short: "List teams; with --overview how each stands",
		RunE: func(c *cobra.Command, _ []string) error {
			if !overview {
				k, _ := gatehouse.Info("team")
				return a.listObjects(c.Context(), k, "", adminapi.PageRequest{}, "")
			}
			return a.teamOverview(c.Context())
		},
	}
	c.Flags().BoolVar(&overview, "overview", false, "show figures of each team, and their sum")
	return c
}

func (a *App) teamOverview(ctx context.Context) error {
	api, err := a.connect()
	if err != nil {
		return err
	}
	var all adminapi.OverviewAnswer
	all.Body.Items = []gatehouse.TeamRow{}
	in := adminapi.OverviewRequest{Limit: 200}
	for {
		out, err := api.GetOverview(ctx, in)
		if err != nil {
			return err
		}
		all.Body.Items = append(all.Body.Items, out.Body.Items...)
		all.Body.Sum.Add(out.Body.Sum)
		if in.After = out.Body.Next; in.After == "" {
			break
		}
	}
	return a.show(all.Body, func() table {
		t := table{heads: []string{"team", "members", "APIs", "products", "applications", "releases", "gate", "waivers", "subscriptions", "waiting", "support", "requests", "quota", "left"}}
		row := func(name string, c gatehouse.TeamCounts, quota string) {
			t.add(name, fmt.Sprint(c.Members), fmt.Sprint(c.APIs), fmt.Sprint(c.Products), fmt.Sprint(c.Applications), fmt.Sprint(c.Releases), countsText(c.Gate),
				fmt.Sprint(c.Waivers), fmt.Sprint(c.Subscriptions), fmt.Sprint(c.Waiting+c.Asked), fmt.Sprint(c.Support), fmt.Sprint(c.Requests), quota, fmt.Sprint(c.Left))
		}
		for _, r := range all.Body.Items {
			quota := ""
			for _, q := range r.Quotas {
				if q.Warning != "" {
					quota = q.Quota + " " + q.Warning
				}
			}
			row(r.Team, r.Counts, quota)
		}
		if len(t.rows) > 1 {
			row("all", all.Body.Sum, "")
		}
		return t
	}, func() (names []string) {
		for _, r := range all.Body.Items {
			names = append(names, r.Team)
		}
		return names
	})
}
