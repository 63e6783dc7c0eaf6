package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/control"
)

// A house is a control plane with its pages on loopback.
type house struct {
	t     *testing.T
	url   string
	token string // of the administrator
}

func open(t *testing.T) house {
	t.Helper()
	dir := t.TempDir()
	c, err := control.Open(context.Background(), control.Options{Data: dir, Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError})), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	token, err := os.ReadFile(filepath.Join(dir, "admin.token"))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(c.Handler())
	t.Cleanup(s.Close)
	return house{t, s.URL, strings.TrimSpace(string(token))}
}

// send makes a request as the pages do when cookie is given, else as the
// administrator.
func (h house) send(method, at string, body any, cookie *http.Cookie, header ...string) (*http.Response, string) {
	h.t.Helper()
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			h.t.Fatal(err)
		}
	}
	r, err := http.NewRequest(method, h.url+at, bytes.NewReader(text))
	if err != nil {
		h.t.Fatal(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if cookie != nil {
		r.AddCookie(cookie)
	} else {
		r.Header.Set("Authorization", "Bearer "+h.token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return resp, string(answer)
}

// code makes a login code of the administrator.
func (h house) code() string {
	h.t.Helper()
	return h.codeOf("user:admin")
}

// codeOf makes a login code of anyone.
func (h house) codeOf(subject string) string {
	h.t.Helper()
	resp, text := h.send("POST", "/v1/login-codes", map[string]string{"subject": subject}, nil)
	var out struct{ Code string }
	if err := json.Unmarshal([]byte(text), &out); err != nil || resp.StatusCode != 201 || out.Code == "" {
		h.t.Fatalf("making a login code: %d %s", resp.StatusCode, text)
	}
	return out.Code
}

// put applies a document.
func (h house) put(at string, document string) {
	h.t.Helper()
	if resp, text := h.send("PUT", at, json.RawMessage(document), nil); resp.StatusCode > 299 {
		h.t.Fatalf("PUT %s: %d %s", at, resp.StatusCode, text)
	}
}

// TestSession walks the way that the pages walk: a code opens a session in a
// cookie that scripts cannot read and other sites cannot send; the code is used
// up; signing out ends the session on the server.
func TestSession(t *testing.T) {
	h := open(t)
	code := h.code()
	none := &http.Cookie{Name: "none", Value: "none"}
	resp, text := h.send("POST", "/v1/login", map[string]string{"code": code}, none, "Sec-Fetch-Site", "same-origin")
	if resp.StatusCode != 200 || len(resp.Cookies()) != 1 {
		t.Fatalf("signing in: got %d with %d cookies: %s", resp.StatusCode, len(resp.Cookies()), text)
	}
	c := resp.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" {
		t.Errorf("the session's cookie is %s", resp.Header.Get("Set-Cookie"))
	}
	if strings.Contains(text, c.Value) {
		t.Errorf("the answer tells scripts the session: %s", text)
	}
	session := &http.Cookie{Name: c.Name, Value: c.Value}
	if resp, text := h.send("GET", "/v1/whoami", nil, session); resp.StatusCode != 200 || !strings.Contains(text, `"authentication":"session:`) {
		t.Errorf("who am I: got %d %s", resp.StatusCode, text)
	}
	if resp, text := h.send("POST", "/v1/login", map[string]string{"code": code}, none); resp.StatusCode != 401 {
		t.Errorf("the code a second time: got %d %s, want 401", resp.StatusCode, text)
	}
	if resp, text := h.send("POST", "/v1/logout", nil, session, "Sec-Fetch-Site", "cross-site", "Origin", "https://example.org"); resp.StatusCode != 403 {
		t.Errorf("another site signs out: got %d %s, want 403", resp.StatusCode, text)
	}
	if resp, text := h.send("POST", "/v1/logout", nil, session, "Sec-Fetch-Site", "same-origin"); resp.StatusCode != 204 {
		t.Errorf("signing out: got %d %s, want 204", resp.StatusCode, text)
	}
	if resp, text := h.send("GET", "/v1/whoami", nil, session); resp.StatusCode != 401 {
		t.Errorf("after signing out: got %d %s, want 401", resp.StatusCode, text)
	}
}

// TestPagesHaveNoDoor holds that pages are the same for everyone: what they
// show comes from the management API, which asks who is there.
func TestPagesHaveNoDoor(t *testing.T) {
	h := open(t)
	none := &http.Cookie{Name: "none", Value: "none"}
	for _, at := range []string{"/console/", "/console/audit", "/portal/", "/reference/"} {
		resp, stranger := h.send("GET", at, nil, none)
		_, admin := h.send("GET", at, nil, nil)
		if resp.StatusCode != 200 || stranger != admin || resp.Header.Get("Set-Cookie") != "" {
			t.Errorf("GET %s: got %d for a stranger, other than for the administrator", at, resp.StatusCode)
		}
	}
	if resp, _ := h.send("GET", "/v1/catalog", nil, none); resp.StatusCode != 401 {
		t.Errorf("the catalog for a stranger: got %d, want 401", resp.StatusCode)
	}
	if resp, text := h.send("GET", "/openapi.json", nil, none); resp.StatusCode != 200 || !strings.Contains(text, "x-gatehouse-action") {
		t.Errorf("the document that the reference renders: got %d, %.80s", resp.StatusCode, text)
	}
}
