package gatehouse

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"gatehouse/jsonx"
	"gatehouse/policy"
	"gatehouse/report"
)

// An Environment is a stage with rules.
type Environment struct {
	Title string `json:"title,omitempty"` // for people, a few words
	// Stage: dev, qa or prod.
	Stage string `json:"stage"`
	// Hosts its APIs answer on; none: any host.
	Hosts        []string     `json:"hosts,omitempty"`
	Jurisdiction string       `json:"jurisdiction,omitempty"` // EU, US, … that it lies in
	Release      *ReleaseRule `json:"release,omitempty"`      // how revisions come in
	// Policies run for every API of the environment, after the framework's.
	Policies []PolicyUse `json:"policies,omitempty"`
	// KeyHeader carries keys; default X-API-Key.
	KeyHeader string `json:"keyHeader,omitempty"`
	// Variables are texts that policies use as ${var:NAME}: what differs from
	// environment to environment while the revision stays the same.
	Variables map[string]string `json:"variables,omitempty"`
	// Gate says whether the compliance gate is demanded here.
	Gate *GateRule `json:"gate,omitempty"`
}

// A Gateway is a place where an environment runs.
type Gateway struct {
	Title       string    `json:"title,omitempty"` // for people, a few words
	Environment string    `json:"environment"`
	Location    *Location `json:"location,omitempty"` // where it runs
	// Runtime: gatehouse (the default); others come with connectors.
	Runtime string `json:"runtime,omitempty"`
	// URL callers reach it by, for the catalog and the portal.
	URL string `json:"url,omitempty"`
}

// A Revision is an immutable state of one API version, kept under
// "Revision/<team>/<name>/<version>/<hash>". Its hash is the SHA-256 of the
// canonical JSON of Form.
type Revision struct {
	Hash string       `json:"hash"`
	Form RevisionForm `json:"form"`
	// Operations is the SHA-256 of the operations read from the definition,
	// kept under "Operations/<hash>"; "" without a definition.
	Operations string    `json:"operations,omitempty"`
	Created    time.Time `json:"created"`
	CreatedBy  string    `json:"createdBy"`
}

// A RevisionForm is all that makes a revision what it is.
type RevisionForm struct {
	Team      string  `json:"team"`
	Name      string  `json:"name"`
	Framework string  `json:"framework,omitempty"`
	Audience  string  `json:"audience,omitempty"` // internal, partner or public
	Data      *Data   `json:"data,omitempty"`     // what kind of data passes through
	Version   Version `json:"version"`            // as sent
	// PolicySets are the sets the version includes, "team/name", as they were.
	PolicySets map[string][]PolicyUse `json:"policySets,omitempty"`
	// Files are the definition's files: path as written to SHA-256.
	Files map[string]string `json:"files,omitempty"`
}

// An Operation is one operation of a definition, kept in lists under
// "Operations/<hash>".
type Operation struct {
	ID      string `json:"id"` // operationId, or "GET /things"
	Method  string `json:"method"`
	Path    string `json:"path"`              // template below the version's path, "/things/{id}"
	Summary string `json:"summary,omitempty"` // for people, a sentence or two
	// Matrix names the parameters of the path that are written with semicolons,
	// ";id=5" (OpenAPI's style "matrix", RFC 6570 §3.2.7).
	Matrix []string `json:"matrix,omitempty"`
	// Examples are answers the definition gives or that its schemas allow.
	Examples []policy.Example `json:"examples,omitempty"`
}

// An Instance is one running process of a gateway as the control plane last
// heard of it, kept under "Instance/<gateway>/<instance>".
type Instance struct {
	Gateway     string     `json:"gateway"`
	Instance    string     `json:"instance"`
	Certificate string     `json:"certificate,omitempty"` // serial number, hexadecimal
	Former      string     `json:"former,omitempty"`      // the one it was renewed with, good until the instance changes over
	Ack         report.Ack `json:"ack"`
	Joined      time.Time  `json:"joined"`
	// Expires is when the certificate ends unless it is renewed.
	Expires time.Time `json:"expires,omitzero"`
	// Revoked is when the instance was shut out; it joins again with a new token.
	Revoked   time.Time `json:"revoked,omitzero"`
	RevokedBy string    `json:"revokedBy,omitempty"`
}

// A GatewayToken lets one instance join a gateway, once, kept under
// "GatewayToken/<id>". The token itself is shown when it is made and not kept.
type GatewayToken struct {
	ID        string    `json:"id"` // public, to list and revoke by
	Gateway   string    `json:"gateway"`
	Hash      string    `json:"hash,omitempty"` // SHA-256 of the secret, base64url; never in answers
	Created   time.Time `json:"created"`
	CreatedBy string    `json:"createdBy"`
	Expires   time.Time `json:"expires"`
	Used      time.Time `json:"used,omitzero"`
	UsedBy    string    `json:"usedBy,omitempty"`  // instance
	UsedFor   string    `json:"usedFor,omitempty"` // SHA-256 of the instance's public key, base64url
}

// KindGatewayToken is the kind of those records.
const KindGatewayToken Kind = "GatewayToken"

// Check reports what is wrong with the environment alone.
func (s *Environment) Check(c *Checker) {
	c.text("title", s.Title, 200)
	if s.Stage == "" {
		c.Errorf("stage is missing: dev, qa or prod")
	} else {
		c.At("stage").OneOf(s.Stage, false, "dev", "qa", "prod")
	}
	unique(c.At("hosts"), s.Hosts, "", same)
	for i, h := range s.Hosts {
		c.At("hosts").At(i).Host(h)
	}
	c.At("jurisdiction").place(s.Jurisdiction)
	if s.Release != nil {
		s.Release.check(c.At("release"))
	}
	c.At("policies").policies(s.Policies)
	s.checkVariables(c.At("variables"))
	if s.Gate != nil {
		s.Gate.check(c.At("gate"))
	}
	if s.KeyHeader != "" {
		c.At("keyHeader").fieldName(s.KeyHeader)
	}
}

// Check reports what is wrong with the gateway alone.
func (s *Gateway) Check(c *Checker) {
	c.text("title", s.Title, 200)
	if s.Environment == "" {
		c.Errorf("environment is missing: the one that runs here")
	} else {
		c.At("environment").Name(s.Environment)
	}
	if s.Location != nil {
		s.Location.check(c.At("location"))
	}
	c.At("runtime").OneOf(s.Runtime, true, "gatehouse", "aws", "azure", "gcp", "kong")
	if s.URL != "" {
		c.At("url").URL(s.URL, "http", "https")
	}
}

func (l *Location) check(c *Checker) {
	c.At("cloud").place(l.Cloud)
	c.At("region").place(l.Region)
	c.At("jurisdiction").place(l.Jurisdiction)
	c.At("network").OneOf(l.Network, true, "private", "public")
}

// place reports what cannot name a cloud, a region or a jurisdiction.
func (c *Checker) place(value string) {
	if value != "" && !placeForm.MatchString(value) {
		c.Errorf("%q is not a name such as \"EU\", \"aws\" or \"eu-central-1\"", value)
	}
}

// hop are fields that belong to one connection or to framing; a key in one of
// them would never arrive.
var hop = []string{"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length", "host"}

// fieldName reports what is not the name of a header field (RFC 9110 §5.1), or
// one that cannot carry a value end to end.
func (c *Checker) fieldName(value string) {
	switch {
	case !fieldForm.MatchString(value):
		c.Errorf("%q is not the name of a header field", value)
	case contains(hop, strings.ToLower(value)):
		c.Errorf("%q belongs to the connection and cannot carry keys", value)
	}
}

// Hash is the SHA-256, in hexadecimal, of the canonical JSON of the form: equal
// for what is equal in meaning, whether it came as YAML or JSON.
func (f *RevisionForm) Hash() (string, error) {
	text, err := jsonx.Canonical(f)
	if err != nil {
		return "", fmt.Errorf("hashing revision of %q: %w", f.Team+"/"+f.Name+"@"+f.Version.Name, err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}
