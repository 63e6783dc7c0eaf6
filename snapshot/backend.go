package snapshot

import "gatehouse/jsonx"

// A Backend is where requests go in one environment.
type Backend struct {
	Name    string         `json:"name"` // "payments/orders"
	Targets []Target       `json:"targets"`
	Timeout jsonx.Duration `json:"timeout,omitempty"` // for the whole answer to begin; default 30s
	Connect jsonx.Duration `json:"connect,omitempty"` // default 5s
	Retries Retries        `json:"retries,omitzero"`
	Health  Health         `json:"health,omitzero"`
	TLS     TLS            `json:"tls,omitzero"`
	// PassHost sends the caller's Host on; otherwise the target's is sent.
	PassHost bool `json:"passHost,omitempty"`
	// PassKey and PassToken let credentials through to the backend.
	PassKey   bool `json:"passKey,omitempty"`
	PassToken bool `json:"passToken,omitempty"`
	// HTTP2 speaks HTTP/2 to the targets: by ALPN over TLS, else by prior knowledge.
	HTTP2          bool `json:"http2,omitempty"`
	MaxConnections int  `json:"maxConnections,omitempty"` // for each target; default 1024
}

// A Target is one address of a backend.
type Target struct {
	URL    string `json:"url"`
	Weight int    `json:"weight,omitempty"` // zero counts as 1
	Cloud  string `json:"cloud,omitempty"`
	Region string `json:"region,omitempty"`
}

// Retries says when a request is sent again.
type Retries struct {
	Attempts int      `json:"attempts,omitempty"` // beyond the first
	On       []string `json:"on,omitempty"`       // connect-failure, reset, timeout, or a status such as "503"
}

// Health says how targets are watched.
type Health struct {
	Path      string         `json:"path,omitempty"` // empty: passive only
	Interval  jsonx.Duration `json:"interval,omitempty"`
	Timeout   jsonx.Duration `json:"timeout,omitempty"`
	Healthy   int            `json:"healthy,omitempty"`   // answers in a row to come back; default 2
	Unhealthy int            `json:"unhealthy,omitempty"` // failures in a row to be left out; default 3
	Statuses  []int          `json:"statuses,omitempty"`  // default 200-399
}

// TLS says how a target is trusted. Certificates are PEM or references.
type TLS struct {
	CA         string `json:"ca,omitempty"`
	ServerName string `json:"serverName,omitempty"`
	Cert       string `json:"cert,omitempty"`
	Key        string `json:"key,omitempty"`
	Insecure   bool   `json:"insecure,omitempty"` // skips verification; refused outside of dev
}
