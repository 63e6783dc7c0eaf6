// Package headers is the policy "headers": it sets, adds and removes header
// fields of requests and answers.
//
// Fields that frame messages or say on the gateway's word who calls are not its
// to touch: engines and pipeline write those.
package headers

import (
	"errors"

	"gatehouse/policy"
)

// Kind is listed in policy/all.
var Kind = policy.Kind{Name: "headers", Doc: doc, New: func() policy.Config { return new(Config) }}

const doc = `set, add and remove header fields

"request" changes what the backend sees, "response" what the caller sees, denials
of the gateway included. Within each, fields are removed first, then set (one
field, whatever there was), then added (one more line).

Values may hold placeholders: {subscription}, {application}, {product}, {plan},
{subject}, {api}, {operation}, {method}, {host}, {path}, {caller}, {param:NAME}
and {claim:NAME}. "{{" and "}}" stand for braces. What cannot stand in a header,
such as a claim with a line break, is not sent: the field is left out, and what
the caller sent under that name is gone too. A "set" whose text comes out empty
removes the field.

Secrets come in by reference, "${env:NAME}" or "${file:path}", and only into
requests. A field of requests that carries one by its name (Authorization,
Cookie, X-API-Key, ...-Token) is refused with a value that stands in the file.

Fields of framing and connection (Host, Content-Length, Connection, ...) and the
gateway's own statements (Forwarded, X-Forwarded-*, Gatehouse-*, X-Gatehouse-*) are refused.

    - headers:
        request: {set: {X-Caller: "{application}", Authorization: "Basic ${env:ORDERS_AUTH}"}}
        response: {remove: [Server, X-Powered-By]}`

// Config is one use of headers.
type Config struct {
	// Request changes the fields that go to the backend.
	Request Changes `json:"request,omitzero"`
	// Response changes the fields that go to the caller.
	Response Changes `json:"response,omitzero"`
}

// Changes are done in the order of the fields.
type Changes struct {
	// Remove names fields to delete.
	Remove []string `json:"remove,omitempty"`
	// Set makes each value the only line of its field.
	Set map[string]string `json:"set,omitempty"`
	// Add appends a line.
	Add map[string]string `json:"add,omitempty"`
}

// Validate checks names and values.
func (c *Config) Validate() error {
	_, _, err := c.compile()
	return err
}

func (c *Config) compile() (request, response changes, err error) {
	if request, err = compile("request", c.Request, true); err != nil {
		return request, response, err
	}
	if response, err = compile("response", c.Response, false); err != nil {
		return request, response, err
	}
	if request.empty() && response.empty() {
		err = errors.New(`neither request nor response changes anything; {response: {remove: [Server]}} would do`)
	}
	return request, response, err
}

// Build resolves references and makes both halves.
func (c *Config) Build(env policy.Env) (policy.Step, error) {
	request, response, err := c.compile()
	if err != nil {
		return nil, err
	}
	if err := request.resolve(env.Secret); err != nil {
		return nil, err
	}
	if !response.empty() {
		env.OnResponse(func(x *policy.Exchange) { response.apply(x, &x.Response.Header) })
	}
	return func(x *policy.Exchange) *policy.Denial {
		request.apply(x, &x.Header)
		return nil
	}, nil
}
