package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"gatehouse/adminapi"
)

// marked are secrets by where they were sent. Each is looked for in all forms in
// which something may keep it.
type marked map[string]string

// mark makes a secret that stands nowhere else.
func (m marked) mark(where, prefix string) string {
	var b [24]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	m[where] = prefix + "marked" + hex.EncodeToString(b[:])
	return m[where]
}

// in lists the secrets that text holds, as they are or in base64 or hexadecimal.
func (m marked) in(text []byte) (found []string) {
	for where, secret := range m {
		forms := [][]byte{[]byte(secret), []byte(hex.EncodeToString([]byte(secret)))}
		for shift := range 3 { // in base64 by where it begins; the ends depend on what is beside
			padded := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), secret...))
			forms = append(forms, []byte(padded[4:len(padded)-4]))
		}
		for _, f := range forms {
			if bytes.Contains(text, f) {
				found = append(found, where)
				break
			}
		}
	}
	return found
}

// A token signed with a key of its own, and the key set that it verifies with.
func signed(t *testing.T, subject string) (token, keys string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "k1"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := json.Marshal(map[string]any{"iss": "https://id.example.com", "sub": subject, "exp": time.Now().Add(time.Hour).Unix()})
	if err != nil {
		t.Fatal(err)
	}
	object, err := signer.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	if token, err = object.CompactSerialize(); err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1", Algorithm: "ES256", Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	return token, string(set)
}

// A transcript is all that was answered.
type transcript struct {
	t    *testing.T
	text bytes.Buffer
}

// say sends a request and keeps the answer; it returns the status.
func (a *transcript) say(method, url, body string, fields ...string) int {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		req.Header.Add(name, value)
	}
	resp, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	_ = resp.Header.Write(&a.text) // a buffer takes everything
	a.text.Write(data)
	return resp.StatusCode
}

// TestSecretsStayHidden sends marked secrets through every door, also through the wrong
// ones, and then looks for them in all that the processes wrote, keep and tell.
func TestSecretsStayHidden(t *testing.T) {
	t.Parallel()
	m := marked{}
	s := newSite(t)
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(m.mark("a secret by file", "")), 0o600); err != nil {
		t.Fatal(err)
	}
	s.env = append(s.env, "SHOP_SECRET="+m.mark("a secret by environment", ""))
	s.env = append(s.env, "SMTP_SECRET="+m.mark("the mail server's password", ""))
	s.control("control", "--log-level", "debug", "--notify-allow", "127.0.0.0/8",
		"--smtp-url", "smtp://gatehouse@"+stubborn(t), "--smtp-from", "gatehouse@example.com", "--smtp-password", "${env:SMTP_SECRET}")
	token, keys := signed(t, "alice")
	m["a token's signed part"] = token[:strings.LastIndex(token, ".")]
	m["a token's signature"] = token[strings.LastIndex(token, ".")+1:]
	s.apply(s.platform() + shop + `---` + s.open("jwt", `{jwt: {issuer: "https://id.example.com", keys: `+keys+`}}`) +
		`---` + s.open("hidden", `{headers: {request: {set: {Authorization: "Basic ${env:SHOP_SECRET}", X-From-File: "${file:`+file+`}"}}}}`))
	reached := map[string]bool{}
	s.pets.head = func(h http.Header) {
		reached["environment"] = reached["environment"] || h.Get("Authorization") == "Basic "+m["a secret by environment"]
		reached["file"] = reached["file"] || h.Get("X-From-File") == m["a secret by file"]
	}
	s.gateway("edge", "--report-interval", flush.String(), "--log-level", "debug", "--access-log", filepath.Join(s.dir, "access.log"))
	s.inStep(1)
	a := &transcript{t: t}
	s.callers(a, m, token)
	s.managers(a, m)
	s.governors(a, m)
	for _, from := range []string{"environment", "file"} {
		if !reached[from] {
			t.Errorf("the secret by %s did not reach the backend", from)
		}
	}
	_ = wait(t.Context(), 3*flush) // counts and lines of the access log get written
	for _, url := range []string{s.ops["control"] + "/metrics", s.ops["edge"] + "/metrics", s.ops["edge"] + "/readyz"} {
		a.say("GET", url, "")
	}
	for _, where := range m.in(a.text.Bytes()) {
		t.Errorf("%s is in an answer", where)
	}
	s.stop("edge")
	s.search(m, "while the control plane runs")
	s.stop("control")
	n, size := s.search(m, "when all has ended")
	t.Logf("%d secrets looked for in %d files of %d bytes and %d bytes of answers", len(m), n, size, a.text.Len())
}

// callers use and misuse the gateway.
func (s *site) callers(a *transcript, m marked, token string) {
	s.t.Helper()
	want := func(status, got int) {
		s.t.Helper()
		if got != status {
			s.t.Errorf("got status %d, want %d", got, status)
		}
	}
	in := adminapi.SubscribeRequest{}
	in.Body.Product, in.Body.Plan, in.Body.Application, in.Body.Environment, in.Body.Key = "pets/shop", "default", "pets/caller", "dev", true
	first, err := s.api.Subscribe(s.t.Context(), in)
	if err != nil {
		s.t.Fatal(err)
	}
	ref := adminapi.OwnedRef{Team: "pets", Name: "caller-shop"}
	second, err := s.api.RotateKey(s.t.Context(), adminapi.RotateKeyRequest{OwnedRef: ref})
	if err != nil {
		s.t.Fatal(err)
	}
	m["a key"], m["a rotated key"] = first.Body.Key, second.Body.Key
	s.eventually("a new key opens the API", func() error { return s.with(second.Body.Key, http.StatusOK) })
	at := s.at["edge"]
	want(200, a.say("GET", at+"/shop?x=1", "", "X-API-Key: "+first.Body.Key))
	want(200, a.say("GET", at+"/jwt", "", "Authorization: Bearer "+token))
	want(401, a.say("GET", at+"/jwt", "", "Authorization: Bearer "+token[:len(token)-4]+"AAAA"))
	want(401, a.say("GET", at+"/jwt", "", "Authorization: Bearer "+m.mark("no token at all", "eyJ")))
	want(401, a.say("GET", at+"/jwt", "", "Authorization: Basic "+m.mark("a password", "")))
	want(200, a.say("GET", at+"/hidden", ""))
	want(401, a.say("GET", at+"/shop", "", "X-API-Key: "+m.mark("an unknown key", "gh_")))
	want(401, a.say("GET", at+"/shop?api_key="+m.mark("a key in the query", "gh_"), "", "Cookie: session="+m.mark("a cookie", "")))
	want(401, a.say("GET", at+"/shop", "", "X_API_KEY: "+m.mark("a key in a field alike", "gh_")))
	a.say("GET", at+"/shop", "", "X-API-Key: "+m.mark("one of two keys", "gh_"), "X-API-Key: "+m.mark("the other of two keys", "gh_"))
	want(404, a.say("GET", at+"/nowhere?token="+m.mark("a token in the query", ""), "", "Authorization: Bearer "+m.mark("a token nobody wants", "")))
	a.say("POST", at+"/shop", `{"password": "`+m.mark("a password in a body", "")+`"}`)
	for _, k := range []string{first.Body.Key, second.Body.Key} {
		a.say("GET", s.admin+"/v1/teams", "", "Authorization: Bearer "+k) // the wrong door
	}
	for _, k := range s.list(ref) {
		if _, err := s.api.RevokeKey(s.t.Context(), adminapi.RevokeKeyRequest{OwnedRef: ref, Key: k}); err != nil {
			s.t.Fatal(err)
		}
	}
	s.eventually("a revoked key is refused", func() error { return s.with(second.Body.Key, http.StatusUnauthorized) })
	want(401, a.say("GET", at+"/shop", "", "X-API-Key: "+first.Body.Key))
}

func (s *site) list(ref adminapi.OwnedRef) (ids []string) {
	s.t.Helper()
	keys, err := s.api.ListKeysAll(s.t.Context(), adminapi.ListKeysRequest{OwnedRef: ref})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, k := range keys.Body.Items {
		ids = append(ids, k.ID)
	}
	return ids
}

// managers use and misuse the management API and the commands.
func (s *site) managers(a *transcript, m marked) {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.data("control"), "admin.token"))
	if err != nil {
		s.t.Fatal(err)
	}
	m["the administrator's token"] = strings.TrimSpace(string(text))
	admin := "Authorization: Bearer " + m["the administrator's token"]
	give := adminapi.CreateTokenRequest{}
	give.Body.Subject, give.Body.Name = "user:admin", "marked"
	made, err := s.api.CreateToken(s.t.Context(), give)
	if err != nil {
		s.t.Fatal(err)
	}
	m["a made token"] = made.Body.Token
	code, err := s.api.CreateLoginCode(s.t.Context(), adminapi.LoginCodeRequest{})
	if err != nil {
		s.t.Fatal(err)
	}
	m["a login code"] = code.Body.Code
	join, err := s.api.CreateGatewayToken(s.t.Context(), adminapi.CreateGatewayTokenRequest{OrgRef: adminapi.OrgRef{Name: "edge"}})
	if err != nil {
		s.t.Fatal(err)
	}
	m["a join token"] = join.Body.Token

	v1 := s.admin + "/v1"
	a.say("GET", v1+"/teams", "", "Authorization: Bearer "+made.Body.Token)
	a.say("GET", v1+"/teams?token="+m.mark("a token in management's query", ""), "", "Authorization: Bearer "+m.mark("a wrong token", "ght_"))
	a.say("GET", v1+"/teams", "", "Authorization: Basic "+m.mark("basic at management", ""), "Cookie: gatehouse="+m.mark("a session", ""))
	a.say("GET", v1+"/teams?limit="+m.mark("a wrong limit", "gh_"), "", admin)
	a.say("GET", v1+"/nowhere?apikey="+m.mark("a key for nowhere", ""), "", admin)
	a.say("POST", v1+"/login", `{"code": "`+m.mark("a wrong login code", "")+`"}`)
	a.say("POST", v1+"/apply", `{"documents": [{"object": "password=`+m.mark("what is no document", "")+`"`, admin, "Content-Type: application/json")
	for where, spec := range map[string]string{
		"credentials in a URL": `{"environments": {"dev": {"targets": [{"url": "http://user:%s@127.0.0.1"}]}}}`,
		"a key in clear":       `{"environments": {"dev": {"targets": [{"url": "https://a.example.com"}], "tls": {"key": "-----BEGIN PRIVATE KEY-----%s"}}}}`,
		"an unknown field":     `{"environments": {}, "clientSecret": "%s"}`,
	} {
		doc := fmt.Sprintf(`{"apiVersion": "gatehouse/v1", "kind": "Backend", "metadata": {"team": "pets", "name": "bad"}, "spec": `+spec+`}`, m.mark(where, ""))
		if status := a.say("PUT", v1+"/teams/pets/backends/bad", doc, admin, "Content-Type: application/json"); status != 422 {
			s.t.Errorf("%s: got status %d, want 422", where, status)
		}
	}
	for where, policy := range map[string]string{
		"a header's secret in clear": `{"headers": {"request": {"set": {"Authorization": "Bearer %s"}}}}`,
	} {
		doc := fmt.Sprintf(`{"apiVersion": "gatehouse/v1", "kind": "PolicySet", "metadata": {"team": "pets", "name": "bad"}, "spec": {"policies": [`+policy+`]}}`, m.mark(where, ""))
		if status := a.say("PUT", v1+"/teams/pets/policy-sets/bad", doc, admin, "Content-Type: application/json"); status != 422 {
			s.t.Errorf("%s: got status %d, want 422", where, status)
		}
	}
	for _, page := range []string{"/audit/export", "/audit/events?limit=1000", "/catalog", "/export", "/usage?by=api,denied", "/instances", "/tokens?subject=-", "/whoami",
		"/teams/pets/apis/hidden/versions/v1/explain?environment=dev", "/teams/pets/apis/hidden/versions/v1/status"} {
		if status := a.say("GET", v1+page, "", admin); status != 200 {
			s.t.Errorf("%s: got status %d", page, status)
		}
	}
	for _, args := range [][]string{
		{"--token", m.mark("a token for a command", "ght_"), "whoami"},
		{"--token", made.Body.Token, "whoami", "-o", "json"},
		{"audit", "query", "--limit", "500", "-o", "json"}, {"gateways", "list", "-o", "json"}, {"doctor"},
	} {
		out, log, _ := s.command("control", args...) // some are refused
		a.text.WriteString(out + log)
	}
}

// search looks through every file that the processes wrote. The administrator's
// token has a file of its own, which is what that is for.
func (s *site) search(m marked, when string) (files int, size int64) {
	s.t.Helper()
	own := filepath.Join(s.data("control"), "admin.token")
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path == own {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files, size = files+1, size+int64(len(text))
		for _, where := range m.in(text) {
			s.t.Errorf("%s, %s is in %s", when, where, strings.TrimPrefix(path, s.dir))
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if files < 6 {
		s.t.Errorf("only %d files were looked through", files)
	}
	return files, size
}
