package link

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
)

// TokenPrefix begins every join token, so that scanners for secrets know it.
const TokenPrefix = "ghj_"

// A Token lets one instance join a gateway, once. Its text is the prefix and
// base64url of id, secret, the authority's fingerprint and a checksum; the
// fingerprint lets the joining gateway tell its control plane from any other.
type Token struct {
	ID        [9]byte
	Secret    [32]byte
	Authority [sha256.Size]byte // SHA-256 of the authority's certificate
}

// NewToken makes a random token for an authority.
func NewToken(authority []byte) *Token {
	t := &Token{Authority: sha256.Sum256(authority)}
	rand.Read(t.ID[:]) // never fails (crypto/rand)
	rand.Read(t.Secret[:])
	return t
}

// PublicID is safe to show: it names the token but does not use it.
func (t *Token) PublicID() string { return "join_" + base64.RawURLEncoding.EncodeToString(t.ID[:]) }

// Hash is what the control plane keeps of the secret.
func (t *Token) Hash() string {
	sum := sha256.Sum256(t.Secret[:])
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// String is the token's text: a secret.
func (t *Token) String() string {
	b := append(append(append([]byte{}, t.ID[:]...), t.Secret[:]...), t.Authority[:]...)
	sum := sha256.Sum256(b)
	return TokenPrefix + base64.RawURLEncoding.EncodeToString(append(b, sum[:4]...))
}

// ParseToken reads a token's text. Errors never contain it.
func ParseToken(text string) (*Token, error) {
	raw, ok := strings.CutPrefix(strings.TrimSpace(text), TokenPrefix)
	if !ok {
		return nil, errors.New("a join token begins with " + TokenPrefix + "; make one with \"gatehouse gateway-token create\"")
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(raw)
	t := new(Token)
	const size = len(t.ID) + len(t.Secret) + len(t.Authority)
	if err != nil || len(b) != size+4 {
		return nil, errors.New("join token is cut short or changed")
	}
	if sum := sha256.Sum256(b[:size]); !bytes.Equal(sum[:4], b[size:]) {
		return nil, errors.New("join token is cut short or changed: its checksum is wrong")
	}
	n := copy(t.ID[:], b)
	n += copy(t.Secret[:], b[n:])
	copy(t.Authority[:], b[n:])
	return t, nil
}
