// Package report is all that a gateway says to the control plane: what it
// runs, what it counted, how it is. It never carries a body, a key or a token.
//
// Reports are mergeable and numbered (DESIGN 7.4): a batch that arrives twice
// is taken once, and two batches add up in any order. Plain data; package link
// carries it.
package report

import "time"

// An Ack says which manifest an instance runs. It is sent after each swap.
type Ack struct {
	Gateway  string    `json:"gateway"`
	Instance string    `json:"instance"`
	Serial   int64     `json:"serial"`
	Digest   string    `json:"digest"`
	Time     time.Time `json:"time"`
	Standing
	// Refused is set when the whole manifest was refused and the one before
	// stays in force; Serial and Digest name the refused one.
	Refused string `json:"refused,omitempty"`
	// Protocol and Program let peers of different age understand each other.
	Protocol int    `json:"protocol"`
	Program  string `json:"program,omitempty"`
}

// A Refusal is one API version that an instance does not serve, and why.
type Refusal struct {
	API      string `json:"api"` // "payments/orders@v1"
	Revision string `json:"revision,omitempty"`
	Reason   string `json:"reason"`
}

// A Batch is what one instance counted in one interval. Number begins at 1 and
// grows by one for each Spool; the control plane takes each (Spool, Number)
// once and answers with the last it holds.
type Batch struct {
	Gateway  string    `json:"gateway"`
	Instance string    `json:"instance"`
	Spool    string    `json:"spool"` // random name of the spool the number counts in
	Number   int64     `json:"number"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Counts   []Count   `json:"counts,omitempty"`
	Dropped  int64     `json:"dropped,omitempty"` // log lines dropped under load, never counts
}

// A Count adds up requests alike.
type Count struct {
	API         string `json:"api"`
	Operation   string `json:"operation,omitempty"`
	Application string `json:"application,omitempty"`
	Product     string `json:"product,omitempty"`
	Plan        string `json:"plan,omitempty"`
	// Revision of the API version that answered, the first [RevisionSize] of its
	// hash; "" from gateways of before and where no API was found.
	Revision string `json:"revision,omitempty"`
	Class    int    `json:"class"`            // status class: 1 to 5
	Denied   string `json:"denied,omitempty"` // the policy or gateway error that answered
	Requests int64  `json:"requests"`
	BytesIn  int64  `json:"bytesIn,omitempty"`
	BytesOut int64  `json:"bytesOut,omitempty"`
	// Latency counts requests by LatencyBounds; the entry behind the last bound
	// is above all, and entries that are not there are zero.
	Latency []int64 `json:"latency,omitempty"`
	// Bins tells the same more finely; none from gateways of before, and less than
	// all where their counts were merged in. See [Distribution].
	Bins Bins `json:"bins,omitempty"`
	// Backend is the sum of time spent waiting for the backend, microseconds.
	BackendMicros int64 `json:"backendMicros,omitempty"`
}

// RevisionSize is how much of a revision's hash counts are told apart by:
// enough among the revisions of one API version.
const RevisionSize = 12

// ShortRevision is the part of a revision's hash that counts carry.
func ShortRevision(hash string) string { return hash[:min(len(hash), RevisionSize)] }

// Health is an instance's own account of itself, sent with each poll.
type Health struct {
	Started     time.Time `json:"started"`
	Program     string    `json:"program,omitempty"`
	Connections int64     `json:"connections,omitempty"`
	Unsent      int64     `json:"unsent,omitempty"` // batches in the spool
	// Backends are targets that do not stand well; all others do.
	Backends []BackendState `json:"backends,omitempty"`
}

// BackendState is one target as the instance sees it.
type BackendState struct {
	Backend string `json:"backend"`
	Target  string `json:"target"`
	Healthy bool   `json:"healthy"`
	Reason  string `json:"reason,omitempty"`
}
