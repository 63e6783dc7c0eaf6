package gatehouse

import (
	"time"
)

// KindOnboarding is the kind of the records of on-boardings.
const KindOnboarding Kind = "Onboarding"

// States of an on-boarding besides Requested, Approved, Rejected and Withdrawn.
const (
	AskedBack = "asked-back" // the provider team asked; the asker's side is to answer
	Answered  = "answered"   // and did
)

// Bounds of an on-boarding.
const (
	MaxOnboardingMembers  = 100
	MaxOnboardingComments = 100
	maxOnboardingList     = 50
	// MaxComment bounds what is said in an on-boarding, in bytes.
	MaxComment = 4000
)

// An Onboarding is what a team, or a person without one, asks of the provider
// team, kept under "Onboarding/<id>": to come onto the framework, or for more
// than the team is allowed.
type Onboarding struct {
	// ID is the team's name and a number, "payments-1".
	ID      string            `json:"id"`
	Request OnboardingRequest `json:"request"`
	// More is true when the team is there already and asks for more.
	More bool `json:"more,omitempty"`
	// Acceptance of the responsibilities; nil when no framework was in force.
	Acceptance *Acceptance `json:"acceptance,omitempty"`
	State      string      `json:"state"` // Requested, AskedBack, Answered, Approved, Rejected or Withdrawn
	AskedBy    string      `json:"askedBy"`
	Asked      time.Time   `json:"asked"`
	Since      time.Time   `json:"since"` // in the state it is in
	// Rule is the condition that lets it through without a person; "" when a
	// person decides.
	Rule      string    `json:"rule,omitempty"`
	DecidedBy string    `json:"decidedBy,omitempty"` // "system" by a rule
	Decided   time.Time `json:"decided,omitzero"`
	Reason    string    `json:"reason,omitempty"`
	// Comments are questions and answers, oldest first.
	Comments []OnboardingComment `json:"comments,omitempty"`
}

// Open reports whether it still waits for somebody.
func (o *Onboarding) Open() bool {
	return o.State == Requested || o.State == AskedBack || o.State == Answered
}

// An OnboardingComment is what somebody said in an on-boarding.
type OnboardingComment struct {
	By   string    `json:"by"`
	Time time.Time `json:"time"`
	// Is: question, answer or note.
	Is   string `json:"is"`
	Text string `json:"text"`
}

// An Acceptance is somebody's word that they keep to the responsibilities of a
// framework version, with the very words.
type Acceptance struct {
	Framework string    `json:"framework"`
	Version   string    `json:"version"`
	Hash      string    `json:"hash"` // SHA-256 of Text, hexadecimal
	Text      string    `json:"text"` // Markdown
	By        string    `json:"by"`
	Time      time.Time `json:"time"`
}

// An OnboardingRequest is what is asked for.
type OnboardingRequest struct {
	Team    string `json:"team"`              // its name: a new one, or that of a team the asker is of
	Title   string `json:"title,omitempty"`   // of a new team, a few words
	Summary string `json:"summary,omitempty"` // what a new team does
	Why     string `json:"why"`               // it is needed
	// Members of a new team: "user:alice@example.com", "group:payments-devs". They
	// get the role developer on it. Left out, whoever asks.
	Members []string `json:"members,omitempty"`
	// Expires ends the members' roles; left out, they stay.
	Expires      string   `json:"expires,omitempty"`
	Environments []string `json:"environments,omitempty"` // to release into
	Clouds       []string `json:"clouds,omitempty"`       // aws, azure, gcp, on-prem, …
	// Data are the classes that will pass through: public, internal,
	// confidential, restricted.
	Data       []string      `json:"data,omitempty"`
	CostCentre string        `json:"costCentre,omitempty"` // that pays
	Contacts   *TeamContacts `json:"contacts,omitempty"`   // how to reach the team
	Quotas     *TeamQuotas   `json:"quotas,omitempty"`     // how much; left out, what the framework gives
	// Framework whose responsibilities are accepted; needed when several are in force.
	Framework string `json:"framework,omitempty"`
}

// Check reports what is wrong with the request alone.
func (r *OnboardingRequest) Check(c *Checker) {
	if r.Team == "" {
		c.Errorf("team is missing: a name for it")
	} else {
		c.At("team").Name(r.Team)
	}
	c.text("title", r.Title, 200)
	c.text("summary", r.Summary, 5000)
	c.prose("why", r.Why, 5000, true)
	if len(r.Members) > MaxOnboardingMembers {
		c.At("members").Errorf("are %d; at most %d, and a group can be one of them", len(r.Members), MaxOnboardingMembers)
		return
	}
	c.At("members").subjects(r.Members)
	if r.Expires != "" {
		c.At("expires").Moment(r.Expires)
	}
	if c.bound("environments", len(r.Environments)) && c.bound("clouds", len(r.Clouds)) {
		unique(c.At("environments"), r.Environments, "", same)
		for i, e := range r.Environments {
			c.At("environments").At(i).Name(e)
		}
		c.At("clouds").places(r.Clouds)
	}
	c.At("data").eachOf(r.Data, classifications)
	c.text("costCentre", r.CostCentre, 100)
	if t := r.Contacts; t != nil {
		if t.Email != "" {
			c.At("contacts").At("email").mail(t.Email)
		}
		c.At("contacts").text("onCall", t.OnCall, 500)
		c.At("contacts").text("channel", t.Channel, 500)
	}
	if r.Quotas != nil {
		r.Quotas.check(c.At("quotas"))
	}
	if r.Framework != "" {
		c.At("framework").Name(r.Framework)
	}
}

func (c *Checker) bound(field string, n int) bool {
	if n > maxOnboardingList {
		c.At(field).Errorf("are %d; at most %d", n, maxOnboardingList)
	}
	return n <= maxOnboardingList
}

// OnboardingRules say how teams come onto a framework version.
type OnboardingRules struct {
	// AutoApprove are conditions in CEL over request: an on-boarding of which one
	// holds is let through without a person, such as
	// "request.environments.all(e, e.stage == 'dev')".
	AutoApprove []string `json:"autoApprove,omitempty"`
	// Quotas of new teams that ask for none.
	Quotas *TeamQuotas `json:"quotas,omitempty"`
}

const maxAutoApprove = 50

func (r *OnboardingRules) check(c *Checker) {
	if len(r.AutoApprove) > maxAutoApprove {
		c.At("autoApprove").Errorf("are %d; at most %d", len(r.AutoApprove), maxAutoApprove)
	}
	if r.Quotas != nil {
		r.Quotas.check(c.At("quotas"))
	}
}
