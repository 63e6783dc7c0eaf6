// Package rewrite is the policy "rewrite": it changes the path and the query
// with which a request goes to the backend.
//
// What comes out is a path in the one normalized form, or the request is
// refused: routing, authorization and backend must never read two things.
package rewrite

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"gatehouse/policy"
	"gatehouse/policy/template"
)

// Kind is listed in policy/all.
var Kind = policy.Kind{Name: "rewrite", Doc: doc, New: func() policy.Config { return new(Config) }}

const doc = `change the path and the query that the backend sees

The path is the one relative to the backend's URL: what follows the API's public
base path. Either "path" replaces it whole, or "prefix" replaces its beginning.
In "path", {name} is the operation's path parameter of that name, as it was
sent.

A prefix is replaced where it ends at a "/" or at the end of the path; a path
that does not begin with it goes on as it is.

"query" removes parameters, then sets others. {name} in a value is a path
parameter, decoded and then written as a query wants it.

A parameter that an operation lacks is a fault when the API is applied. Where
operations are not known then (a plan, an environment, a version without a
definition), a request to such an operation gets 500 and says so.

A request whose rewritten path would not be a normalized one, such as one with
an empty parameter between two slashes, gets 400.

    - rewrite: {path: "/v2/orders/{id}/lines", query: {set: {expand: all}, remove: [debug]}}
    - rewrite: {prefix: {from: /public, to: /internal/v3}}`

// Config is one use of rewrite.
type Config struct {
	// Path replaces the whole path, such as "/v2/orders/{id}".
	Path string `json:"path,omitempty"`
	// Prefix replaces the beginning of the path.
	Prefix *Prefix `json:"prefix,omitempty"`
	// Query changes the query.
	Query Query `json:"query,omitzero"`
}

// Prefix is a path's beginning and what takes its place.
type Prefix struct {
	// From is the beginning to replace, such as "/public"; "" stands for none,
	// so that To is put before every path.
	From string `json:"from,omitempty"`
	// To takes its place; "" drops From.
	To string `json:"to,omitempty"`
}

// Query changes parameters of the query.
type Query struct {
	// Remove names parameters to drop.
	Remove []string `json:"remove,omitempty"`
	// Set gives parameters a value, whatever they had.
	Set map[string]string `json:"set,omitempty"`
}

// Validate checks that something changes, into what can be a path.
func (c *Config) Validate() error {
	_, err := c.compile(nil)
	return err
}

// PathParameters are those that the path and the query are made of.
func (c *Config) PathParameters() []string {
	var p params
	if _, err := c.compileFor(&p); err != nil {
		return nil
	}
	return p.asked
}

type rewriter struct {
	needs []string // parameters that it is not known to have
	path  *template.Template
	from  string
	to    string
	query query
}

// compile checks and prepares; params are the operation's, nil when unknown.
func (c *Config) compile(has []string) (*rewriter, error) {
	p := params{has: has}
	r, err := c.compileFor(&p)
	if err == nil && has == nil {
		r.needs = p.asked
	}
	return r, err
}

func (c *Config) compileFor(params *params) (*rewriter, error) {
	var r rewriter
	switch {
	case c.Path != "" && c.Prefix != nil:
		return nil, errors.New("prefix: stands beside path, which replaces the whole path; one of them would do")
	case c.Path != "":
		t, err := parsePath(c.Path, params)
		if err != nil {
			return nil, fmt.Errorf("path: %w", err)
		}
		r.path = &t
	case c.Prefix != nil:
		for _, p := range []struct{ field, path string }{{"from", c.Prefix.From}, {"to", c.Prefix.To}} {
			if err := checkPrefix(p.path); err != nil {
				return nil, fmt.Errorf("prefix.%s: %w", p.field, err)
			}
		}
		if c.Prefix.From == c.Prefix.To {
			return nil, errors.New(`prefix: changes nothing; {from: /public, to: /internal} would do`)
		}
		r.from, r.to = c.Prefix.From, c.Prefix.To
	case c.Query.empty():
		return nil, errors.New(`neither path, prefix nor query changes anything; {prefix: {from: /public, to: /internal}} would do`)
	}
	var err error
	r.query, err = compileQuery(c.Query, params)
	return &r, err
}

// Build makes the step.
func (c *Config) Build(env policy.Env) (policy.Step, error) {
	r, err := c.compile(env.Params)
	if err != nil {
		return nil, err
	}
	return r.step, nil
}

func (r *rewriter) step(x *policy.Exchange) *policy.Denial {
	for _, name := range r.needs {
		if !slices.ContainsFunc(x.Params, func(p policy.Param) bool { return p.Name == name }) {
			return policy.Deny(http.StatusInternalServerError, "rewrite-parameter", "this operation has no path parameter {"+name+"}, of which the API's provider makes what the backend is asked for")
		}
	}
	path := x.Upstream
	if r.path != nil {
		path = r.path.Text(x, nil)
	} else if r.from != r.to {
		path = r.prefixed(path)
	}
	if path != x.Upstream {
		if !Normal(path) {
			return policy.Deny(http.StatusBadRequest, "path-refused", "the request does not make a path that the backend could be asked for")
		}
		x.Upstream = path
	}
	r.query.apply(x)
	return nil
}

// prefixed replaces the prefix at a segment's border.
func (r *rewriter) prefixed(path string) string {
	if len(path) < len(r.from) || path[:len(r.from)] != r.from {
		return path
	}
	rest := path[len(r.from):]
	if rest != "" && rest[0] != '/' {
		return path
	}
	if rest == "/" && r.to != "" {
		return r.to + rest
	}
	if r.to+rest == "" {
		return "/"
	}
	return r.to + rest
}
