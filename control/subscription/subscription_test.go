package subscription

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/policy/apikey"
	"gatehouse/snapshot"
	"gatehouse/store"
	"gatehouse/store/memory"
	"gatehouse/store/sqlite"
)

type world struct {
	*Desk
	t   *testing.T
	mu  sync.Mutex
	at  time.Time
	db  store.DB
	cat *catalog.Catalog
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

func (w *world) as(actor string) context.Context {
	return audit.WithRequest(w.t.Context(), audit.Request{Actor: actor, Authentication: "token:x"})
}

const setting = `
{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"payments"},"spec":{"members":["user:paul"]}}
{"apiVersion":"gatehouse/v1","kind":"Group","metadata":{"name":"billers"},"spec":{"members":["user:grace"]}}
{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"billing"},"spec":{"members":["user:bill","group:billers"]}}
{"apiVersion":"gatehouse/v1","kind":"RoleAssignment","metadata":{"name":"rita-billing"},"spec":{"subject":"user:rita","role":"developer","scope":"team/billing"}}
{"apiVersion":"gatehouse/v1","kind":"RoleAssignment","metadata":{"name":"otto-billing"},"spec":{"subject":"user:otto","role":"developer","scope":"team/billing","expires":"2026-12-31"}}
{"apiVersion":"gatehouse/v1","kind":"Environment","metadata":{"name":"dev"},"spec":{"stage":"dev"}}
{"apiVersion":"gatehouse/v1","kind":"Environment","metadata":{"name":"qa"},"spec":{"stage":"qa"}}
{"apiVersion":"gatehouse/v1","kind":"Backend","metadata":{"team":"payments","name":"orders"},"spec":{"environments":{"dev":{"targets":[{"url":"http://127.0.0.1:8081"}]}}}}
{"apiVersion":"gatehouse/v1","kind":"API","metadata":{"team":"payments","name":"orders"},"spec":{"versions":[{"name":"v1","path":"/orders","backend":"orders"}]}}
{"apiVersion":"gatehouse/v1","kind":"Product","metadata":{"team":"payments","name":"commerce"},"spec":{"apis":["orders"],"plans":[{"name":"free","approval":"automatic"},{"name":"gold"},{"name":"trial","approval":"automatic","expires":"30d"}]}}
`

func documents(t testing.TB, text string) (all []catalog.Document) {
	t.Helper()
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		o, err := gatehouse.DecodeObject([]byte(line))
		if err != nil {
			t.Fatalf("reading %s: %v", line, err)
		}
		all = append(all, catalog.Document{Object: o})
	}
	return all
}

// each runs the story on both embedded engines.
func each(t *testing.T, story func(t *testing.T, w *world)) {
	engines := map[string]func(t *testing.T) store.DB{
		"memory": func(*testing.T) store.DB { return memory.New() },
		"sqlite": func(t *testing.T) store.DB {
			db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "gatehouse.db"))
			if err != nil {
				t.Fatal(err)
			}
			return db
		},
	}
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			w := &world{t: t, at: time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC), db: open(t)}
			t.Cleanup(func() { w.db.Close() })
			trail := &audit.Trail{DB: w.db, Now: w.clock}
			w.cat = catalog.New(trail)
			w.Desk = New(trail, w.cat)
			if _, err := w.cat.Apply(w.as("user:admin"), catalog.Request{Documents: documents(t, setting)}); err != nil {
				t.Fatal(err)
			}
			story(t, w)
		})
	}
}

func (w *world) subscribe(plan, app, env string, key bool) *Answer {
	w.t.Helper()
	a, err := w.Subscribe(w.as("user:bill"), Ask{Product: "payments/commerce", Plan: plan, Application: app, Environment: env, Key: key})
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func refused(t *testing.T, err error, kind gatehouse.ErrorKind, want string) {
	t.Helper()
	if !gatehouse.Is(err, kind) || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v of kind %q, want %q of kind %q", err, gatehouse.KindOf(err), want, kind)
	}
}

func TestSubscribeTwiceIsOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := w.subscribe("free", "billing/invoices", "dev", true)
		if a.Ref() != "billing/invoices-commerce" || a.Status.State != gatehouse.Approved || a.Status.By != "plan" || !apikey.Valid(a.Key.Text) {
			t.Fatalf("got %+v", a)
		}
		again := w.subscribe("free", "billing/invoices", "dev", true)
		if again.Ref() != a.Ref() || again.Seq != 0 || again.Key.Text != "" {
			t.Errorf("asking again: got %s at %d with key %s", again.Ref(), again.Seq, again.Key)
		}
		if b := w.subscribe("free", "billing/invoices", "qa", false); b.Ref() != "billing/invoices-commerce-qa" {
			t.Errorf("in another environment: got %s", b.Ref())
		}
		_, err := w.Subscribe(w.as("user:bill"), Ask{Product: "payments/commerce", Plan: "gold", Application: "billing/invoices", Environment: "dev"})
		refused(t, err, gatehouse.Conflict, `subscription "billing/invoices-commerce" is approved there under plan "free"`)
		_, err = w.Subscribe(w.as("user:bill"), Ask{Product: "payments/none", Plan: "gold", Application: "billing/invoices", Environment: "dev"})
		refused(t, err, gatehouse.Invalid, `product "payments/none" does not exist`)
		_, err = w.Subscribe(w.as("user:bill"), Ask{Product: "payments/commerce", Plan: "gld", Application: "billing/new", Environment: "dev"})
		refused(t, err, gatehouse.Invalid, `has no plan "gld"; did you mean "gold"?`)
		if _, err := w.cat.Get(t.Context(), gatehouse.KindApplication, "billing", "new", time.Time{}); !gatehouse.Is(err, gatehouse.NotFound) {
			t.Errorf("the application of a refused subscription is there: %v", err)
		}
		_, err = w.Subscribe(w.as("user:bill"), Ask{Product: "commerce", Plan: "free", Application: "billing/new", Environment: "dev"})
		refused(t, err, gatehouse.Invalid, `"commerce" is not team/name`)
	})
}

func TestNobodyLetsTheirOwnTeamIn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := w.subscribe("gold", "billing/invoices", "dev", true)
		if a.Status.State != gatehouse.Requested || a.Key.Text != "" || a.Status.AskedBy != "user:bill" {
			t.Fatalf("got %+v", a)
		}
		_, err := w.CreateKey(w.as("user:bill"), a.Ref(), time.Time{})
		refused(t, err, gatehouse.Conflict, "only an approved subscription gets keys")
		for _, who := range []string{"user:bill", "user:grace", "user:rita"} {
			_, _, err := w.Approve(w.as(who), a.Ref(), "")
			refused(t, err, gatehouse.Denied, `approving subscription "billing/invoices-commerce": team "billing" asked for it itself`)
		}
		s, seq, err := w.Approve(w.as("user:otto"), a.Ref(), "fine") // his role on billing has ended
		if err != nil || s.Status.State != gatehouse.Approved || s.Status.By != "user:otto" || seq == 0 {
			t.Errorf("approving: %+v, %v", s, err)
		}
	})
}

// TestMoves tries every verb in every state against the table of DESIGN 2.
func TestMoves(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		do := map[string]func(context.Context, string, string) (*Standing, store.Seq, error){
			"approve": w.Approve, "reject": w.Reject, "suspend": w.Suspend, "resume": w.Resume, "cancel": w.Cancel,
		}
		ways := map[string][]string{ // how to come to a state
			gatehouse.Requested: {}, gatehouse.Approved: {"approve"}, gatehouse.Rejected: {"reject"},
			gatehouse.Suspended: {"approve", "suspend"}, gatehouse.Cancelled: {"cancel"},
		}
		allowed := map[string]string{
			"requested approve": gatehouse.Approved, "requested reject": gatehouse.Rejected, "requested cancel": gatehouse.Cancelled,
			"approved suspend": gatehouse.Suspended, "approved cancel": gatehouse.Cancelled,
			"suspended resume": gatehouse.Approved, "suspended cancel": gatehouse.Cancelled,
		}
		n := 0
		for state, way := range ways {
			for name, verb := range do {
				n++
				ref := w.subscribe("gold", fmt.Sprintf("billing/app-%d", n), "dev", false).Ref()
				for _, step := range way {
					if _, _, err := do[step](w.as("user:paul"), ref, ""); err != nil {
						t.Fatal(err)
					}
				}
				s, _, err := verb(w.as("user:paul"), ref, "because")
				want, ok := allowed[state+" "+name]
				switch {
				case ok && (err != nil || s.Status.State != want || s.Status.Reason != "because"):
					t.Errorf("%s of what is %s: got %+v, %v; want %s", name, state, s, err, want)
				case !ok:
					refused(t, err, gatehouse.Conflict, "it is "+state)
				}
			}
		}
	})
}

func TestTwoKeysAtMost(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		bill := w.as("user:bill")
		ref := w.subscribe("free", "billing/invoices", "dev", false).Ref()
		first, err := w.CreateKey(bill, ref, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		w.pass(time.Second)
		second, err := w.RotateKey(bill, ref, "", time.Hour)
		if err != nil || second.Text == first.Text {
			t.Fatal(second, err)
		}
		_, err = w.CreateKey(bill, ref, time.Time{})
		refused(t, err, gatehouse.Conflict, fmt.Sprintf("keys %q and %q are live already", first.ID, second.ID))
		_, err = w.RotateKey(bill, ref, "", time.Hour)
		refused(t, err, gatehouse.Conflict, "revoke one first")
		w.pass(2 * time.Hour)
		keys, err := w.Keys(bill, ref)
		if err != nil || len(keys) != 2 || keys[0].State(w.clock()) != "expired" || keys[1].State(w.clock()) != "live" {
			t.Errorf("after the overlap: %+v, %v", keys, err)
		}
		if _, err := w.RevokeKey(bill, ref, second.ID); err != nil {
			t.Error(err)
		}
		if seq, err := w.RevokeKey(bill, ref, second.ID); err != nil || seq != 0 {
			t.Errorf("revoking again: %d, %v", seq, err)
		}
		_, err = w.RevokeKey(bill, ref, "key_none")
		refused(t, err, gatehouse.NotFound, "has no such key")
		_, err = w.CreateKey(bill, ref, w.clock().Add(-time.Hour))
		refused(t, err, gatehouse.Invalid, "in the past")
		_, err = w.RotateKey(bill, ref, "", 0)
		refused(t, err, gatehouse.Conflict, "no key is live")
	})
}

func TestKeysMadeAtOnceStayTwo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ref := w.subscribe("free", "billing/invoices", "dev", false).Ref()
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { _, _ = w.CreateKey(w.as("user:bill"), ref, time.Time{}) }) // losing is the point
		}
		wg.Wait()
		if live, err := w.live(t.Context(), ref); err != nil || len(live) == 0 || len(live) > MaxLive {
			t.Errorf("%d keys are live, %v", len(live), err)
		}
	})
}

func TestEndRevokesKeysAndMayBeginAnew(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := w.subscribe("trial", "billing/invoices", "dev", true)
		if want := w.clock().Add(30 * 24 * time.Hour); !a.Status.Expires.Equal(want) {
			t.Errorf("ends at %s, want %s", a.Status.Expires, want)
		}
		w.pass(29 * 24 * time.Hour)
		if err := w.Expire(t.Context(), w.clock()); err != nil {
			t.Fatal(err)
		}
		if s, _ := w.Get(t.Context(), a.Ref()); s.Status.State != gatehouse.Approved {
			t.Errorf("a day early it is %s", s.Status.State)
		}
		w.pass(24 * time.Hour)
		if err := w.Expire(t.Context(), w.clock()); err != nil {
			t.Fatal(err)
		}
		s, _ := w.Get(t.Context(), a.Ref())
		keys, _ := w.Keys(t.Context(), a.Ref())
		if s.Status.State != gatehouse.Expired || s.Status.By != "system" || keys[0].Revoked.IsZero() {
			t.Errorf("when its time is over: %+v, key %+v", s.Status, keys[0].KeyRecord)
		}
		again := w.subscribe("free", "billing/invoices", "dev", true)
		if again.Ref() != a.Ref() || again.Status.State != gatehouse.Approved || again.Spec.Plan != "free" || again.Key.Text == "" {
			t.Errorf("beginning anew: %+v", again)
		}
	})
}

// reads is a database that counts the records of lists.
type reads struct {
	store.DB
	n int
}

func (r *reads) List(ctx context.Context, q store.Query) (store.Page, error) {
	page, err := r.DB.List(ctx, q)
	r.n += len(page.Records)
	return page, err
}

// TestOnlyWhatIsOverIsLookedAt holds that looking for what ended costs nothing
// for what did not: there may be a million.
func TestOnlyWhatIsOverIsLookedAt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i := range 20 {
			w.subscribe("trial", fmt.Sprintf("billing/app-%d", i), "dev", false)
		}
		seen := &reads{DB: w.db}
		w.Desk.db = seen
		if err := w.Expire(t.Context(), w.clock()); err != nil || seen.n != 0 {
			t.Errorf("before the first ends: %d records were read, %v", seen.n, err)
		}
		w.pass(30 * 24 * time.Hour)
		for _, want := range []int{20, 0} { // what is over is not looked at again
			seen.n = 0
			if err := w.Expire(t.Context(), w.clock()); err != nil {
				t.Fatal(err)
			}
			if ended := seen.n; ended < want || (want == 0 && ended > 0) {
				t.Errorf("%d records were read, want %d", ended, want)
			}
		}
	})
}

// TestEndsWrittenByEarlierReleases holds that a subscription whose entry says
// only that it ends, as entries once did, ends too.
func TestEndsWrittenByEarlierReleases(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := w.subscribe("trial", "billing/invoices", "dev", false)
		rec, err := w.db.Get(t.Context(), "Subscription/"+a.Ref())
		if err != nil {
			t.Fatal(err)
		}
		old := store.Write{Key: rec.Key, Kind: rec.Kind, Value: rec.Value, Expect: rec.Rev, Index: map[string]string{"ends": "1", "state": gatehouse.Approved}}
		if _, err := w.db.Apply(t.Context(), store.Batch{Writes: []store.Write{old}}); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{gatehouse.Approved, gatehouse.Expired} {
			if err := w.Expire(t.Context(), w.clock()); err != nil {
				t.Fatal(err)
			}
			if s, err := w.Get(t.Context(), a.Ref()); err != nil || s.Status.State != want {
				t.Errorf("at %s: %v, %v; want %s", w.clock(), s.Status, err, want)
			}
			w.pass(31 * 24 * time.Hour)
		}
	})
}

// TestKeyIsNowhereInClear looks for the key, and its hash in events, in all
// that was written.
func TestKeyIsNowhereInClear(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := w.subscribe("free", "billing/invoices", "dev", true)
		text, hash := a.Key.Text, ""
		changes, _, err := w.db.Changes(t.Context(), 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			if strings.Contains(string(c.Value), text) {
				t.Errorf("%s holds the key", c.Key)
			}
			if c.Kind == "Key" {
				var k gatehouse.KeyRecord
				if err := json.Unmarshal(c.Value, &k); err != nil {
					t.Fatal(err)
				}
				hash = k.Hash
				if k.Tail != text[len(text)-6:] {
					t.Errorf("the record says that %q ends in %q", text, k.Tail)
				}
			}
		}
		sum, err := snapshot.KeyCredential(text).MarshalText()
		if err != nil || hash != string(sum) {
			t.Errorf("the record has hash %q, gateways look for %q", hash, sum)
		}
		for e, err := range w.db.Events(t.Context(), store.EventQuery{}) {
			if err != nil {
				t.Fatal(err)
			}
			line, _ := json.Marshal(e)
			if strings.Contains(string(line), text) || strings.Contains(string(line), hash) {
				t.Errorf("event %d tells the key: %s", e.Number, line)
			}
		}
		if shown := fmt.Sprintf("%v %+v %#v %s", a.Key, a.Key, a.Key, a.Key); strings.Contains(shown, text) {
			t.Errorf("printing a fresh key shows it: %s", shown)
		}
	})
}

func TestDocumentsBeginLikeAsking(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const doc = `{"apiVersion":"gatehouse/v1","kind":"Application","metadata":{"team":"billing","name":"app"},"spec":{}}
{"apiVersion":"gatehouse/v1","kind":"Subscription","metadata":{"team":"billing","name":"mine"},"spec":{"application":"app","product":"payments/commerce","plan":"%s","environment":"%s"}}`
		apply := func(plan, env string) error {
			_, err := w.cat.Apply(w.as("user:bill"), catalog.Request{Documents: documents(t, fmt.Sprintf(doc, plan, env))})
			return err
		}
		if err := apply("gold", "dev"); err != nil {
			t.Fatal(err)
		}
		if s, err := w.Get(t.Context(), "billing/mine"); err != nil || s.Status.State != gatehouse.Requested || s.Status.AskedBy != "user:bill" {
			t.Errorf("by a file: %+v, %v", s, err)
		}
		if a := w.subscribe("gold", "billing/app", "dev", false); a.Ref() != "billing/mine" || a.Seq != 0 {
			t.Errorf("asking for what a file asked for: %s at %d", a.Ref(), a.Seq)
		}
		refused(t, apply("gold", "qa"), gatehouse.Conflict, "cancel it and subscribe again")
		if err := apply("free", "dev"); err != nil {
			t.Fatal(err)
		}
		if s, _ := w.Get(t.Context(), "billing/mine"); s.Status.State != gatehouse.Approved {
			t.Errorf("on an automatic plan it is %s", s.Status.State)
		}
		refused(t, apply("gold", "dev"), gatehouse.Conflict, `plan "gold" needs approval`)
		// What subscriptions use stays.
		err := w.cat.Delete(t.Context(), gatehouse.KindApplication, "billing", "app", nil, catalog.Request{})
		refused(t, err, gatehouse.Conflict, "still referred to by Subscription billing/mine")
		_, err = w.cat.Apply(t.Context(), catalog.Request{Documents: documents(t, `{"apiVersion":"gatehouse/v1","kind":"Product","metadata":{"team":"payments","name":"commerce"},"spec":{"apis":["orders"],"plans":[{"name":"gold"}]}}`)})
		refused(t, err, gatehouse.Conflict, `removing plan "free" of Product payments/commerce: still referred to by Subscription billing/mine`)
		if _, err := w.CreateKey(w.as("user:bill"), "billing/mine", time.Time{}); err != nil {
			t.Fatal(err)
		}
		if err := w.cat.Delete(t.Context(), gatehouse.KindSubscription, "billing", "mine", nil, catalog.Request{}); err != nil {
			t.Fatal(err)
		}
		if keys, err := w.keys(t.Context(), "billing/mine"); err != nil || len(keys) != 0 {
			t.Errorf("keys of a deleted subscription: %v, %v", keys, err)
		}
	})
}
