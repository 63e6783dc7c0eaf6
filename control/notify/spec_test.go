package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// verify is a receiver's reading of the Standard Webhooks text: the secret is
// base64 behind "whsec_", the signature header a list of "v1,<base64>" divided
// by spaces, of which one must be the HMAC-SHA256 of "id.timestamp.body", and the
// timestamp seconds since 1970, within five minutes of now.
func verify(secret string, head http.Header, body []byte, now time.Time) error {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return err
	}
	id, stamp := head.Get("Webhook-Id"), head.Get("Webhook-Timestamp")
	if id == "" || strings.Contains(id, ".") {
		return fmt.Errorf("id %q", id)
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return err
	}
	if d := now.Sub(time.Unix(seconds, 0)); d > 5*time.Minute || d < -5*time.Minute {
		return fmt.Errorf("sent %s ago", d)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id))
	mac.Write([]byte{'.'})
	mac.Write([]byte(stamp))
	mac.Write([]byte{'.'})
	mac.Write(body)
	want := mac.Sum(nil)
	for _, signature := range strings.Split(head.Get("Webhook-Signature"), " ") {
		version, text, _ := strings.Cut(signature, ",")
		got, err := base64.StdEncoding.DecodeString(text)
		if version == "v1" && err == nil && hmac.Equal(got, want) {
			return nil
		}
	}
	return errors.New("no signature is right")
}

// TestSignKnown compares with signatures that the scheme's authors publish.
func TestSignKnown(t *testing.T) {
	for _, tt := range []struct{ key, id, body, want string }{
		{"plJ3nmyCDGBKInavdOK15jsl", "msg_loFOjxBNrRLzqYUf@1731705121", `{"event_type":"ping","data":{"success":true}}`, "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="},
		{"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek@1614265330", `{"test": 2432232314}`, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
	} {
		key, err := base64.StdEncoding.DecodeString(tt.key)
		if err != nil {
			t.Fatal(err)
		}
		id, at, _ := strings.Cut(tt.id, "@")
		seconds, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if got := sign([][]byte{key}, id, time.Unix(seconds, 0), []byte(tt.body)); got != tt.want {
			t.Errorf("%s: got %s, want %s", id, got, tt.want)
		}
	}
}

// TestMessageBySpecifications sends a real event and reads what comes as a
// stranger would who has only the two specifications.
func TestMessageBySpecifications(t *testing.T) {
	type message struct {
		head http.Header
		body []byte
	}
	var mu sync.Mutex // guards got
	var got []message
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		got = append(got, message{r.Header.Clone(), body})
	}))
	defer server.Close()
	s := newSite(t)
	n := s.node()
	secret := "whsec_plJ3nmyCDGBKInavdOK15jsl"
	n.Getenv = func(string) (string, bool) { return secret, true }
	s.follow(n)
	s.put(gatehouse.KindWebhook, "", "ops", &gatehouse.Webhook{URL: server.URL, Events: []string{"release.*"}, Secret: "${env:HOOK}"})
	s.do("release.approve", "Release prod/payments/orders/v1", "payments")
	s.do("release.rollback", "Release prod/payments/orders/v1", "payments")
	s.follow(n)
	s.work(n)
	if len(got) != 2 {
		t.Fatalf("%d messages", len(got))
	}
	seen := map[string]bool{}
	for _, m := range got {
		if err := verify(secret, m.head, m.body, s.clock()); err != nil {
			t.Errorf("signature: %v", err)
		}
		for what, spoil := range map[string]func(http.Header, []byte){
			"body":      func(_ http.Header, b []byte) { b[len(b)/2] ^= 1 },
			"id":        func(h http.Header, _ []byte) { h.Set("Webhook-Id", "msg_other") },
			"timestamp": func(h http.Header, _ []byte) { h.Set("Webhook-Timestamp", strconv.FormatInt(s.clock().Unix()+1, 10)) },
		} {
			head, body := m.head.Clone(), slices.Clone(m.body)
			spoil(head, body)
			if verify(secret, head, body, s.clock()) == nil {
				t.Errorf("another %s is signed too", what)
			}
		}
		event(t, m.head, m.body, seen)
	}
}

// event checks a message against CloudEvents 1.0 in structured JSON.
func event(t *testing.T, head http.Header, body []byte, seen map[string]bool) {
	t.Helper()
	if media, _, err := mime.ParseMediaType(head.Get("Content-Type")); err != nil || media != "application/cloudevents+json" {
		t.Errorf("content type %q", head.Get("Content-Type"))
	}
	var e map[string]any
	if err := json.Unmarshal(body, &e); err != nil {
		t.Fatal(err)
	}
	text := func(name string, required bool) string {
		v, ok := e[name]
		s, isText := v.(string)
		if !ok && !required {
			return ""
		}
		if !isText || s == "" {
			t.Errorf("%s: got %#v, want text that is not empty", name, v)
		}
		return s
	}
	if text("specversion", true) != "1.0" {
		t.Errorf("specversion %v", e["specversion"])
	}
	if _, err := url.Parse(text("source", true)); err != nil {
		t.Errorf("source is no URI-reference: %v", err)
	}
	if key := text("source", true) + " " + text("id", true); seen[key] {
		t.Errorf("source and id %q came for two events", key)
	} else {
		seen[key] = true
	}
	text("type", true)
	text("subject", false)
	if _, err := time.Parse(time.RFC3339, text("time", false)); err != nil {
		t.Errorf("time: %v", err)
	}
	if media, _, err := mime.ParseMediaType(text("datacontenttype", false)); err != nil || media != "application/json" {
		t.Errorf("datacontenttype %q", e["datacontenttype"])
	}
	for name := range e {
		if !regexp.MustCompile(`^[a-z0-9]{1,20}$`).MatchString(name) {
			t.Errorf("attribute %q is none", name)
		}
	}
	if _, ok := e["data"].(map[string]any); !ok {
		t.Errorf("data: %v", e["data"])
	}
}

// TestAudienceMatrix makes random events about objects of every kind of every
// team and compares who hears of them with the rules as a person would say them.
func TestAudienceMatrix(t *testing.T) {
	teams := []string{"platform", "payments", "billing", "stranger"}
	s := newSite(t)
	n := s.node()
	s.follow(n)
	for _, name := range teams {
		s.put(gatehouse.KindTeam, "", name, &gatehouse.Team{Provider: name == "platform", Notify: []gatehouse.TeamNotify{
			{Name: "all", Events: []string{"*"}, Email: name + "@example.com", Outcomes: []string{gatehouse.Allowed, gatehouse.Refused, gatehouse.Failed}}}})
	}
	s.put(gatehouse.KindWebhook, "", "ops", &gatehouse.Webhook{URL: "https://hooks.example.com", Events: []string{"*"}, Outcomes: []string{gatehouse.Allowed, gatehouse.Refused, gatehouse.Failed}})
	s.put(gatehouse.KindProduct, "payments", "commerce", &gatehouse.Product{APIs: []string{"orders"}}, "ref:API/payments/orders", "1")
	s.put(gatehouse.KindSubscription, "billing", "inv", &gatehouse.Subscription{Application: "inv", Product: "payments/commerce", Plan: "free", Environment: "dev"},
		"product", "payments/commerce", "state", gatehouse.Approved)
	for id, r := range map[string]gatehouse.SupportRequest{"sup-1": {From: "billing", To: "payments"}, "sup-2": {From: "stranger", To: "platform", Provider: true}, "sup-3": {From: "billing", Provider: true}} {
		r.ID = id
		value, err := jsonx.Marshal(&r)
		if err != nil {
			t.Fatal(err)
		}
		s.do("support.open", "SupportRequest "+id, r.To, store.Write{Key: "SupportRequest/" + id, Kind: "SupportRequest", Value: value, Expect: store.Absent})
	}
	s.follow(n)
	type told struct{ hears, whole bool }
	rapid.Check(t, func(t *rapid.T) {
		team := rapid.SampledFrom(append([]string{""}, teams...)).Draw(t, "team")
		e := &gatehouse.Event{Number: 1 << 40, Action: rapid.SampledFrom([]string{"api.put", "api.deprecate", "version.retire", "release.approve", "subscription.approve", "support.reply", "support.escalate",
			"gate.pass", "waiver.approve", "team.put", "key.create"}).Draw(t, "action"), Team: team,
			Outcome: rapid.SampledFrom([]string{gatehouse.Allowed, gatehouse.Refused, gatehouse.Failed}).Draw(t, "outcome")}
		e.Object = rapid.SampledFrom([]string{"API payments/orders@v1", "API payments/orders", "API payments/other", "API stranger/orders", "Release dev/payments/orders/v1", "Subscription billing/inv",
			"Subscription billing/none", "SupportRequest sup-1", "SupportRequest sup-2", "SupportRequest sup-3", "SupportRequest sup-99", "Environment dev", "Team billing", "Team stranger", "Key billing/x", "", "nonsense"}).Draw(t, "object")
		head, err := s.db.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		e.Seq = int64(head.Seq)
		want := map[string]told{"webhook/ops": {true, true}}
		own := func(team string) { want["team/"+team+"/all"] = told{true, true} }
		if team != "" {
			own(team)
		} else {
			own("platform") // what belongs to no team is the provider's
		}
		switch e.Object {
		case "Subscription billing/inv":
			own("payments")
		case "SupportRequest sup-1":
			own("billing")
			own("payments")
		case "SupportRequest sup-2":
			own("stranger")
			own("platform")
		case "SupportRequest sup-3":
			own("billing")
			own("platform")
		case "API payments/orders", "API payments/orders@v1":
			if (e.Action == "api.deprecate" || e.Action == "version.retire") && !want["team/billing/all"].whole {
				want["team/billing/all"] = told{true, false}
			}
		}
		whom, err := n.concerns(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		list, err := n.Receivers(t.Context(), "")
		if err != nil || len(list) != len(teams)+1 {
			t.Fatal(list, err)
		}
		for i := range list {
			r := &list[i]
			hears, whole := whom.hears(r)
			if !r.wants(e) || (told{hears, hears && whole}) != want[r.ID] {
				t.Errorf("%s on %q of team %q: %s hears %t, whole %t; want %+v", e.Action, e.Object, team, r.ID, hears, whole, want[r.ID])
			}
		}
	})
}
