package server

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/store"
	"gatehouse/store/memory"
	"gatehouse/store/postgres"
	"gatehouse/store/postgres/pgtest"
	"gatehouse/store/sqlite"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// A mortal is a database whose process ends at one of its writes: as after a
// kill, nothing of it is written afterwards, and nobody hears whether the last
// one was.
type mortal struct {
	store.DB
	left  int  // writes before the last; below 0 it is dead
	lands bool // the last write is in the database
}

func (m *mortal) Apply(ctx context.Context, b store.Batch) (store.Seq, error) {
	m.left--
	if m.left >= 0 {
		return m.DB.Apply(ctx, b)
	}
	if m.left == -1 && m.lands {
		if _, err := m.DB.Apply(ctx, b); err != nil {
			return 0, err
		}
	}
	return 0, gatehouse.E(gatehouse.Unavailable, "killed")
}

// TestKilledWithAKey ends the process at each write of a request that came with
// an Idempotency-Key, before it or just after, and asks again with the same key
// of a process that began later: the change is there once, and the answer says
// that it was carried out, never that nobody knows.
func TestKilledWithAKey(t *testing.T) {
	engines := map[string]func(t *testing.T) (store.DB, error){
		"memory": func(*testing.T) (store.DB, error) { return memory.New(), nil },
		"sqlite": func(t *testing.T) (store.DB, error) {
			return sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "gatehouse.db"))
		},
		"postgres": func(t *testing.T) (store.DB, error) { return postgres.Open(t.Context(), pgtest.URL(t)) },
	}
	for engine, open := range engines {
		t.Run(engine, func(t *testing.T) {
			db, err := open(t)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			first, _ := newShopOn(t, db)
			first.do(first.admin, "POST", "/v1/apply", shopBundle(), 200, nil)
			killed(t, db, first.admin)
		})
	}
}

func killed(t *testing.T, db store.DB, admin string) {
	const version = "/v1/teams/payments/apis/orders/versions/v1/"
	n := 0
	for _, req := range []struct {
		path, body, action string
		done               []int // statuses of a repetition after the change
	}{
		{"/v1/tokens", `{"subject":"user:bill","name":"NAME","life":"1h"}`, "token.create", []int{409}},
		{version + "withdraw", `{"environment":"dev","note":"NAME"}`, "release.withdraw", []int{204}},
		{"/v1/subscribe", `{"product":"payments/commerce","plan":"free","application":"billing/NAME","environment":"dev","key":true}`, "key.create", []int{409}},
		{version + "release", `{"environment":"dev","note":"NAME"}`, "release.create", []int{200, 409}},
	} {
		for writes := range 3 {
			for _, lands := range []bool{false, true} {
				n++
				name := fmt.Sprintf("%s, killed at write %d, landed %v", req.action, writes+1, lands)
				if req.action == "release.create" {
					post(t, db, admin, version+"withdraw", `{"environment":"dev"}`, "")
				} else if req.action == "release.withdraw" {
					post(t, db, admin, version+"release", `{"environment":"dev"}`, "")
				}
				key, body := fmt.Sprintf("key-%d", n), strings.Replace(req.body, "NAME", fmt.Sprintf("n%d", n), 1)
				before := allowed(t, db, req.action)
				post(t, &mortal{DB: db, left: writes, lands: lands}, admin, req.path, body, key)
				carried := allowed(t, db, req.action) - before
				again := post(t, db, admin, req.path, body, key)
				if got := allowed(t, db, req.action) - before; got != 1 {
					t.Errorf("%s: carried out %d times, %d before the repetition", name, got, carried)
				}
				if keys, asked := allowed(t, db, "key.create"), allowed(t, db, "subscription.create"); keys != asked {
					t.Errorf("%s: %d subscriptions and %d keys", name, asked, keys)
				}
				if text := again.Body.String(); carried == 1 && (!contains(req.done, again.Code) || strings.Contains(text, "under way")) || carried == 0 && again.Code >= 300 {
					t.Errorf("%s: carried out %d times, and then %d: %s", name, carried, again.Code, text)
				}
				third := post(t, db, admin, req.path, body, key)
				if got := allowed(t, db, req.action) - before; got != 1 || third.Code >= 300 && third.Code != 409 {
					t.Errorf("%s: asked a third time: carried out %d times, %d: %s", name, got, third.Code, third.Body)
				}
			}
		}
	}
}

func contains(all []int, n int) bool {
	for _, x := range all {
		if x == n {
			return true
		}
	}
	return false
}

// post asks a process of its own.
func post(t *testing.T, db store.DB, admin, path, body, key string) *httptest.ResponseRecorder {
	t.Helper()
	o, _ := newShopOn(t, db)
	o.server.Alone = true
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, bytes.NewReader([]byte(body)))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+admin)
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	w := httptest.NewRecorder()
	o.h.ServeHTTP(w, r)
	return w
}

func allowed(t *testing.T, db store.DB, action string) (n int) {
	t.Helper()
	for _, err := range db.Events(t.Context(), store.EventQuery{Action: action, Outcome: gatehouse.Allowed}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

// TestTakenOverCommitsNothing lets a request that is slow lose its key to one of
// another process: whoever commits first has done it, the other changes nothing.
func TestTakenOverCommitsNothing(t *testing.T) {
	db := memory.New()
	t.Cleanup(func() { db.Close() })
	o, _ := newShopOn(t, db)
	before := allowed(t, db, "token.create")
	slow := &pausing{DB: db, at: make(chan struct{}), on: make(chan struct{})}
	done := make(chan int)
	go func() { done <- post(t, slow, o.admin, "/v1/tokens", `{"name":"one"}`, "k").Code }()
	<-slow.at // its reservation is written, its change is not
	if w := post(t, db, o.admin, "/v1/tokens", `{"name":"one"}`, "k"); w.Code != 201 {
		t.Errorf("the second: %d %s", w.Code, w.Body)
	}
	close(slow.on)
	if code := <-done; code < 400 {
		t.Errorf("the first, which lost its key: %d", code)
	}
	if n := allowed(t, db, "token.create") - before; n != 1 {
		t.Errorf("%d tokens were made", n)
	}
}

// A pausing database waits before its second write.
type pausing struct {
	store.DB
	n      int
	at, on chan struct{}
}

func (p *pausing) Apply(ctx context.Context, b store.Batch) (store.Seq, error) {
	if p.n++; p.n == 2 {
		close(p.at)
		<-p.on
	}
	return p.DB.Apply(ctx, b)
}
