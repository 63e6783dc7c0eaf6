package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/jsonx"
	"gatehouse/store"
	"gatehouse/store/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// glass seals nothing: what is bound to which name still counts.
type glass struct{}

func (glass) Seal(name string, secret []byte) ([]byte, error) {
	return append([]byte(name+"|"), secret...), nil
}

func (glass) Unseal(name string, sealed []byte) ([]byte, error) {
	secret, ok := strings.CutPrefix(string(sealed), name+"|")
	if !ok {
		return nil, gatehouse.E(gatehouse.Internal, "sealed for another name")
	}
	return []byte(secret), nil
}

// A site is a store with a clock that the test moves.
type site struct {
	t     *testing.T
	db    store.DB
	trail *audit.Trail
	mu    sync.Mutex
	now   time.Time
}

func newSite(t *testing.T) *site {
	s := &site{t: t, db: memory.New(), now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	s.trail = &audit.Trail{DB: s.db, Now: s.clock}
	t.Cleanup(func() { s.db.Close() })
	return s
}

func (s *site) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *site) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// node is one control plane's notifier.
func (s *site) node() *Notify {
	return New(Options{DB: s.db, Trail: s.trail, Log: slog.New(slog.DiscardHandler), Now: s.clock, Vault: glass{}, Source: "/gatehouse/test", Version: "test",
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Pause: func(int) time.Duration { return 10 * time.Minute }})
}

// put writes a document as the catalog would.
func (s *site) put(kind gatehouse.Kind, team, name string, spec gatehouse.Spec, index ...string) {
	s.t.Helper()
	doc, err := jsonx.Marshal(&gatehouse.Object{APIVersion: gatehouse.APIVersion, Kind: kind, Metadata: gatehouse.Metadata{Team: team, Name: name}, Spec: spec})
	if err != nil {
		s.t.Fatal(err)
	}
	value, err := jsonx.Marshal(&gatehouse.Stored{Object: doc})
	if err != nil {
		s.t.Fatal(err)
	}
	w := store.Write{Key: gatehouse.Key(kind, team, name), Kind: string(kind), Value: value, Expect: store.Any, Index: map[string]string{"name": name, "team": team}}
	for i := 0; i+1 < len(index); i += 2 {
		w.Index[index[i]] = index[i+1]
	}
	s.do(strings.ToLower(string(kind))+".put", string(kind)+" "+gatehouse.Metadata{Team: team, Name: name}.Ref(), team, w)
}

// do puts an event on record.
func (s *site) do(action, object, team string, writes ...store.Write) {
	s.t.Helper()
	_, err := s.trail.Commit(s.t.Context(), audit.Act{Action: action, Object: object, Team: team, Reason: "because", After: json.RawMessage(`{"password":"hunter2","path":"/x"}`), Writes: writes})
	if err != nil {
		s.t.Fatal(err)
	}
}

// follow reads all there is.
func (s *site) follow(n *Notify) {
	s.t.Helper()
	f, err := n.newFollower(s.t.Context())
	for moved := true; err == nil && moved; {
		moved, err = f.step(s.t.Context())
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// work makes every attempt that is due, and waits.
func (s *site) work(n *Notify) {
	s.t.Helper()
	for {
		due, err := s.db.Jobs(s.t.Context(), store.JobQuery{Due: s.clock(), Limit: 1})
		if err != nil {
			s.t.Fatal(err)
		}
		if len(due) == 0 {
			return
		}
		var wg sync.WaitGroup
		if _, err := n.round(s.t.Context(), s.t.Context(), &wg); err != nil {
			s.t.Fatal(err)
		}
		wg.Wait()
	}
}

// log is "receiver type state" of every delivery, sorted.
func (s *site) log(n *Notify) (lines []string) {
	s.t.Helper()
	list, _, err := n.Deliveries(s.t.Context(), Selection{Limit: 1000})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, d := range list {
		lines = append(lines, d.Receiver+" "+d.Type+" "+d.Subject+" "+d.Shown())
	}
	slices.Sort(lines)
	return lines
}

// A hook is a receiver that checks signatures by itself.
type hook struct {
	*httptest.Server
	mu     sync.Mutex
	answer int
	header http.Header
	secret []byte
	ids    []string
	bodies []string
	wrong  []string
}

func newHook(t *testing.T) *hook {
	h := &hook{answer: 204, header: http.Header{}}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.ids, h.bodies = append(h.ids, r.Header.Get("webhook-id")), append(h.bodies, string(body))
		if h.secret != nil {
			mac := hmac.New(sha256.New, h.secret)
			fmt.Fprintf(mac, "%s.%s.%s", r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp"), body)
			want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
			if !slices.Contains(strings.Fields(r.Header.Get("webhook-signature")), want) {
				h.wrong = append(h.wrong, r.Header.Get("webhook-signature"))
			}
		}
		for k, v := range h.header {
			w.Header()[k] = v
		}
		w.WriteHeader(h.answer)
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hook) set(answer int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answer = answer
}

func (h *hook) seen() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.ids)
}

func wantLog(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s: got\n  %s\nwant\n  %s", what, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func TestDeliver(t *testing.T) {
	s, h := newSite(t), newHook(t)
	n := s.node()
	s.follow(n)
	s.put(gatehouse.KindWebhook, "", "ops", &gatehouse.Webhook{URL: h.URL, Events: []string{"release.*"}, Secret: "${env:HOOK}"})
	h.secret = []byte("0123456789abcdef")
	n.Getenv = func(string) (string, bool) { return "0123456789abcdef", true }
	s.do("release.approve", "Release prod/payments/orders/v1", "payments")
	s.do("api.put", "API payments/orders", "payments")
	s.follow(n)
	s.work(n)
	wantLog(t, "log", s.log(n), "webhook/ops release.approve Release prod/payments/orders/v1 delivered")
	if h.seen() != 1 || len(h.wrong) > 0 {
		t.Fatalf("the receiver saw %d messages, wrong signatures %v", h.seen(), h.wrong)
	}
	var e Envelope
	if err := json.Unmarshal([]byte(h.bodies[0]), &e); err != nil {
		t.Fatal(err)
	}
	if e.SpecVersion != "1.0" || e.Type != "release.approve" || e.Source != "/gatehouse/test" || e.Data.Team != "payments" || e.Data.Reason != "because" || e.ID == "" {
		t.Errorf("envelope: %+v", e)
	}
	if strings.Contains(h.bodies[0], "hunter2") {
		t.Errorf("a secret in a message: %s", h.bodies[0])
	}
	// Nothing more comes of it, whoever looks again.
	s.follow(s.node())
	s.work(n)
	if h.seen() != 1 {
		t.Errorf("after another look the receiver saw %d", h.seen())
	}
}

func TestAudience(t *testing.T) {
	s := newSite(t)
	n := s.node()
	s.follow(n)
	all := func(name string) []gatehouse.TeamNotify {
		return []gatehouse.TeamNotify{{Name: name, Events: []string{"*"}, Email: name + "@example.com"}}
	}
	s.put(gatehouse.KindTeam, "", "platform", &gatehouse.Team{Provider: true, Notify: all("p")})
	s.put(gatehouse.KindTeam, "", "payments", &gatehouse.Team{Notify: all("o")})
	s.put(gatehouse.KindTeam, "", "billing", &gatehouse.Team{Notify: all("b")})
	s.put(gatehouse.KindTeam, "", "stranger", &gatehouse.Team{Notify: all("s")})
	s.put(gatehouse.KindProduct, "payments", "commerce", &gatehouse.Product{APIs: []string{"orders"}}, "ref:API/payments/orders", "1")
	s.put(gatehouse.KindSubscription, "billing", "inv", &gatehouse.Subscription{Application: "inv", Product: "payments/commerce", Plan: "free", Environment: "dev"},
		"product", "payments/commerce", "state", gatehouse.Approved)
	request, _ := jsonx.Marshal(&gatehouse.SupportRequest{ID: "sup-1", From: "billing", Provider: true})
	s.follow(n)
	before := s.log(n)
	s.do("api.deprecate", "API payments/orders@v1", "payments")
	s.do("release.approve", "Release dev/payments/orders/v1", "payments")
	s.do("subscription.approve", "Subscription billing/inv", "billing")
	s.do("support.open", "SupportRequest sup-1", "", store.Write{Key: "SupportRequest/sup-1", Kind: "SupportRequest", Value: request, Expect: store.Absent})
	s.do("environment.put", "Environment dev", "")
	s.follow(n)
	var got []string
	for _, l := range s.log(n) {
		if i := slices.Index(before, l); i >= 0 {
			before = slices.Delete(before, i, i+1)
			continue
		}
		got = append(got, strings.Join(strings.Fields(l)[:2], " "))
	}
	wantLog(t, "who hears", got,
		"team/payments/o api.deprecate", "team/billing/b api.deprecate",
		"team/payments/o release.approve",
		"team/payments/o subscription.approve", "team/billing/b subscription.approve",
		"team/platform/p support.open", "team/billing/b support.open",
		"team/platform/p environment.put")
	// What is another team's is told without who did it and what changed.
	list, _, err := n.Deliveries(t.Context(), Selection{Receiver: "team/billing/b", Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range list {
		var e Envelope
		if json.Unmarshal(d.Body, &e); e.Type == "api.deprecate" && (e.Data.Actor != "" || e.Data.Change != nil || e.Data.Reason != "because") {
			t.Errorf("a subscriber was told %s", d.Body)
		}
	}
}

func TestOutcomesAndOwnTroubles(t *testing.T) {
	s := newSite(t)
	n := s.node()
	s.follow(n)
	s.put(gatehouse.KindWebhook, "", "done", &gatehouse.Webhook{URL: "https://example.com"})
	s.put(gatehouse.KindWebhook, "", "refused", &gatehouse.Webhook{URL: "https://example.com", Outcomes: []string{gatehouse.Refused}})
	s.follow(n)
	before := len(s.log(n))
	if err := s.trail.Record(t.Context(), "api.put", "API a/b", "a", gatehouse.Refused, gatehouse.E(gatehouse.Denied, "no")); err != nil {
		t.Fatal(err)
	}
	s.do("notification.dead", "Receiver webhook/done", "")
	s.follow(n)
	if got := s.log(n); len(got) != before+1 || !strings.HasPrefix(got[len(got)-1], "webhook/refused api.put") {
		t.Errorf("log: %v", got)
	}
}

// TestRetryAndGiveUp lives through five days of a dead receiver.
func TestRetryAndGiveUp(t *testing.T) {
	s, h, well := newSite(t), newHook(t), newHook(t)
	n := s.node()
	n.Pause = pause
	s.follow(n)
	s.put(gatehouse.KindTeam, "", "payments", &gatehouse.Team{Notify: []gatehouse.TeamNotify{
		{Name: "dead", Events: []string{"release.*"}, Webhook: h.URL + "/secret-path"}, {Name: "well", Events: []string{"release.*"}, Webhook: well.URL}}})
	h.set(503)
	s.do("release.approve", "Release dev/payments/orders/v1", "payments")
	s.follow(n)
	s.work(n)
	if well.seen() != 1 || h.seen() != 1 {
		t.Fatalf("the well one saw %d, the dead one %d", well.seen(), h.seen())
	}
	began := s.clock()
	for range 10_000 {
		if queues, _ := s.db.JobQueues(t.Context()); len(queues) == 0 {
			break
		}
		s.pass(5 * time.Minute)
		s.work(n)
	}
	if tried := h.seen(); tried < 12 || tried > 25 {
		t.Errorf("tried %d times", tried)
	}
	if over := s.clock().Sub(began); over < GiveUp-15*time.Hour || over > GiveUp {
		t.Errorf("given up after %s", over)
	}
	if slices.ContainsFunc(h.ids, func(id string) bool { return id != h.ids[0] }) {
		t.Errorf("ids changed: %v", h.ids)
	}
	for range 2 {
		if err := n.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var dead []string
	for e, err := range s.db.Events(t.Context(), store.EventQuery{Action: "notification.dead"}) {
		if err != nil {
			t.Fatal(err)
		}
		dead = append(dead, e.Object+": "+e.Reason)
	}
	if len(dead) != 1 || !strings.Contains(dead[0], "Receiver team/payments/dead: 1 delivery was given up") || strings.Contains(dead[0], "secret-path") {
		t.Errorf("on record: %v", dead)
	}
	// Replayed, it comes under the same id.
	h.set(200)
	list, _, err := n.Deliveries(t.Context(), Selection{State: Dead, Limit: 5})
	if err != nil || len(list) != 1 || len(list[0].Attempts) > maxAttempts || list[0].Attempts[0].Status != 503 {
		t.Fatalf("dead: %+v, %v", list, err)
	}
	if _, err := n.Replay(t.Context(), list[0].ID); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Replay(t.Context(), list[0].ID); !gatehouse.Is(err, gatehouse.Conflict) {
		t.Errorf("replayed while it waits: %v", err)
	}
	seen := h.seen()
	s.work(n)
	if h.seen() != seen+1 || h.ids[seen] != h.ids[0] {
		t.Errorf("replayed: %d messages, ids %v", h.seen()-seen, h.ids)
	}
	wantLog(t, "at the end", s.log(n), "team/payments/dead release.approve Release dev/payments/orders/v1 delivered", "team/payments/well release.approve Release dev/payments/orders/v1 delivered")
}

func TestAnswers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer int
		header http.Header
		state  string
		error  string
		next   time.Duration // at least
	}{
		{"taken", 202, nil, Delivered, "", 0},
		{"redirect", 302, http.Header{"Location": {"http://127.0.0.1:1/"}}, Waiting, "redirects are not followed", time.Minute},
		{"gone", 410, nil, Dead, "the answer is 410", 0},
		{"fault", 500, nil, Waiting, "the answer is 500", time.Minute},
		{"busy", 429, http.Header{"Retry-After": {"7200"}}, Waiting, "the answer is 429", 2 * time.Hour},
		{"busy until", 503, http.Header{"Retry-After": {"Sun, 22 Nov 2026 15:00:00 GMT"}}, Waiting, "503", 3 * time.Hour},
		{"busy for ever", 503, http.Header{"Retry-After": {"999999999"}}, Waiting, "503", 24 * time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, h := newSite(t), newHook(t)
			n := s.node()
			s.follow(n)
			s.put(gatehouse.KindWebhook, "", "ops", &gatehouse.Webhook{URL: h.URL, Events: []string{"x.y"}})
			d, err := n.Test(t.Context(), "webhook/ops")
			if err != nil {
				t.Fatal(err)
			}
			h.answer, h.header = tt.answer, tt.header
			s.work(n)
			if d, err = n.Get(t.Context(), d.ID); err != nil || d.Shown() != tt.state || h.seen() != 1 {
				t.Fatalf("got %+v, %v", d, err)
			}
			if a := d.Attempts[0]; a.Status != tt.answer || tt.error == "" && a.Error != "" || !strings.Contains(a.Error, tt.error) {
				t.Errorf("attempt: %+v", a)
			}
			if tt.next > 0 && (d.Due.Sub(s.clock()) < tt.next || d.Due.Sub(s.clock()) > 25*time.Hour) {
				t.Errorf("next in %s, want at least %s", d.Due.Sub(s.clock()), tt.next)
			}
		})
	}
}

// TestPrivateAddress holds that no webhook leads into the network, whatever its
// name says.
func TestPrivateAddress(t *testing.T) {
	s, h := newSite(t), newHook(t)
	n := s.node()
	n.hooks = newHooks(nil)
	s.follow(n)
	for name, url := range map[string]string{"direct": h.URL, "named": strings.Replace(h.URL, "127.0.0.1", "localhost", 1),
		"private": "https://10.1.2.3/", "metadata": "https://169.254.169.254/latest/", "mapped": "https://[::ffff:169.254.169.254]/"} {
		s.put(gatehouse.KindWebhook, "", name, &gatehouse.Webhook{URL: url, Events: []string{"x.y"}})
		d, err := n.Test(t.Context(), "webhook/"+name)
		if err != nil {
			t.Fatal(err)
		}
		s.work(n)
		if d, err = n.Get(t.Context(), d.ID); err != nil || d.State != Waiting || !strings.Contains(d.Attempts[0].Error, "is refused") {
			t.Errorf("%s: got %+v, %v", name, d, err)
		}
	}
	if h.seen() != 0 {
		t.Errorf("the canary was reached %d times", h.seen())
	}
}

func TestSecrets(t *testing.T) {
	s, h := newSite(t), newHook(t)
	n := s.node()
	s.follow(n)
	s.put(gatehouse.KindWebhook, "", "ops", &gatehouse.Webhook{URL: h.URL, Events: []string{"x.y"}})
	send := func() *Delivery {
		t.Helper()
		d, err := n.Test(t.Context(), "webhook/ops")
		if err != nil {
			t.Fatal(err)
		}
		s.work(n)
		if d, err = n.Get(t.Context(), d.ID); err != nil {
			t.Fatal(err)
		}
		return d
	}
	send() // the first use makes one
	key := func(secret string) []byte {
		k, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		if err != nil || len(k) != 32 || !strings.HasPrefix(secret, "whsec_") {
			t.Fatalf("secret %q: %v", secret, err)
		}
		return k
	}
	first, err := n.Rotate(t.Context(), "webhook/ops")
	if err != nil {
		t.Fatal(err)
	}
	second, err := n.Rotate(t.Context(), "webhook/ops")
	if err != nil {
		t.Fatal(err)
	}
	for i, k := range []string{first, second} { // both sign for a day
		h.secret = key(k)
		if send(); len(h.wrong) > 0 {
			t.Errorf("secret %d does not sign", i)
		}
	}
	s.pass(Overlap + time.Minute)
	if send(); len(h.wrong) > 0 {
		t.Error("the newest secret does not sign")
	}
	h.secret = key(first)
	if send(); len(h.wrong) == 0 {
		t.Error("the secret before signs after a day")
	}
	// By reference: missing, too short, and then right.
	s.put(gatehouse.KindWebhook, "", "ops", &gatehouse.Webhook{URL: h.URL, Events: []string{"x.y"}, Secret: "${env:HOOK}"})
	env := map[string]string{}
	n.Getenv = func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	seen := h.seen()
	for _, tt := range []struct{ value, want string }{{"", "no such variable"}, {"tiny!", "shorter than 16"}, {"whsec_%%%", "not base64"}} {
		if delete(env, "HOOK"); tt.value != "" {
			env["HOOK"] = tt.value
		}
		if d := send(); d.State != Waiting || !strings.Contains(d.Attempts[0].Error, tt.want) || tt.value != "" && strings.Contains(d.Attempts[0].Error, tt.value) {
			t.Errorf("secret %q: %+v", tt.value, d.Attempts)
		}
	}
	if h.seen() != seen {
		t.Error("a message went out unsigned")
	}
	if _, err := n.Rotate(t.Context(), "webhook/ops"); !gatehouse.Is(err, gatehouse.Conflict) {
		t.Errorf("rotating a secret by reference: %v", err)
	}
	for rec := range s.db.Events(t.Context(), store.EventQuery{}) {
		if text, _ := json.Marshal(rec); strings.Contains(string(text), first) || strings.Contains(string(text), second) {
			t.Errorf("a secret on record: %s", text)
		}
	}
}

// TestSeveralControlPlanes lets three nodes follow and deliver while events
// come in, ends and begins some, and expects each delivery once.
func TestSeveralControlPlanes(t *testing.T) {
	s, h := newSite(t), newHook(t)
	s.follow(s.node())
	s.put(gatehouse.KindWebhook, "", "ops", &gatehouse.Webhook{URL: h.URL, Events: []string{"release.*"}, Secret: "${env:HOOK}"})
	const events = 120
	run := func(ctx context.Context) *sync.WaitGroup {
		var wg sync.WaitGroup
		for range 3 {
			n := s.node()
			n.Getenv = func(string) (string, bool) { return "0123456789abcdef", true }
			wg.Go(func() { n.Run(ctx) })
		}
		return &wg
	}
	ctx, stop := context.WithCancel(t.Context())
	wg := run(ctx)
	for i := range events {
		if i == events/2 {
			stop()
			wg.Wait()
			ctx, stop = context.WithCancel(t.Context())
			wg = run(ctx)
		}
		s.do("release.approve", "Release dev/payments/orders/v"+strconv.Itoa(i), "payments")
	}
	end := time.Now().Add(20 * time.Second)
	for h.seen() < events && time.Now().Before(end) {
		time.Sleep(5 * time.Millisecond)
	}
	stop()
	wg.Wait()
	counts := map[string]int{}
	for _, id := range h.ids {
		counts[id]++
	}
	if len(counts) != events {
		t.Errorf("%d of %d events were told", len(counts), events)
	}
	for id, c := range counts {
		if c != 1 {
			t.Errorf("%s was told %d times", id, c)
		}
	}
	if got := s.log(s.node()); len(got) != events {
		t.Errorf("%d deliveries of %d events", len(got), events)
	}
}

// TestReceiversOfTheMoment holds that a webhook hears what happened while it
// stood, though it is read later, also by a follower that begins anew.
func TestReceiversOfTheMoment(t *testing.T) {
	s := newSite(t)
	n := s.node()
	s.follow(n)
	s.do("release.approve", "Release 0", "payments")
	s.put(gatehouse.KindWebhook, "", "ops", &gatehouse.Webhook{URL: "https://example.com", Events: []string{"release.*"}})
	s.do("release.approve", "Release 1", "payments")
	s.do("webhook.delete", "Webhook ops", "", store.Write{Key: "Webhook/ops", Kind: "Webhook", Expect: store.Any})
	s.do("release.approve", "Release 2", "payments")
	s.follow(s.node())
	wantLog(t, "log", s.log(n), "webhook/ops release.approve Release 1 waiting")
	s.work(n)
	wantLog(t, "of a receiver that is gone", s.log(n), "webhook/ops release.approve Release 1 dead")
}

// TestFullLine gives up what comes on top of a full line, and lets others be.
func TestFullLine(t *testing.T) {
	s := newSite(t)
	n := s.node()
	s.follow(n)
	s.put(gatehouse.KindWebhook, "", "ops", &gatehouse.Webhook{URL: "https://example.com", Events: []string{"release.*"}})
	s.put(gatehouse.KindWebhook, "", "other", &gatehouse.Webhook{URL: "https://example.com", Events: []string{"release.*"}})
	var jobs []store.Job
	for i := range MaxWaiting {
		jobs = append(jobs, store.Job{ID: fmt.Sprint(i), Queue: "webhook/ops", State: Waiting, Due: s.clock().Add(time.Hour), Created: s.clock().Add(-time.Hour), Value: []byte(`{}`)})
	}
	if _, err := s.db.Apply(t.Context(), store.Batch{Jobs: jobs}); err != nil {
		t.Fatal(err)
	}
	s.do("release.approve", "Release 1", "payments")
	s.follow(n)
	list, _, err := n.Deliveries(t.Context(), Selection{Limit: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range list {
		if full := d.Receiver == "webhook/ops"; full != (d.Shown() == Dead) || full && !strings.Contains(d.Error, "line is full") {
			t.Errorf("%s: %s, %s", d.Receiver, d.Shown(), d.Error)
		}
	}
	if _, err := n.Test(t.Context(), "webhook/ops"); !gatehouse.Is(err, gatehouse.Conflict) {
		t.Errorf("a test into a full line: %v", err)
	}
}

// A sink is a receiver that takes connections and never answers, until it is
// closed.
type sink struct {
	*httptest.Server
	mu   sync.Mutex
	seen int
	open chan struct{}
}

func newSink(t *testing.T) *sink {
	k := &sink{open: make(chan struct{})}
	k.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k.mu.Lock()
		k.seen++
		k.mu.Unlock()
		select {
		case <-k.open:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(k.Close)
	t.Cleanup(func() { close(k.open) })
	return k
}

func (k *sink) begun() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.seen
}

// TestManyThatHang holds that any number of receivers that take a message and
// never answer keep none from one that does: at 64 attempts in all, sixteen of
// them did for as long as an attempt lasts.
func TestManyThatHang(t *testing.T) {
	s, h, k := newSite(t), newHook(t), newSink(t)
	n := s.node()
	s.follow(n)
	var hang []gatehouse.TeamNotify
	for i := range 80 {
		hang = append(hang, gatehouse.TeamNotify{Name: fmt.Sprintf("h%d", i), Events: []string{"release.*"}, Webhook: k.URL})
	}
	s.put(gatehouse.KindTeam, "", "payments", &gatehouse.Team{Notify: hang})
	for range 5 {
		s.do("release.approve", "Release dev/payments/orders/v1", "payments")
	}
	s.follow(n)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	if _, err := n.round(ctx, ctx, &wg); err != nil {
		t.Fatal(err)
	}
	until(t, "every receiver that hangs has an attempt", func() bool { return k.begun() >= 80 })
	if n.all > AtOnce+80 {
		t.Errorf("%d attempts under way", n.all)
	}
	s.put(gatehouse.KindWebhook, "", "well", &gatehouse.Webhook{URL: h.URL, Events: []string{"release.*"}})
	s.do("release.approve", "Release dev/payments/orders/v2", "payments")
	s.follow(n)
	if _, err := n.round(ctx, ctx, &wg); err != nil {
		t.Fatal(err)
	}
	until(t, "the one that answers has its message", func() bool { return h.seen() == 1 })
	if all := k.begun(); all > AtOnce+80 {
		t.Errorf("%d attempts at those that hang", all)
	}
}

// until waits for what another goroutine does.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not in 20 s", what)
		}
	}
}

// TestLeftAlone holds that a receiver that asks to be left alone is: its other
// messages wait too, and not only the one that it answered.
func TestLeftAlone(t *testing.T) {
	s, h := newSite(t), newHook(t)
	n := s.node()
	s.follow(n)
	s.put(gatehouse.KindWebhook, "", "ops", &gatehouse.Webhook{URL: h.URL, Events: []string{"release.*"}})
	h.answer, h.header = 429, http.Header{"Retry-After": {"3600"}}
	s.do("release.approve", "Release dev/payments/orders/v1", "payments")
	s.follow(n)
	s.work(n)
	if h.seen() != 1 {
		t.Fatalf("seen %d", h.seen())
	}
	for range 50 {
		s.do("release.approve", "Release dev/payments/orders/v1", "payments")
	}
	s.follow(n)
	look := func() {
		t.Helper()
		for range 60 {
			var wg sync.WaitGroup
			if _, err := n.round(t.Context(), t.Context(), &wg); err != nil {
				t.Fatal(err)
			}
			wg.Wait()
		}
	}
	s.pass(59 * time.Minute)
	if look(); h.seen() != 1 {
		t.Errorf("asked again %d times within the hour", h.seen()-1)
	}
	// After it, one at a time until one is taken; then all.
	s.pass(2 * time.Minute)
	if look(); h.seen() != 2 {
		t.Errorf("after the hour it was asked %d times, want once", h.seen()-1)
	}
	h.set(200)
	s.pass(61 * time.Minute)
	look()
	if h.seen() != 2+51 || len(n.lanes) != 0 {
		t.Errorf("when it answers again it saw %d, want %d; %d lanes are remembered", h.seen(), 2+51, len(n.lanes))
	}
	// A person who replays does not wait for the hour.
	h.set(429)
	if _, err := n.Test(t.Context(), "webhook/ops"); err != nil {
		t.Fatal(err)
	}
	look()
	if _, err := n.Test(t.Context(), "webhook/ops"); err != nil {
		t.Fatal(err)
	}
	if look(); h.seen() != 2+51+2 {
		t.Errorf("tests: it saw %d, want %d", h.seen(), 2+51+2)
	}
}

// TestTakenWhenKilled holds how soon a delivery is tried again whose process was
// killed in the midst of it: at once where no other process shares the store,
// else when the lease is over, which is little longer than an attempt.
func TestTakenWhenKilled(t *testing.T) {
	for _, alone := range []bool{true, false} {
		s, h := newSite(t), newHook(t)
		n := s.node()
		s.follow(n)
		s.put(gatehouse.KindWebhook, "", "ops", &gatehouse.Webhook{URL: h.URL, Events: []string{"release.*"}})
		s.put(gatehouse.KindWebhook, "", "later", &gatehouse.Webhook{URL: h.URL, Events: []string{"gate.*"}})
		h.set(500)
		s.do("gate.pass", "API payments/orders", "payments")
		s.follow(n)
		s.work(n) // fails, and waits for ten minutes
		h.set(200)
		s.do("release.approve", "Release dev/payments/orders/v1", "payments")
		s.follow(n)
		due, err := s.db.Jobs(t.Context(), store.JobQuery{Queue: "webhook/ops", Due: s.clock(), Limit: 4})
		if err != nil {
			t.Fatal(err)
		}
		mine, err := n.claim(t.Context(), due, s.clock())
		if err != nil || len(mine) != 1 {
			t.Fatal(mine, err)
		}
		// Here it is killed. Another process begins.
		s.pass(time.Second)
		other := s.node()
		other.Alone = alone
		if other.Alone {
			if err := other.takeBack(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		s.work(other)
		if got := h.seen() - 1; got != map[bool]int{true: 1, false: 0}[alone] {
			t.Errorf("alone %t: at once it saw %d", alone, got)
		}
		s.pass(leaseTime)
		s.work(other)
		if got := h.seen() - 1; got != 1 {
			t.Errorf("alone %t: after the lease it saw %d, want the one", alone, got)
		}
		// What the one before would write now is too late, and harms nothing.
		n.attempt(t.Context(), mine[0])
		wantLog(t, "log", s.log(n), "webhook/ops release.approve Release dev/payments/orders/v1 delivered", "webhook/later gate.pass API payments/orders waiting")
	}
}

// TestDeliveriesOfSome pages through what one may see among much that one may
// not: every page is full or says where the next begins, and none is missing.
func TestDeliveriesOfSome(t *testing.T) {
	s := newSite(t)
	n := s.node()
	var jobs []store.Job
	for i := range 200 {
		d := &Delivery{ID: fmt.Sprintf("msg_%03d", i), Receiver: "team/payments/x", Type: "x.y", Body: json.RawMessage("{}"), State: Delivered, Team: "payments", Created: s.clock().Add(time.Duration(i) * time.Second)}
		if i%37 == 0 || i > 190 {
			d.Receiver, d.Team = "team/billing/x", "billing"
		}
		job, err := d.job(0)
		if err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, job)
	}
	if _, err := s.db.Apply(t.Context(), store.Batch{Jobs: jobs}); err != nil {
		t.Fatal(err)
	}
	var seen []string
	for after, pages := "", 0; ; pages++ {
		list, next, err := n.Deliveries(t.Context(), Selection{Limit: 3, After: after, Sees: func(d *Delivery) bool { return d.Team == "billing" }})
		if err != nil || pages > 20 || len(list) > 3 || next != "" && len(list) < 3 {
			t.Fatalf("page %d: %d deliveries, next %q, %v", pages, len(list), next, err)
		}
		for _, d := range list {
			seen = append(seen, d.ID)
		}
		if after = next; next == "" {
			break
		}
	}
	want := []string{"msg_199", "msg_198", "msg_197", "msg_196", "msg_195", "msg_194", "msg_193", "msg_192", "msg_191", "msg_185", "msg_148", "msg_111", "msg_074", "msg_037", "msg_000"}
	if !slices.Equal(seen, want) {
		t.Errorf("got %v, want %v", seen, want)
	}
}
