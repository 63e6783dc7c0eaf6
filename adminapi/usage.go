package adminapi

import "time"

// QueryUsage sums what gateways counted.
var QueryUsage = Route[UsageRequest, UsageAnswer]{Operation{
	ID: "queryUsage", Pattern: "GET /v1/usage", Action: "usage.get",
	Doc: `Sum what gateways counted

Rows are by the hour and the dimensions asked for. Counts arrive every few seconds; each is taken once, also after faults.`,
	Bound: "at most 100000 rows; a question with more is refused, so that nobody adds up a part",
}}

// A UsageRequest says what to sum.
type UsageRequest struct {
	From        string   `query:"from" doc:"From this moment's hour on, RFC 3339; default 24 hours before to."`
	To          string   `query:"to" doc:"Up to this moment, RFC 3339; default now."`
	By          []string `query:"by" doc:"Dimensions: hour, environment, gateway, api, operation, application, product, plan, class, denied, revision."`
	Environment string   `query:"environment"`
	Gateway     string   `query:"gateway"`
	API         string   `query:"api" doc:"team/name@version"`
	Operation   string   `query:"operation"`
	Application string   `query:"application"`
	Product     string   `query:"product"`
	Plan        string   `query:"plan"`
	Class       string   `query:"class" doc:"Status class: 2 is 200 to 299."`
	Denied      string   `query:"denied" doc:"The policy or gateway error that answered."`
	Revision    string   `query:"revision" doc:"Hash of the revision that answered, or its first twelve characters."`
}

// UsageAnswer has one row for each combination of the dimensions asked for.
type UsageAnswer struct {
	Body struct {
		From  time.Time  `json:"from"`
		To    time.Time  `json:"to"`
		Items []UsageRow `json:"items"`
	}
}

// A UsageRow is a sum; dimensions not asked for are absent.
type UsageRow struct {
	Hour        time.Time `json:"hour,omitzero"`
	Environment string    `json:"environment,omitempty"`
	Gateway     string    `json:"gateway,omitempty"`
	API         string    `json:"api,omitempty"`
	Operation   string    `json:"operation,omitempty"`
	Application string    `json:"application,omitempty"`
	Product     string    `json:"product,omitempty"`
	Plan        string    `json:"plan,omitempty"`
	Class       int       `json:"class,omitempty"`
	Denied      string    `json:"denied,omitempty"`
	Revision    string    `json:"revision,omitempty"` // the first twelve characters of its hash
	Requests    int64     `json:"requests"`
	BytesIn     int64     `json:"bytesIn"`
	BytesOut    int64     `json:"bytesOut"`
	// BackendMicros is the mean time spent waiting for the backend.
	BackendMicros int64 `json:"backendMicros,omitempty"`
	// Percentiles in microseconds: each is a bound that the true value does not
	// pass and is at most 5 % below; a factor of two where gateways of before
	// counted.
	P50 int64 `json:"p50,omitempty"`
	P95 int64 `json:"p95,omitempty"`
	P99 int64 `json:"p99,omitempty"`
}
