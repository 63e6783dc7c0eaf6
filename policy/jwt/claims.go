package jwt

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// maxTime is the end of the year 9999: later times are no times.
const maxTime = 253402300799

// A verified token is one whose signature is right. What it says about times and
// audiences is checked on each use.
type verified struct {
	claims     map[string]any
	issuer     string
	subject    string
	audiences  []string
	scopes     []string
	expires    float64 // Unix seconds
	notBefore  float64 // later of nbf and iat; zero for none
	generation uint64  // of the key set that verified it
	algorithm  jose.SignatureAlgorithm
	size       int // bytes it is counted with in the cache
}

// read takes the registered claims (RFC 7519 §4.1) out, strictly typed.
func read(claims map[string]any) (*verified, error) {
	v := &verified{claims: claims}
	var err error
	if v.issuer, err = text(claims, "iss"); err != nil {
		return nil, err
	}
	if v.subject, err = text(claims, "sub"); err != nil {
		return nil, err
	}
	if v.audiences, err = texts(claims, "aud"); err != nil {
		return nil, err
	}
	if _, has := claims["exp"]; !has {
		return nil, errors.New("the token has no exp")
	}
	if v.expires, err = moment(claims, "exp"); err != nil {
		return nil, err
	}
	nbf, err := moment(claims, "nbf")
	if err != nil {
		return nil, err
	}
	iat, err := moment(claims, "iat")
	if err != nil {
		return nil, err
	}
	v.notBefore = max(nbf, iat)
	v.scopes = scopes(claims)
	return v, nil
}

func text(claims map[string]any, name string) (string, error) {
	v, has := claims[name]
	s, ok := v.(string)
	if has && !ok {
		return "", errors.New("the token's " + name + " is not text")
	}
	return s, nil
}

// texts reads text or a list of texts.
func texts(claims map[string]any, name string) ([]string, error) {
	v, has := claims[name]
	if !has {
		return nil, nil
	}
	if s, ok := v.(string); ok {
		return []string{s}, nil
	}
	list, ok := v.([]any)
	var out []string
	for _, e := range list {
		s, isText := e.(string)
		ok = ok && isText
		out = append(out, s)
	}
	if !ok {
		return nil, errors.New("the token's " + name + " is neither text nor a list of texts")
	}
	return out, nil
}

// moment reads a NumericDate (RFC 7519 §2); zero when there is none.
func moment(claims map[string]any, name string) (float64, error) {
	v, has := claims[name]
	if !has {
		return 0, nil
	}
	n, ok := v.(json.Number)
	f, err := n.Float64()
	if !ok || err != nil || f < 0 || f > maxTime {
		return 0, errors.New("the token's " + name + " is not a time in seconds")
	}
	return f, nil
}

// scopes are those of "scope", text with spaces between (RFC 8693 §4.2), and of
// "scp", the same or a list.
func scopes(claims map[string]any) []string {
	var out []string
	for _, name := range []string{"scope", "scp"} {
		list, _ := texts(claims, name)
		for _, s := range list {
			out = append(out, strings.Fields(s)...)
		}
	}
	return out
}

// A refusal is why a token does not do; lacking when only scopes are missing.
type refusal struct {
	why     string
	lacking bool
}

// check tells why v does not do at now, or nil.
func (r *rules) check(v *verified, now time.Time) *refusal {
	at := float64(now.UnixMilli()) / 1000
	skew := r.skew.Seconds()
	switch {
	case v.issuer != r.issuer:
		return &refusal{why: "the token is of another issuer"}
	case at >= v.expires+skew:
		return &refusal{why: "the token has expired"}
	case at < v.notBefore-skew:
		return &refusal{why: "the token is not valid yet"}
	case len(r.audiences) > 0 && !slices.ContainsFunc(v.audiences, func(a string) bool { return slices.Contains(r.audiences, a) }):
		return &refusal{why: "the token is for another audience"}
	}
	for i := range r.required {
		if !r.required[i].met(v.claims) {
			return &refusal{why: "the token's claims are not those required"}
		}
	}
	for _, s := range r.scopes {
		if !slices.Contains(v.scopes, s) {
			return &refusal{why: "the token lacks a scope", lacking: true}
		}
	}
	return nil
}

// met tells whether the claim, or one of a claim that is a list, is one of the
// values.
func (q *requirement) met(claims map[string]any) bool {
	claim, ok := find(claims, q.claim)
	if !ok {
		return false
	}
	if list, ok := claim.([]any); ok {
		return slices.ContainsFunc(list, q.has)
	}
	return q.has(claim)
}

// find looks for a claim by its whole name, then by a path through maps.
func find(claims map[string]any, name string) (any, bool) {
	if v, ok := claims[name]; ok {
		return v, true
	}
	first, rest, ok := strings.Cut(name, ".")
	if !ok {
		return nil, false
	}
	inner, ok := claims[first].(map[string]any)
	if !ok {
		return nil, false
	}
	return find(inner, rest)
}

func (q *requirement) has(claim any) bool {
	for _, want := range q.values {
		switch want := want.(type) {
		case string:
			if s, ok := claim.(string); ok && s == want {
				return true
			}
		case bool:
			if b, ok := claim.(bool); ok && b == want {
				return true
			}
		case float64:
			if n, ok := claim.(json.Number); ok && same(n, want) {
				return true
			}
		}
	}
	return false
}

func same(n json.Number, want float64) bool {
	f, err := strconv.ParseFloat(n.String(), 64)
	return err == nil && f == want
}
