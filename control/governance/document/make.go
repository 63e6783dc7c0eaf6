package document

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse"
)

// Make puts a model into a page.
func Make(m *Model) *Page {
	v := &m.Text.Version
	p := &Page{Title: cmp.Or(m.Title, m.Framework) + ", version " + m.Version}
	p.say(m.Summary)
	p.facts(
		fact{"Framework", m.Framework + "@" + m.Version},
		fact{"State", state(m)},
		fact{"Valid", period(v.ValidFrom, v.ValidUntil)},
		fact{"Text (SHA-256)", m.Standing.Hash},
		fact{"Written", m.Time.UTC().Format("2006-01-02 15:04 UTC")},
	)
	service := cmp.Or(v.Service, &gatehouse.Service{})
	p.say(service.Summary)
	functional(p, m, cmp.Or(service.Functional, &gatehouse.FunctionalService{}))
	policies(p, m)
	terms(p, m, service.Team, cmp.Or(service.NonFunctional, &gatehouse.ServiceTerms{}))
	controls(p, v)
	approvals(p, m)
	return p
}

func state(m *Model) string {
	s := cmp.Or(m.Standing.State, gatehouse.Draft)
	if !m.Standing.Since.IsZero() {
		s += " since " + m.Standing.Since.UTC().Format(time.DateOnly)
	}
	return s
}

func period(from, until string) string {
	switch {
	case from != "" && until != "":
		return "from " + from + " to " + until
	case from != "":
		return "from " + from
	case until != "":
		return "to " + until
	}
	return ""
}

func functional(p *Page, m *Model, f *gatehouse.FunctionalService) {
	p.section("What the service does")
	clouds := table{caption: "Clouds and data centres", heads: []string{"Cloud", "Regions", "Note"}}
	for _, c := range f.Clouds {
		clouds.rows = append(clouds.rows, []string{c.Cloud, strings.Join(c.Regions, ", "), c.Note})
	}
	p.table(clouds)
	networks := table{caption: "Networks", heads: []string{"Network", "Note"}}
	for _, n := range f.Networks {
		networks.rows = append(networks.rows, []string{n.Network, n.Note})
	}
	p.table(networks)
	p.answer("How resources are reached", f.Access)
	stages(p, m, f)
	where(p, m)
	if r := f.Resources; r != nil {
		p.answer("How a team gets at its resources", r.Access)
		p.answer("How resources are added", r.Add)
		p.answer("How resources are configured", r.Configure)
		p.answer("How resources are removed", r.Remove)
	}
	if len(f.Automation) > 0 {
		p.part("What is automated")
	}
	flows := table{caption: "Automated flows, and how they fit a team's pipeline", heads: []string{"Flow", "Starts with", "Does", "In a pipeline"}}
	for _, a := range f.Automation {
		flows.rows = append(flows.rows, []string{a.Name, a.Trigger, a.Does, a.Pipeline})
	}
	p.table(flows)
	if len(f.Secure) > 0 {
		p.part("Secure configuration")
		p.items(false, f.Secure)
	}
}

// stages tells how dev, qa and prod differ, and which environments there are.
func stages(p *Page, m *Model, f *gatehouse.FunctionalService) {
	p.part("Stages and environments")
	about := table{caption: "Stages", heads: []string{"Stage", "Purpose"}}
	for _, s := range f.Stages {
		about.rows = append(about.rows, []string{s.Stage, s.Note})
	}
	p.table(about)
	t := table{caption: "Environments", heads: []string{"Environment", "Stage", "Hosts", "Jurisdiction", "Releases", "After", "Gate", "Title"}}
	for _, e := range m.Environments {
		mode, after := "manual", ""
		if e.Spec.Stage == "dev" {
			mode = "automatic"
		}
		if r := e.Spec.Release; r != nil {
			mode, after = cmp.Or(r.Mode, mode), strings.Join(r.After, ", ")
		}
		t.rows = append(t.rows, []string{
			e.Name, e.Spec.Stage, strings.Join(e.Spec.Hosts, ", "), e.Spec.Jurisdiction, mode, after, e.Spec.GateMode(m.Governed), e.Spec.Title,
		})
	}
	slices.SortStableFunc(t.rows, func(a, b []string) int { return cmp.Compare(rank(a[1]), rank(b[1])) })
	p.table(t)
}

func rank(stage string) int { return slices.Index([]string{"dev", "qa", "prod"}, stage) }

// where tells the places that gateways run in.
func where(p *Page, m *Model) {
	t := table{caption: "Gateways", heads: []string{"Gateway", "Environment", "Cloud", "Region", "Jurisdiction", "Network", "URL", "Title"}}
	for _, g := range m.Gateways {
		l := cmp.Or(g.Spec.Location, &gatehouse.Location{})
		t.rows = append(t.rows, []string{g.Name, g.Spec.Environment, l.Cloud, l.Region, l.Jurisdiction, l.Network, g.Spec.URL, g.Spec.Title})
	}
	p.table(t)
}

// policies are those that nobody further in can remove.
func policies(p *Page, m *Model) {
	t := table{caption: "Mandatory policies, in the order they run", heads: []string{"Policy", "Configuration", "Stages", "Audiences", "From"}}
	add := func(uses []gatehouse.PolicyUse, stages, audiences, from string) {
		for _, u := range uses {
			if ref, ok := u.Set(); ok {
				for _, in := range m.Text.PolicySets[ref] {
					t.rows = append(t.rows, []string{in.Name, config(in), stages, audiences, from + ", policy set " + ref})
				}
				if m.Text.PolicySets[ref] == nil {
					t.rows = append(t.rows, []string{"policy-set", ref, stages, audiences, from})
				}
				continue
			}
			t.rows = append(t.rows, []string{u.Name, config(u), stages, audiences, from})
		}
	}
	for _, x := range m.Text.Version.Policies {
		add(x.Policies, every(x.Stages), every(x.Audiences), "framework")
	}
	for _, e := range m.Environments {
		add(e.Spec.Policies, e.Spec.Stage, "all", "environment "+e.Name)
	}
	if len(t.rows) > 0 {
		p.section("Policies that always hold")
		p.table(t)
	}
}

func every(list []string) string {
	if len(list) == 0 {
		return "all"
	}
	return strings.Join(list, ", ")
}

func config(u gatehouse.PolicyUse) string {
	if c := strings.TrimSpace(string(u.Config)); c != "null" && c != "{}" {
		return c
	}
	return ""
}

func terms(p *Page, m *Model, team string, s *gatehouse.ServiceTerms) {
	p.section("How the service is provided")
	p.answer("How to ask for it", s.Request)
	if len(s.Onboarding) > 0 {
		p.part("On-boarding")
		p.items(true, s.Onboarding)
	}
	contacts(p, m, team, s)
	levels := table{caption: "Service levels", heads: []string{"What", "Objective", "How it is measured", "If it is missed"}}
	for _, l := range s.Levels {
		levels.rows = append(levels.rows, []string{l.Name, l.Objective, l.Measured, l.Otherwise})
	}
	if len(s.Levels) > 0 {
		p.part("Service level")
	}
	p.table(levels)
	plans(p, m)
	raci := table{caption: "Who does what: R responsible, A accountable, C consulted, I informed", heads: []string{"Task", "Provider team", "Consumer team"}}
	for _, d := range s.Duties {
		raci.rows = append(raci.rows, []string{d.Task, d.Provider, d.Consumer})
	}
	if len(s.Duties) > 0 || s.Terms != "" {
		p.part("Responsibilities")
	}
	p.say(s.Terms)
	p.table(raci)
	using := table{caption: "Teams that expose APIs by this framework", heads: []string{"Team", "Title", "APIs", "Mail"}}
	for _, t := range m.Teams {
		mail := ""
		if t.Spec.Contacts != nil {
			mail = t.Spec.Contacts.Email
		}
		using.rows = append(using.rows, []string{t.Name, t.Spec.Title, fmt.Sprint(t.APIs), mail})
	}
	if len(m.Teams) > 0 {
		p.part("Who uses it")
	}
	p.table(using)
}

func contacts(p *Page, m *Model, team string, s *gatehouse.ServiceTerms) {
	h := cmp.Or(s.Support, &gatehouse.ServiceSupport{})
	all := []fact{{"Help", h.Contact}, {"Hours", h.Hours}, {"Escalation", h.Escalation}, {"Documentation", h.Docs}}
	if m.Provider != nil {
		all = append(all, fact{"Provider team", strings.TrimPrefix(m.Provider.Title+" ("+team+")", " ")})
		if c := m.Provider.Contacts; c != nil {
			all = append(all, fact{"Team's mail", c.Email}, fact{"On call", c.OnCall}, fact{"Channel", c.Channel})
		}
	}
	for _, k := range sortedKeys(s.Contacts) {
		all = append(all, fact{k, s.Contacts[k]})
	}
	if slices.ContainsFunc(all, func(f fact) bool { return f.value != "" }) {
		p.part("Support and contacts")
	}
	p.facts(all...)
}

func sortedKeys(m map[string]string) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// plans are those under which APIs of the framework are offered.
func plans(p *Page, m *Model) {
	t := table{caption: "Plans under which APIs of this framework are offered", heads: []string{"Plan", "Audience", "Approval", "Rate", "Quota", "Availability", "First response"}}
	for _, product := range m.Products {
		for _, plan := range product.Spec.Plans {
			t.rows = append(t.rows, planRow(product, plan))
		}
	}
	if len(t.rows) > 0 {
		p.part("Plans")
		p.table(t)
	}
}

func planRow(product Named[gatehouse.Product], plan gatehouse.Plan) []string {
	row := []string{product.Name + " " + plan.Name, cmp.Or(plan.Audience, product.Spec.Audience, "internal"), cmp.Or(plan.Approval, "manual"), "", "", "", ""}
	if l := plan.RateLimit; l != nil {
		row[3] = fmt.Sprintf("%d in %s", l.Requests, l.Per)
	}
	if q := plan.Quota; q != nil {
		row[4] = fmt.Sprintf("%d a %s", q.Requests, q.Per)
	}
	if s := plan.SLA; s != nil {
		if s.Availability > 0 {
			row[5] = fmt.Sprintf("%g %%", s.Availability)
		}
		if s.Support != nil && s.Support.FirstResponse > 0 {
			row[6] = s.Support.FirstResponse.String()
		}
	}
	return row
}

func approvals(p *Page, m *Model) {
	t := table{caption: "Approvals of this text", heads: []string{"Person", "Decision", "When", "Comment"}}
	for _, d := range m.Approvals {
		if d.Digest == m.Standing.Hash && m.Standing.Hash != "" {
			t.rows = append(t.rows, []string{d.By, d.Decision, d.Time.UTC().Format(time.RFC3339), d.Comment})
		}
	}
	if len(t.rows) > 0 {
		p.section("Approvals")
		p.table(t)
	}
}
