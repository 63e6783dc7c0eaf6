package gatehouse

import (
	"maps"
	"slices"
	"strings"
)

// An API is what is exposed: versions that each have a definition, a public
// path, a backend and policies.
type API struct {
	Title   string `json:"title,omitempty"`   // for people, a few words
	Summary string `json:"summary,omitempty"` // for people, a sentence or two
	// Framework by whose rules the API is exposed; linked, never copied.
	Framework string `json:"framework,omitempty"`
	// Audience that may find and use it: internal (the default), partner, public.
	Audience string   `json:"audience,omitempty"`
	Data     *Data    `json:"data,omitempty"`    // what kind of data passes through
	Support  *Support `json:"support,omitempty"` // who helps, and when
	// SLA is what is promised to every caller; a plan may promise more. It is
	// no part of a revision: gateways need not know it.
	SLA      *SLA      `json:"sla,omitempty"`
	Versions []Version `json:"versions"`
}

// Data says what kind of data passes through an API.
type Data struct {
	// Classification: public, internal, confidential or restricted.
	Classification string `json:"classification,omitempty"`
	// Personal is true for personal data in the sense of the GDPR, Art. 4.
	Personal bool `json:"personal,omitempty"`
	// Jurisdictions the data may not leave, such as EU; empty: no bound.
	Jurisdictions []string `json:"jurisdictions,omitempty"`
}

// Support says who helps, and when.
type Support struct {
	Contact string `json:"contact,omitempty"` // an address or URL
	Hours   string `json:"hours,omitempty"`   // "24x7", "Mon-Fri 9-17 Europe/Berlin"
	Docs    string `json:"docs,omitempty"`    // URL
}

// A Version is one version of an API.
type Version struct {
	Name string `json:"name"`
	// Lifecycle: design (not released), published (the default), deprecated
	// (served, with Deprecation and Sunset fields) or retired (not served).
	Lifecycle   string       `json:"lifecycle,omitempty"`
	Deprecation *Deprecation `json:"deprecation,omitempty"` // since when, until when, and what comes after
	// Definition is a path beside the document; the file is never edited.
	// None: plain HTTP, everything under Path passes.
	Definition string `json:"definition,omitempty"`
	// Path is the public base path, such as "/orders/v1".
	Path string `json:"path"`
	// Hosts the version answers on; none: the environment's.
	Hosts []string `json:"hosts,omitempty"`
	// Backend by name, in the same team, or "team/name". A version whose
	// every operation is mocked needs none.
	Backend string `json:"backend,omitempty"`
	// Access: subscription (the default), token or open.
	Access string `json:"access,omitempty"`
	// AllowUndefined passes paths and methods that the definition does not name.
	AllowUndefined bool        `json:"allowUndefined,omitempty"`
	Policies       []PolicyUse `json:"policies,omitempty"` // steps, in order
	// Operations attach policies by operationId or "POST /orders".
	Operations map[string]OperationUse `json:"operations,omitempty"`
}

// An OperationUse is what a version adds to one operation of its definition.
type OperationUse struct {
	Policies []PolicyUse `json:"policies,omitempty"` // steps, in order
}

// Deprecation says since when a version is deprecated and until when it lives.
type Deprecation struct {
	Since  string `json:"since,omitempty"`  // a date, 2027-01-31
	Sunset string `json:"sunset,omitempty"` // a date: not served from then on is announced
	// Successor is a version's name of the same API, "team/name@version", or a URL.
	Successor string `json:"successor,omitempty"`
}

// Check reports what is wrong with the API alone.
func (s *API) Check(c *Checker) {
	c.text("title", s.Title, 200)
	c.text("summary", s.Summary, 5000)
	if s.Framework != "" {
		c.At("framework").Name(s.Framework)
	}
	c.At("audience").audience(s.Audience)
	if s.Data != nil {
		s.Data.check(c.At("data"))
	}
	if s.Support != nil {
		if s.Support.Docs != "" {
			c.At("support").At("docs").URL(s.Support.Docs, "http", "https")
		}
		c.At("support").At("hours").hours(s.Support.Hours)
	}
	if s.SLA != nil {
		s.SLA.check(c.At("sla"))
	}
	if len(s.Versions) == 0 {
		c.At("versions").Errorf("is empty: an API has at least one version, {name: v1, path: /orders/v1, backend: orders}")
	}
	unique(c.At("versions"), s.Versions, "name", func(v Version) string { return v.Name })
	for i := range s.Versions {
		s.Versions[i].check(c.At("versions").At(i))
	}
}

func (d *Data) check(c *Checker) {
	c.At("classification").OneOf(d.Classification, true, "public", "internal", "confidential", "restricted")
	unique(c.At("jurisdictions"), d.Jurisdictions, "", same)
	for i, j := range d.Jurisdictions {
		if j == "" {
			c.At("jurisdictions").At(i).Errorf("is empty")
		}
		c.At("jurisdictions").At(i).place(j)
	}
}

// Served reports whether the version's lifecycle lets gateways serve it.
func (v *Version) Served() bool { return v.Lifecycle != "design" && v.Lifecycle != "retired" }

func (v *Version) check(c *Checker) {
	if v.Name == "" {
		c.Errorf("name is missing")
	} else {
		c.At("name").versionName(v.Name)
	}
	c.At("lifecycle").OneOf(v.Lifecycle, true, "design", "published", "deprecated", "retired")
	if v.Deprecation != nil {
		v.Deprecation.check(c.At("deprecation"))
	}
	c.At("definition").definition(v.Definition)
	if v.Path == "" {
		c.Errorf("path is missing: the public base path, such as \"/orders/v1\"")
	} else {
		c.At("path").BasePath(v.Path)
	}
	unique(c.At("hosts"), v.Hosts, "", same)
	for i, h := range v.Hosts {
		c.At("hosts").At(i).Host(h)
	}
	if v.Backend != "" {
		c.At("backend").Reference(v.Backend)
	}
	c.At("access").OneOf(v.Access, true, "subscription", "token", "open")
	c.At("policies").policies(v.Policies)
	for _, id := range slices.Sorted(maps.Keys(v.Operations)) {
		if method, path, ok := strings.Cut(id, " "); v.Definition == "" && (!ok || method == "" || !strings.HasPrefix(path, "/")) {
			c.At("operations").At(id).Errorf("%q: without a definition an operation is method and path, \"POST /orders\"", id)
		}
		c.At("operations").At(id).At("policies").policies(v.Operations[id].Policies)
	}
}

// definition reports what cannot be a path beside the document.
func (c *Checker) definition(value string) {
	switch {
	case value == "":
	case strings.Contains(value, "://"):
		c.Errorf("%q: a definition is a file beside the document, not a URL", value)
	case strings.HasPrefix(value, "/") || strings.Contains(value, "\\") || len(value) > 1 && value[1] == ':':
		c.Errorf("%q: a definition is a relative path with \"/\", such as \"./orders.yaml\"", value)
	case len(value) > 1024 || strings.ContainsAny(value, "\x00\n\r"):
		c.Errorf("is not a path of a file")
	}
}

func (d *Deprecation) check(c *Checker) {
	if d.Since != "" {
		c.At("since").Date(d.Since)
	}
	if d.Sunset != "" {
		c.At("sunset").Date(d.Sunset)
	}
	// RFC 8594 §3 and RFC 9745 §4: a resource is not sunset before it is deprecated.
	if d.Since != "" && d.Sunset != "" && d.Sunset < d.Since {
		c.At("sunset").Errorf("%q is before since %q", d.Sunset, d.Since)
	}
	switch s := d.Successor; {
	case s == "" || versionForm.MatchString(s):
	case strings.Contains(s, "://"):
		c.At("successor").URL(s, "http", "https")
	default:
		c.At("successor").VersionReference(s)
	}
}
