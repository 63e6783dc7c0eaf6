// Package jwt is the policy "jwt": it admits requests that carry a signed token
// (RFC 7519) of a known issuer, and tells later steps who the token speaks of.
//
// The rules are RFC 8725's, kept strictly: algorithms and keys are those that the
// configuration names, never those that a token asks for. Keys come from key
// sets that are fetched in the background and shared by all uses of an issuer;
// a token that was verified once is remembered by its SHA-256 until it ends.
//
// Which application a token stands for (access: token) is the pipeline's to
// find, from the claims that this policy leaves.
package jwt

import (
	"encoding/json"
	"time"

	"gatehouse/jsonx"
	"gatehouse/policy"
)

// MaxToken bounds a token, in bytes.
const MaxToken = 16 << 10

// Kind is listed in policy/all.
var Kind = policy.Kind{Name: "jwt", Doc: doc, Identifies: true, New: func() policy.Config {
	return &Config{Header: "Authorization", ClockSkew: jsonx.Duration(30 * time.Second)}
}}

const doc = `admit requests with a signed token of an issuer

The token (RFC 7519, compact and signed) is taken from "Authorization: Bearer".
It must be signed with a key of the issuer's set by one of "algorithms", have
"iss" equal to "issuer", an "exp" that is not past, no "nbf" or "iat" ahead of
now, one of "audiences" in "aud" when any are configured, each of
"requiredClaims", and all of "scopes". Anything else gets 401, missing scopes
403, both with WWW-Authenticate as RFC 6750 has it.

Keys come from "jwks", the address of a key set (RFC 7517), or, without it, from
where the issuer's /.well-known/openid-configuration says; or from "keys", a
set in the file. Sets are fetched in the background and kept when the issuer is
away. A token signed with a key that is not in the set makes the gateway look
for a new set at most once in 5 seconds; no request waits more than 2 seconds.

Tokens that are not signed ("none"), signed with a shared secret (HS256 and its
like) or encrypted are refused always. Keys and addresses inside of tokens are
ignored. A claim twice in a token is refused.

The backend does not see the token unless "forward: true" is set here or
passToken on the backend. Later steps know {subject} and {claim:NAME}.

    - jwt: {issuer: "https://id.example.com", audiences: [orders], scopes: [orders.read]}
    - jwt: {issuer: "https://id.example.com", jwks: "https://id.example.com/keys", requiredClaims: {tenant: [a, b]}}`

// Config is one use of jwt.
type Config struct {
	// Issuer that "iss" must equal, byte for byte.
	Issuer string `json:"issuer"`
	// Audiences of which "aud" must have one. Empty: "aud" is not looked at,
	// so that tokens meant for other services pass too.
	Audiences []string `json:"audiences,omitempty"`
	// JWKS is the https address of the key set; by default what the issuer's
	// discovery document says (OpenID Connect Discovery 1.0).
	JWKS string `json:"jwks,omitempty"`
	// Keys is a key set in place, instead of one to fetch: {keys: [...]},
	// public keys only.
	Keys json.RawMessage `json:"keys,omitempty"`
	// Algorithms that may have signed: RS256, RS384, RS512, PS256, PS384,
	// PS512, ES256, ES384, ES512, EdDSA. All of them by default; a key is
	// only ever used with algorithms of its own type.
	Algorithms []string `json:"algorithms,omitempty"`
	// ClockSkew by which clocks may differ, for exp, nbf and iat; at most 5m.
	ClockSkew jsonx.Duration `json:"clockSkew,omitempty"`
	// RequiredClaims must each have the value, or one of the values. A claim
	// that is a list must hold one of them. "realm.roles" looks into maps.
	RequiredClaims map[string]any `json:"requiredClaims,omitempty"`
	// Scopes that the token must all have, in "scope" (RFC 8693) or "scp".
	Scopes []string `json:"scopes,omitempty"`
	// Header that carries the token; in others than Authorization, "Bearer"
	// before it may be left out.
	Header string `json:"header,omitempty"`
	// Forward leaves the token in the request that goes to the backend.
	Forward bool `json:"forward,omitempty"`
}

// Validate checks the configuration; whether the issuer answers is seen later.
func (c *Config) Validate() error {
	_, err := c.rules()
	return err
}

// Build makes the step and ties it to the issuer's keys.
func (c *Config) Build(env policy.Env) (policy.Step, error) {
	r, err := c.rules()
	if err != nil {
		return nil, err
	}
	v := &verifier{rules: r}
	name := "jwt:" + c.Issuer + "|" + c.JWKS + "|" + string(c.Keys)
	v.source = env.Shared(name, func() (any, func()) {
		s := newSource(c, env)
		return s, s.stop
	}).(*source)
	return v.step, nil
}
