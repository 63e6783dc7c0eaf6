package gatehouse

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse/jsonx"
)

// A Backend is where requests go, for each environment.
type Backend struct {
	Environments map[string]BackendEnvironment `json:"environments"`
}

// A BackendEnvironment is a backend in one environment.
type BackendEnvironment struct {
	Targets []Target `json:"targets"`
	// Timeout until the answer begins; default 30s.
	Timeout jsonx.Duration `json:"timeout,omitempty"`
	// Connect bounds connecting; default 5s.
	Connect jsonx.Duration `json:"connect,omitempty"`
	Retries *Retries       `json:"retries,omitempty"` // when a request is sent again; none: never
	Health  *Health        `json:"health,omitempty"`  // how targets are watched beyond their answers
	TLS     *BackendTLS    `json:"tls,omitempty"`     // how targets are trusted; none: by the authorities of the system
	// PassHost sends the caller's Host on; otherwise the target's.
	PassHost bool `json:"passHost,omitempty"`
	// PassKey and PassToken pass the caller's key or token on to the backend.
	PassKey   bool `json:"passKey,omitempty"`
	PassToken bool `json:"passToken,omitempty"` // passes the token of the caller on to the backend
	// Protocol: http1 (the default) or http2.
	Protocol string `json:"protocol,omitempty"`
	// MaxConnections to each target; default 1024.
	MaxConnections int `json:"maxConnections,omitempty"`
}

// A Target is one address of a backend.
type Target struct {
	URL string `json:"url"` // http or https, may have a path
	// Weight is the share of requests; 1 when left out.
	Weight   int       `json:"weight,omitempty"`
	Location *Location `json:"location,omitempty"` // where it runs
}

// A Location says where something runs.
type Location struct {
	Cloud        string `json:"cloud,omitempty"`        // aws, azure, gcp, on-prem, …
	Region       string `json:"region,omitempty"`       // as the cloud names it
	Jurisdiction string `json:"jurisdiction,omitempty"` // EU, US, …
	// Network: private or public.
	Network string `json:"network,omitempty"`
}

// Retries says when a request that is safe to repeat is sent again.
type Retries struct {
	Attempts int      `json:"attempts,omitempty"` // beyond the first, at most 5
	On       []string `json:"on,omitempty"`       // connect-failure, reset, timeout, or a status such as "503"
}

// Health says how targets are watched; passive watching is always on.
type Health struct {
	Path      string         `json:"path,omitempty"`      // asked with GET; none: passive watching only
	Interval  jsonx.Duration `json:"interval,omitempty"`  // default 10s
	Timeout   jsonx.Duration `json:"timeout,omitempty"`   // default 2s
	Healthy   int            `json:"healthy,omitempty"`   // good answers to come back; default 2
	Unhealthy int            `json:"unhealthy,omitempty"` // failures to be left out; default 3
	Statuses  []int          `json:"statuses,omitempty"`  // what is healthy; default 200 to 399
}

// BackendTLS says how targets are trusted and how the gateway shows itself.
type BackendTLS struct {
	CA         string `json:"ca,omitempty"`         // PEM, or a reference
	ServerName string `json:"serverName,omitempty"` // name in the certificate, when it is not that of the URL
	Cert       string `json:"cert,omitempty"`       // PEM, or a reference
	Key        string `json:"key,omitempty"`        // a reference; never a key itself
	// Insecure skips verification; only for environments of stage dev.
	Insecure bool `json:"insecure,omitempty"`
}

// Check reports what is wrong with the backend alone.
func (s *Backend) Check(c *Checker) {
	if len(s.Environments) == 0 {
		c.At("environments").Errorf("is empty: name an environment and its targets")
	}
	for _, name := range slices.Sorted(maps.Keys(s.Environments)) {
		at := c.At("environments").At(name)
		at.Name(name)
		e := s.Environments[name]
		e.check(at)
	}
}

func (e *BackendEnvironment) check(c *Checker) {
	if len(e.Targets) == 0 {
		c.At("targets").Errorf("is empty: name at least one, {url: \"https://orders.internal\"}")
	}
	if len(e.Targets) > 256 {
		c.At("targets").Errorf("%d targets; at most 256", len(e.Targets))
	}
	unique(c.At("targets"), e.Targets, "url", func(t Target) string { return t.URL })
	for i := range e.Targets {
		e.Targets[i].check(c.At("targets").At(i))
	}
	c.between("timeout", e.Timeout, time.Millisecond, time.Hour)
	c.between("connect", e.Connect, time.Millisecond, 5*time.Minute)
	if e.Retries != nil {
		e.Retries.check(c.At("retries"))
	}
	if e.Health != nil {
		e.Health.check(c.At("health"))
	}
	if e.TLS != nil {
		e.TLS.check(c.At("tls"), e.Targets)
	}
	c.At("protocol").OneOf(e.Protocol, true, "http1", "http2")
	if e.MaxConnections < 0 || e.MaxConnections > 100000 || e.MaxConnections == 0 && c.Written("maxConnections") {
		c.At("maxConnections").Errorf("%d is not in 1 to 100000", e.MaxConnections)
	}
}

// between reports a duration that was given and lies outside of the bounds.
func (c *Checker) between(field string, d jsonx.Duration, low, high time.Duration) {
	if (d != 0 || c.Written(field)) && (d.Std() < low || d.Std() > high) {
		c.At(field).Errorf("%q is not in %s to %s", d, jsonx.Duration(low), jsonx.Duration(high))
	}
}

func (t *Target) check(c *Checker) {
	if t.URL == "" {
		c.Errorf("url is missing")
	} else {
		c.At("url").URL(t.URL, "http", "https")
		if strings.Contains(t.URL, "?") {
			c.At("url").Errorf("%q has a query; a target is scheme, host and path", t.URL)
		}
	}
	switch {
	case t.Weight == 0 && c.Written("weight"):
		c.At("weight").Errorf("0 is no weight: leave the target out to send it nothing")
	case t.Weight < 0 || t.Weight > 10000:
		c.At("weight").Errorf("%d is not in 1 to 10000", t.Weight)
	}
	if t.Location != nil {
		t.Location.check(c.At("location"))
	}
}

func (r *Retries) check(c *Checker) {
	if r.Attempts < 0 || r.Attempts > 5 {
		c.At("attempts").Errorf("%d is not in 0 to 5", r.Attempts)
	}
	unique(c.At("on"), r.On, "", same)
	for i, on := range r.On {
		code, err := strconv.Atoi(on)
		if err == nil && code >= 500 && code <= 599 || err == nil && (code == 429 || code == 408 || code == 425) {
			continue
		}
		if !contains([]string{"connect-failure", "reset", "timeout"}, on) {
			c.At("on").At(i).Errorf("%q is not a reason to try again: connect-failure, reset, timeout, or a status such as \"503\"", on)
		}
	}
}

func (h *Health) check(c *Checker) {
	if h.Path != "" && (!strings.HasPrefix(h.Path, "/") || strings.ContainsAny(h.Path, " #\r\n\t")) {
		c.At("path").Errorf("%q is not a path such as \"/healthz\"", h.Path)
	}
	c.between("interval", h.Interval, 100*time.Millisecond, 24*time.Hour)
	c.between("timeout", h.Timeout, time.Millisecond, 5*time.Minute)
	counts := []struct {
		field string
		n     int
	}{{"healthy", h.Healthy}, {"unhealthy", h.Unhealthy}}
	for _, f := range counts {
		if f.n < 0 || f.n > 100 || f.n == 0 && c.Written(f.field) {
			c.At(f.field).Errorf("%d is not in 1 to 100", f.n)
		}
	}
	for i, s := range h.Statuses {
		if s < 100 || s > 599 {
			c.At("statuses").At(i).Errorf("%d is not an HTTP status", s)
		}
	}
}

func (t *BackendTLS) check(c *Checker, targets []Target) {
	c.At("ca").certificate(t.CA)
	c.At("cert").certificate(t.Cert)
	c.At("key").Secret(t.Key)
	if t.ServerName != "" {
		c.At("serverName").Host(t.ServerName)
	}
	if (t.Cert == "") != (t.Key == "") {
		c.Errorf("cert and key belong together: give both or none")
	}
	if t.Insecure && t.CA != "" {
		c.At("insecure").Errorf("insecure skips the check that ca is for: give one of them")
	}
	if len(targets) > 0 && !slices.ContainsFunc(targets, func(t Target) bool { return strings.HasPrefix(t.URL, "https:") }) {
		c.Errorf("no target is https, so there is nothing to secure")
	}
}
