package jwt

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"go.uber.org/goleak"

	"gatehouse/policy"
	"gatehouse/policy/policytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const issuer = "https://id.example.com"

// keys of the tests, made once.
var keys = sync.OnceValue(func() map[string]any {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	other, _ := rsa.GenerateKey(rand.Reader, 2048)
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	return map[string]any{"rsa": rsaKey, "other": other, "p256": p256, "p384": p384, "ed": ed}
})

// document is a key set of the named keys, each with its name as kid.
func document(t testing.TB, names ...string) string {
	t.Helper()
	var set jose.JSONWebKeySet
	for _, n := range names {
		k := jose.JSONWebKey{Key: keys()[n], KeyID: n}
		set.Keys = append(set.Keys, k.Public())
	}
	text, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// sign makes a token of a header and claims as they are written.
func sign(t testing.TB, alg jose.SignatureAlgorithm, key, header, claims string) string {
	t.Helper()
	input := encode(header) + "." + encode(claims)
	sig := rawSign(t, alg, keys()[key], input)
	return input + "." + base64.RawURLEncoding.EncodeToString(sig)
}

func head256(key string) string { return fmt.Sprintf(`{"alg":"RS256","kid":%q,"typ":"JWT"}`, key) }

func claims(more string) string {
	return fmt.Sprintf(`{"iss":%q,"sub":"user-1","aud":["orders","other"],"exp":%d,"scope":"a b"%s}`, issuer, policytest.Now.Unix()+300, more)
}

func config(t testing.TB, more string) *Config {
	t.Helper()
	return policytest.Decode(t, Kind, fmt.Sprintf(`{"issuer":%q,"keys":%s%s}`, issuer, document(t, "rsa", "p256", "p384", "ed"), more)).(*Config)
}

func bearer(token string) *policy.Exchange {
	return policytest.Request("GET", "/orders/7", "Authorization: Bearer "+token)
}

func TestTokens(t *testing.T) {
	now := policytest.Now.Unix()
	good := sign(t, jose.RS256, "rsa", head256("rsa"), claims(""))
	h, rest, _ := strings.Cut(good, ".")
	c, s, _ := strings.Cut(rest, ".")
	times := func(format string, args ...any) string {
		return sign(t, jose.RS256, "rsa", head256("rsa"), fmt.Sprintf(`{"iss":%q,"aud":"orders",`+format+`}`, append([]any{issuer}, args...)...))
	}
	mac := hmac.New(sha256.New, []byte(document(t, "rsa")))
	hs := encode(`{"alg":"HS256","kid":"rsa"}`) + "." + c
	mac.Write([]byte(hs))
	tests := []struct {
		name, token, config string
		want                int
	}{
		{"good", good, ``, 0},
		{"RS512", sign(t, jose.RS512, "rsa", `{"alg":"RS512","kid":"rsa"}`, claims("")), ``, 0},
		{"PS256", sign(t, jose.PS256, "rsa", `{"alg":"PS256","kid":"rsa"}`, claims("")), ``, 0},
		{"ES256", sign(t, jose.ES256, "p256", `{"alg":"ES256","kid":"p256"}`, claims("")), ``, 0},
		{"ES384", sign(t, jose.ES384, "p384", `{"alg":"ES384","kid":"p384"}`, claims("")), ``, 0},
		{"EdDSA", sign(t, jose.EdDSA, "ed", `{"alg":"EdDSA","kid":"ed"}`, claims("")), ``, 0},
		{"without kid", sign(t, jose.RS256, "rsa", `{"alg":"RS256"}`, claims("")), ``, 0},
		{"type at+jwt", sign(t, jose.RS256, "rsa", `{"alg":"RS256","kid":"rsa","typ":"application/at+jwt"}`, claims("")), ``, 0},

		{"algorithm none", encode(`{"alg":"none"}`) + "." + c + ".", ``, 401},
		{"algorithm NONE with a signature", encode(`{"alg":"NONE"}`) + "." + c + "." + s, ``, 401},
		{"HS256 with the public key set as secret", hs + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), ``, 401},
		{"algorithm not configured", good, `,"algorithms":["ES256"]`, 401},
		{"ES256 with a P-384 key", sign(t, jose.ES384, "p384", `{"alg":"ES256","kid":"p384"}`, claims("")), ``, 401},
		{"ES256 with r and s zero", encode(`{"alg":"ES256","kid":"p256"}`) + "." + c + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 64)), ``, 401},
		{"another's key under a known kid", sign(t, jose.RS256, "other", head256("rsa"), claims("")), ``, 401},
		{"kid that is not known", sign(t, jose.RS256, "other", head256("other"), claims("")), ``, 401},
		{"kid that is a path", sign(t, jose.RS256, "other", `{"alg":"RS256","kid":"../../dev/null"}`, claims("")), ``, 401},
		{"kid that is a number", sign(t, jose.RS256, "rsa", `{"alg":"RS256","kid":1}`, claims("")), ``, 401},
		{"key inside the token", sign(t, jose.RS256, "other", `{"alg":"RS256","jwk":`+member0(document(t, "other"))+`}`, claims("")), ``, 401},
		{"jku and x5u", sign(t, jose.RS256, "other", `{"alg":"RS256","jku":"https://evil.example/k","x5u":"https://evil.example/c"}`, claims("")), ``, 401},
		{"crit", sign(t, jose.RS256, "rsa", `{"alg":"RS256","kid":"rsa","crit":["exp"],"exp":1}`, claims("")), ``, 401},
		{"crit that is empty", sign(t, jose.RS256, "rsa", `{"alg":"RS256","kid":"rsa","crit":[]}`, claims("")), ``, 401},
		{"b64 false", sign(t, jose.RS256, "rsa", `{"alg":"RS256","kid":"rsa","b64":false,"crit":["b64"]}`, claims("")), ``, 401},
		{"type of another kind of token", sign(t, jose.RS256, "rsa", `{"alg":"RS256","kid":"rsa","typ":"logout+jwt"}`, claims("")), ``, 401},
		{"algorithm twice", sign(t, jose.RS256, "rsa", `{"alg":"none","alg":"RS256","kid":"rsa"}`, claims("")), ``, 401},
		{"claims changed", h + "." + encode(claims(`,"admin":true`)) + "." + s, ``, 401},
		{"signature of another token", h + "." + c + "." + strings.Split(sign(t, jose.RS256, "rsa", head256("rsa"), claims(`,"x":1`)), ".")[2], ``, 401},
		{"signature cut", good[:len(good)-4], ``, 401},
		{"no signature", h + "." + c + ".", ``, 401},
		{"padding", good + "==", ``, 401},
		{"line break", h + ".\n" + c + "." + s, ``, 401},
		{"encrypted", "a.b.c.d.e", ``, 401},
		{"two parts", h + "." + c, ``, 401},
		{"four parts", good + ".x", ``, 401},
		{"empty parts", "..", ``, 401},
		{"too long", good + strings.Repeat("A", MaxToken), ``, 401},
		{"claim twice", sign(t, jose.RS256, "rsa", head256("rsa"), claims(`,"sub":"admin"`)), ``, 401},
		{"nested claim twice", sign(t, jose.RS256, "rsa", head256("rsa"), claims(`,"x":{"a":1,"a":2}`)), ``, 401},
		{"claims that are a list", sign(t, jose.RS256, "rsa", head256("rsa"), `[]`), ``, 401},
		{"more after the claims", sign(t, jose.RS256, "rsa", head256("rsa"), claims("")+`{}`), ``, 401},
		{"claims not UTF-8", sign(t, jose.RS256, "rsa", head256("rsa"), claims(",\"x\":\"\xff\"")), ``, 401},
		{"claims nested deeply", sign(t, jose.RS256, "rsa", head256("rsa"), claims(`,"x":`+strings.Repeat("[", 50)+strings.Repeat("]", 50))), ``, 401},

		{"expired", times(`"exp":%d`, now-31), ``, 401},
		{"expired within the skew", times(`"exp":%d`, now-29), ``, 0},
		{"no exp", times(`"nbf":%d`, now), ``, 401},
		{"exp as text", times(`"exp":"%d"`, now+300), ``, 401},
		{"exp null", times(`"exp":null`), ``, 401},
		{"exp beyond any time", times(`"exp":1e300`), ``, 401},
		{"exp beyond numbers", times(`"exp":1e999`), ``, 401},
		{"exp with a fraction", times(`"exp":%d.5`, now+1), ``, 0},
		{"not yet", times(`"exp":%d,"nbf":%d`, now+300, now+31), ``, 401},
		{"not yet, within the skew", times(`"exp":%d,"nbf":%d`, now+300, now+29), ``, 0},
		{"issued in the future", times(`"exp":%d,"iat":%d`, now+300, now+31), ``, 401},
		{"nbf as text", times(`"exp":%d,"nbf":"0"`, now+300), ``, 401},

		{"another issuer", sign(t, jose.RS256, "rsa", head256("rsa"), strings.Replace(claims(""), issuer, issuer+"/", 1)), ``, 401},
		{"issuer in a list", sign(t, jose.RS256, "rsa", head256("rsa"), strings.Replace(claims(""), `"iss":"`+issuer+`"`, `"iss":["`+issuer+`"]`, 1)), ``, 401},
		{"audience", good, `,"audiences":["x","orders"]`, 0},
		{"another audience", good, `,"audiences":["order"]`, 401},
		{"no audience where one is asked for", times(`"exp":%d,"aud":[]`, now+300), `,"audiences":["orders"]`, 401},
		{"audience with a number in the list", sign(t, jose.RS256, "rsa", head256("rsa"), strings.Replace(claims(""), `["orders","other"]`, `["orders",1]`, 1)), `,"audiences":["orders"]`, 401},
		{"scopes", good, `,"scopes":["b","a"]`, 0},
		{"a scope missing", good, `,"scopes":["a","c"]`, 403},
		{"scopes as a list in scp", sign(t, jose.RS256, "rsa", head256("rsa"), claims(`,"scp":["c","d"]`)), `,"scopes":["c"]`, 0},
		{"a forged token does not learn of scopes", h + "." + encode(claims(`,"x":1`)) + "." + s, `,"scopes":["c"]`, 401},
		{"required claim", sign(t, jose.RS256, "rsa", head256("rsa"), claims(`,"tenant":"x","level":3,"ok":true,"realm":{"roles":["r","s"]}`)), `,"requiredClaims":{"tenant":["x","y"],"level":3,"ok":true,"realm.roles":"s"}`, 0},
		{"required claim of another type", sign(t, jose.RS256, "rsa", head256("rsa"), claims(`,"level":"3"`)), `,"requiredClaims":{"level":3}`, 401},
		{"required claim missing", good, `,"requiredClaims":{"tenant":"x"}`, 401},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			step := policytest.Build(t, config(t, tt.config))
			for _, round := range []string{"first", "second"} { // the second may come from the cache
				x := bearer(tt.token)
				d := step(x)
				if got := d.Code(); got != tt.want {
					t.Fatalf("%s time: got %d %+v, want %d", round, got, d, tt.want)
				}
				switch {
				case d == nil && (x.Claims["iss"] != issuer || x.Header.Count("Authorization") != 0 || x.Token != tt.token):
					t.Errorf("admitted: got claims %v, header %v; want the claims, and the token out of the header", x.Claims, x.Header)
				case d != nil && (x.Claims != nil || x.Subject != ""):
					t.Errorf("denied: got claims %v left", x.Claims)
				case d != nil && !strings.HasPrefix(d.Header.Get("WWW-Authenticate"), `Bearer error="`):
					t.Errorf("denied: got WWW-Authenticate %q", d.Header.Get("WWW-Authenticate"))
				}
			}
		})
	}
}

// member0 is the first key of a set.
func member0(document string) string {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	json.Unmarshal([]byte(document), &set)
	return string(set.Keys[0])
}

func TestWhereTheTokenIs(t *testing.T) {
	good := sign(t, jose.RS256, "rsa", head256("rsa"), claims(""))
	tests := []struct {
		name, config string
		fields       []string
		want         int
		challenge    string
	}{
		{"none", ``, nil, 401, "Bearer"},
		{"other scheme", ``, []string{"Authorization: Basic " + good}, 401, "Bearer"},
		{"without scheme", ``, []string{"Authorization: " + good}, 401, "Bearer"},
		{"scheme in lower case", ``, []string{"Authorization: bearer  " + good}, 0, ""},
		{"empty", ``, []string{"Authorization: Bearer "}, 401, "Bearer"},
		{"twice", ``, []string{"Authorization: Bearer " + good, "authorization: Bearer " + good}, 400, `Bearer error="invalid_request"`},
		{"own header", `,"header":"X-Token"`, []string{"X-Token: " + good}, 0, ""},
		{"own header with scheme", `,"header":"X-Token"`, []string{"X-Token: Bearer " + good}, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := policytest.Build(t, config(t, tt.config))(policytest.Request("GET", "/", tt.fields...))
			if d.Code() != tt.want {
				t.Fatalf("got %d, want %d", d.Code(), tt.want)
			}
			if d != nil && d.Header.Get("WWW-Authenticate") != tt.challenge {
				t.Errorf("got challenge %q, want %q", d.Header.Get("WWW-Authenticate"), tt.challenge)
			}
		})
	}
}

func TestForward(t *testing.T) {
	good := sign(t, jose.RS256, "rsa", head256("rsa"), claims(""))
	x := bearer(good)
	if d := policytest.Build(t, config(t, `,"forward":true`))(x); d != nil || x.Header.Count("Authorization") != 1 {
		t.Errorf("forward: got %v, header %v", d, x.Header)
	}
	x = bearer(good)
	x.PassToken = true
	if d := policytest.Build(t, config(t, ``))(x); d != nil || x.Header.Count("Authorization") != 1 {
		t.Errorf("passToken of the backend: got %v, header %v", d, x.Header)
	}
	x = bearer(good)
	first, second := policytest.Build(t, config(t, ``)), policytest.Build(t, config(t, `,"audiences":["orders"]`))
	if d := first(x); d != nil {
		t.Fatal(d)
	}
	if d := second(x); d != nil {
		t.Errorf("a second use behind the first: got %v", d)
	}
}

// A token that one use admitted must not slip past another use's rules, nor
// outlive its end, through the cache that they share.
func TestCacheKeepsTheRules(t *testing.T) {
	good := sign(t, jose.RS256, "rsa", head256("rsa"), claims(""))
	c := config(t, ``)
	var shared any
	share := func(e *policy.Env) {
		e.Shared = func(_ string, make func() (any, func())) any {
			if shared == nil {
				shared, _ = make()
			}
			return shared
		}
	}
	open := policytest.Build(t, c, share)
	if d := open(bearer(good)); d != nil {
		t.Fatal(d)
	}
	for _, more := range []string{`,"audiences":["no"]`, `,"algorithms":["ES256"]`, `,"requiredClaims":{"x":1}`} {
		if d := policytest.Build(t, config(t, more), share)(bearer(good)); d.Code() != 401 {
			t.Errorf("with %s: got %d, want 401", more, d.Code())
		}
	}
	late := bearer(good)
	late.Now = policytest.Now.Add(331 * time.Second)
	if d := open(late); d.Code() != 401 {
		t.Errorf("after its end: got %d, want 401", d.Code())
	}
	forged := good[:len(good)-2] + "AA"
	if d := open(bearer(forged)); d.Code() != 401 {
		t.Errorf("the same claims under another signature: got %d, want 401", d.Code())
	}
}

func TestTokenCacheIsBounded(t *testing.T) {
	c := newTokens()
	for i := range 100_000 {
		h := sha256.Sum256([]byte(fmt.Sprint(i)))
		c.put(&h, &verified{size: 4096, expires: 1e12}, policytest.Now)
	}
	total, size := 0, 0
	for i := range c {
		total += len(c[i].ring)
		size += c[i].size
		if len(c[i].ring) != len(c[i].byHash) {
			t.Errorf("part %d: %d in the ring, %d by hash", i, len(c[i].ring), len(c[i].byHash))
		}
	}
	if size > maxTokens || total > maxTokens/4096 || total < maxTokens/4096/2 {
		t.Errorf("got %d tokens of %d bytes, want at most %d bytes and most of that used", total, size, maxTokens)
	}
}

func BenchmarkCachedToken(b *testing.B) {
	step := policytest.Build(b, config(b, `,"audiences":["orders"],"scopes":["a","b"]`))
	x := bearer(sign(b, jose.RS256, "rsa", head256("rsa"), claims("")))
	x.PassToken = true
	b.ReportAllocs()
	for b.Loop() {
		if d := step(x); d != nil {
			b.Fatal(d)
		}
	}
}

func BenchmarkNewToken(b *testing.B) {
	v := &verifier{}
	v.rules, _ = config(b, ``).rules()
	v.source = newSource(config(b, ``), policytest.Env(b))
	x := bearer("")
	token := sign(b, jose.RS256, "rsa", head256("rsa"), claims(""))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.verify(token, x); err != nil {
			b.Fatal(err)
		}
	}
}
