package gatehouse

import "net/mail"

// A Team owns APIs, products and applications.
type Team struct {
	Title   string `json:"title,omitempty"`   // for people, a few words
	Summary string `json:"summary,omitempty"` // for people, a sentence or two
	// Parent team; roles on it hold here too.
	Parent   string        `json:"parent,omitempty"`
	Contacts *TeamContacts `json:"contacts,omitempty"` // how to reach the team
	// Members by subject: "user:alice@example.com", "group:payments-devs".
	Members    []string `json:"members,omitempty"`
	CostCentre string   `json:"costCentre,omitempty"` // that pays
	// Environments that the team's APIs may be released into; none named: all.
	// A change needs the permission on the organization, also for who rules the team.
	Environments []string `json:"environments,omitempty"`
	// Quotas bound what the team has; left out, nothing is bounded.
	Quotas *TeamQuotas `json:"quotas,omitempty"`
	// Provider marks the team that runs the platform: support requests to the
	// provider are its. A change needs the permission on the organization.
	Provider bool `json:"provider,omitempty"`
	// Audience that the team's people are of: internal (the default) finds all
	// products and APIs, partner those for partners and the public, public only
	// those. Teams below it are no nearer. A change needs the permission on the
	// organization.
	Audience string       `json:"audience,omitempty"`
	Support  *TeamSupport `json:"support,omitempty"` // when the team helps, and how soon
	// Notify tells people and programs of what happens to the team.
	Notify []TeamNotify `json:"notify,omitempty"`
}

// TeamQuotas bound what a team has. Zero is no bound.
type TeamQuotas struct {
	// APIs and applications that the team may have. What is there already stays
	// when a quota shrinks; one more is refused.
	APIs         int `json:"apis,omitempty"`
	Applications int `json:"applications,omitempty"` // as with apis
	// Requests that its APIs may serve in a calendar month, UTC. No caller is
	// refused above it: at 80 and at 100 per cent the trail says so, and with it
	// whoever follows the team.
	Requests int64 `json:"requests,omitempty"`
}

// TeamContacts says how to reach a team.
type TeamContacts struct {
	Email   string `json:"email,omitempty"`   // address
	OnCall  string `json:"onCall,omitempty"`  // who answers at night
	Channel string `json:"channel,omitempty"` // where the team talks
}

// A User is a person. The name is what the identity provider knows them by,
// mostly an address.
type User struct {
	DisplayName string `json:"displayName,omitempty"` // as the person is called
	Email       string `json:"email,omitempty"`       // address
	Disabled    bool   `json:"disabled,omitempty"`    // may not sign in; what they made stays
}

// A Group is users, service accounts and other groups.
type Group struct {
	Title   string   `json:"title,omitempty"`   // for people, a few words
	Members []string `json:"members,omitempty"` // subjects
}

// A ServiceAccount is a program that manages Gatehouse, such as a pipeline.
type ServiceAccount struct {
	Title    string `json:"title,omitempty"`    // for people, a few words
	Team     string `json:"team,omitempty"`     // that answers for it
	Disabled bool   `json:"disabled,omitempty"` // may not sign in; what they made stays
}

// Check reports what is wrong with the team alone.
func (s *Team) Check(c *Checker) {
	c.text("title", s.Title, 200)
	c.text("summary", s.Summary, 5000)
	if s.Parent != "" {
		c.At("parent").Name(s.Parent)
	}
	if s.Contacts != nil && s.Contacts.Email != "" {
		c.At("contacts").At("email").Mail(s.Contacts.Email)
	}
	c.At("members").subjects(s.Members)
	c.text("costCentre", s.CostCentre, 100)
	c.At("audience").audience(s.Audience)
	unique(c.At("environments"), s.Environments, "", same)
	for i, e := range s.Environments {
		c.At("environments").At(i).Name(e)
	}
	if s.Quotas != nil {
		s.Quotas.check(c.At("quotas"))
	}
	if s.Support != nil {
		s.Support.check(c.At("support"))
	}
	if len(s.Notify) > maxNotify {
		c.At("notify").Errorf("are %d: at most %d", len(s.Notify), maxNotify)
	}
	unique(c.At("notify"), s.Notify, "name", func(n TeamNotify) string { return n.Name })
	for i := range s.Notify {
		s.Notify[i].check(c.At("notify").At(i))
	}
}

func (q *TeamQuotas) check(c *Checker) {
	for _, f := range []struct {
		field string
		n     int64
	}{{"apis", int64(q.APIs)}, {"applications", int64(q.Applications)}, {"requests", q.Requests}} {
		if f.n < 0 {
			c.At(f.field).Errorf("%d is below 0; leave it out for no bound", f.n)
		}
	}
}

// Check reports what is wrong with the user alone.
func (s *User) Check(c *Checker) {
	c.text("displayName", s.DisplayName, 200)
	if s.Email != "" {
		c.At("email").Mail(s.Email)
	}
}

// Check reports what is wrong with the group alone.
func (s *Group) Check(c *Checker) {
	c.text("title", s.Title, 200)
	c.At("members").subjects(s.Members)
}

// Check reports what is wrong with the service account alone.
func (s *ServiceAccount) Check(c *Checker) {
	c.text("title", s.Title, 200)
	if s.Team != "" {
		c.At("team").Name(s.Team)
	}
}

func (c *Checker) subjects(list []string) {
	unique(c, list, "", same)
	for i, m := range list {
		c.At(i).Subject(m)
	}
}

// Mail reports what cannot be a mail address (RFC 5321 §4.1.2, bare).
func (c *Checker) Mail(value string) { c.mail(value) }

func (c *Checker) mail(value string) {
	if a, err := mail.ParseAddress(value); err != nil || a.Address != value || len(value) > 254 {
		c.Errorf("%q is not a mail address", value)
	}
}
