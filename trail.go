package gatehouse

import (
	"encoding/json"
	"strings"
	"time"

	"gatehouse/jsonx"
)

// A Trail says what is recorded, for how long it is searchable, and where it
// is archived.
type Trail struct {
	Title     string          `json:"title,omitempty"`     // for people, a few words
	Select    []string        `json:"select,omitempty"`    // actions, "api.*"; none: all
	Retention string          `json:"retention,omitempty"` // "90d"; default 90 days
	Archive   json.RawMessage `json:"archive,omitempty"`   // where it goes in the end
}

// An Alarm is a condition on events that tells someone.
type Alarm struct {
	Title     string   `json:"title,omitempty"`    // for people, a few words
	Condition string   `json:"condition"`          // a CEL expression
	Notify    []string `json:"notify,omitempty"`   // whom to tell: subjects or addresses
	Severity  string   `json:"severity,omitempty"` // low, medium, high or critical
}

// A Webhook is told of events over HTTPS.
type Webhook struct {
	URL    string   `json:"url"`
	Events []string `json:"events,omitempty"` // types of events; none: all
	// Outcomes to tell of: allowed (the default), refused, failed.
	Outcomes []string `json:"outcomes,omitempty"`
	// Secret that signs, as a reference; none: one is generated and kept sealed.
	Secret string `json:"secret,omitempty"`
}

// Check reports what is wrong with the trail alone.
func (s *Trail) Check(c *Checker) {
	c.text("title", s.Title, 200)
	for i, a := range s.Select {
		if !actionForm.MatchString(a) {
			c.At("select").At(i).Errorf("%q does not select actions: \"api.put\", \"api.*\" or \"*\"", a)
		}
	}
	if s.Retention != "" && s.Retention != "forever" {
		d, err := jsonx.ParseDuration(s.Retention)
		switch {
		case err != nil:
			c.At("retention").Errorf("%s; or \"forever\"", err)
		case d.Std() < 24*time.Hour:
			c.At("retention").Errorf("%q is less than a day, \"1d\"", s.Retention)
		}
	}
	c.At("archive").settings(s.Archive)
}

// Check reports what is wrong with the alarm alone.
func (s *Alarm) Check(c *Checker) {
	c.text("title", s.Title, 200)
	if strings.TrimSpace(s.Condition) == "" {
		c.Errorf("condition is missing: a CEL expression on events, such as event.outcome == \"refused\"")
	}
	c.text("condition", s.Condition, 10000)
	for i, n := range s.Notify {
		if strings.TrimSpace(n) == "" {
			c.At("notify").At(i).Errorf("is empty")
		}
	}
	c.At("severity").OneOf(s.Severity, true, "low", "medium", "high", "critical")
}

// Check reports what is wrong with the webhook alone.
func (s *Webhook) Check(c *Checker) {
	if s.URL == "" {
		c.Errorf("url is missing")
	} else {
		c.At("url").hook(s.URL)
	}
	c.At("events").events(s.Events)
	c.At("outcomes").outcomes(s.Outcomes)
	c.At("secret").Secret(s.Secret)
}
