package gatehouse

import "time"

// KindDecision is the kind of the records of who approved or rejected what.
const KindDecision Kind = "Decision"

// A Decision is one person's word on one thing that waits for approval: a
// framework version, a waiver, a release, an on-boarding, an answer. It is kept
// under "Decision/<subject>/<digest>/<by>", written once and never changed:
// who thinks otherwise later decides on something new.
type Decision struct {
	// Subject is what is decided on: "Framework corporate@2026.1".
	Subject string `json:"subject"`
	// Digest is the SHA-256 of what was decided on, so that a decision is never
	// taken for one on a later form.
	Digest   string `json:"digest"`
	Decision string `json:"decision"` // Approved or Rejected
	// By is the person, "user:alice@example.com", counted once whatever groups
	// the permission came through.
	By       string    `json:"by"`
	Time     time.Time `json:"time"`
	Comment  string    `json:"comment,omitempty"`
	Evidence []string  `json:"evidence,omitempty"` // SHA-256 of files kept as Evidence
}
