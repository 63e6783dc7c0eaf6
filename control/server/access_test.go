package server

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/access"
	"gatehouse/control/audit"
	"gatehouse/jsonx"
	"gatehouse/store"
	"gatehouse/store/memory"
)

// An office is the management API with access and audit bound, and one
// administrator.
type office struct {
	t      *testing.T
	h      http.Handler
	guard  *access.Guard
	trail  *audit.Trail
	admin  string
	server *Server
}

func newOffice(t *testing.T) *office {
	t.Helper()
	db := memory.New()
	t.Cleanup(func() { db.Close() })
	trail := &audit.Trail{DB: db}
	guard, err := access.Open(t.Context(), trail, nil)
	if err != nil {
		t.Fatal(err)
	}
	secret, _, err := guard.EnsureAdmin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := New(Options{DB: db, Trail: trail, Authority: access.Authority{Guard: guard}, Log: slog.New(slog.DiscardHandler), Version: "test"})
	s.BindAccess(guard)
	s.BindAudit()
	return &office{t, s.Handler(), guard, trail, secret, s}
}

// write stores a document without asking anyone.
func (o *office) write(kind gatehouse.Kind, name string, spec gatehouse.Spec) {
	o.t.Helper()
	doc, err := jsonx.Canonical(gatehouse.Object{APIVersion: gatehouse.APIVersion, Kind: kind, Metadata: gatehouse.Metadata{Name: name}, Spec: spec})
	if err != nil {
		o.t.Fatal(err)
	}
	value, err := jsonx.Canonical(gatehouse.Stored{Object: doc})
	if err != nil {
		o.t.Fatal(err)
	}
	if _, err := o.trail.Commit(o.t.Context(), audit.Act{Action: "test.put", Object: string(kind) + " " + name, After: doc,
		Writes: []store.Write{{Key: gatehouse.Key(kind, "", name), Kind: string(kind), Value: value, Expect: store.Any}}}); err != nil {
		o.t.Fatal(err)
	}
}

// do sends a request and reads the answer into out.
func (o *office) do(token, method, path string, body any, status int, out any) *http.Response {
	o.t.Helper()
	var in io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			o.t.Fatal(err)
		}
		in = bytes.NewReader(text)
	}
	r := httptest.NewRequestWithContext(o.t.Context(), method, path, in)
	r.Header.Set("Content-Type", "application/json")
	if strings.HasPrefix(token, SessionCookie) {
		r.Header.Set("Cookie", token)
	} else if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	o.h.ServeHTTP(w, r)
	resp := w.Result()
	if resp.StatusCode != status {
		o.t.Fatalf("%s %s: got %d, want %d: %s", method, path, resp.StatusCode, status, w.Body)
	}
	if raw, ok := out.(*[]byte); ok {
		*raw = w.Body.Bytes()
	} else if out != nil {
		if err := json.Unmarshal(w.Body.Bytes(), out); err != nil {
			o.t.Fatalf("%s %s: %v in %s", method, path, err, w.Body)
		}
	}
	return resp
}

func TestTokensOverTheAPI(t *testing.T) {
	o := newOffice(t)
	o.write(gatehouse.KindUser, "bob", &gatehouse.User{})
	var made adminapi.NewToken
	o.do(o.admin, "POST", "/v1/tokens", map[string]string{"subject": "user:bob", "name": "laptop", "life": "1h"}, 201, &made.Body)
	if made.Body.Subject != "user:bob" || made.Body.State != "live" || !strings.HasPrefix(made.Body.Token, "ght_") {
		t.Fatalf("got %+v", made.Body)
	}
	bob := made.Body.Token
	var who adminapi.WhoamiAnswer
	o.do(bob, "GET", "/v1/whoami", nil, 200, &who.Body)
	if who.Body.Subject != "user:bob" || who.Body.Authentication != "token:"+made.Body.ID {
		t.Errorf("got %+v", who.Body)
	}
	var list adminapi.Tokens
	o.do(bob, "GET", "/v1/tokens", nil, 200, &list.Body)
	if len(list.Body.Items) != 1 || list.Body.Items[0].ID != made.Body.ID {
		t.Errorf("bob's: %+v", list.Body)
	}
	o.do(bob, "GET", "/v1/tokens?subject=-", nil, 403, nil)
	o.do(bob, "GET", "/v1/tokens?subject=user:admin", nil, 403, nil)
	o.do(o.admin, "GET", "/v1/tokens?subject=-", nil, 200, &list.Body)
	if len(list.Body.Items) != 2 {
		t.Errorf("everyone's: %+v", list.Body)
	}
	var all adminapi.Tokens
	o.do(o.admin, "GET", "/v1/tokens", nil, 200, &all.Body)
	o.do(bob, "DELETE", "/v1/tokens/"+all.Body.Items[0].ID, nil, 403, nil)
	o.do(bob, "DELETE", "/v1/tokens/tok_none", nil, 403, nil) // nor told that there is none
	o.do(o.admin, "DELETE", "/v1/tokens/tok_none", nil, 404, nil)
	o.do(bob, "POST", "/v1/tokens", map[string]string{"subject": "user:admin"}, 403, nil)
	o.do(bob, "POST", "/v1/tokens", map[string]string{"life": "never"}, 422, nil)
	o.do(bob, "POST", "/v1/tokens", map[string]string{"life": "400d"}, 422, nil)
	o.do(bob, "DELETE", "/v1/tokens/"+made.Body.ID, nil, 204, nil)
	resp := o.do(bob, "GET", "/v1/whoami", nil, 401, nil)
	if resp.Header.Get("WWW-Authenticate") == "" {
		t.Error("a 401 without WWW-Authenticate")
	}
	o.do("", "GET", "/v1/whoami", nil, 401, nil)
}

func TestSessionsOverTheAPI(t *testing.T) {
	o := newOffice(t)
	var code adminapi.LoginCode
	o.do(o.admin, "POST", "/v1/login-codes", map[string]string{}, 201, &code.Body)
	resp := o.do("", "POST", "/v1/login", map[string]string{"code": code.Body.Code}, 200, nil)
	cookie, _, _ := strings.Cut(resp.Header.Get("Set-Cookie"), ";")
	for _, want := range []string{"HttpOnly", "SameSite=Strict", "Path=/"} {
		if !strings.Contains(resp.Header.Get("Set-Cookie"), want) {
			t.Errorf("the cookie is not %s: %s", want, resp.Header.Get("Set-Cookie"))
		}
	}
	o.do("", "POST", "/v1/login", map[string]string{"code": code.Body.Code}, 401, nil)
	var who adminapi.WhoamiAnswer
	o.do(cookie, "GET", "/v1/whoami", nil, 200, &who.Body)
	if who.Body.Subject != "user:admin" || !strings.HasPrefix(who.Body.Authentication, "session:ses_") {
		t.Errorf("got %+v", who.Body)
	}
	var list adminapi.Tokens
	o.do(cookie, "GET", "/v1/sessions", nil, 200, &list.Body)
	if len(list.Body.Items) != 1 {
		t.Errorf("got %+v", list.Body)
	}
	o.do(o.admin, "POST", "/v1/logout", nil, 409, nil)
	o.do(cookie, "POST", "/v1/logout", nil, 204, nil)
	o.do(cookie, "GET", "/v1/whoami", nil, 401, nil)
}

func TestQuestionsOverTheAPI(t *testing.T) {
	o := newOffice(t)
	o.write(gatehouse.KindUser, "bob", &gatehouse.User{})
	o.write(gatehouse.KindGroup, "devs", &gatehouse.Group{Members: []string{"user:bob"}})
	o.write(gatehouse.KindRoleAssignment, "devs-payments", &gatehouse.RoleAssignment{Subject: "group:devs", Role: "developer", Scope: "team/payments"})
	var made adminapi.NewToken
	o.do(o.admin, "POST", "/v1/tokens", map[string]string{"subject": "user:bob"}, 201, &made.Body)
	bob := made.Body.Token

	var can adminapi.CanAnswer
	o.do(bob, "GET", "/v1/access/can?action=api.put&on=API/payments/orders", nil, 200, &can.Body)
	if !can.Body.Allowed || can.Body.Because.Name != "devs-payments" {
		t.Errorf("bob himself: %+v", can.Body)
	}
	o.do(bob, "GET", "/v1/access/can?subject=user:admin&action=api.put", nil, 403, nil)
	can = adminapi.CanAnswer{}
	o.do(o.admin, "GET", "/v1/access/can?subject=user:bob&action=api.put&on=team/hr", nil, 200, &can.Body)
	if can.Body.Allowed || can.Body.Because != nil {
		t.Errorf("another team: %+v", can.Body)
	}
	can = adminapi.CanAnswer{}
	o.do(o.admin, "GET", "/v1/access/can?subject=user:bob&action=api.put&on=API/payments/orders&asOf=2020-01-01T00:00:00Z", nil, 200, &can.Body)
	if can.Body.Allowed {
		t.Errorf("before there was anything: %+v", can.Body)
	}
	o.do(o.admin, "GET", "/v1/access/can?subject=user:bob&action=api.put&asOf=yesterday", nil, 422, nil)
	o.do(o.admin, "GET", "/v1/access/can?subject=bob&action=api.put", nil, 422, nil)
	for _, question := range []string{"can?action=api.update", "why?action=api.update", "who?action=api.update", "can?action=api.*"} {
		var p adminapi.Problem
		o.do(o.admin, "GET", "/v1/access/"+question, nil, 422, &p)
		if !strings.Contains(p.Detail, "api.put") {
			t.Errorf("%s: %q does not say what there is", question, p.Detail)
		}
	}

	var why adminapi.WhyAnswer
	o.do(o.admin, "GET", "/v1/access/why?subject=user:bob&action=release.approve&on=API/payments/orders", nil, 200, &why.Body)
	if why.Body.Allowed || len(why.Body.Considered) != 1 || why.Body.Considered[0].Verdict != access.Lacks || len(why.Body.Remedies) == 0 ||
		!strings.Contains(why.Body.Remedies[0], "approver") {
		t.Errorf("got %+v", why.Body)
	}
	var who adminapi.WhoAnswer
	o.do(o.admin, "GET", "/v1/access/who?action=api.put&on=API/payments/orders", nil, 200, &who.Body)
	if who.Body.Total != 2 || who.Body.Items[1].Subject != "user:bob" || who.Body.Items[1].Via[0] != "group:devs" {
		t.Errorf("got %+v", who.Body)
	}
	o.do(bob, "GET", "/v1/access/who?action=api.put&on=API/payments/orders", nil, 403, nil)
}

func TestTrailOverTheAPI(t *testing.T) {
	o := newOffice(t)
	o.do("ght_wrong", "POST", "/v1/tokens", map[string]string{}, 401, nil)
	o.do(o.admin, "POST", "/v1/tokens", map[string]string{"subject": "user:nobody"}, 422, nil)
	var events adminapi.AuditEvents
	o.do(o.admin, "GET", "/v1/audit/events?outcome=refused", nil, 200, &events.Body)
	if len(events.Body.Items) != 2 || events.Body.Items[0].Actor != "anonymous" || events.Body.Items[1].Actor != "user:admin" {
		t.Fatalf("refusals on record: %+v", events.Body)
	}
	o.do(o.admin, "GET", "/v1/audit/events?newest=true&limit=1", nil, 200, &events.Body)
	last := events.Body.Items[0].Number
	if events.Body.Next != last || last != 5 {
		t.Errorf("got %+v, next %d", events.Body.Items[0], events.Body.Next)
	}
	var v adminapi.AuditVerification
	o.do(o.admin, "GET", "/v1/audit/verify", nil, 200, &v.Body)
	if !v.Body.OK || v.Body.Events != last {
		t.Errorf("got %+v", v.Body)
	}
	var all, part []byte
	path := "/v1/audit/export?limit=2"
	for path != "" {
		resp := o.do(o.admin, "GET", path, nil, 200, &part)
		all = append(all, part...)
		if path = ""; resp.Header.Get("X-Gatehouse-Next") != "" {
			path = "/v1/audit/export?limit=2&after=" + resp.Header.Get("X-Gatehouse-Next")
		}
	}
	got, err := audit.VerifyStream(bytes.NewReader(all))
	if err != nil || !got.OK() || got.Hash != v.Body.Hash {
		t.Errorf("the export: %+v, %v", got, err)
	}
	var tail adminapi.AuditEvents
	o.do(o.admin, "GET", "/v1/audit/tail?after=4&wait=1", nil, 200, &tail.Body)
	if len(tail.Body.Items) != 1 || tail.Body.Next != last {
		t.Errorf("got %+v", tail.Body)
	}
	tail = adminapi.AuditEvents{}
	o.do(o.admin, "GET", "/v1/audit/tail?now=true&wait=0", nil, 200, &tail.Body)
	if len(tail.Body.Items) != 0 || tail.Body.Next != last {
		t.Errorf("from now on: %+v", tail.Body)
	}
	o.do(o.admin, "GET", "/v1/audit/events?limit=1001", nil, 422, nil)
	o.do(o.admin, "GET", "/v1/audit/events?from=2026", nil, 422, nil)
	o.do(o.admin, "GET", "/v1/audit/events?who=me", nil, 422, nil)
}
