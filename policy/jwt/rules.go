package jwt

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"gatehouse/policy"
)

// known are the algorithms there are, all of them with a key pair. A shared
// secret would let every verifier sign, and opens the door to taking a public
// key for a secret.
var known = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// maxNames bounds lists in a configuration, maxName each text in one.
const (
	maxNames = 100
	maxName  = 1000
)

// rules are a Config, checked and prepared.
type rules struct {
	issuer     string
	audiences  []string
	algorithms []jose.SignatureAlgorithm
	skew       time.Duration
	required   []requirement
	scopes     []string
	header     string
	forward    bool
	// lacking is WWW-Authenticate for a token without the scopes.
	lacking string
}

func (c *Config) rules() (*rules, error) {
	if err := c.checkSource(); err != nil {
		return nil, err
	}
	r := &rules{
		issuer: c.Issuer, audiences: c.Audiences, skew: c.ClockSkew.Std(),
		scopes: c.Scopes, header: c.Header, forward: c.Forward,
	}
	for _, l := range []struct {
		field string
		texts []string
	}{{"audiences", c.Audiences}, {"scopes", c.Scopes}, {"algorithms", c.Algorithms}} {
		if len(l.texts) > maxNames {
			return nil, fmt.Errorf("%s: %d are more than %d", l.field, len(l.texts), maxNames)
		}
		for i, text := range l.texts {
			if text == "" || len(text) > maxName {
				return nil, fmt.Errorf("%s[%d]: is empty or longer than %d bytes", l.field, i, maxName)
			}
		}
	}
	for i, s := range c.Scopes {
		if !isScope(s) {
			return nil, fmt.Errorf("scopes[%d]: %q is not one scope; no spaces or quotes may be in it", i, s)
		}
	}
	var err error
	if r.algorithms, err = algorithms(c.Algorithms); err != nil {
		return nil, err
	}
	if r.skew > 5*time.Minute {
		return nil, fmt.Errorf(`clockSkew: %q is more than "5m"; set the clocks instead`, c.ClockSkew)
	}
	if len(c.Header) > 100 || !policy.IsToken(c.Header) || policy.Framing(c.Header) || strings.EqualFold(c.Header, "Cookie") {
		return nil, fmt.Errorf(`header: %q cannot carry a token; "Authorization" would do`, c.Header)
	}
	if r.required, err = requirements(c.RequiredClaims); err != nil {
		return nil, err
	}
	r.lacking = `Bearer error="insufficient_scope", scope="` + strings.Join(c.Scopes, " ") + `"`
	return r, nil
}

// checkSource checks the issuer and where its keys come from.
func (c *Config) checkSource() error {
	switch {
	case c.Issuer == "":
		return errors.New(`issuer: is missing; what tokens have in "iss", such as "https://id.example.com", would do`)
	case len(c.Issuer) > maxName || !policy.IsValue(c.Issuer):
		return fmt.Errorf("issuer: is longer than %d bytes or has a control character", maxName)
	case len(c.Keys) > 0 && c.JWKS != "":
		return errors.New("jwks: stands beside keys; one of them would do")
	case len(c.Keys) > 0:
		set, err := parseSet(c.Keys)
		switch {
		case err != nil:
			return fmt.Errorf("keys: %w", err)
		case len(set.skipped) > 0:
			return fmt.Errorf("keys: %w", set.skipped[0])
		}
		return nil
	case c.JWKS != "":
		return checkURL("jwks", c.JWKS)
	}
	if err := checkURL("issuer", c.Issuer); err != nil {
		return fmt.Errorf("%w; or jwks says where its keys are", err)
	}
	return nil
}

// checkURL checks an address that keys come from. Whether it may be reached is
// the gateway's to say.
func checkURL(field, address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Hostname() == "" || len(address) > maxName:
		return fmt.Errorf(`%s: %q is not an address such as "https://id.example.com"`, field, address)
	case u.User != nil || u.Fragment != "":
		return fmt.Errorf("%s: %q has a user or a fragment, which fetching keys does not use", field, u.Redacted())
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return fmt.Errorf(`%s: %q is not https; only loopback addresses may go without`, field, address)
}

func isLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

func algorithms(names []string) ([]jose.SignatureAlgorithm, error) {
	if len(names) == 0 {
		return known, nil
	}
	var out []jose.SignatureAlgorithm
	for i, name := range names {
		a := jose.SignatureAlgorithm(name)
		if !slices.Contains(known, a) {
			return nil, fmt.Errorf("algorithms[%d]: %q is not one of %s; unsigned tokens and shared secrets are never accepted", i, name, known)
		}
		out = append(out, a)
	}
	return out, nil
}

// isScope follows RFC 6749 §3.3.
func isScope(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return s != ""
}

// A requirement is one of requiredClaims: text, truth values and numbers.
type requirement struct {
	claim  string
	values []any
}

func requirements(m map[string]any) ([]requirement, error) {
	if len(m) > maxNames {
		return nil, fmt.Errorf("requiredClaims: %d are more than %d", len(m), maxNames)
	}
	var out []requirement
	for _, name := range slices.Sorted(maps.Keys(m)) {
		values, ok := m[name].([]any)
		if !ok {
			values = []any{m[name]}
		}
		if name == "" || len(values) == 0 || len(values) > maxNames {
			return nil, fmt.Errorf("requiredClaims.%s: is empty, or has more than %d values", name, maxNames)
		}
		for _, v := range values {
			switch v.(type) {
			case string, float64, bool:
			default:
				return nil, fmt.Errorf("requiredClaims.%s: a value is text, a number, true or false; one or a list of them would do", name)
			}
		}
		out = append(out, requirement{name, values})
	}
	return out, nil
}
