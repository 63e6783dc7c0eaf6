package gatehouse

import (
	"time"

	"gatehouse/jsonx"
	"gatehouse/report"
)

// States of a release.
const (
	ReleaseWanted    = "wanted"    // the revision is to run
	ReleaseRequested = "requested" // another one waits for approval; see Proposed
)

// A Release is the wish that a revision runs in an environment, kept under
// "Release/<environment>/<team>/<name>/<version>".
type Release struct {
	Environment string `json:"environment"`
	API         string `json:"api"`     // "payments/orders"
	Version     string `json:"version"` // "v1"
	Revision    string `json:"revision"`
	Previous    string `json:"previous,omitempty"` // revision before, for rollback
	// State: wanted, or requested where the environment asks for approval.
	State string    `json:"state"`
	Time  time.Time `json:"time"`
	By    string    `json:"by"`
	// Proposed is the revision that waits for approval, when State is requested;
	// Revision stays live meanwhile.
	Proposed string `json:"proposed,omitempty"`
	// ProposedCanary is how Proposed is to come once it is approved, ProposedAt
	// when; zero: whole, at once.
	ProposedCanary *CanaryPlan `json:"proposedCanary,omitempty"`
	ProposedAt     time.Time   `json:"proposedAt,omitzero"`
	Note           string      `json:"note,omitempty"`
	// Override is why a freeze of the environment was overridden.
	Override string `json:"override,omitempty"`
	// Canary is another revision that takes a share of the callers.
	Canary *Canary `json:"canary,omitempty"`
	// CanaryEnded is how the canary went whose callers were sent back last; gone
	// with the next change.
	CanaryEnded *CanaryEnd `json:"canaryEnded,omitempty"`
}

// A CanaryEnd is why a canary did not come in.
type CanaryEnd struct {
	Revision string `json:"revision"`
	Weight   int    `json:"weight"` // percent of the callers it had
	By       string `json:"by"`
	Reason   string `json:"reason,omitempty"` // the bound it passed, or what who stopped it said
}

// A CanaryPlan says how a revision comes in steps.
type CanaryPlan struct {
	Steps []int `json:"steps"` // percent of the callers, growing; 100 follows by itself
	// Every is how long each step lasts at least.
	Every jsonx.Duration `json:"every"`
	// StopOn are bounds; past any of them the canary goes and its callers go back.
	StopOn []CanaryBound `json:"stopOn,omitempty"`
	// Requests that a step must have seen before it ends or is judged.
	Requests int64 `json:"requests,omitempty"`
}

// A CanaryBound is what a measure of the canary's answers must not pass.
type CanaryBound struct {
	// Measure: errors (the share of answers of class 5xx, in percent), p50, p95
	// or p99 (latency, in milliseconds).
	Measure string  `json:"measure"`
	Over    float64 `json:"over"`
}

// States of a canary.
const (
	CanaryRunning = "running"
	CanaryPaused  = "paused" // keeps its share until it is resumed
)

// A Canary is a revision on its way into an environment.
type Canary struct {
	CanaryPlan
	Revision string `json:"revision"`
	State    string `json:"state"` // CanaryRunning or CanaryPaused
	Step     int    `json:"step"`  // index of the step in force
	// Since is when the step in force began, or when it was resumed.
	Since   time.Time `json:"since"`
	Started time.Time `json:"started"`
	By      string    `json:"by"`
	Note    string    `json:"note,omitempty"`
	// Override is why a freeze was overridden when it began.
	Override string `json:"override,omitempty"`
	// Base is what was counted of the revision in the hours of the step before
	// it began: counts are kept by the hour.
	Base CanaryCount `json:"base"`
	// Waits is why the step does not end though its time is over.
	Waits string `json:"waits,omitempty"`
}

// A CanaryCount is what gateways counted of one revision.
type CanaryCount struct {
	From     time.Time `json:"from,omitzero"` // start of the hour it counts from
	Requests int64     `json:"requests,omitempty"`
	Errors   int64     `json:"errors,omitempty"` // answers of class 5xx
	// Latency is by report.LatencyBounds, Bins tells the same more finely.
	Latency []int64     `json:"latency,omitempty"`
	Bins    report.Bins `json:"bins,omitempty"`
}

// Weight is the percentage of callers on the canary's side.
func (c *Canary) Weight() int {
	if c.Step < 0 || c.Step >= len(c.Steps) {
		return 0
	}
	return c.Steps[c.Step]
}

// KindReleaseSchedule is the kind of the records of releases that are to come.
const KindReleaseSchedule Kind = "ReleaseSchedule"

// States of a scheduled release.
const (
	ScheduleWaiting   = "waiting"
	ScheduleAwaiting  = "awaiting" // until the revision is live where it has to be first
	ScheduleDone      = "done"
	ScheduleSkipped   = "skipped" // the rules no longer let it; Reason says which
	ScheduleCancelled = "cancelled"
)

// A ReleaseSchedule is a release that is to happen at a time, kept under
// "ReleaseSchedule/<environment>/<team>/<name>/<version>"; history keeps those
// before.
type ReleaseSchedule struct {
	Environment string      `json:"environment"`
	API         string      `json:"api"`
	Version     string      `json:"version"`
	Revision    string      `json:"revision"` // as it was chosen: later ones do not slip in
	Canary      *CanaryPlan `json:"canary,omitempty"`
	At          time.Time   `json:"at"`
	State       string      `json:"state"`
	By          string      `json:"by"` // who scheduled it
	Made        time.Time   `json:"made"`
	Note        string      `json:"note,omitempty"`
	Override    string      `json:"override,omitempty"`
	// Approved is set when those who had to approve it have: at its time it is
	// released and not requested.
	Approved bool `json:"approved,omitempty"`
	// ApprovedBy are the persons who have. Should the environment ask for more by
	// then, it is requested again instead.
	ApprovedBy []string  `json:"approvedBy,omitempty"`
	Ended      time.Time `json:"ended,omitzero"`
	EndedBy    string    `json:"endedBy,omitempty"`
	Reason     string    `json:"reason,omitempty"` // why it was skipped or cancelled
}

// Open reports whether it is still to happen.
func (s *ReleaseSchedule) Open() bool {
	return s.State == ScheduleWaiting || s.State == ScheduleAwaiting
}
