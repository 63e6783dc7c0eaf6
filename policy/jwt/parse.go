package jwt

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// maxDepth bounds how deeply a token's JSON nests, maxMembers how many values
// it has.
const (
	maxDepth   = 20
	maxMembers = 2000
)

// A head is what verifying needs of a token's header. All else in it, such as
// jku, x5u and jwk, is ignored.
type head struct {
	algorithm jose.SignatureAlgorithm
	kid       string
	hasKid    bool
	signed    string // what the signature is over
	signature []byte
}

// parse splits a token and reads its header and claims, none of it trusted yet.
func parse(token string) (head, map[string]any, error) {
	var h head
	if len(token) > MaxToken {
		return h, nil, fmt.Errorf("the token is longer than %d bytes", MaxToken)
	}
	switch strings.Count(token, ".") {
	case 2:
	case 4:
		return h, nil, errors.New("the token is encrypted, which is not supported")
	default:
		return h, nil, errors.New("the token does not have three parts")
	}
	first, rest, _ := strings.Cut(token, ".")
	second, third, _ := strings.Cut(rest, ".")
	header, err := part(first)
	if err != nil {
		return h, nil, fmt.Errorf("the token's header %w", err)
	}
	if h, err = readHead(header); err != nil {
		return h, nil, err
	}
	claims, err := part(second)
	if err != nil {
		return h, nil, fmt.Errorf("the token's claims %w", err)
	}
	if h.signature, err = decode(third); err != nil {
		return h, nil, errors.New("the token's signature is not base64url")
	}
	h.signed = token[:len(token)-len(third)-1]
	return h, claims, nil
}

func readHead(m map[string]any) (head, error) {
	var h head
	alg, ok := m["alg"].(string)
	if !ok {
		return h, errors.New("the token's header has no algorithm")
	}
	h.algorithm = jose.SignatureAlgorithm(alg)
	if kid, has := m["kid"]; has {
		if h.kid, h.hasKid = kid.(string); !h.hasKid {
			return h, errors.New("the token's kid is not text")
		}
	}
	if _, has := m["crit"]; has { // RFC 7515 §4.1.11: none is understood here
		return h, errors.New("the token has critical extensions, which are not supported")
	}
	if typ, has := m["typ"]; has && !isType(typ) { // RFC 8725 §3.11
		return h, errors.New("the token is of a type that is not for access")
	}
	return h, nil
}

func isType(typ any) bool {
	s, ok := typ.(string)
	if s = strings.ToLower(s); strings.HasPrefix(s, "application/") {
		s = s[len("application/"):]
	}
	return ok && slices.Contains([]string{"jwt", "at+jwt", "jose"}, s)
}

// part decodes one part of a token into a JSON object whose every name is there
// once, at every depth.
func part(text string) (map[string]any, error) {
	data, err := decode(text)
	if err != nil {
		return nil, err
	}
	return readObject(data)
}

// decode reads base64url without padding (RFC 7515 §2), and nothing that another
// reader could read differently: no line breaks, no stray bits.
func decode(text string) ([]byte, error) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, errors.New("are not base64url")
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, errors.New("are not base64url")
	}
	return data, nil
}
