package jwt

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"gatehouse/policy"
	"gatehouse/policy/policytest"
)

// A provider answers fetches from a map and counts them.
type provider struct {
	mu      sync.Mutex
	answers map[string]string
	hang    bool
	control string
	count   int
}

func (p *provider) fetch(ctx context.Context, url string) ([]byte, func(string) string, error) {
	p.mu.Lock()
	p.count++
	body, ok := p.answers[url]
	hang, control := p.hang, p.control
	p.mu.Unlock()
	if hang {
		<-ctx.Done()
		return nil, nil, ctx.Err()
	}
	if !ok {
		return nil, nil, errors.New("the answer is 500, not 200")
	}
	return []byte(body), func(string) string { return control }, nil
}

func (p *provider) set(url, body string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers = map[string]string{url: body}
}

func (p *provider) fetches() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count
}

const jwks = issuer + "/keys"

// remote builds a use whose keys come from p, in a bubble of synctest.
func remote(t *testing.T, p *provider, config string, log ...*[]string) (policy.Step, *policytest.Use) {
	t.Helper()
	u := policytest.New(t, policytest.Decode(t, Kind, config), func(e *policy.Env) {
		e.Fetch = p.fetch
		if len(log) > 0 {
			e.Log = func(f string, a ...any) { *log[0] = append(*log[0], fmt.Sprintf(f, a...)) }
		}
	})
	synctest.Wait()
	return u.Step, u
}

const byAddress = `{"issuer":"` + issuer + `","jwks":"` + jwks + `"}`

func token(t testing.TB, key, kid, more string) string {
	return sign(t, jose.RS256, key, head256(kid), claims(more))
}

func TestDiscovery(t *testing.T) {
	tests := []struct {
		name, document string
		want           int
	}{
		{"good", `{"issuer":"` + issuer + `","jwks_uri":"` + jwks + `"}`, 0},
		{"of another issuer", `{"issuer":"https://evil.example","jwks_uri":"` + jwks + `"}`, 503},
		{"to plain http", `{"issuer":"` + issuer + `","jwks_uri":"http://id.example.com/keys"}`, 503},
		{"to a file", `{"issuer":"` + issuer + `","jwks_uri":"file:///etc/passwd"}`, 503},
		{"not JSON", `<html>`, 503},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &provider{answers: map[string]string{
					issuer + "/.well-known/openid-configuration": tt.document,
					jwks: document(t, "rsa"),
				}}
				step, _ := remote(t, p, `{"issuer":"`+issuer+`"}`)
				if d := step(bearer(token(t, "rsa", "rsa", ""))); d.Code() != tt.want {
					t.Errorf("got %d, want %d", d.Code(), tt.want)
				}
			})
		})
	}
}

// F12: known keys go on while the provider is away or talks nonsense.
func TestKnownKeysOutliveTheProvider(t *testing.T) {
	for name, fault := range map[string]func(*provider){
		"errors":        func(p *provider) { p.set("nowhere", "") },
		"HTML":          func(p *provider) { p.set(jwks, "<html>") },
		"an empty set":  func(p *provider) { p.set(jwks, `{"keys":[]}`) },
		"a poisoned":    func(p *provider) { p.set(jwks, `{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"rsa"}]}`) },
		"a set too big": func(p *provider) { p.set(jwks, strings.Repeat(" ", maxSet+1)) },
		"silence":       func(p *provider) { p.mu.Lock(); p.hang = true; p.mu.Unlock() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log []string
				p := &provider{answers: map[string]string{jwks: document(t, "rsa")}}
				step, _ := remote(t, p, byAddress, &log)
				fault(p)
				for i := range 200 {
					time.Sleep(10 * time.Minute)
					synctest.Wait()
					began := time.Now()
					if d := step(bearer(token(t, "rsa", "rsa", fmt.Sprintf(`,"n":%d`, i)))); d != nil {
						t.Fatalf("after %d refreshes: got %+v", i, d)
					}
					if took := time.Since(began); took != 0 {
						t.Fatalf("a known key waited %s", took)
					}
				}
				if len(log) != 1 {
					t.Errorf("logged %d lines, want one for the whole outage: %q", len(log), log)
				}
			})
		})
	}
}

// F12: 200 unknown key ids cost at most a few fetches, and none waits over 2 s.
func TestUnknownKeyIDsDoNotFlood(t *testing.T) {
	for _, hang := range []bool{false, true} {
		t.Run(fmt.Sprint("hang=", hang), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &provider{answers: map[string]string{jwks: document(t, "rsa")}}
				step, _ := remote(t, p, byAddress)
				p.mu.Lock()
				p.hang = hang
				p.mu.Unlock()
				time.Sleep(gap)
				before := p.fetches()
				var wg sync.WaitGroup
				for i := range 200 {
					forged := token(t, "other", fmt.Sprint("unknown-", i), "")
					wg.Go(func() {
						began := time.Now()
						if d := step(bearer(forged)); d.Code() != 401 {
							t.Errorf("got %d, want 401", d.Code())
						}
						if took := time.Since(began); took > wait {
							t.Errorf("waited %s", took)
						}
					})
				}
				wg.Wait()
				for i := range 200 { // and one after the other
					step(bearer(token(t, "other", fmt.Sprint("later-", i), "")))
				}
				if n := p.fetches() - before; n > 2 {
					t.Errorf("400 unknown key ids: %d fetches", n)
				}
			})
		})
	}
}

func TestRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &provider{answers: map[string]string{jwks: document(t, "rsa")}}
		step, _ := remote(t, p, byAddress)
		old := token(t, "rsa", "rsa", "")
		if d := step(bearer(old)); d != nil {
			t.Fatal(d)
		}
		p.set(jwks, document(t, "other"))
		time.Sleep(gap)
		if d := step(bearer(token(t, "other", "other", ""))); d != nil {
			t.Errorf("a token of the new key, at once: got %+v", d)
		}
		if d := step(bearer(old)); d.Code() != 401 {
			t.Errorf("a token of the key that went, though it was cached: got %d, want 401", d.Code())
		}
	})
}

func TestColdStartWithoutProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &provider{hang: true}
		began := time.Now()
		step, _ := remote(t, p, byAddress)
		d := step(bearer(token(t, "rsa", "rsa", "")))
		if d.Code() != 503 || d.Header.Get("Retry-After") == "" {
			t.Errorf("no keys yet: got %+v, want 503 with Retry-After", d)
		}
		if took := time.Since(began); took > wait {
			t.Errorf("waited %s", took)
		}
		p.mu.Lock()
		p.hang, p.answers = false, map[string]string{jwks: document(t, "rsa")}
		p.mu.Unlock()
		time.Sleep(2 * backoff)
		synctest.Wait()
		if d := step(bearer(token(t, "rsa", "rsa", ""))); d != nil {
			t.Errorf("after the provider came: got %+v", d)
		}
	})
}

func TestRefreshKeepsToCacheControl(t *testing.T) {
	tests := []struct {
		control string
		want    time.Duration
	}{
		{"", usual}, {"no-store", usual}, {"max-age=1", time.Minute}, {"public, Max-Age=300", 5 * time.Minute},
		{"max-age=999999999", longest}, {"max-age=-1", usual}, {"max-age=99999999999999999999", usual},
	}
	for _, tt := range tests {
		if got := lifetime(tt.control); got != tt.want {
			t.Errorf("lifetime(%q) = %s, want %s", tt.control, got, tt.want)
		}
	}
}

func TestKeySets(t *testing.T) {
	good := member0(document(t, "rsa"))
	with := func(more string) string { return `{"keys":[` + strings.TrimSuffix(good, "}") + more + `}]}` }
	tests := []struct {
		name, set string
		want      int // keys
	}{
		{"good", `{"keys":[` + good + `]}`, 1},
		{"with unknown members", with(`,"x5c":["garbage"],"ext":true`), 1},
		{"an unknown type beside it", `{"keys":[{"kty":"XYZ"},` + good + `]}`, 1},
		{"for encryption", with(`,"use":"enc"`), 0},
		{"not for verifying", with(`,"key_ops":["sign"]`), 0},
		{"for an algorithm of another type", with(`,"alg":"ES256"`), 0},
		{"for HS256", with(`,"alg":"HS256"`), 0},
		{"private", with(`,"d":"AQAB"`), 0},
		{"a secret", `{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`, 0},
		{"a small modulus", `{"keys":[{"kty":"RSA","n":"` + strings.Repeat("_", 100) + `","e":"AQAB"}]}`, 0},
		{"a huge modulus", `{"keys":[{"kty":"RSA","n":"` + strings.Repeat("_", 100_000) + `","e":"AQAB"}]}`, 0},
		{"exponent one", `{"keys":[{"kty":"RSA","n":"` + strings.Repeat("_", 342) + `","e":"AQ"}]}`, 0},
		{"a point off the curve", `{"keys":[{"kty":"EC","crv":"P-256","x":"` + strings.Repeat("A", 42) + `E","y":"` + strings.Repeat("A", 42) + `E"}]}`, 0},
		{"no list", `{"keys":{}}`, 0},
		{"no keys", `{}`, 0},
		{"null", `null`, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := parseSet([]byte(tt.set))
			if got := keysOf(s); got != tt.want || (err != nil) != (tt.want == 0) {
				t.Errorf("got %d keys and %v, want %d", got, err, tt.want)
			}
		})
	}
}

func keysOf(s *set) int {
	if s == nil {
		return 0
	}
	return len(s.keys)
}

func FuzzToken(f *testing.F) {
	good := sign(f, jose.RS256, "rsa", head256("rsa"), claims(""))
	f.Add(good)
	f.Add(encode(`{"alg":"none"}`) + "." + encode(claims("")) + ".")
	f.Add("..")
	f.Add("a.b.c.d.e")
	f.Add(encode(`{"alg":"RS256","alg":"none"}`) + "." + encode(`{"exp":1e999}`) + ".AA")
	step := policytest.Build(f, config(f, ``))
	f.Fuzz(func(t *testing.T, token string) {
		d := step(bearer(token))
		if d == nil && strings.TrimLeft(token, " ") != good {
			t.Errorf("%q was admitted and was never signed", token)
		}
		if d != nil && !policy.IsValue(d.Header.Get("WWW-Authenticate")) {
			t.Errorf("%q: challenge %q cannot be a header", token, d.Header.Get("WWW-Authenticate"))
		}
	})
}

func FuzzKeySet(f *testing.F) {
	f.Add([]byte(document(f, "rsa", "p256", "p384", "ed")))
	f.Add([]byte(`{"keys":[{"kty":"oct","k":""},{"kty":"RSA","n":"","e":""}]}`))
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-521"}]}`))
	h := head{algorithm: jose.RS256}
	good := sign(f, jose.RS256, "rsa", head256("rsa"), claims(""))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := parseSet(data)
		if (err == nil) != (keysOf(set) > 0) {
			t.Fatalf("%d keys and %v", keysOf(set), err)
		}
		for _, k := range set.candidates(h) {
			if jws, err := jose.ParseSignedCompact(good, known); err == nil {
				jws.Verify(k.public) // whatever key it is, no panic
			}
		}
	})
}
