package jwt

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"gatehouse/jsonx"
)

// Bounds of a key set. An RSA key beyond maxBits would make each check costly.
const (
	maxSet  = 1 << 20
	maxKeys = 200
	minBits = 2048 // RFC 7518 §3.3
	maxBits = 8192
	// maxTries bounds how many keys are tried on one token.
	maxTries = 8
)

// A set is the keys of an issuer. It is never changed.
type set struct {
	keys    []key
	skipped []error // why others were left out
	sum     [32]byte
}

type key struct {
	kid        string
	public     any
	algorithms []jose.SignatureAlgorithm
}

// A member is what is read of a key (RFC 7517 §4, RFC 7518 §6). Certificates are
// not: they prove nothing that the set's own transport does not.
type member struct {
	Kty    string   `json:"kty"`
	Kid    string   `json:"kid,omitempty"`
	Use    string   `json:"use,omitempty"`
	KeyOps []string `json:"key_ops,omitempty"`
	Alg    string   `json:"alg,omitempty"`
	Crv    string   `json:"crv,omitempty"`
	N      string   `json:"n,omitempty"`
	E      string   `json:"e,omitempty"`
	X      string   `json:"x,omitempty"`
	Y      string   `json:"y,omitempty"`
	// D and K are what no public set has.
	D any `json:"d,omitempty"`
	K any `json:"k,omitempty"`
}

// parseSet reads a key set. Keys that cannot verify tokens are left out, with
// the reason (RFC 7517 §5); a set without any that can is an error.
func parseSet(data []byte) (*set, error) {
	if len(data) > maxSet {
		return nil, fmt.Errorf("the key set is larger than %d bytes", maxSet)
	}
	if err := jsonx.CheckDepth(data); err != nil {
		return nil, err
	}
	var doc struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(data, &doc); err != nil || doc.Keys == nil {
		return nil, errors.New("it is not a key set: a JSON object with \"keys\", a list")
	}
	if len(doc.Keys) > maxKeys {
		return nil, fmt.Errorf("%d keys are more than %d", len(doc.Keys), maxKeys)
	}
	s := new(set)
	var canonical bytes.Buffer
	for i, raw := range doc.Keys {
		k, err := parseKey(raw)
		if err != nil {
			s.skipped = append(s.skipped, fmt.Errorf("keys[%d]: %w", i, err))
			continue
		}
		s.keys = append(s.keys, k)
		if c, err := jsonx.Canonical(raw); err == nil {
			canonical.Write(c)
		}
	}
	if len(s.keys) == 0 {
		if len(s.skipped) > 0 {
			return nil, fmt.Errorf("no key in the set can verify tokens: %w", s.skipped[0])
		}
		return nil, errors.New("the key set is empty")
	}
	s.sum = sha256.Sum256(canonical.Bytes())
	return s, nil
}

func parseKey(raw []byte) (key, error) {
	var m member
	if err := json.Unmarshal(raw, &m); err != nil {
		return key{}, errors.New("it is not a key")
	}
	switch {
	case m.D != nil || m.K != nil || m.Kty == "oct":
		return key{}, fmt.Errorf("key %q is not a public key", short(m.Kid))
	case m.Use != "" && m.Use != "sig":
		return key{}, fmt.Errorf("key %q is for %q, not for signatures", short(m.Kid), short(m.Use))
	case len(m.KeyOps) > 0 && !slices.Contains(m.KeyOps, "verify"):
		return key{}, fmt.Errorf("key %q is not for verifying", short(m.Kid))
	case len(m.Kid) > maxName:
		return key{}, errors.New("its kid is too long")
	}
	alg := m.Alg
	m.Alg, m.Use, m.KeyOps = "", "", nil
	reduced, err := json.Marshal(m)
	if err != nil {
		return key{}, err
	}
	var parsed jose.JSONWebKey
	if err := parsed.UnmarshalJSON(reduced); err != nil || !parsed.Valid() {
		return key{}, fmt.Errorf("key %q is not a valid key of type %q", short(m.Kid), short(m.Kty))
	}
	k := key{kid: m.Kid, public: parsed.Key}
	if k.algorithms, err = fitting(parsed.Key); err != nil {
		return key{}, fmt.Errorf("key %q: %w", short(m.Kid), err)
	}
	if alg != "" {
		if !slices.Contains(k.algorithms, jose.SignatureAlgorithm(alg)) {
			return key{}, fmt.Errorf("key %q is for %q, which does not go with its type", short(m.Kid), short(alg))
		}
		k.algorithms = []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)}
	}
	return k, nil
}

// fitting are the algorithms that a key's type is for.
func fitting(public any) ([]jose.SignatureAlgorithm, error) {
	switch p := public.(type) {
	case *rsa.PublicKey:
		if n := p.N.BitLen(); n < minBits || n > maxBits {
			return nil, fmt.Errorf("%d bits are not between %d and %d", n, minBits, maxBits)
		}
		if p.E < 3 || p.E%2 == 0 {
			return nil, errors.New("its exponent is not one")
		}
		return known[:6], nil
	case *ecdsa.PublicKey:
		switch p.Curve {
		case elliptic.P256():
			return []jose.SignatureAlgorithm{jose.ES256}, nil
		case elliptic.P384():
			return []jose.SignatureAlgorithm{jose.ES384}, nil
		case elliptic.P521():
			return []jose.SignatureAlgorithm{jose.ES512}, nil
		}
	case ed25519.PublicKey:
		return []jose.SignatureAlgorithm{jose.EdDSA}, nil
	}
	return nil, errors.New("its type is not known")
}

// candidates are the keys that may have signed a token of this head.
func (s *set) candidates(h head) []*key {
	var out []*key
	if s == nil {
		return nil
	}
	for i := range s.keys {
		k := &s.keys[i]
		if (!h.hasKid || k.kid == h.kid) && slices.Contains(k.algorithms, h.algorithm) && len(out) < maxTries {
			out = append(out, k)
		}
	}
	return out
}

// short is a stranger's text as it may stand in a log.
func short(s string) string { return s[:min(len(s), 60)] }
