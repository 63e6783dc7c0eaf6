package snapshot

import (
	"encoding/json"

	"gatehouse/policy"
)

// Environment is what holds for all APIs of one environment.
type Environment struct {
	Name  string   `json:"name"`
	Stage string   `json:"stage"`
	Hosts []string `json:"hosts,omitempty"` // empty: any host
	// KeyHeader carries the key; "X-API-Key" unless the environment says otherwise.
	KeyHeader string `json:"keyHeader,omitempty"`
	// Gate is GateEnforce where only what has an attestation is served,
	// GateReport where what has none is served and told; "" asks nothing.
	Gate string `json:"gate,omitempty"`
}

// What an environment demands of the compliance gate.
const (
	GateEnforce = "enforce"
	GateReport  = "report"
)

// An API is one released revision of one API version in one environment.
type API struct {
	Team       string   `json:"team"`
	Name       string   `json:"name"`
	Version    string   `json:"version"`
	Revision   string   `json:"revision"`
	Hosts      []string `json:"hosts,omitempty"` // empty: the environment's
	Path       string   `json:"path"`            // base path, normalized, no slash at the end; "" is the root
	Access     string   `json:"access"`          // subscription | token | open
	Lifecycle  string   `json:"lifecycle"`
	Deprecated int64    `json:"deprecated,omitempty"` // Unix seconds, for the Deprecation field (RFC 9745)
	Sunset     int64    `json:"sunset,omitempty"`     // Unix seconds, for the Sunset field (RFC 8594)
	Successor  string   `json:"successor,omitempty"`  // link to what replaces it
	// Any passes every path and method under Path: the version has no
	// definition, or allows what its definition does not name.
	Any        bool        `json:"any,omitempty"`
	Operations []Operation `json:"operations,omitempty"`
	Backend    Backend     `json:"backend"`
	// Mandatory steps come from framework and environment and run first;
	// Policies are the version's and run after the plan's.
	Mandatory []policy.Use `json:"mandatory,omitempty"`
	Policies  []policy.Use `json:"policies,omitempty"`
}

// A Canary is another revision of an API version that takes a share of its
// callers while the API chunk of the same name takes the others. A gateway that
// does not know the kind sets it aside, and all callers stay where they were.
type Canary struct {
	Weight int `json:"weight"` // percent of the callers
	API    API `json:"api"`
	// Attestation of the revision, an attest.Attestation, where the environment's
	// gate asks for one.
	Attestation json.RawMessage `json:"attestation,omitempty"`
}

// ID is "team/name@version".
func (a *API) ID() string { return a.Team + "/" + a.Name + "@" + a.Version }

// An Operation is one method on one path template below the API's base path.
type Operation struct {
	ID       string           `json:"id"` // operationId, or "GET /things"
	Method   string           `json:"method"`
	Path     string           `json:"path"`             // "/things/{id}"; "{rest+}" takes all further segments
	Matrix   []string         `json:"matrix,omitempty"` // parameters of Path that are written ";id=5" (RFC 6570 §3.2.7)
	Policies []policy.Use     `json:"policies,omitempty"`
	Examples []policy.Example `json:"examples,omitempty"` // only where a mock can use them
}
