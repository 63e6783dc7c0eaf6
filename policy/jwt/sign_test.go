package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// rawSign signs a token's input with the standard library, so that headers that
// no library would write can be signed too.
func rawSign(t testing.TB, alg jose.SignatureAlgorithm, key any, input string) []byte {
	t.Helper()
	hash := map[jose.SignatureAlgorithm]crypto.Hash{
		jose.RS256: crypto.SHA256, jose.RS512: crypto.SHA512, jose.PS256: crypto.SHA256,
		jose.ES256: crypto.SHA256, jose.ES384: crypto.SHA384,
	}[alg]
	if ed, ok := key.(ed25519.PrivateKey); ok {
		return ed25519.Sign(ed, []byte(input))
	}
	h := hash.New()
	h.Write([]byte(input))
	digest := h.Sum(nil)
	switch k := key.(type) {
	case *rsa.PrivateKey:
		var sig []byte
		var err error
		if alg[0] == 'P' {
			sig, err = rsa.SignPSS(rand.Reader, k, hash, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		} else {
			sig, err = rsa.SignPKCS1v15(rand.Reader, k, hash, digest)
		}
		if err != nil {
			t.Fatal(err)
		}
		return sig
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, k, digest)
		if err != nil {
			t.Fatal(err)
		}
		size := (k.Curve.Params().BitSize + 7) / 8
		return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
	}
	t.Fatalf("no signing with %T", key)
	return nil
}
