package gatehouse

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"gatehouse/jsonx"
)

// digestOf is the SHA-256 of a value's canonical JSON, in hexadecimal.
func digestOf(v any) (string, error) {
	text, err := jsonx.Canonical(v)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// Requested is the digest of what a waiver asks for: who decides on it names
// what they read, so that a word is never taken for one on something else.
func (w *Waiver) Requested() (string, error) {
	return digestOf(&Waiver{
		ID: w.ID, Framework: w.Framework, Control: w.Control, API: w.API, Environment: w.Environment, Reason: w.Reason, AskedBy: w.AskedBy,
		Asked: w.Asked, Expires: w.Expires,
	})
}

// Given is the digest of an answer as it was given, before anybody decided on it.
func (a *Answer) Given() (string, error) {
	given := *a
	given.State, given.DecidedBy, given.Decided, given.Comment = Requested, "", time.Time{}, ""
	return digestOf(&given)
}

// Requested is the digest of the release that waits for approval: the revision,
// in which way and when it comes, who asked and why.
func (r *Release) Requested() (string, error) {
	return digestOf(&Release{
		Environment: r.Environment, API: r.API, Version: r.Version, Proposed: r.Proposed, ProposedCanary: r.ProposedCanary,
		ProposedAt: r.ProposedAt, Time: r.Time, By: r.By, Note: r.Note, Override: r.Override,
	})
}

// AsRead refuses a decision on what is not what was read. A digest that is left
// out is that of whatever waits.
func AsRead(read, waits, what string) error {
	if read == "" || read == waits {
		return nil
	}
	return E(Lost, "%s that waits is %.12s, not %.12s, which was read: read it again", what, waits, read)
}
