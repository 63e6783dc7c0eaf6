package fleet

import "gatehouse/attest"

// Attest signs a statement with the installation's key.
func (f *Fleet) Attest(s attest.Statement) (*attest.Attestation, error) {
	return attest.Sign(s, f.installation.signID, f.installation.signKey)
}

// AttestKeys are the public keys that prove what the installation signs, by id.
func (f *Fleet) AttestKeys() map[string][]byte { return f.installation.keys() }
