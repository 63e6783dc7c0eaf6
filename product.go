package gatehouse

import (
	"strings"
	"time"

	"gatehouse/jsonx"
)

// A Product bundles APIs under plans, for applications to subscribe to.
type Product struct {
	Title    string `json:"title,omitempty"`    // for people, a few words
	Summary  string `json:"summary,omitempty"`  // for people, a sentence or two
	Audience string `json:"audience,omitempty"` // internal (default), partner, public
	// APIs by name, each with all its versions or one: "orders", "billing/invoices@v2".
	APIs  []string `json:"apis"`
	Plans []Plan   `json:"plans"`
}

// A Plan says how much a subscription may use and who lets it in.
type Plan struct {
	Name    string `json:"name"`
	Title   string `json:"title,omitempty"`   // for people, a few words
	Summary string `json:"summary,omitempty"` // for people, a sentence or two
	// Approval: automatic or manual (the default).
	Approval  string      `json:"approval,omitempty"`
	Audience  string      `json:"audience,omitempty"`  // who sees the plan; default: the product's
	RateLimit *RateLimit  `json:"rateLimit,omitempty"` // requests in a short time
	Quota     *Quota      `json:"quota,omitempty"`     // requests in a calendar period
	Policies  []PolicyUse `json:"policies,omitempty"`  // steps, in order
	SLA       *SLA        `json:"sla,omitempty"`       // what is promised
	// Expires ends subscriptions this long after approval; none: they stay.
	Expires jsonx.Duration `json:"expires,omitempty"`
}

// A RateLimit bounds requests of one subscription in a short time.
type RateLimit struct {
	Requests int64          `json:"requests"`
	Per      jsonx.Duration `json:"per"`
	Burst    int64          `json:"burst,omitempty"` // default: Requests
	Scope    string         `json:"scope,omitempty"` // gateway (default) or environment
}

// A Quota bounds requests of one subscription in a calendar period, UTC.
type Quota struct {
	Requests int64  `json:"requests"`
	Per      string `json:"per"`             // hour, day, week or month
	Scope    string `json:"scope,omitempty"` // environment (default) or gateway
}

// An SLA is what a plan promises.
type SLA struct {
	Availability float64     `json:"availability,omitempty"` // percent in a calendar month
	Latency      *SLALatency `json:"latency,omitempty"`      // bounds of answer times
	Support      *SLASupport `json:"support,omitempty"`      // who helps, and when
}

// SLALatency bounds the gateway's answer times.
type SLALatency struct {
	P50 jsonx.Duration `json:"p50,omitempty"` // half of all answers are at least this fast
	P95 jsonx.Duration `json:"p95,omitempty"` // 95 in 100
	P99 jsonx.Duration `json:"p99,omitempty"` // 99 in 100
}

// SLASupport bounds support's answer times, within support hours.
type SLASupport struct {
	FirstResponse jsonx.Duration `json:"firstResponse,omitempty"` // until a person answers
	Resolution    jsonx.Duration `json:"resolution,omitempty"`    // until it is solved
}

// Check reports what is wrong with the product alone.
func (s *Product) Check(c *Checker) {
	c.text("title", s.Title, 200)
	c.text("summary", s.Summary, 5000)
	c.At("audience").audience(s.Audience)
	if len(s.APIs) == 0 {
		c.At("apis").Errorf("is empty: plans give access to APIs, so a product names at least one, \"orders\" or \"team/orders@v2\"")
	}
	unique(c.At("apis"), s.APIs, "", same)
	for i, a := range s.APIs {
		c.At("apis").At(i).VersionReference(a)
		if strings.Contains(a, "#") {
			c.At("apis").At(i).Errorf("%q names a revision; a product takes an API or a version", a)
		}
	}
	if len(s.Plans) == 0 {
		c.At("plans").Errorf("is empty: applications subscribe to a plan, so a product has at least one")
	}
	unique(c.At("plans"), s.Plans, "name", func(p Plan) string { return p.Name })
	for i := range s.Plans {
		s.Plans[i].check(c.At("plans").At(i))
	}
}

func (p *Plan) check(c *Checker) {
	if p.Name == "" {
		c.Errorf("name is missing")
	} else {
		c.At("name").Name(p.Name)
	}
	c.text("title", p.Title, 200)
	c.text("summary", p.Summary, 5000)
	c.At("approval").OneOf(p.Approval, true, "automatic", "manual")
	c.At("audience").audience(p.Audience)
	if p.RateLimit != nil {
		p.RateLimit.check(c.At("rateLimit"))
	}
	if p.Quota != nil {
		p.Quota.check(c.At("quota"))
	}
	c.At("policies").policies(p.Policies)
	if p.SLA != nil {
		p.SLA.check(c.At("sla"))
	}
	if p.Expires == 0 && c.Written("expires") {
		c.At("expires").Errorf("0 would end a subscription at once; leave it out to let it stay")
	}
}

func (r *RateLimit) check(c *Checker) {
	if r.Requests <= 0 {
		c.At("requests").Errorf("%d is not a limit: at least 1", r.Requests)
	}
	if r.Per < jsonx.Duration(time.Millisecond) || r.Per > jsonx.Duration(24*time.Hour) {
		c.At("per").Errorf("%q is not a period of a rate limit: 1ms to 1d; longer ones are a quota", r.Per)
	}
	if r.Burst < 0 || r.Burst == 0 && c.Written("burst") {
		c.At("burst").Errorf("%d is not a burst: at least 1, or leave it out", r.Burst)
	}
	c.At("scope").OneOf(r.Scope, true, "gateway", "environment")
}

func (q *Quota) check(c *Checker) {
	if q.Requests <= 0 {
		c.At("requests").Errorf("%d is not a quota: at least 1", q.Requests)
	}
	if q.Per == "" {
		c.Errorf("per is missing: hour, day, week or month")
	} else {
		c.At("per").OneOf(q.Per, false, "hour", "day", "week", "month")
	}
	c.At("scope").OneOf(q.Scope, true, "gateway", "environment")
}

func (s *SLA) check(c *Checker) {
	if s.Availability < 0 || s.Availability > 100 {
		c.At("availability").Errorf("%g is not a percentage", s.Availability)
	}
	if s.Support != nil {
		s.Support.check(c.At("support"))
	}
	l := s.Latency
	if l == nil {
		return
	}
	if l.P50 > 0 && l.P95 > 0 && l.P50 > l.P95 {
		c.At("latency").At("p50").Errorf("%q is longer than p95 %q", l.P50, l.P95)
	}
	if l.P95 > 0 && l.P99 > 0 && l.P95 > l.P99 {
		c.At("latency").At("p95").Errorf("%q is longer than p99 %q", l.P95, l.P99)
	}
}
