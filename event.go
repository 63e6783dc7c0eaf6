package gatehouse

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"gatehouse/jsonx"
)

// Outcomes of an action.
const (
	Allowed = "allowed" // done
	Refused = "refused" // turned down: no permission, or the rules forbid it
	Failed  = "failed"  // permitted, but it could not be done
)

// An Event is one action on record: who did what to what, from where, with
// which outcome and which difference. Events form a chain: each carries the
// hash of the one before.
type Event struct {
	// Number counts events from 1 without a gap.
	Number int64 `json:"number"`
	// Time is when it was decided, UTC.
	Time time.Time `json:"time"`
	// Actor is "user:alice@example.com", "service:ci", "gateway:prod-aws-eu/…",
	// "system" for what the control plane does by itself, or "anonymous".
	Actor string `json:"actor"`
	// Authentication says how the actor proved it: "token:…" with the token's
	// public id, "certificate:…" with a serial, "session:…", "none".
	Authentication string `json:"authentication"`
	Address        string `json:"address,omitempty"`
	// Action is the operation's name in the route table, "api.put".
	Action string `json:"action"`
	// Object is "Kind team/name", such as "API payments/orders".
	Object  string `json:"object,omitempty"`
	Team    string `json:"team,omitempty"`
	Outcome string `json:"outcome"`
	// Reason says why it was refused or failed.
	Reason    string `json:"reason,omitempty"`
	RequestID string `json:"requestId,omitempty"`
	// Change is the difference as a list of {path, before, after}, paths as
	// JSON Pointers, secrets masked.
	Change []Difference `json:"change,omitempty"`
	// Seq is the number of the batch in which the event was written.
	Seq int64 `json:"seq"`
	// Previous is the hash of event Number-1, "" for the first.
	Previous string `json:"previous"`
	// Hash is the SHA-256, in hexadecimal, of the event's canonical JSON
	// without this field.
	Hash string `json:"hash,omitempty"`
}

// A Difference is one value that changed.
type Difference struct {
	Path   string          `json:"path"`
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

// Seal gives the event its place in the chain. The store calls it within the
// transaction that writes it.
func (e *Event) Seal(number, seq int64, previous string) error {
	e.Number, e.Seq, e.Previous = number, seq, previous
	h, err := e.Sum()
	e.Hash = h
	return err
}

// Sum computes what Hash must be.
func (e *Event) Sum() (string, error) {
	bare := *e
	bare.Hash = ""
	text, err := jsonx.Canonical(&bare)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}
