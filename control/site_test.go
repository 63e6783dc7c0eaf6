package control_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control"
)

// A site is a whole control plane on the embedded database, asked over HTTP.
type site struct {
	t     *testing.T
	c     *control.Control
	h     http.Handler
	admin string
}

func newSite(t *testing.T) *site {
	t.Helper()
	c, err := control.Open(t.Context(), control.Options{Data: t.TempDir(), Log: slog.New(slog.DiscardHandler), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	admin, err := c.Guard.RenewAdmin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &site{t, c, c.Handler(), admin}
}

// A call is one request.
type call struct {
	token, method, path string
	body                string // JSON unless header says otherwise
	header              map[string]string
	address             string // of the caller; default 192.0.2.1:1234
}

// An answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// problem reads the answer as one, and nothing else will do.
func (a answer) problem(t *testing.T) adminapi.Problem {
	t.Helper()
	var p adminapi.Problem
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("status %d: content type %q, want application/problem+json: %s", a.status, got, a.body)
	} else if err := json.Unmarshal(a.body, &p); err != nil || p.Status != a.status || !strings.HasPrefix(p.Type, adminapi.ProblemType) || p.Title == "" || p.Detail == "" {
		t.Errorf("status %d: not a whole problem (%v): %s", a.status, err, a.body)
	}
	return p
}

func (s *site) do(c call) answer {
	s.t.Helper()
	var body *bytes.Reader
	if c.body != "" {
		body = bytes.NewReader([]byte(c.body))
	} else {
		body = bytes.NewReader(nil)
	}
	r := httptest.NewRequestWithContext(context.Background(), c.method, c.path, body)
	if c.address != "" {
		r.RemoteAddr = c.address
	}
	if c.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	for name, value := range c.header {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	return answer{w.Code, w.Result().Header, w.Body.Bytes()}
}

// want does a request and holds its status.
func (s *site) want(status int, c call) answer {
	s.t.Helper()
	a := s.do(c)
	if a.status != status {
		s.t.Fatalf("%s %s: got %d, want %d: %s", c.method, c.path, a.status, status, a.body)
	}
	return a
}

// put stores a document as the administrator.
func (s *site) put(kind gatehouse.Kind, team, name, spec string) {
	s.t.Helper()
	s.want(200, call{token: s.admin, method: "PUT", path: pathOf(kind, team, name), body: document(kind, team, name, spec)})
}

// token makes a user who holds the role in the scope, or nothing, and a token.
func (s *site) token(user, role, scope string) string {
	s.t.Helper()
	s.put(gatehouse.KindUser, "", user, `{}`)
	if role != "" {
		s.put(gatehouse.KindRoleAssignment, "", user, `{"subject":"user:`+user+`","role":"`+role+`","scope":"`+scope+`"}`)
	}
	var made struct{ Token string }
	s.read(s.want(201, call{token: s.admin, method: "POST", path: "/v1/tokens", body: `{"subject":"user:` + user + `"}`}), &made)
	return made.Token
}

func (s *site) read(a answer, into any) {
	s.t.Helper()
	if err := json.Unmarshal(a.body, into); err != nil {
		s.t.Fatalf("%v in %s", err, a.body)
	}
}

func pathOf(kind gatehouse.Kind, team, name string) string {
	k, _ := gatehouse.Info(string(kind))
	if k.Owned {
		return "/v1/teams/" + team + "/" + k.Plural + "/" + name
	}
	return "/v1/" + k.Plural + "/" + name
}

func document(kind gatehouse.Kind, team, name, spec string) string {
	if team != "" {
		team = `"team":"` + team + `",`
	}
	return `{"apiVersion":"gatehouse/v1","kind":"` + string(kind) + `","metadata":{` + team + `"name":"` + name + `"},"spec":` + spec + `}`
}
