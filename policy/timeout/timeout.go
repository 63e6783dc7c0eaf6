// Package timeout is the policy "timeout": it bounds how long the backend may
// take until its answer begins.
//
// It only says the time; the upstream keeps it and answers 504.
package timeout

import (
	"errors"
	"fmt"
	"time"

	"gatehouse/jsonx"
	"gatehouse/policy"
)

// Max is the longest time that may be asked for.
const Max = time.Hour

// Kind is listed in policy/all.
var Kind = policy.Kind{Name: "timeout", Doc: doc, New: func() policy.Config { return new(Config) }}

const doc = `bound the time until the backend's answer begins

The backend of a request that passes this step has "backend" of time, retries
included, until the head of its answer is there; then the caller gets 504. Once
the answer has begun, it may stream for longer.

It replaces the timeout of the backend itself. Where several uses meet, the
shortest holds, so that an operation cannot loosen what a framework demands.

    - timeout: {backend: 2s}`

// Config is one use of timeout.
type Config struct {
	// Backend is the time until the answer begins, such as "2s"; at most 1h.
	Backend jsonx.Duration `json:"backend"`
}

// Validate checks that a time is given and within bounds.
func (c *Config) Validate() error {
	switch d := c.Backend.Std(); {
	case d == 0:
		return errors.New(`backend: is missing; a time such as "10s" would do`)
	case d < time.Millisecond || d > Max:
		return fmt.Errorf("backend: %q is not between \"1ms\" and \"1h\"", c.Backend)
	}
	return nil
}

// Build makes the step.
func (c *Config) Build(policy.Env) (policy.Step, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	limit := c.Backend.Std()
	return func(x *policy.Exchange) *policy.Denial {
		if x.Timeout <= 0 || limit < x.Timeout {
			x.Timeout = limit
		}
		return nil
	}, nil
}
