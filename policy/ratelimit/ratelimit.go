// Package ratelimit is the policy "rate-limit": it bounds how many requests a
// caller makes in a short time, and tells callers how they stand.
//
// Counting is the limiter's work (policy.Limiter). What is counted, whom the
// count is for, and what callers are told is this package's; quota shares it.
package ratelimit

import (
	"errors"
	"fmt"
	"time"

	"gatehouse/jsonx"
	"gatehouse/policy"
)

// Kind is listed in policy/all.
var Kind = policy.Kind{Name: "rate-limit", Doc: doc, New: func() policy.Config {
	return &Config{By: BySubscription, Scope: ScopeGateway}
}}

const doc = `bound how many requests a caller makes in a short time

Each caller has a bucket of "burst" requests that refills evenly, "requests" in
each "per". A request that finds it empty gets 429 with Retry-After. Answers
that pass and those that do not carry RateLimit-Policy and RateLimit
(draft-ietf-httpapi-ratelimit-headers).

"by" says what one caller is: subscription (the default), application, address,
header:NAME, claim:NAME, or api for all callers together. A request that lacks
it, such as one to an open API without a subscription, is counted by address. An
IPv6 caller is counted by its /64, which is what one household or host gets.

With "scope: gateway" each gateway process counts for itself. With "scope:
environment" all of an environment share one budget; how far that may overshoot
is said in the manual of limits.

    - rate-limit: {requests: 60, per: 1m, by: subscription}`

// Config is one use of rate-limit.
type Config struct {
	// Requests that may be made in each Per; at least 1.
	Requests int64 `json:"requests"`
	// Per is the time in which they may be made, such as "1s" or "1m"; from
	// 1s to 1d. For longer, aligned periods there is quota.
	Per jsonx.Duration `json:"per"`
	// By is what one caller is: subscription, application, address,
	// header:NAME, claim:NAME or api.
	By string `json:"by,omitempty"`
	// Burst is how many requests may come at once; Requests when not given.
	Burst int64 `json:"burst,omitempty"`
	// Scope is gateway (each process counts for itself) or environment (all
	// of the environment share one budget).
	Scope string `json:"scope,omitempty"`
}

// Validate checks the figures and who they are for.
func (c *Config) Validate() error {
	if err := CheckRequests(c.Requests); err != nil {
		return err
	}
	switch per := c.Per.Std(); {
	case per == 0:
		return errors.New(`per: is missing; a time such as "1s" or "1m" would do`)
	case per < time.Second || per > 24*time.Hour:
		return fmt.Errorf(`per: %q is not between "1s" and "1d"; for longer periods there is quota`, c.Per)
	}
	if c.Burst < 0 || c.Burst > MaxRequests {
		return fmt.Errorf("burst: %d is not between 1 and %d", c.Burst, int64(MaxRequests))
	}
	if c.Requests > int64(c.Per.Std()) {
		return fmt.Errorf("requests: %d per %q is more than one each nanosecond", c.Requests, c.Per)
	}
	if err := CheckBy(c.By); err != nil {
		return err
	}
	return CheckScope(c.Scope)
}

// Build makes the step and the response half that tells callers how they stand.
func (c *Config) Build(env policy.Env) (policy.Step, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	burst := c.Burst
	if burst == 0 {
		burst = c.Requests
	}
	return Step(env, Use{
		Kind: "rate-limit",
		By:   c.By,
		// The figures are part of the counter's name: a changed limit starts
		// anew, which costs a caller nothing.
		Counter: fmt.Sprintf("%d/%s/%d", c.Requests, c.Per, burst),
		Budget: policy.Budget{
			Limit: c.Requests, Per: c.Per.Std(), Burst: burst, Shared: c.Scope == ScopeEnvironment,
		},
		Window: c.Per.Std(),
		Detail: fmt.Sprintf("more than %d requests per %s", c.Requests, c.Per),
	})
}
