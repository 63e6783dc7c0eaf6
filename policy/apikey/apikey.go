// Package apikey is what an API key looks like and where a request carries it.
//
// Keys need no policy: an API with access: subscription asks for a live key, and
// the gateway's pipeline takes it from the environment's header with [Take]. The
// policy "apikey" names a further place for APIs whose callers cannot set that
// header. control/subscription makes keys with [New].
//
// This package neither hashes nor looks up: which keys are live is the
// pipeline's to know.
package apikey

import (
	"fmt"
	"net/http"
	"strings"

	"gatehouse/policy"
)

// Kind is listed in policy/all.
var Kind = policy.Kind{
	Name:  "apikey",
	Doc:   doc,
	New:   func() policy.Config { return &Config{In: "header"} },
	Early: true,
}

const doc = `take the API key from a further place

An API with "access: subscription" asks for a live key of a subscription by
itself, in the environment's header (X-API-Key unless the environment says
otherwise). This policy names one more place for it: another header, or a query
parameter for callers that can set nothing else.

A key may come in one place only; a request with two gets 400. Wherever it
comes, the key is taken out before the request goes on: the backend does not see
it, and no log does. Prefer headers: what callers and proxies before the gateway
log of a URL is not in the gateway's hands.

    - apikey: {in: query, name: api_key}
    - apikey: {in: header, name: Authorization, scheme: Bearer}`

// Config is one use of apikey.
type Config struct {
	// In is header or query.
	In string `json:"in,omitempty"`
	// Name of the header or of the query parameter.
	Name string `json:"name"`
	// Scheme is the word before the key in a header, such as "Bearer". A
	// header with another scheme is left alone. For headers only.
	Scheme string `json:"scheme,omitempty"`
}

// Validate checks the place.
func (c *Config) Validate() error {
	switch {
	case c.In != "header" && c.In != "query":
		return fmt.Errorf(`in: %q is not "header" or "query"`, c.In)
	case c.Name == "":
		return fmt.Errorf("name: is missing; the %s that carries the key, such as \"api_key\", would do", c.In)
	case len(c.Name) > 100 || !policy.IsToken(c.Name):
		return fmt.Errorf("name: %q is not a name; letters, digits and any of \"-_.~\" would do", c.Name)
	case c.Scheme != "" && c.In == "query":
		return fmt.Errorf("scheme: %q stands before keys in headers, not in a query", c.Scheme)
	case c.Scheme != "" && (len(c.Scheme) > 100 || !policy.IsToken(c.Scheme)):
		return fmt.Errorf("scheme: %q is not a scheme such as \"Bearer\"", c.Scheme)
	}
	if c.In == "header" && (policy.Framing(c.Name) || strings.EqualFold(c.Name, "Cookie")) {
		return fmt.Errorf("name: %q has a meaning of its own and cannot carry a key; \"X-API-Key\" would do", c.Name)
	}
	return nil
}

// Build makes the step.
func (c *Config) Build(policy.Env) (policy.Step, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.In == "query" {
		return func(x *policy.Exchange) *policy.Denial {
			key, rest, n := cutQuery(x.Query, c.Name)
			if n == 0 {
				return nil
			}
			x.Query = rest
			return offer(x, key, n)
		}, nil
	}
	return func(x *policy.Exchange) *policy.Denial {
		n := x.Header.Count(c.Name)
		if n == 0 {
			return nil
		}
		value := x.Header.Get(c.Name)
		key, ok := cutScheme(value, c.Scheme)
		if !ok && n == 1 {
			return nil
		}
		x.Header.Del(c.Name)
		return offer(x, key, n)
	}, nil
}

// offer leaves the key for [Take].
func offer(x *policy.Exchange, key string, n int) *policy.Denial {
	if n > 1 || x.Key != "" {
		return repeated()
	}
	x.Key = key
	return nil
}

// Take returns the key that x carries: the one an apikey policy found, or that of
// the header, which the environment names. It returns "" when there is none, and
// a denial when there are several. It takes the key out of x.
func Take(x *policy.Exchange, header string) (string, *policy.Denial) {
	key, n := x.Key, x.Header.Count(header)
	x.Key = ""
	if n > 1 || n == 1 && key != "" {
		return "", repeated()
	}
	if n == 1 {
		key = x.Header.Get(header)
		x.Header.Del(header)
	}
	return key, nil
}

func repeated() *policy.Denial {
	return policy.Deny(http.StatusBadRequest, "key-repeated", "the request carries more than one API key")
}

func cutScheme(value, scheme string) (string, bool) {
	if scheme == "" {
		return value, true
	}
	word, key, ok := strings.Cut(value, " ")
	if !ok || !strings.EqualFold(word, scheme) {
		return "", false
	}
	return strings.TrimLeft(key, " "), true
}
