package access

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/store"
	"gatehouse/store/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A house is a guard over a store with a clock that the test moves.
type house struct {
	*Guard
	t   *testing.T
	db  *outage
	now time.Time
}

// outage is a store that can stop.
type outage struct {
	store.DB
	mu   sync.Mutex
	down bool
	gets int
}

func (o *outage) set(down bool) { o.mu.Lock(); o.down = down; o.mu.Unlock() }

func (o *outage) err() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.down {
		return gatehouse.E(gatehouse.Unavailable, "reading: the database is stopped")
	}
	return nil
}

func (o *outage) Get(ctx context.Context, key string) (store.Record, error) {
	if err := o.err(); err != nil {
		return store.Record{}, err
	}
	o.mu.Lock()
	o.gets++
	o.mu.Unlock()
	return o.DB.Get(ctx, key)
}

func (o *outage) Apply(ctx context.Context, b store.Batch) (store.Seq, error) {
	if err := o.err(); err != nil {
		return 0, err
	}
	return o.DB.Apply(ctx, b)
}

func (o *outage) Changes(ctx context.Context, after store.Seq, limit int) ([]store.Change, store.Seq, error) {
	if err := o.err(); err != nil {
		return nil, 0, err
	}
	return o.DB.Changes(ctx, after, limit)
}

func newHouse(t *testing.T, changes ...store.Change) *house {
	t.Helper()
	h := &house{t: t, db: &outage{DB: memory.New()}, now: noon}
	t.Cleanup(func() { h.db.Close() })
	h.write(changes...)
	var err error
	h.Guard, err = Open(t.Context(), &audit.Trail{DB: h.db, Now: func() time.Time { return h.now }}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// write stores documents without asking anyone.
func (h *house) write(changes ...store.Change) store.Seq {
	h.t.Helper()
	var b store.Batch
	for _, c := range changes {
		b.Writes = append(b.Writes, store.Write{Key: c.Key, Kind: c.Kind, Value: c.Value, Expect: store.Any})
	}
	seq, err := h.db.DB.Apply(h.t.Context(), b)
	if err != nil {
		h.t.Fatal(err)
	}
	return seq
}

func as(ctx context.Context, actor string) context.Context {
	return audit.WithRequest(ctx, audit.Request{Actor: actor, Authentication: "token:tok_test"})
}

func user(name string) store.Change { return put(gatehouse.KindUser, name, &gatehouse.User{}) }

func assign(name, subject, role, scope string) store.Change {
	return put(gatehouse.KindRoleAssignment, name, &gatehouse.RoleAssignment{Subject: subject, Role: role, Scope: scope})
}

var orders = On{Kind: gatehouse.KindAPI, Team: "payments", Name: "orders"}

func TestFirstAdministrator(t *testing.T) {
	h := newHouse(t)
	secret, created, err := h.EnsureAdmin(t.Context())
	if err != nil || !created || !strings.HasPrefix(secret, "ght_") {
		t.Fatalf("first start: %q, %v, %v", secret, created, err)
	}
	who, how, err := Authority{h.Guard}.Authenticate(t.Context(), secret)
	if err != nil || who != "user:admin" || !strings.HasPrefix(how, "token:tok_") {
		t.Fatalf("got %q, %q, %v", who, how, err)
	}
	if !h.Can(who, "role.put", On{}).Allowed {
		t.Error("the administrator may not change roles")
	}
	if secret, created, err := h.EnsureAdmin(t.Context()); err != nil || created || secret != "" {
		t.Errorf("second start: %q, %v, %v", secret, created, err)
	}
	// Neither secret nor hash lies in the trail; the secret nowhere in the store.
	for e, err := range h.db.Events(t.Context(), store.EventQuery{}) {
		text, _ := json.Marshal(e)
		if err != nil || strings.Contains(string(text), secret[4:]) || strings.Contains(string(text), hashOf(secret)) {
			t.Errorf("%v: %s", err, text)
		}
	}
	for _, kind := range []string{"Token", "User", "RoleAssignment"} {
		page, err := h.db.List(t.Context(), store.Query{Kind: kind})
		if err != nil || len(page.Records) != 1 || strings.Contains(string(page.Records[0].Value), secret[4:]) {
			t.Errorf("%s: %v, %+v", kind, err, page.Records)
		}
	}
	// An administrator who was removed does not come back.
	h.write(drop(gatehouse.KindUser, "admin"))
	if _, created, err := h.EnsureAdmin(t.Context()); err != nil || created {
		t.Errorf("after removal: %v, %v", created, err)
	}
	if err := h.CatchUp(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Authenticate(t.Context(), secret); !gatehouse.Is(err, gatehouse.Unauthenticated) {
		t.Errorf("the token of a user who is gone: %v", err)
	}
}

func TestTwoFirstStartsAtOnce(t *testing.T) {
	h := newHouse(t)
	other, err := Open(t.Context(), &audit.Trail{DB: h.db}, nil)
	if err != nil {
		t.Fatal(err)
	}
	made := make(chan bool, 8)
	var wg sync.WaitGroup
	for i := range 8 {
		g := h.Guard
		if i%2 == 0 {
			g = other
		}
		wg.Go(func() {
			_, created, err := g.EnsureAdmin(t.Context())
			if err != nil {
				t.Error(err)
			}
			made <- created
		})
	}
	wg.Wait()
	close(made)
	n := 0
	for created := range made {
		if created {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d administrators were made", n)
	}
}

func TestTokens(t *testing.T) {
	h := newHouse(t, user("alice"), user("bob"), assign("boss", "user:alice", "admin", Organization))
	ctx := as(t.Context(), "user:alice")
	secret, token, err := h.CreateToken(ctx, TokenRequest{Subject: "user:bob", Name: "laptop", Life: time.Hour})
	if err != nil || token.Hash != "" {
		t.Fatalf("%+v, %v", token, err)
	}
	before := h.db.gets
	for range 100 {
		if got, err := h.Authenticate(ctx, secret); err != nil || got.Subject != "user:bob" || got.Hash != "" {
			t.Fatalf("got %+v, %v", got, err)
		}
	}
	if n := h.db.gets - before; n > 1 {
		t.Errorf("%d reads of the store for one token", n)
	}
	h.now = noon.Add(time.Hour)
	if _, err := h.Authenticate(ctx, secret); !gatehouse.Is(err, gatehouse.Unauthenticated) || !strings.Contains(err.Error(), "ended 2026-11-22 13:00 UTC") {
		t.Errorf("after its hour: %v", err)
	}
	h.now = noon
	if _, err := h.Authenticate(ctx, secret); err != nil {
		t.Fatal(err)
	}
	if err := h.RevokeToken(ctx, token.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Authenticate(ctx, secret); !gatehouse.Is(err, gatehouse.Unauthenticated) || !strings.Contains(err.Error(), "revoked") {
		t.Errorf("after revocation: %v", err)
	}
	if err := h.RevokeToken(ctx, token.ID); err != nil {
		t.Errorf("revoked twice: %v", err)
	}
	list, next, err := h.Tokens(ctx, "user:bob", "", 10)
	if err != nil || next != "" || len(list) != 1 || list[0].Hash != "" || list[0].Revoked.IsZero() {
		t.Errorf("listed: %+v, %q, %v", list, next, err)
	}
	if list, _, err := h.Tokens(ctx, "user:alice", "", 10); err != nil || len(list) != 0 {
		t.Errorf("alice's: %+v, %v", list, err)
	}
	if err := h.RevokeToken(ctx, "tok_none"); !gatehouse.Is(err, gatehouse.NotFound) {
		t.Errorf("revoking what there is not: %v", err)
	}
	h.now = noon.Add(KeptEnded + 2*time.Hour)
	if n, err := h.Sweep(ctx); err != nil || n != 1 {
		t.Errorf("swept %d, %v", n, err)
	}
	if _, err := h.Token(ctx, token.ID); !gatehouse.Is(err, gatehouse.NotFound) {
		t.Errorf("after the sweep: %v", err)
	}
}

func TestWhatIsNoToken(t *testing.T) {
	h := newHouse(t, user("alice"))
	good, _, err := h.CreateToken(as(t.Context(), "user:alice"), TokenRequest{Subject: "user:alice"})
	if err != nil {
		t.Fatal(err)
	}
	strange, _ := newSecret(tokenPrefix)
	code, _ := newSecret(loginPrefix)
	for name, secret := range map[string]string{"nothing": "", "another's": "ghp_abc", "only the prefix": "ght_", "shorter": good[:len(good)-1], "longer": good + "a",
		"one letter": flip(good, 10), "the checksum": flip(good, len(good)-1), "unknown": strange, "a session's prefix": "ghs_" + good[4:], "a login code": code,
		"very long": "ght_" + strings.Repeat("a", 1<<20)} {
		if got, err := h.Authenticate(t.Context(), secret); !gatehouse.Is(err, gatehouse.Unauthenticated) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		} else if len(secret) > 20 && strings.Contains(err.Error(), secret[8:20]) {
			t.Errorf("%s: the error tells the secret: %v", name, err)
		}
	}
	h.db.set(true)
	if _, err := h.Authenticate(t.Context(), strange); !gatehouse.Is(err, gatehouse.Unavailable) {
		t.Errorf("the store is stopped: %v", err)
	}
}

func flip(s string, at int) string {
	c := byte('a')
	if s[at] == c {
		c = 'b'
	}
	return s[:at] + string(c) + s[at+1:]
}

func TestTokenRequestsRefused(t *testing.T) {
	h := newHouse(t, user("alice"), user("root"), put(gatehouse.KindUser, "gone", &gatehouse.User{Disabled: true}),
		put(gatehouse.KindServiceAccount, "ci", &gatehouse.ServiceAccount{}),
		assign("a", "user:alice", "developer", "team/payments"), assign("r", "user:root", "admin", Organization),
		assign("c", "service:ci", "viewer", "team/payments"))
	tests := []struct {
		name string
		r    TokenRequest
		want gatehouse.ErrorKind
	}{
		{"own", TokenRequest{Subject: "user:alice"}, ""},
		{"of a service that holds less", TokenRequest{Subject: "service:ci"}, ""},
		{"of an administrator", TokenRequest{Subject: "user:root"}, gatehouse.Denied},
		{"of nobody", TokenRequest{Subject: "user:nobody"}, gatehouse.Invalid},
		{"of a group", TokenRequest{Subject: "group:g"}, gatehouse.Invalid},
		{"of one who is disabled", TokenRequest{Subject: "user:gone"}, gatehouse.Invalid},
		{"for ever", TokenRequest{Subject: "user:alice", Life: Forever}, gatehouse.Invalid},
		{"too long", TokenRequest{Subject: "user:alice", Life: MaxTokenLife + 1}, gatehouse.Invalid},
		{"too short", TokenRequest{Subject: "user:alice", Life: time.Second}, gatehouse.Invalid},
		{"a long name", TokenRequest{Subject: "user:alice", Name: strings.Repeat("x", 201)}, gatehouse.Invalid},
	}
	for _, tt := range tests {
		_, _, err := h.CreateToken(as(t.Context(), "user:alice"), tt.r)
		if got := gatehouse.KindOf(err); got != tt.want {
			t.Errorf("%s: got %q (%v), want %q", tt.name, got, err, tt.want)
		}
	}
}

func TestLoginCodeOpensOneSession(t *testing.T) {
	h := newHouse(t, user("alice"))
	ctx := as(t.Context(), "user:alice")
	code, _, err := h.CreateLoginCode(ctx, "user:alice")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Authenticate(ctx, code); !gatehouse.Is(err, gatehouse.Unauthenticated) {
		t.Errorf("a code is no session: %v", err)
	}
	won := make(chan string, 8)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			secret, _, err := h.RedeemLoginCode(t.Context(), code)
			if err == nil {
				won <- secret
			} else if !gatehouse.Is(err, gatehouse.Unauthenticated) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	close(won)
	if len(won) != 1 {
		t.Fatalf("%d sessions from one code", len(won))
	}
	secret := <-won
	who, how, err := Authority{h.Guard}.Authenticate(ctx, secret)
	if err != nil || who != "user:alice" || !strings.HasPrefix(how, "session:ses_") {
		t.Fatalf("%q, %q, %v", who, how, err)
	}
	list, _, err := h.Sessions(ctx, "user:alice", "", 0)
	if err != nil || len(list) != 1 {
		t.Fatalf("%+v, %v", list, err)
	}
	if err := h.RevokeSession(ctx, list[0].ID); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Authenticate(ctx, secret); !gatehouse.Is(err, gatehouse.Unauthenticated) {
		t.Errorf("after logout: %v", err)
	}
	late, _, err := h.CreateLoginCode(ctx, "user:alice")
	if err != nil {
		t.Fatal(err)
	}
	h.now = noon.Add(LoginCodeLife)
	if _, _, err := h.RedeemLoginCode(t.Context(), late); !gatehouse.Is(err, gatehouse.Unauthenticated) {
		t.Errorf("ten minutes later: %v", err)
	}
}

// A revocation by another process is known here as soon as the line of changes
// brings it, and a stopped store neither ends the guard nor loosens it.
func TestGuardFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, user("alice"))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- h.Run(ctx) }()
		synctest.Wait()
		if h.Can("user:alice", "api.put", orders).Allowed {
			t.Error("allowed before anything was given")
		}
		h.write(assign("a", "user:alice", "developer", "team/payments"))
		synctest.Wait()
		if !h.Can("user:alice", "api.put", orders).Allowed {
			t.Error("refused after it was given")
		}
		h.db.set(true)
		h.write(drop(gatehouse.KindRoleAssignment, "a"))
		synctest.Wait()
		time.Sleep(time.Minute) // of the test's own clock
		if !h.Can("user:alice", "api.put", orders).Allowed {
			t.Error("decisions do not stand while the store is stopped")
		}
		h.db.set(false)
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if h.Can("user:alice", "api.put", orders).Allowed {
			t.Error("allowed after it was taken away and the store is back")
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func TestAsOf(t *testing.T) {
	synctest.Test(t, asOf) // the store stamps batches by the clock, which moves only when the test sleeps
}

func asOf(t *testing.T) {
	h := newHouse(t)
	steps := []struct {
		c    store.Change
		want bool // may alice put orders after it?
	}{
		{user("alice"), false},
		{put(gatehouse.KindGroup, "devs", &gatehouse.Group{Members: []string{"user:alice"}}), false},
		{assign("a", "group:devs", "developer", "team/money"), false},
		{put(gatehouse.KindTeam, "payments", &gatehouse.Team{Parent: "money"}), true},
		{assign("b", "user:bob", "admin", Organization), true},
		{put(gatehouse.KindUser, "alice", &gatehouse.User{Disabled: true}), false},
		{user("alice"), true},
		{drop(gatehouse.KindGroup, "devs"), false},
	}
	var moments []time.Time
	for _, s := range steps {
		h.write(s.c)
		moments = append(moments, time.Now())
		time.Sleep(time.Second)
	}
	for i, s := range steps {
		x, err := h.At(t.Context(), moments[i], Question{Subject: "user:alice", On: orders})
		if err != nil {
			t.Fatal(err)
		}
		if got := x.Can("user:alice", "api.put", orders).Allowed; got != s.want {
			t.Errorf("after step %d, %s: got %v, want %v", i, s.c.Key, got, s.want)
		}
		y, err := h.At(t.Context(), moments[i], Question{On: orders})
		if err != nil {
			t.Fatal(err)
		}
		who := y.Who("api.put", orders, "", 0)
		listed := false
		for _, holder := range who.Holders {
			listed = listed || holder.Subject == "user:alice"
		}
		if listed != s.want {
			t.Errorf("who, after step %d, %s: got %+v, want alice %v", i, s.c.Key, who, s.want)
		}
	}
	if x, err := h.At(t.Context(), moments[0].Add(-time.Hour), Question{Subject: "user:bob"}); err != nil || x.Can("user:bob", "api.put", orders).Allowed {
		t.Errorf("before the first batch: %v", err)
	}
}

// A record that no one can read gives nobody anything.
func TestUnreadableRecordsGiveNothing(t *testing.T) {
	h := newHouse(t, user("alice"), assign("a", "user:alice", "admin", Organization))
	for _, value := range []string{`{"object":{"spec":{"subject":"user:alice","role":"admin","scope":"organization","expires":"soon"}}}`, `nonsense`, `{"object":3}`} {
		c := assign("a", "user:alice", "admin", Organization)
		h.write(c)
		if err := h.CatchUp(t.Context(), 0); err != nil || !h.Can("user:alice", "role.put", On{}).Allowed {
			t.Fatalf("before: %v", err)
		}
		c.Value = []byte(value)
		h.write(c)
		if err := h.CatchUp(t.Context(), 0); err != nil || h.Can("user:alice", "role.put", On{}).Allowed {
			t.Errorf("%s: %v, or it still gives", value, err)
		}
	}
}
