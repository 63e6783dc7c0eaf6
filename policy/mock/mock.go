// Package mock is the policy "mock": the gateway answers by itself, from the
// examples of the definition or from a body in the configuration.
//
// Which examples an operation has, or what its schema generates, is compile's to
// say; this package picks one.
package mock

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"gatehouse/jsonx"
	"gatehouse/policy"
)

// MaxDelay bounds how long a mock holds a request.
const MaxDelay = 10 * time.Second

// maxBody bounds a body in a configuration.
const maxBody = 256 << 10

// Kind is listed in policy/all.
var Kind = policy.Kind{Name: "mock", Doc: doc, New: func() policy.Config { return new(Config) }, PerOperation: true}

const doc = `answer from the definition's examples, without a backend

The answer is one of the operation's examples: that of "status", or the first
with a 2xx status; that named by "example", or the first. A caller may ask for
another of the examples with "Prefer: code=404" or "Prefer: example=empty" (RFC
7240), and among the rest the first whose media type its Accept field admits is
taken; when Accept admits none, the first is.

"body" is an answer of the configuration's own and needs no example. Gateways set an
API aside that is to mock an operation which has neither; apply tells.

Steps behind this one are not run. Steps before it are: a mocked API still asks
for keys and keeps limits.

    - mock: {status: 200, example: two-orders, delay: 50ms}
    - mock: {status: 503, body: {title: "closed for maintenance"}}`

// Config is one use of mock.
type Config struct {
	// Status of the answer. Without it, that of the example; 200 for Body.
	Status int `json:"status,omitempty"`
	// Example is the name of the example to answer with.
	Example string `json:"example,omitempty"`
	// Body answers instead of an example: any JSON, or text for ContentType.
	Body json.RawMessage `json:"body,omitempty"`
	// ContentType of Body; application/json when not given.
	ContentType string `json:"contentType,omitempty"`
	// Delay holds the request that long before it is answered; at most 10s.
	Delay jsonx.Duration `json:"delay,omitempty"`
}

// Validate checks the figures; whether there is an example is known when the
// step is built.
func (c *Config) Validate() error {
	switch {
	case c.Status != 0 && (c.Status < 200 || c.Status > 599):
		return fmt.Errorf("status: %d is not between 200 and 599", c.Status)
	case c.Delay.Std() > MaxDelay:
		return fmt.Errorf("delay: %q is more than %q", c.Delay, jsonx.Duration(MaxDelay))
	case len(c.Body) > maxBody:
		return fmt.Errorf("body: %d bytes are more than %d", len(c.Body), maxBody)
	case len(c.Body) > 0 && !json.Valid(c.Body):
		return fmt.Errorf("body: is not JSON")
	case c.Example != "" && len(c.Body) > 0:
		return fmt.Errorf("example: %q stands beside body; one of them would do", c.Example)
	case c.ContentType != "" && len(c.Body) == 0:
		return fmt.Errorf("contentType: %q is for body, which is missing", c.ContentType)
	case c.ContentType != "" && !isMediaType(c.ContentType):
		return fmt.Errorf(`contentType: %q is not a media type such as "application/json"`, c.ContentType)
	}
	return nil
}

// Build picks and encodes the answers.
func (c *Config) Build(env policy.Env) (policy.Step, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	answers, err := c.answers(env)
	if err != nil {
		return nil, err
	}
	delay, stop := c.Delay.Std(), env.Context.Done()
	return func(x *policy.Exchange) *policy.Denial {
		if delay > 0 {
			t := time.NewTimer(delay)
			defer t.Stop()
			select {
			case <-t.C:
			case <-x.Context.Done():
			case <-stop:
			}
		}
		a := answers.pick(x.Header)
		d := &policy.Denial{Status: a.status, Answer: true, Body: a.body, ContentType: a.contentType}
		if len(answers) > 1 {
			d.Header.Add("Vary", "Accept, Prefer")
		}
		return d
	}, nil
}

// answers are what the mock may answer, the usual one first.
func (c *Config) answers(env policy.Env) (answers, error) {
	if len(c.Body) > 0 {
		status := c.Status
		if status == 0 {
			status = http.StatusOK
		}
		return answers{encode(policy.Example{Status: status, ContentType: c.ContentType, Body: c.Body})}, nil
	}
	first := -1
	for i, e := range env.Examples {
		if e.Status < 200 || e.Status > 599 || c.Example != "" && e.Name != c.Example {
			continue
		}
		if c.Status == e.Status || c.Status == 0 && (first < 0 || !isSuccess(env.Examples[first].Status) && isSuccess(e.Status)) {
			first = i
			if c.Status != 0 {
				break
			}
		}
	}
	if first < 0 {
		return nil, c.missing(env)
	}
	all := answers{encode(env.Examples[first])}
	for i, e := range env.Examples {
		if i != first && e.Status >= 200 && e.Status <= 599 {
			all = append(all, encode(e))
		}
	}
	return all, nil
}

func (c *Config) missing(env policy.Env) error {
	what := "an example answer"
	if c.Status != 0 {
		what += fmt.Sprintf(" with status %d", c.Status)
	}
	if c.Example != "" {
		what += fmt.Sprintf(" named %q", c.Example)
	}
	return fmt.Errorf(`the definition gives %s no %s; "body" in the policy would do`, env.Scope, what[len("an "):])
}

func isSuccess(status int) bool { return status >= 200 && status < 300 }
