// Package cors is the policy "cors": it lets pages of other origins call an API
// from a browser, by the CORS protocol of the Fetch standard (section 3.2).
//
// It answers preflights at the gateway and writes the fields of actual answers.
// It keeps nobody out: CORS binds browsers only, and who may call is said by
// keys and tokens.
package cors

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/jsonx"
	"gatehouse/policy"
)

// Kind is listed in policy/all.
var Kind = policy.Kind{
	Name: "cors",
	Doc:  doc,
	New: func() policy.Config {
		return &Config{
			Methods: []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"},
			MaxAge:  jsonx.Duration(10 * time.Minute),
		}
	},
	Early: true,
}

const doc = `let pages of other origins call the API from a browser

A preflight (OPTIONS with Origin and Access-Control-Request-Method) is answered
here: 204 with what is allowed, or 403 with the reason when origin, method or a
header is not. It needs no key and does not reach the backend. Other requests go
on; their answers, denials included, carry Access-Control-Allow-Origin when the
origin is listed, and Vary: Origin so that caches keep origins apart.

Origins are scheme, host and port as browsers send them: https://app.example.com.
"https://*.example.com" stands for every host below example.com, "*" for every
origin. "*" and "credentials: true" cannot stand together: any page could then
act as the user who looks at it.

Access-Control fields of the backend are replaced: one place decides.

    - cors: {origins: ["https://app.example.com"], credentials: true, exposeHeaders: [ETag]}`

// Config is one use of cors.
type Config struct {
	// Origins that may call: "https://app.example.com",
	// "https://*.example.com" or "*". At least one.
	Origins []string `json:"origins"`
	// Methods that may be used.
	Methods []string `json:"methods,omitempty"`
	// Headers that requests may carry beyond those every page may send.
	// Empty: whatever the page asks for.
	Headers []string `json:"headers,omitempty"`
	// ExposeHeaders are fields of answers that pages may read beyond the
	// few they always may.
	ExposeHeaders []string `json:"exposeHeaders,omitempty"`
	// Credentials lets pages send cookies and client certificates.
	Credentials bool `json:"credentials,omitempty"`
	// MaxAge is how long a browser may keep the answer to a preflight.
	MaxAge jsonx.Duration `json:"maxAge,omitempty"`
}

// Validate checks origins, methods and names.
func (c *Config) Validate() error {
	if _, err := parseOrigins(c.Origins); err != nil {
		return err
	}
	if c.Credentials && slices.Contains(c.Origins, "*") {
		return fmt.Errorf(`credentials: true cannot stand with the origin "*"; list the origins that may act as the user`)
	}
	for _, l := range []struct {
		field string
		names []string
	}{{"methods", c.Methods}, {"headers", c.Headers}, {"exposeHeaders", c.ExposeHeaders}} {
		if len(l.names) > maxNames {
			return fmt.Errorf("%s: %d are more than %d", l.field, len(l.names), maxNames)
		}
		for i, name := range l.names {
			if len(name) > 100 || !policy.IsToken(name) || name == "*" {
				return fmt.Errorf("%s[%d]: %q is not a name; each is listed by its own, such as \"PUT\" or \"X-Request-Id\"", l.field, i, name)
			}
		}
	}
	if len(c.Methods) == 0 {
		return fmt.Errorf(`methods: is empty; ["GET"] would do`)
	}
	if c.MaxAge.Std() > 24*time.Hour {
		return fmt.Errorf(`maxAge: %q is more than "1d", which is all that browsers keep`, c.MaxAge)
	}
	return nil
}

// Build makes both halves.
func (c *Config) Build(env policy.Env) (policy.Step, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	origins, err := parseOrigins(c.Origins)
	if err != nil {
		return nil, err
	}
	r := &rules{
		origins: origins,
		methods: c.Methods,
		allow:   strings.Join(c.Methods, ", "),
		headers: c.Headers,
		expose:  strings.Join(c.ExposeHeaders, ", "),
		maxAge:  strconv.FormatInt(int64(c.MaxAge.Std()/time.Second), 10),
		cookies: c.Credentials,
	}
	env.OnResponse(r.answer)
	return r.request, nil
}

// preflight tells whether x asks what it may send (Fetch standard, 3.2.2).
func preflight(x *policy.Exchange) bool {
	return x.Method == http.MethodOptions && x.Header.Count("Origin") > 0 && x.Header.Count("Access-Control-Request-Method") > 0
}
