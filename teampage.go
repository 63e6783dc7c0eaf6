package gatehouse

import "time"

// A TeamPage is how a team stands: all that its page shows, worked out when it
// is asked for and never stored. Lists are bounded; Counts has how many there are.
type TeamPage struct {
	Team       string        `json:"team"`
	Title      string        `json:"title,omitempty"`
	Summary    string        `json:"summary,omitempty"`
	Parent     string        `json:"parent,omitempty"`
	CostCentre string        `json:"costCentre,omitempty"`
	Contacts   *TeamContacts `json:"contacts,omitempty"`
	// Environments that its APIs may be released into.
	Environments []string    `json:"environments"`
	Time         time.Time   `json:"time"` // of this answer
	Counts       TeamCounts  `json:"counts"`
	Quotas       []TeamQuota `json:"quotas,omitempty"` // usage against each that bounds the team

	Members       []TeamMember       `json:"members,omitempty"`
	APIs          []TeamAPI          `json:"apis,omitempty"`
	Products      []TeamProduct      `json:"products,omitempty"`
	Subscriptions []TeamSubscription `json:"subscriptions,omitempty"` // of its applications, and to its products
	Waivers       []Waiver           `json:"waivers,omitempty"`       // open: requested, or approved and not over
	Onboardings   []TeamOnboarding   `json:"onboardings,omitempty"`   // open ones
	Support       []SupportRequest   `json:"support,omitempty"`       // that are not over, asked by or of the team
	ServiceLevels []TeamServiceLevel `json:"serviceLevels,omitempty"` // attained this month
	Checklist     []ChecklistItem    `json:"checklist"`
	Activity      []*Event           `json:"activity,omitempty"` // the newest events of the trail
	// Withheld names what the caller may not see: members, activity.
	Withheld []string `json:"withheld,omitempty"`
}

// TeamCounts are figures of one team, or of several.
type TeamCounts struct {
	Members       int `json:"members"` // people and programs, through groups too
	APIs          int `json:"apis"`
	Products      int `json:"products"`
	Applications  int `json:"applications"`
	Releases      int `json:"releases"`      // API versions wanted in environments
	Waiting       int `json:"waiting"`       // releases that wait for approval
	Subscriptions int `json:"subscriptions"` // approved, to its products
	Asked         int `json:"asked"`         // subscriptions to its products that wait
	// Gate is how many of what is released passed, by outcome; "none" is what
	// the gate did not look at.
	Gate     map[string]int `json:"gate,omitempty"`
	Waivers  int            `json:"waivers"`  // open
	Support  int            `json:"support"`  // requests that are not over
	Requests int64          `json:"requests"` // that its APIs served this month
	Left     int            `json:"left"`     // of the checklist
}

// Add adds the figures of another team.
func (c *TeamCounts) Add(o TeamCounts) {
	c.Members += o.Members
	c.APIs += o.APIs
	c.Products += o.Products
	c.Applications += o.Applications
	c.Releases += o.Releases
	c.Waiting += o.Waiting
	c.Subscriptions += o.Subscriptions
	c.Asked += o.Asked
	c.Waivers += o.Waivers
	c.Support += o.Support
	c.Requests += o.Requests
	c.Left += o.Left
	for outcome, n := range o.Gate {
		if c.Gate == nil {
			c.Gate = map[string]int{}
		}
		c.Gate[outcome] += n
	}
}

// A TeamRow is a team on the provider's page.
type TeamRow struct {
	Team   string      `json:"team"`
	Title  string      `json:"title,omitempty"`
	Counts TeamCounts  `json:"counts"`
	Quotas []TeamQuota `json:"quotas,omitempty"`
	// WaiverEnds is when the first of its approved waivers ends.
	WaiverEnds time.Time `json:"waiverEnds,omitzero"`
}

// A TeamQuota is usage against one bound.
type TeamQuota struct {
	Quota   string `json:"quota"` // apis, applications or requests
	Used    int64  `json:"used"`
	Most    int64  `json:"most"`
	Percent int64  `json:"percent"`
	// Warning: near from 80 per cent on, reached from 100.
	Warning string `json:"warning,omitempty"`
}

// Warnings of a quota.
const (
	QuotaNear    = "near"
	QuotaReached = "reached"
)

// QuotaUse is usage against a bound, with the warning that is due.
func QuotaUse(quota string, used, most int64) TeamQuota {
	q := TeamQuota{Quota: quota, Used: used, Most: most}
	if most > 0 {
		// In parts, so that very large figures do not overflow.
		q.Percent = used/most*100 + used%most*100/most
		if most > 1<<56 {
			q.Percent = used / (most / 100)
		}
	}
	switch {
	case q.Percent >= 100:
		q.Warning = QuotaReached
	case q.Percent >= 80:
		q.Warning = QuotaNear
	}
	return q
}

// A TeamMember is somebody who is of a team.
type TeamMember struct {
	Subject  string `json:"subject"`
	Disabled bool   `json:"disabled,omitempty"`
	// Roles on the team; empty where the caller may not see them.
	Roles []TeamRole `json:"roles,omitempty"`
}

// A TeamRole is one role of a member.
type TeamRole struct {
	Role       string    `json:"role"`
	Assignment string    `json:"assignment,omitempty"` // "" for the viewer that membership gives
	Via        []string  `json:"via,omitempty"`        // groups through which it comes
	Expires    time.Time `json:"expires,omitzero"`
}

// A TeamAPI is one of a team's APIs with where it stands.
type TeamAPI struct {
	API      string        `json:"api"`
	Title    string        `json:"title,omitempty"`
	Versions []TeamVersion `json:"versions"`
}

// A TeamVersion is one version of an API.
type TeamVersion struct {
	Version   string        `json:"version"`
	Lifecycle string        `json:"lifecycle"`
	Releases  []TeamRelease `json:"releases,omitempty"`
}

// A TeamRelease is a version in one environment.
type TeamRelease struct {
	Environment string    `json:"environment"`
	State       string    `json:"state"` // wanted or requested
	Revision    string    `json:"revision,omitempty"`
	Since       time.Time `json:"since"`
	// Gate is what the gate found: passed, waived, grace, waiting or failed; ""
	// when it did not look at what is released.
	Gate string `json:"gate,omitempty"`
	// Expires is when the attestation ends.
	Expires time.Time `json:"expires,omitzero"`
}

// A TeamProduct is one of a team's products.
type TeamProduct struct {
	Product       string         `json:"product"`
	Title         string         `json:"title,omitempty"`
	Plans         []string       `json:"plans"`
	Subscriptions map[string]int `json:"subscriptions,omitempty"` // by state
}

// A TeamSubscription is a subscription that the team asked for, or decides on.
type TeamSubscription struct {
	Subscription string    `json:"subscription"`
	Application  string    `json:"application"`
	Product      string    `json:"product"`
	Plan         string    `json:"plan"`
	Environment  string    `json:"environment"`
	State        string    `json:"state"`
	Since        time.Time `json:"since"`
	Expires      time.Time `json:"expires,omitzero"`
	Own          bool      `json:"own,omitempty"` // it is of the team's application
}

// A TeamOnboarding is an open on-boarding of a team that asks for more.
type TeamOnboarding struct {
	ID    string    `json:"id"`
	State string    `json:"state"`
	Asked time.Time `json:"asked"`
}

// A TeamServiceLevel is what callers of one API got of one promise.
type TeamServiceLevel struct {
	API         string  `json:"api"` // "payments/orders@v1"
	Environment string  `json:"environment,omitempty"`
	Plan        string  `json:"plan,omitempty"`
	Objective   string  `json:"objective"` // availability, p95, firstResponse, …
	Promised    string  `json:"promised"`
	Attained    string  `json:"attained"`
	Met         bool    `json:"met"`
	Requests    int64   `json:"requests,omitempty"`
	BudgetLeft  float64 `json:"budgetLeft,omitempty"` // of the error budget, in percent
}

// A ChecklistItem is one thing that a new team does. It ticks itself.
type ChecklistItem struct {
	ID    string `json:"id"` // "first-api"
	Title string `json:"title"`
	Done  bool   `json:"done"`
	// Detail is the fact that it is judged by.
	Detail string `json:"detail,omitempty"`
	// How is what would tick it.
	How string `json:"how,omitempty"`
}
