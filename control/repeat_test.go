package control_test

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"gatehouse"
)

// TestRepeatedPOST holds that a POST with an Idempotency-Key is carried out
// once for each caller, and answered the same again.
func TestRepeatedPOST(t *testing.T) {
	s := newSite(t)
	town(s)
	s.want(204, call{token: s.admin, method: "POST", path: "/v1/teams/a/apis/one/versions/v1/withdraw", body: `{"environment":"dev"}`})
	release := call{token: s.admin, method: "POST", path: "/v1/teams/a/apis/one/versions/v1/release", body: `{"environment":"dev","note":"first"}`,
		header: map[string]string{"Idempotency-Key": "k1"}}
	first := s.want(200, release)
	second := s.want(200, release)
	if !bytes.Equal(first.body, second.body) || second.header.Get("Idempotency-Replayed") != "true" || second.header.Get("Content-Type") != first.header.Get("Content-Type") {
		t.Errorf("first %s\nsecond %s %v", first.body, second.body, second.header)
	}
	other := release
	other.body = `{"environment":"dev","note":"another"}`
	s.want(422, other).problem(t)
	other = release
	other.path = "/v1/teams/b/apis/one/versions/v1/release"
	s.want(422, other).problem(t)
	other = release
	other.token = s.token("dev", "developer", "team/a") // a key is its caller's own
	if a := s.want(200, other); a.header.Get("Idempotency-Replayed") != "" {
		t.Error("another caller got the first one's answer")
	}

	// What is refused for want of permission is asked again when there is one.
	later := s.token("later", "", "")
	subscribe := call{token: later, method: "POST", path: "/v1/subscribe", header: map[string]string{"Idempotency-Key": "k2"},
		body: `{"product":"a/one","plan":"free","application":"a/later","environment":"dev"}`}
	s.want(403, subscribe)
	s.put(gatehouse.KindRoleAssignment, "", "later", `{"subject":"user:later","role":"developer","scope":"team/a"}`)
	s.want(200, subscribe)
}

// TestRepeatedSecret holds that no secret is kept for a repetition.
func TestRepeatedSecret(t *testing.T) {
	s := newSite(t)
	c := call{token: s.admin, method: "POST", path: "/v1/tokens", body: `{"name":"once"}`, header: map[string]string{"Idempotency-Key": "k"}}
	var made struct{ ID, Token string }
	s.read(s.want(201, c), &made)
	s.want(409, c).problem(t)
	var list struct{ Items []struct{ Name string } }
	s.read(s.want(200, call{token: s.admin, method: "GET", path: "/v1/tokens"}), &list)
	n := 0
	for _, i := range list.Items {
		if i.Name == "once" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d tokens were made", n)
	}
	files, err := filepath.Glob(filepath.Join(s.c.Data, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if text, err := os.ReadFile(f); err == nil && bytes.Contains(text, []byte(made.Token)) {
			t.Errorf("%s holds the token", f)
		}
	}
}

// TestRepeatedAtOnce holds that of many that come at once one is carried out,
// and that the others are told or given its answer.
func TestRepeatedAtOnce(t *testing.T) {
	s := newSite(t)
	town(s)
	c := call{token: s.admin, method: "POST", path: "/v1/teams/a/subscriptions/one-one/keys", body: `{}`, header: map[string]string{"Idempotency-Key": "k"}}
	var wg sync.WaitGroup
	answers := make([]answer, 12)
	for i := range answers {
		wg.Go(func() { answers[i] = s.do(c) })
	}
	wg.Wait()
	made := 0
	for _, a := range answers {
		switch a.status {
		case 201:
			made++
		case 409:
			a.problem(t)
		default:
			t.Errorf("got %d: %s", a.status, a.body)
		}
	}
	var keys struct{ Items []struct{ ID string } }
	s.read(s.want(200, call{token: s.admin, method: "GET", path: "/v1/teams/a/subscriptions/one-one/keys"}), &keys)
	if made != 1 || len(keys.Items) != 1 {
		t.Errorf("%d were answered with a key, %d were made", made, len(keys.Items))
	}
}
