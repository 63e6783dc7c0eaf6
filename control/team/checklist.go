package team

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/control/access"
	"gatehouse/control/catalog"
)

// Checklist says what a team has done and what is left. Items that do not
// concern it are left out.
func (d *Desk) Checklist(ctx context.Context, team string) ([]gatehouse.ChecklistItem, error) {
	f, err := d.read(ctx, team)
	if err != nil {
		return nil, err
	}
	return d.checklist(ctx, f)
}

// lookBack is how far back a first call is looked for.
const lookBack = 90 * 24 * time.Hour

func (d *Desk) checklist(ctx context.Context, f *facts) ([]gatehouse.ChecklistItem, error) {
	var list []gatehouse.ChecklistItem
	add := func(id, title, detail, how string) {
		item := gatehouse.ChecklistItem{ID: id, Title: title, Done: detail != "", Detail: detail}
		if !item.Done {
			item.How = how
		}
		list = append(list, item)
	}
	add("contact", "A contact is set", f.contact(), "set contacts.email in the team's document")
	add("people", "Somebody builds for the team", d.builders(f), fmt.Sprintf("give somebody the role developer on team/%s", f.name))
	if f.governed {
		detail, how, err := d.accepted(ctx, f)
		if err != nil {
			return nil, err
		}
		add("responsibilities", "The responsibilities in force are accepted", detail, how)
	}
	detail, err := d.pipeline(ctx, f)
	if err != nil {
		return nil, err
	}
	add("pipeline", "A pipeline can act for the team", detail, fmt.Sprintf("gatehouse onboard kit %s -o DIR, then a token for its service account", f.name))
	add("first-api", "The first API", f.firstAPI(), fmt.Sprintf("gatehouse onboard kit %s -o DIR, then gatehouse apply -f DIR/gatehouse", f.name))
	add("first-release", "The first release", f.released(""), "gatehouse release "+f.name+"/API@VERSION --env ENV")
	if detail, err = d.called(ctx, f); err != nil {
		return nil, err
	}
	add("first-call", "The first call", detail, fmt.Sprintf("gatehouse subscribe %s/PRODUCT --plan PLAN --app TEAM/APP --env ENV --key, then call it", f.name))
	add("product", "A product to subscribe to", f.product(), "apply a document of kind Product")
	add("first-subscription", "The first subscription", f.subscription(), fmt.Sprintf("gatehouse subscribe %s/PRODUCT --plan PLAN --app TEAM/APP --env ENV", f.name))
	if f.governed {
		add("gate", "The gate is passed", f.passed(), "gatehouse gate run "+f.name+"/API@VERSION --env ENV")
	}
	if slices.ContainsFunc(f.envs, func(e environment) bool { return e.Stage == "prod" }) {
		add("production", "Live in production", f.released("prod"), "gatehouse release "+f.name+"/API@VERSION --env ENV")
	}
	if detail, err = d.alarm(ctx, f); err != nil {
		return nil, err
	}
	add("alarm", "Somebody is told when something happens", detail, "name receivers under notify in the team's document, or apply an Alarm that notifies the team")
	return list, nil
}

func (f *facts) contact() string {
	if f.team.Contacts == nil {
		return ""
	}
	return f.team.Contacts.Email
}

// builders are those who may put APIs of the team.
func (d *Desk) builders(f *facts) string {
	h := d.Guard.Index().Who("api.put", access.On{Team: f.name}, "", access.MaxWho)
	var names []string
	for _, holder := range h.Holders {
		if strings.HasPrefix(holder.Subject, "user:") && d.Guard.Index().Of(holder.Subject, f.name) {
			names = append(names, holder.Subject)
		}
	}
	return some(names, "person", "people")
}

// some says how many there are, and names one.
func some(names []string, one, many string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0]
	}
	return fmt.Sprintf("%d %s, such as %s", len(names), many, names[0])
}

func (d *Desk) accepted(ctx context.Context, f *facts) (detail, how string, err error) {
	a, err := d.Onboarding.Accepted(ctx, f.name)
	if err != nil {
		return "", "", err
	}
	inForce, err := d.Onboarding.InForce(ctx)
	switch {
	case err != nil:
		return "", "", err
	case a == nil:
		return "", "they are accepted with the next on-boarding: gatehouse onboard start " + f.name + " --accept VERSION", nil
	case inForce[a.Framework] == a.Version:
		return fmt.Sprintf("%s@%s, by %s", a.Framework, a.Version, a.By), "", nil
	}
	return "", fmt.Sprintf("%s@%s was accepted and is not in force any more; the next on-boarding accepts what is", a.Framework, a.Version), nil
}

// pipeline names a service account of the team with a token that lives.
func (d *Desk) pipeline(ctx context.Context, f *facts) (string, error) {
	people, _ := d.Guard.Index().People(f.name, "", access.MaxWho)
	for _, p := range people {
		if !strings.HasPrefix(p.Subject, "service:") || p.Disabled {
			continue
		}
		tokens, _, err := d.Guard.Tokens(ctx, p.Subject, "", 100)
		if err != nil {
			return "", err
		}
		for _, t := range tokens {
			if t.Revoked.IsZero() && (t.Expires.IsZero() || t.Expires.After(d.now())) {
				return p.Subject, nil
			}
		}
	}
	return "", nil
}

func refs(views []*catalog.View) (names []string) {
	for _, v := range views {
		names = append(names, v.Object.Metadata.Ref())
	}
	return names
}

func (f *facts) firstAPI() string { return some(refs(f.apis), "API", "APIs") }
func (f *facts) product() string  { return some(refs(f.products), "product", "products") }

// released names a release into an environment of a stage, "" for any.
func (f *facts) released(stage string) string {
	var names []string
	for _, r := range f.releases {
		in := slices.ContainsFunc(f.envs, func(e environment) bool { return e.name == r.Environment && e.Stage == stage })
		if r.Revision != "" && (stage == "" || in) {
			names = append(names, r.API+"@"+r.Version+" in "+r.Environment)
		}
	}
	slices.Sort(names)
	return some(names, "release", "releases")
}

// called says how many calls the team's APIs served lately.
func (d *Desk) called(ctx context.Context, f *facts) (string, error) {
	n := f.served
	if n == 0 && len(f.releases) > 0 {
		now := d.now()
		var apis []string
		for _, r := range f.releases {
			if api := r.API + "@" + r.Version; !slices.Contains(apis, api) {
				apis = append(apis, api)
			}
		}
		sums, err := d.served(ctx, now.Add(-lookBack), now, apis)
		if err != nil {
			return "", err
		}
		for _, s := range sums {
			n += s
		}
		if n > 0 {
			return fmt.Sprintf("%d calls within 90 days", n), nil
		}
	}
	if n == 0 {
		return "", nil
	}
	return fmt.Sprintf("%d calls this month", n), nil
}

func (f *facts) subscription() string {
	var names []string
	for _, s := range f.asked {
		if s.status.State == gatehouse.Approved {
			names = append(names, s.ref)
		}
	}
	slices.Sort(names)
	return some(names, "subscription", "subscriptions")
}

// passed names a release that the gate let through.
func (f *facts) passed() string {
	var names []string
	for id, r := range f.gate {
		if passes(r.Outcome) {
			names = append(names, id)
		}
	}
	slices.Sort(names)
	return some(names, "release", "releases")
}

func passes(outcome string) bool {
	return outcome == gatehouse.GatePassed || outcome == gatehouse.GateWaived || outcome == gatehouse.GateGrace
}

// alarm names who is told: receivers of the team, or an alarm that notifies its
// address or one of its members.
func (d *Desk) alarm(ctx context.Context, f *facts) (string, error) {
	if len(f.team.Notify) > 0 {
		return "notify " + f.team.Notify[0].Name, nil
	}
	told := slices.Clone(f.team.Members)
	if c := f.contact(); c != "" {
		told = append(told, c)
	}
	name := ""
	err := d.each(ctx, catalog.Filter{Kind: gatehouse.KindAlarm}, func(v *catalog.View) error {
		if slices.ContainsFunc(v.Object.Spec.(*gatehouse.Alarm).Notify, func(n string) bool { return slices.Contains(told, n) }) {
			name = "alarm " + v.Object.Metadata.Name
		}
		return nil
	})
	return name, err
}
