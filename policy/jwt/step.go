package jwt

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"slices"
	"strings"

	"gatehouse/policy"
)

// A verifier is one use of the policy.
type verifier struct {
	rules  *rules
	source *source
}

func (v *verifier) step(x *policy.Exchange) *policy.Denial {
	token, d := v.take(x)
	if d != nil {
		return d
	}
	hash := sum(token)
	t := v.source.tokens.get(&hash, v.source.generation.Load())
	if t == nil || !slices.Contains(v.rules.algorithms, t.algorithm) {
		var err error
		if t, err = v.verify(token, x); err != nil {
			if errors.Is(err, errNoKeys) {
				d := policy.Deny(http.StatusServiceUnavailable, "keys-unavailable", "the keys of the token's issuer are not at hand")
				d.Header.Add("Retry-After", "5")
				return d
			}
			return invalid(err.Error())
		}
		v.source.tokens.put(&hash, t, x.Now)
	}
	if r := v.rules.check(t, x.Now); r != nil {
		if r.lacking {
			d := policy.Deny(http.StatusForbidden, "insufficient-scope", r.why)
			d.Header.Add("WWW-Authenticate", v.rules.lacking)
			return d
		}
		return invalid(r.why)
	}
	v.admit(x, token, t)
	return nil
}

// admit leaves what later steps may know, and the token where it belongs.
func (v *verifier) admit(x *policy.Exchange, token string, t *verified) {
	x.Subject, x.Claims = t.subject, t.claims
	if !v.rules.forward && !x.PassToken {
		x.Token = token
		x.Header.Del(v.rules.header)
	}
}

// verify reads a token that is not known and checks its signature. What is wrong
// with it anyway is found first, so that no stranger's token costs a signature
// or a fetch that is not due.
func (v *verifier) verify(token string, x *policy.Exchange) (*verified, error) {
	h, claims, err := parse(token)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(v.rules.algorithms, h.algorithm) {
		return nil, errors.New("the token is not signed by an algorithm that is accepted")
	}
	t, err := read(claims)
	if err != nil {
		return nil, err
	}
	if r := v.rules.check(t, x.Now); r != nil && !r.lacking {
		return nil, errors.New(r.why)
	}
	if t.generation, err = v.source.verify(h); err != nil {
		return nil, err
	}
	t.algorithm = h.algorithm
	t.size = 1024 + 4*len(token)
	return t, nil
}

// take finds the token: in the header, or where an earlier step of this kind has
// left it.
func (v *verifier) take(x *policy.Exchange) (string, *policy.Denial) {
	switch x.Header.Count(v.rules.header) {
	case 0:
		if x.Token != "" {
			return x.Token, nil
		}
		return "", missing()
	case 1:
	default:
		d := policy.Deny(http.StatusBadRequest, "token-repeated", "the request carries more than one token")
		d.Header.Add("WWW-Authenticate", `Bearer error="invalid_request"`)
		return "", d
	}
	value := x.Header.Get(v.rules.header)
	scheme, token, ok := strings.Cut(value, " ")
	switch {
	case ok && strings.EqualFold(scheme, "Bearer"):
		token = strings.TrimLeft(token, " ")
	case !ok && !policy.EqualName(v.rules.header, "Authorization"):
		token = value
	default:
		return "", missing()
	}
	if token == "" {
		return "", missing()
	}
	if len(token) > MaxToken {
		return "", invalid("the token is too long")
	}
	return token, nil
}

// missing says no more than that a token is wanted (RFC 6750 §3.1).
func missing() *policy.Denial {
	d := policy.Deny(http.StatusUnauthorized, "token-missing", "the request carries no token")
	d.Header.Add("WWW-Authenticate", "Bearer")
	return d
}

// invalid refuses a token; why has no quote in it and nothing of the token.
func invalid(why string) *policy.Denial {
	d := policy.Deny(http.StatusUnauthorized, "token-invalid", why)
	d.Header.Add("WWW-Authenticate", `Bearer error="invalid_token", error_description="`+why+`"`)
	return d
}

// sum hashes a token without moving ordinary ones to the heap.
func sum(token string) digest {
	var b [2048]byte
	return sha256.Sum256(append(b[:0], token...))
}
