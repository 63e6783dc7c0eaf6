package gatehouse

import (
	"net/netip"
	"net/url"
)

// A TeamNotify tells someone of what happens to a team.
type TeamNotify struct {
	Name string `json:"name"` // unique in the team
	// Events are types of events: "release.approve", "release.*" or "*".
	Events []string `json:"events"`
	// Outcomes to tell of: allowed (the default), refused, failed.
	Outcomes []string `json:"outcomes,omitempty"`
	Email    string   `json:"email,omitempty"`   // an address; this or webhook
	Webhook  string   `json:"webhook,omitempty"` // an https URL
}

// maxNotify bounds how many a team may name.
const maxNotify = 20

func (n *TeamNotify) check(c *Checker) {
	if n.Name == "" {
		c.Errorf("name is missing: a word for it, such as \"oncall\"")
	} else {
		c.At("name").Name(n.Name)
	}
	if len(n.Events) == 0 {
		c.At("events").Errorf("is empty: types of events, such as \"release.*\"")
	}
	c.At("events").events(n.Events)
	c.At("outcomes").outcomes(n.Outcomes)
	switch {
	case n.Email == "" && n.Webhook == "":
		c.Errorf("email and webhook are missing: name one of them")
	case n.Email != "" && n.Webhook != "":
		c.Errorf("email and webhook are both there: make two entries of it")
	case n.Email != "":
		c.At("email").Mail(n.Email)
	default:
		c.At("webhook").hook(n.Webhook)
	}
}

// hook reports what is no URL that a webhook may have: https, or plain http to
// this machine. Whether its address may be reached is decided when it is.
func (c *Checker) hook(value string) {
	schemes := []string{"https"}
	if u, err := url.Parse(value); err == nil && u.Scheme == "http" {
		if a, err := netip.ParseAddr(u.Hostname()); u.Hostname() == "localhost" || err == nil && a.IsLoopback() {
			schemes = []string{"http", "https"}
		}
	}
	c.URL(value, schemes...)
	if len(value) > 2000 {
		c.Errorf("is longer than 2000 characters")
	}
}

// events reports what does not select types of events.
func (c *Checker) events(list []string) {
	unique(c, list, "", same)
	if len(list) > 100 {
		c.Errorf("are %d: at most 100; \"release.*\" is all on releases", len(list))
	}
	for i, e := range list {
		if !actionForm.MatchString(e) {
			c.At(i).Errorf("%q does not select events: \"api.put\", \"api.*\" or \"*\"", e)
		}
	}
}

func (c *Checker) outcomes(list []string) {
	unique(c, list, "", same)
	for i, o := range list {
		c.At(i).OneOf(o, false, Allowed, Refused, Failed)
	}
}
