package attest

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"

	"gatehouse/jsonx"
)

// ErrUnknownKey is in the chain of what [Open] says about a signature by a key
// that its caller does not know, yet.
var ErrUnknownKey = errors.New("the key is not known here")

// Open proves an attestation in canonical JSON and returns what it states. The
// signature is checked over the statement's text as it lies there: an
// attestation in any other form of the same JSON does not open. Ten thousand of
// them are read at a gateway's start; encoding each again would take as long as
// the proof.
func Open(data []byte, key func(id string) ed25519.PublicKey) (*Statement, error) {
	var a struct {
		Statement json.RawMessage `json:"statement"`
		KeyID     string          `json:"keyId"`
		Signature []byte          `json:"signature"`
	}
	if err := jsonx.Decode(data, &a); err != nil {
		return nil, fmt.Errorf("attestation cannot be read: %w", err)
	}
	s := new(Statement)
	if err := jsonx.Decode(a.Statement, s); err != nil {
		return nil, fmt.Errorf("attestation cannot be read: %w", err)
	}
	if s.Format != Format {
		return nil, fmt.Errorf("attestation is in format %q; this program reads %q", s.Format, Format)
	}
	public := key(a.KeyID)
	if len(public) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("attestation is signed with key %q: %w", a.KeyID, ErrUnknownKey)
	}
	if !ed25519.Verify(public, a.Statement, a.Signature) {
		return nil, errNotSigned
	}
	return s, nil
}
