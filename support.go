package gatehouse

import (
	"time"

	"gatehouse/hours"
	"gatehouse/jsonx"
)

// KindSupportRequest is the kind of the records of support requests, and
// KindSupportComment that of what is said on them.
const (
	KindSupportRequest Kind = "SupportRequest"
	KindSupportComment Kind = "SupportComment"
)

// States of a support request.
const (
	SupportOpen         = "open"         // nobody has taken it up
	SupportAcknowledged = "acknowledged" // someone of the helping side has
	SupportAnswered     = "answered"     // they answered, and it goes on
	SupportWaiting      = "waiting"      // they wait for the asking side
	SupportResolved     = "resolved"     // solved, as they say; the asking side may reopen it
	SupportClosed       = "closed"       // over
)

// SupportCategories are what a request may be about.
var SupportCategories = []string{"question", "incident", "access", "change", "onboarding", "other"}

// SupportSeverities are how much it hurts, the least first.
var SupportSeverities = []string{"low", "medium", "high", "critical"}

// A SupportRequest is someone of a team asking the owner of an API, or the
// provider team, for help. It is kept under "SupportRequest/<id>"; what is said
// lies beside it under "SupportComment/<id>/<number>".
type SupportRequest struct {
	ID   string `json:"id"`   // "sup-17"
	From string `json:"from"` // the asking team
	// Application of the asking team that it is about, "billing/invoices".
	Application string `json:"application,omitempty"`
	// To is the helping team; "" is the provider, where no team is named so.
	To       string `json:"to,omitempty"`
	Provider bool   `json:"provider,omitempty"` // it is for the provider team
	API      string `json:"api,omitempty"`      // "payments/orders", or with "@v1"
	Category string `json:"category"`
	Severity string `json:"severity"`
	Title    string `json:"title"`
	State    string `json:"state"`

	OpenedBy string    `json:"openedBy"`
	Opened   time.Time `json:"opened"`
	Since    time.Time `json:"since"` // in this state
	By       string    `json:"by"`    // who brought it there
	Assignee string    `json:"assignee,omitempty"`
	// Comments counts what was said, the first text included.
	Comments    int `json:"comments"`
	Attachments int `json:"attachments,omitempty"`
	Reopened    int `json:"reopened,omitempty"` // how often

	// Hours and holidays of the helping side, as they were when it was opened.
	Hours    string   `json:"hours,omitempty"`
	Holidays []string `json:"holidays,omitempty"`
	// Promise says what the clocks come from: "plan payments/commerce gold".
	Promise       string        `json:"promise,omitempty"`
	FirstResponse *SupportClock `json:"firstResponse,omitempty"`
	Resolution    *SupportClock `json:"resolution,omitempty"`
}

// A SupportClock measures time within support hours against what is promised.
type SupportClock struct {
	Limit jsonx.Duration `json:"limit"`
	// Used before Since; the time that runs now comes on top.
	Used  jsonx.Duration `json:"used,omitempty"`
	Since time.Time      `json:"since,omitzero"` // running since; zero: it stands
	Met   time.Time      `json:"met,omitzero"`   // when what was promised was done
	// Escalated are the parts of Limit, in percent, whose end was announced.
	Escalated []int `json:"escalated,omitempty"`
}

// Now is the time used at now.
func (k *SupportClock) Now(c *hours.Calendar, now time.Time) time.Duration {
	used := k.Used.Std()
	if !k.Since.IsZero() {
		used += c.Between(k.Since, now)
	}
	return used
}

// A SupportComment is something said on a support request.
type SupportComment struct {
	Request     string              `json:"request"`
	Number      int                 `json:"number"` // from 1, which opened it
	By          string              `json:"by"`
	Team        string              `json:"team,omitempty"` // whose side it was said for
	Time        time.Time           `json:"time"`
	Text        string              `json:"text"`
	State       string              `json:"state,omitempty"` // that it brought the request to
	Attachments []SupportAttachment `json:"attachments,omitempty"`
}

// A SupportAttachment is a file, kept by its hash under "Blob/<hash>".
type SupportAttachment struct {
	Name      string `json:"name"`
	MediaType string `json:"mediaType,omitempty"`
	Size      int    `json:"size"` // bytes
	Hash      string `json:"hash"` // SHA-256, hexadecimal
}

// TeamSupport says when a team helps, and how soon where no plan says more.
type TeamSupport struct {
	Hours string `json:"hours,omitempty"` // "24x7", "Mon-Fri 9-17 Europe/Berlin"
	// Holidays on which nobody helps: "2026-12-24", or "12-25" of every year.
	Holidays      []string       `json:"holidays,omitempty"`
	FirstResponse jsonx.Duration `json:"firstResponse,omitempty"` // until a person answers
	Resolution    jsonx.Duration `json:"resolution,omitempty"`    // until it is solved
}

// hours reports what are no support hours.
func (c *Checker) hours(value string) {
	if _, err := hours.Parse(value); err != nil {
		c.Errorf("%s", err)
	}
}

func (s *TeamSupport) check(c *Checker) {
	c.At("hours").hours(s.Hours)
	if len(s.Holidays) > hours.MaxHolidays {
		c.At("holidays").Errorf("are %d: at most %d", len(s.Holidays), hours.MaxHolidays)
		return
	}
	unique(c.At("holidays"), s.Holidays, "", same)
	for i, h := range s.Holidays {
		if _, err := new(hours.Calendar).With([]string{h}); err != nil {
			c.At("holidays").At(i).Errorf("%s", err)
		}
	}
	(&SLASupport{s.FirstResponse, s.Resolution}).check(c)
}

func (s *SLASupport) check(c *Checker) {
	for field, d := range map[string]jsonx.Duration{"firstResponse": s.FirstResponse, "resolution": s.Resolution} {
		if d < 0 || d == 0 && c.Written(field) {
			c.At(field).Errorf("%q is no time to answer in: more than 0, or leave it out", d)
		}
	}
	if s.FirstResponse > 0 && s.Resolution > 0 && s.FirstResponse > s.Resolution {
		c.At("firstResponse").Errorf("%q is longer than resolution %q", s.FirstResponse, s.Resolution)
	}
}
