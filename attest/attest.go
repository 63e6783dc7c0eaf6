// Package attest is the result of the compliance gate as a thing that travels:
// a statement about one API revision in one environment, signed by the
// installation, that anybody with its public key verifies without a server.
//
// Package control/governance makes statements, snapshot carries them, gateways
// refuse what they do not cover, and "gatehouse gate verify" reads them from a
// file. This package signs and verifies; it evaluates nothing, and knows neither
// the words of the product nor the store.
package attest

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"gatehouse/jsonx"
)

// Format names this form of statements; a reader refuses any other.
const Format = "gatehouse/attestation/1"

// Missing is how a verifier begins to say that it has no statement on a revision.
// Why there is none, who judged knows.
const Missing = "attestation is missing"

// Outcomes of a statement and of its controls.
const (
	Passed = "passed" // obeyed
	Waived = "waived" // not obeyed, and excepted until a date
	Grace  = "grace"  // not obeyed, and on notice until a date
	Failed = "failed" // not obeyed; only advisory controls may stand in a statement so
)

// A Statement says that a revision went through the gate.
type Statement struct {
	Format       string `json:"format"`
	ID           string `json:"id"` // UUIDv7
	Installation string `json:"installation"`
	Environment  string `json:"environment"`
	API          string `json:"api"`      // "payments/orders"
	Version      string `json:"version"`  // "v1"
	Revision     string `json:"revision"` // SHA-256 of the form, hexadecimal
	// Framework and its version, and the SHA-256 of that version's text.
	Framework        string `json:"framework,omitempty"`
	FrameworkVersion string `json:"frameworkVersion,omitempty"`
	FrameworkHash    string `json:"frameworkHash,omitempty"`
	// Outcome is the worst of the required controls: passed, waived or grace.
	Outcome  string    `json:"outcome"`
	Controls []Control `json:"controls"` // in the framework's order
	Issued   time.Time `json:"issued"`
	// Expires is when the statement covers nothing any more: the earliest end of
	// the framework version's validity, its waivers and its periods of grace.
	Expires time.Time `json:"expires"`
}

// A Control is the outcome of one control.
type Control struct {
	ID      string `json:"id"`
	Outcome string `json:"outcome"`
	// Inputs is the SHA-256 of all that the check looked at; a revision whose
	// inputs are the same keeps the outcome.
	Inputs   string    `json:"inputs,omitempty"`
	Waiver   string    `json:"waiver,omitempty"`   // its id, when waived
	Evidence []string  `json:"evidence,omitempty"` // SHA-256 of each file
	Until    time.Time `json:"until,omitzero"`     // end of waiver or grace
}

// An Attestation is a statement with its signature.
type Attestation struct {
	Statement Statement `json:"statement"`
	KeyID     string    `json:"keyId"`
	// Signature is Ed25519 (RFC 8032) over the statement's canonical JSON
	// (RFC 8785).
	Signature []byte `json:"signature"`
}

// Sign makes an attestation of s.
func Sign(s Statement, keyID string, key ed25519.PrivateKey) (*Attestation, error) {
	s.Format = Format
	text, err := jsonx.Canonical(&s)
	if err != nil {
		return nil, fmt.Errorf("signing attestation %q: %w", s.ID, err)
	}
	return &Attestation{Statement: s, KeyID: keyID, Signature: ed25519.Sign(key, text)}, nil
}

// Verify reports why the signature is not that of key over the statement.
func (a *Attestation) Verify(key ed25519.PublicKey) error {
	if a.Statement.Format != Format {
		return fmt.Errorf("attestation is in format %q; this program reads %q", a.Statement.Format, Format)
	}
	text, err := jsonx.Canonical(&a.Statement)
	if err != nil {
		return err
	}
	if len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, text, a.Signature) {
		return errNotSigned
	}
	return nil
}

var errNotSigned = errors.New("attestation is not signed by the installation, or was changed since")

// Covers reports why the statement does not let a revision run at a moment:
// it is of another installation, environment, API version or revision, or has ended.
func (s *Statement) Covers(installation, environment, api, version, revision string, now time.Time) error {
	switch {
	case s.Installation != installation:
		return fmt.Errorf("attestation is of installation %q", s.Installation)
	case s.Environment != environment:
		return fmt.Errorf("attestation is for environment %q", s.Environment)
	case s.API != api || s.Version != version:
		return fmt.Errorf("attestation is for %s@%s", s.API, s.Version)
	case s.Revision != revision:
		return fmt.Errorf("attestation is for revision %.12s", s.Revision)
	case !now.Before(s.Expires):
		return fmt.Errorf("attestation ended %s", s.Expires.UTC().Format(time.RFC3339))
	}
	return nil
}
