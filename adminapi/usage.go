package adminapi

import "time"

// QueryUsage sums what gateways counted.
var QueryUsage = Route[QueryUsageRequest, UsageAnswer]{Operation{
	ID: "queryUsage", Pattern: "GET /v1/usage", Action: "usage.query", On: "organization",
	Doc: `Sum requests over a time, by dimensions

Counts arrive in batches, every few seconds; each is taken once, also after faults.`,
}}

// A QueryUsageRequest says what to sum.
type QueryUsageRequest struct {
	From        string   `query:"from" doc:"From this moment's hour on, RFC 3339; default 24 hours ago."`
	To          string   `query:"to" doc:"Up to this moment, RFC 3339; default now."`
	By          []string `query:"by" doc:"Dimensions: hour, environment, gateway, api, operation, application, product, plan, class, denied." default:"api"`
	Environment string   `query:"environment"`
	API         string   `query:"api" doc:"team/name@version"`
	Application string   `query:"application"`
	Product     string   `query:"product"`
	Plan        string   `query:"plan"`
}

// UsageAnswer has one row for each combination of the dimensions asked for.
type UsageAnswer struct {
	Body struct {
		From  time.Time   `json:"from"`
		To    time.Time   `json:"to"`
		Items []UsageItem `json:"items"`
	}
}

// A UsageItem is a sum; dimensions not asked for are absent.
type UsageItem struct {
	Hour        time.Time `json:"hour,omitzero"`
	Environment string    `json:"environment,omitempty"`
	Gateway     string    `json:"gateway,omitempty"`
	API         string    `json:"api,omitempty"`
	Operation   string    `json:"operation,omitempty"`
	Application string    `json:"application,omitempty"`
	Product     string    `json:"product,omitempty"`
	Plan        string    `json:"plan,omitempty"`
	Class       int       `json:"class,omitempty" doc:"Status class, 2 for 200 to 299."`
	Denied      string    `json:"denied,omitempty" doc:"The policy or gateway error that answered."`
	Requests    int64     `json:"requests"`
	BytesIn     int64     `json:"bytesIn"`
	BytesOut    int64     `json:"bytesOut"`
	// P50 and P95 in milliseconds are read from a histogram whose bounds
	// double: each is the bound that the true value does not pass.
	P50 float64 `json:"p50,omitempty"`
	P95 float64 `json:"p95,omitempty"`
}
