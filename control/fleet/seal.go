package fleet

import (
	"crypto/cipher"
	"crypto/rand"
	"path/filepath"

	"gatehouse"
)

// ID names the installation.
func (f *Fleet) ID() string { return f.installation.id }

// Seal closes a secret with the installation's key, bound to a name.
func (f *Fleet) Seal(name string, secret []byte) ([]byte, error) {
	with, err := f.sealer()
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, with.NonceSize())
	rand.Read(nonce) // never fails (crypto/rand)
	return with.Seal(nonce, nonce, secret, f.bound(name)), nil
}

// Unseal opens what [Fleet.Seal] closed under the same name.
func (f *Fleet) Unseal(name string, sealed []byte) ([]byte, error) {
	with, err := f.sealer()
	if err != nil {
		return nil, err
	}
	if len(sealed) < with.NonceSize() {
		return nil, gatehouse.E(gatehouse.Internal, "opening secret %q: it is no sealed secret", name)
	}
	secret, err := with.Open(nil, sealed[:with.NonceSize()], sealed[with.NonceSize():], f.bound(name))
	if err != nil {
		return nil, gatehouse.E(gatehouse.Internal, "opening secret %q: it was sealed with another key, or for another name", name)
	}
	return secret, nil
}

// bound is what a sealed secret is good for; identity keys are bound to names
// without the word in front.
func (f *Fleet) bound(name string) []byte { return []byte(f.ID() + "\x00sealed\x00" + name) }

func (f *Fleet) sealer() (cipher.AEAD, error) {
	path := filepath.Join(f.Dir, keyFile)
	with, err := readKey(path)
	if err != nil {
		return nil, gatehouse.E(gatehouse.Unavailable, "reading the installation's key: %w", err)
	}
	return with, nil
}
