// Package quota is the policy "quota": it bounds how many requests a caller
// makes in a calendar hour, day, week or month, in UTC.
//
// It is rate-limit with another budget and shares its step.
package quota

import (
	"fmt"
	"time"

	"gatehouse/policy"
	"gatehouse/policy/ratelimit"
)

// Kind is listed in policy/all.
var Kind = policy.Kind{Name: "quota", Doc: doc, New: func() policy.Config {
	return &Config{By: ratelimit.BySubscription, Scope: ratelimit.ScopeEnvironment}
}}

const doc = `bound how many requests a caller makes in a calendar period

A caller has "requests" in each hour, day, week (from Monday) or month, in UTC.
What is beyond gets 429 with Retry-After, the time until the next period.
Answers carry RateLimit-Policy and RateLimit as those of rate-limit do.

Counters survive a restart of the gateway, and a changed "requests" keeps what
was counted. One place (a plan, an API version, an operation) counts once for
each "per" and "by".

"by" is as in rate-limit. With "scope: environment", the default, all gateways
of the environment share one budget; with "scope: gateway" each counts alone.

    - quota: {requests: 10000, per: month}`

// Config is one use of quota.
type Config struct {
	// Requests that may be made in each period; at least 1.
	Requests int64 `json:"requests"`
	// Per is the period: hour, day, week or month, in UTC; weeks begin on
	// Monday.
	Per string `json:"per"`
	// By is what one caller is: subscription, application, address,
	// header:NAME, claim:NAME or api.
	By string `json:"by,omitempty"`
	// Scope is environment (all gateways share one budget) or gateway.
	Scope string `json:"scope,omitempty"`
}

// windows are the lengths that callers are told; months differ, so theirs is
// that of 30 days.
var windows = map[string]time.Duration{
	"hour":  time.Hour,
	"day":   24 * time.Hour,
	"week":  7 * 24 * time.Hour,
	"month": 30 * 24 * time.Hour,
}

// Validate checks the figures and who they are for.
func (c *Config) Validate() error {
	if err := ratelimit.CheckRequests(c.Requests); err != nil {
		return err
	}
	if windows[c.Per] == 0 {
		return fmt.Errorf(`per: %q is not "hour", "day", "week" or "month"; for other times there is rate-limit`, c.Per)
	}
	if err := ratelimit.CheckBy(c.By); err != nil {
		return err
	}
	return ratelimit.CheckScope(c.Scope)
}

// Build makes the step and the response half that tells callers how they stand.
func (c *Config) Build(env policy.Env) (policy.Step, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return ratelimit.Step(env, ratelimit.Use{
		Kind:    "quota",
		By:      c.By,
		Counter: c.Per,
		Budget: policy.Budget{
			Limit: c.Requests, Calendar: c.Per, Shared: c.Scope != ratelimit.ScopeGateway,
		},
		Window: windows[c.Per],
		Detail: fmt.Sprintf("more than %d requests in this %s", c.Requests, c.Per),
	})
}
