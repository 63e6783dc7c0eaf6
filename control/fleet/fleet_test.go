package fleet_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/control/fleet"
	"gatehouse/control/usage"
	"gatehouse/link"
	"gatehouse/report"
	"gatehouse/snapshot"
	"gatehouse/store"
	"gatehouse/store/memory"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A plane is one control-plane process with its link served on a pipe.
type plane struct {
	*fleet.Fleet
	pipe *link.Pipe
	stop func()
}

// startPlane starts a control plane on a database; several may share one.
func startPlane(t testing.TB, db store.DB, dir string) *plane {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	log := slog.New(slog.DiscardHandler)
	meter := &usage.Usage{DB: db}
	f, err := fleet.Open(ctx, fleet.Options{DB: db, Trail: &audit.Trail{DB: db}, Log: log, Dir: dir, Take: meter.Take})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	p := &plane{Fleet: f, pipe: link.NewPipe()}
	server := &http.Server{Handler: link.NewServer(f, log), TLSConfig: f.TLSConfig(nil), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	var wg sync.WaitGroup
	wg.Go(func() { f.Run(ctx) })
	wg.Go(func() { _ = server.ServeTLS(p.pipe, "", "") })
	p.stop = sync.OnceFunc(func() {
		cancel()
		server.Close()
		p.pipe.Close()
		wg.Wait()
	})
	t.Cleanup(p.stop)
	return p
}

// A table stands for a gateway: it takes every chunk it is told to run.
type table struct {
	mu      sync.Mutex
	chunks  map[snapshot.Hash][]byte
	entries []snapshot.Entry
	serial  int64
	struck  snapshot.Strikes
	swapped chan struct{}
	refuse  func(*snapshot.Manifest) ([]report.Refusal, error)
	lenient bool // sets aside what cannot be had
}

func newTable() *table {
	return &table{chunks: map[snapshot.Hash][]byte{}, swapped: make(chan struct{}, 1000)}
}

func (g *table) swap(_ context.Context, m *snapshot.Manifest, chunk func(snapshot.Hash) ([]byte, error)) ([]report.Refusal, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var aside []report.Refusal
	if g.refuse != nil {
		var err error
		if aside, err = g.refuse(m); err != nil {
			return nil, err
		}
	}
	next, entries := map[snapshot.Hash][]byte{}, []snapshot.Entry{}
	for _, e := range m.Entries {
		data, ok := g.chunks[e.Hash]
		if !ok {
			var err error
			if data, err = chunk(e.Hash); err != nil && g.lenient {
				aside = append(aside, report.Refusal{API: e.Name, Reason: err.Error()})
				continue
			} else if err != nil {
				return nil, err
			}
		}
		next[e.Hash] = data
		entries = append(entries, e)
	}
	g.chunks, g.entries, g.serial = next, entries, m.Serial
	g.swapped <- struct{}{}
	return aside, nil
}

func (g *table) strike(s *snapshot.Strikes) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.struck = *s
	g.swapped <- struct{}{}
}

// strikes tells what is struck.
func (g *table) strikes() snapshot.Strikes {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.struck
}

func (g *table) has(kind, name string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.ContainsFunc(g.entries, func(e snapshot.Entry) bool { return e.Kind == kind && e.Name == name })
}

// until waits for swaps until the condition holds.
func (g *table) until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-g.swapped:
		case <-deadline:
			t.Fatalf("never happened: %s", what)
		}
	}
}

// A gateway runs a link.Runner against a plane.
type gateway struct {
	*link.Runner
	table *table
	stop  func()
}

func startGateway(t testing.TB, dir, token, instance string, g *table, dial func(context.Context, string, string) (net.Conn, error), rollup func() []report.Count) *gateway {
	t.Helper()
	r := &link.Runner{
		Client: &link.Client{URL: "https://control", Dial: dial, Program: "test"}, Dir: dir, Swap: g.swap, Strike: g.strike, Rollup: rollup,
		Interval: time.Hour, Log: slog.New(slog.DiscardHandler),
	}
	if err := r.Start(context.Background(), token, instance); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { r.Run(ctx) })
	out := &gateway{Runner: r, table: g, stop: sync.OnceFunc(func() { cancel(); wg.Wait() })}
	t.Cleanup(out.stop)
	return out
}

// put writes documents as key and spec.
func put(t testing.TB, db store.DB, pairs ...string) {
	t.Helper()
	var b store.Batch
	for i := 0; i < len(pairs); i += 2 {
		kind, _, _ := strings.Cut(pairs[i], "/")
		w := store.Write{Key: pairs[i], Kind: kind, Expect: store.Any}
		if pairs[i+1] != "" {
			w.Value = []byte(pairs[i+1])
		}
		b.Writes = append(b.Writes, w)
	}
	b.Events = []*gatehouse.Event{{Time: time.Now().UTC(), Actor: "system", Authentication: "none", Action: "test", Outcome: gatehouse.Allowed}}
	if _, err := db.Apply(context.Background(), b); err != nil {
		t.Fatal(err)
	}
}

func doc(spec string) string { return `{"object":{"spec":` + spec + `}}` }

// seed writes an environment with a gateway and one live API.
func seed(t testing.TB, db store.DB) {
	put(t, db,
		"Environment/dev", doc(`{"stage":"dev"}`),
		"Gateway/local", doc(`{"environment":"dev"}`),
		"Backend/a/b", doc(`{"environments":{"dev":{"targets":[{"url":"http://127.0.0.1:8081"}]}}}`),
		"Product/a/p", doc(`{"apis":["x"],"plans":[{"name":"default"}]}`),
		"Application/a/app", doc(`{}`),
		"Subscription/a/s", `{"object":{"spec":{"application":"app","product":"p","plan":"default","environment":"dev"}},"status":{"state":"approved"}}`)
	api(t, db, "x", 1)
}

// api releases revision n of an API.
func api(t testing.TB, db store.DB, name string, n int) {
	put(t, db,
		fmt.Sprintf("Revision/a/%s/v1/%d", name, n), fmt.Sprintf(`{"hash":"%d","form":{"team":"a","name":%q,"version":{"name":"v1","path":"/%s/%d","backend":"b"}}}`, n, name, name, n),
		"Release/dev/a/"+name+"/v1", fmt.Sprintf(`{"revision":"%d"}`, n))
}

func key(t testing.TB, db store.DB, id, secret string, revoked bool) snapshot.Credential {
	t.Helper()
	c := snapshot.KeyCredential(secret)
	hash, err := c.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	k := gatehouse.KeyRecord{ID: id, Subscription: "a/s", Environment: "dev", Hash: string(hash)}
	if revoked {
		k.Revoked = time.Now()
	}
	value, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	put(t, db, "Key/"+id, string(value))
	return c
}

func token(t testing.TB, p *plane, name string) string {
	t.Helper()
	text, _, err := p.CreateJoinToken(t.Context(), name, 0)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestWholeWay joins a gateway and follows a release, a revocation, a restart
// without the control plane, and counts.
func TestWholeWay(t *testing.T) {
	db := memory.New()
	seed(t, db)
	p := startPlane(t, db, t.TempDir())
	dir, tok := t.TempDir(), token(t, p, "local")
	counted := make(chan []report.Count, 10)
	rollup := func() []report.Count {
		select {
		case c := <-counted:
			return c
		default:
			return nil
		}
	}
	g := startGateway(t, dir, tok, "one", newTable(), p.pipe.Dial, rollup)
	g.table.until(t, "first configuration", func() bool { return g.table.has("api", "a/x@v1") })

	c := key(t, db, "key_1", "secret", false)
	g.table.until(t, "key arrives", func() bool { return g.table.has("credentials", c.Shard()) })
	key(t, db, "key_1", "secret", true)
	g.table.until(t, "key is revoked", func() bool { return !g.table.has("credentials", c.Shard()) })

	waitFor(t, "acknowledged", func() bool {
		s := p.Status("a/x@v1", "dev")
		return len(s.Instances) == 1 && s.Instances[0].State == fleet.Live
	})
	if s := p.Status("a/x@v1", "dev"); !strings.HasPrefix(s.Summary, "applied on 1 of 1 gateways") {
		t.Errorf("summary %q", s.Summary)
	}

	counted <- []report.Count{{API: "a/x@v1", Class: 2, Requests: 3}}
	g.Flush()
	waitFor(t, "counts taken", func() bool { return total(t, db) == 3 })
	// Taken is not yet known to be taken: the answer lets go of the batch.
	waitFor(t, "batch let go", func() bool { return g.Unsent() == 0 })

	// The same token does not let a second instance in.
	second := &link.Client{URL: "https://control", Dial: p.pipe.Dial}
	if _, err := second.Join(t.Context(), tok, "two"); link.StatusOf(err) != 401 {
		t.Errorf("second use of a token: %v, want 401", err)
	}
	// Without the control plane the gateway starts from disk, and counts wait.
	g.stop()
	p.stop()
	counted <- []report.Count{{API: "a/x@v1", Class: 2, Requests: 4}}
	g = startGateway(t, dir, "", "", newTable(), p.pipe.Dial, rollup)
	if !g.table.has("api", "a/x@v1") {
		t.Fatal("the gateway does not serve from disk")
	}
	g.Flush()
	if g.Unsent() != 1 {
		t.Errorf("%d batches wait, want 1", g.Unsent())
	}
	g.stop()
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("never happened: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func total(t *testing.T, db store.DB) int64 {
	t.Helper()
	rows, err := db.Usage(t.Context(), store.UsageQuery{From: time.Unix(0, 0), To: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	var n int64
	for _, r := range rows {
		n += r.Requests
	}
	return n
}
