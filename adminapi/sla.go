package adminapi

import "time"

var slaRoutes = []Described{GetServiceLevels}

// GetServiceLevels tells how promises were kept.
var GetServiceLevels = Route[PromisesRequest, PromisesAnswer]{Operation{
	ID: "getServiceLevels", Pattern: "GET /v1/sla", Action: "sla.get",
	Doc: `Tell whether what plans and APIs promise was kept

Availability is the share of counted requests that were not answered with a status of class 5, by a backend or by the gateway. Requests turned down with a 4xx count as served; those whose caller left before the answer do not count.
Latency is known within 5 %, by bounds at round numbers of milliseconds and seconds: a promise at such a bound is decided exactly. Where the promise lies between two bounds and the quantile too, the verdict is undecided; what gateways of before counted is known by bounds that double.
Roll-ups are hourly: a rolling window holds its full hours and what the running one has so far.`,
}}

// A PromisesRequest says whose promises, and when.
type PromisesRequest struct {
	Team        string `query:"team" doc:"That promises."`
	API         string `query:"api" doc:"team/name"`
	Plan        string `query:"plan" doc:"team/product/plan"`
	Application string `query:"application" doc:"team/name: what its plans promise it."`
	Environment string `query:"environment"`
	Month       string `query:"month" doc:"2026-11; the default is the month that runs. UTC."`
	Window      string `query:"window" doc:"1h, 6h, 24h, 7d or 30d, instead of a month."`
	Paged
}

// Answers about service levels.
type (
	PromisesAnswer struct {
		Body struct {
			From  time.Time     `json:"from"`
			To    time.Time     `json:"to"`
			Items []PromiseItem `json:"items"`
			Note  string        `json:"note,omitempty"` // why there are no items
			Next  string        `json:"next,omitempty"`
		}
	}
	// A PromiseItem is one promise in one environment.
	PromiseItem struct {
		Kind        string `json:"kind"` // api, plan or application
		API         string `json:"api,omitempty"`
		Product     string `json:"product,omitempty"`
		Plan        string `json:"plan,omitempty"`
		Application string `json:"application,omitempty"`
		Environment string `json:"environment,omitempty"` // absent where nothing was counted
		Counted     int64  `json:"counted"`
		Failed      int64  `json:"failed"`
		Left        int64  `json:"left,omitempty"` // callers who left before the answer
		// Availability is there where something is promised.
		Availability *AvailabilityLevel `json:"availability,omitempty"`
		Latency      []LatencyLevel     `json:"latency,omitempty"`
		// Burn rates by rolling window up to the end: 1 uses the budget up as
		// fast as is promised.
		Burn    map[string]float64 `json:"burn,omitempty"`
		Support *SupportLevel      `json:"support,omitempty"`
		// Why nothing was measured, where nothing was.
		Why string `json:"why,omitempty"`
	}
	AvailabilityLevel struct {
		Promised float64 `json:"promised"` // percent
		Measured float64 `json:"measured"`
		Verdict  string  `json:"verdict"` // met, missed or no data
		// Budget left, in percent; below 0 it is overdrawn.
		Budget *float64 `json:"budget,omitempty"`
	}
	LatencyLevel struct {
		Percent  int    `json:"percent"`
		Promised string `json:"promised"`
		Over     string `json:"over,omitempty"` // the quantile is above this
		UpTo     string `json:"upTo,omitempty"` // and not above this
		Verdict  string `json:"verdict"`        // met, missed, undecided or no data
	}
	SupportLevel struct {
		Requests      int          `json:"requests"`
		FirstResponse SupportTally `json:"firstResponse"`
		Resolution    SupportTally `json:"resolution"`
	}
	SupportTally struct {
		Met     int `json:"met"`
		Missed  int `json:"missed"`
		Running int `json:"running"`
	}
)
