// Package bodylimit is the policy "body-limit": it bounds the size of request
// bodies, also of those that do not announce it.
//
// It only sets the bound of a body that streams; the engine counts.
package bodylimit

import (
	"errors"
	"net/http"

	"gatehouse/policy"
)

// Kind is listed in policy/all.
var Kind = policy.Kind{Name: "body-limit", Doc: doc, New: func() policy.Config { return new(Config) }}

const doc = `bound the size of request bodies

A request that announces a body of more than "bytes" gets 413 before any of it
is read. A body without an announced length is counted while it streams, and
the request ends with 413 when it passes the bound. Exactly "bytes" pass.

Where several uses meet, the smallest holds.

    - body-limit: {bytes: 1MB}`

// Config is one use of body-limit.
type Config struct {
	// Bytes is the largest body that passes: text such as "64KB", "1MB",
	// "512KiB", or a number of bytes. KB and MB count in thousands, KiB and
	// MiB in 1024s.
	Bytes Size `json:"bytes"`
}

// Validate checks that a size is given.
func (c *Config) Validate() error {
	if c.Bytes <= 0 {
		return errors.New(`bytes: is missing; a size such as "1MB" would do`)
	}
	return nil
}

// Build makes the step.
func (c *Config) Build(policy.Env) (policy.Step, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	limit := int64(c.Bytes)
	detail := "the request's body is larger than " + c.Bytes.String()
	return func(x *policy.Exchange) *policy.Denial {
		switch b := x.Body; {
		case b == nil:
		case b.Length > limit:
			return policy.Deny(http.StatusRequestEntityTooLarge, "body-too-large", detail)
		case b.Limit <= 0 || limit < b.Limit:
			b.Limit = limit
		}
		return nil
	}, nil
}
