package fleet

import (
	"crypto/ed25519"

	"gatehouse/attest"
)

// Attest signs a statement with the installation's key.
func (f *Fleet) Attest(s attest.Statement) (*attest.Attestation, error) {
	return attest.Sign(s, f.installation.signID, f.installation.signKey)
}

// AttestKeys are the public keys that prove what the installation signs, by id.
func (f *Fleet) AttestKeys() map[string][]byte { return f.installation.keys() }

// SignManifest signs the list of what is in a pack for an auditor. Its text
// begins as no statement and no manifest for gateways does: by its format.
func (f *Fleet) SignManifest(text []byte) (signature []byte) {
	return ed25519.Sign(f.installation.signKey, text)
}

// SigningKey is the id of the key that signs now.
func (f *Fleet) SigningKey() string { return f.installation.signID }
