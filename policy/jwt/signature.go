package jwt

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	_ "crypto/sha256" // SHA-256 and, below, SHA-384 and SHA-512 are found by their numbers
	_ "crypto/sha512"
	"math/big"

	"github.com/go-jose/go-jose/v4"
)

// A signing is how an algorithm of RFC 7518 §3.1 and RFC 8037 §3.1 signs.
type signing struct {
	hash crypto.Hash
	with byte // the algorithm's first letter: R, P or E; D for EdDSA
	size int  // of an ECDSA key's coordinates, bytes
}

var signings = map[jose.SignatureAlgorithm]signing{
	jose.RS256: {crypto.SHA256, 'R', 0}, jose.RS384: {crypto.SHA384, 'R', 0}, jose.RS512: {crypto.SHA512, 'R', 0},
	jose.PS256: {crypto.SHA256, 'P', 0}, jose.PS384: {crypto.SHA384, 'P', 0}, jose.PS512: {crypto.SHA512, 'P', 0},
	jose.ES256: {crypto.SHA256, 'E', 32}, jose.ES384: {crypto.SHA384, 'E', 48}, jose.ES512: {crypto.SHA512, 'E', 66},
	jose.EdDSA: {0, 'D', 0},
}

// signs tells whether the key made the token's signature. The text is what was
// signed, as it came: parse has split it, and checked that nothing in it can be
// read in two ways. The algorithm is one that the key's type is for and that is
// accepted; a test holds the answer equal to go-jose's, which reads every token
// anew to come to it.
func (k *key) signs(text string, alg jose.SignatureAlgorithm, signature []byte) bool {
	s, ok := signings[alg]
	if !ok {
		return false
	}
	if p, ok := k.public.(ed25519.PublicKey); ok {
		return s.with == 'D' && len(p) == ed25519.PublicKeySize && ed25519.Verify(p, []byte(text), signature)
	}
	if s.hash == 0 {
		return false
	}
	h := s.hash.New()
	h.Write([]byte(text))
	digest := h.Sum(nil)
	switch p := k.public.(type) {
	case *rsa.PublicKey:
		switch s.with {
		case 'R':
			return rsa.VerifyPKCS1v15(p, s.hash, digest, signature) == nil
		case 'P':
			return rsa.VerifyPSS(p, s.hash, digest, signature, nil) == nil
		}
	case *ecdsa.PublicKey:
		// RFC 7518 §3.4: two numbers of a fixed size, one after the other.
		if s.with != 'E' || len(signature) != 2*s.size || (p.Curve.Params().BitSize+7)/8 != s.size {
			return false
		}
		return ecdsa.Verify(p, digest, new(big.Int).SetBytes(signature[:s.size]), new(big.Int).SetBytes(signature[s.size:]))
	}
	return false
}
