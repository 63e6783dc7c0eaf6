package gateway

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatehouse/policy"
	"gatehouse/report"
	"gatehouse/snapshot"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(bothLanes{m}) }

// bothLanes runs every test twice: what a caller or a backend sees must not
// depend on the lane.
type bothLanes struct{ m *testing.M }

// noFastLane is the lane that worlds are made with just now.
var noFastLane bool

func (b bothLanes) Run() int {
	for _, noFastLane = range []bool{false, true} {
		if code := b.m.Run(); code != 0 {
			fmt.Fprintf(os.Stderr, "with listen.Options.NoFastLane %v\n", noFastLane)
			return code
		}
	}
	return 0
}

// A world is a gateway on loopback, a backend that says what it saw, and the
// chunks in force.
type world struct {
	t       *testing.T
	g       *Gateway
	addr    string
	backend *httptest.Server
	chunks  map[snapshot.Hash][]byte
	entries map[string]snapshot.Entry
	serial  int64
	reads   int
	mu      sync.Mutex // guards seen
	seen    []*http.Request
	log     bytes.Buffer
}

const testKey = "gh_test_key_of_the_gold_plan"

func newWorld(t *testing.T, o Options) *world {
	w := &world{t: t, chunks: map[snapshot.Hash][]byte{}, entries: map[string]snapshot.Entry{}}
	w.backend = httptest.NewServer(http.HandlerFunc(w.answer))
	t.Cleanup(w.backend.Close)
	o.AccessLog = &w.log
	o.Listen.NoFastLane = o.Listen.NoFastLane || noFastLane
	var err error
	if w.g, err = New(o); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.addr = l.Addr().String()
	done := make(chan error, 1)
	go func() { done <- w.g.Serve(l, TLS{}) }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := w.g.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	w.set(snapshot.KindEnvironment, "dev", &snapshot.Environment{Name: "dev", Stage: "dev"})
	return w
}

// answer is the backend.
func (w *world) answer(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	w.seen = append(w.seen, r)
	w.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	switch {
	case strings.HasSuffix(r.URL.Path, "/large"):
		rw.Write(bytes.Repeat([]byte("x"), 1<<20))
		return
	case strings.HasSuffix(r.URL.Path, "/stream"):
		rw.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			fmt.Fprintf(rw, "data: %d\n\n", i)
			rw.(http.Flusher).Flush()
		}
		return
	}
	rw.Header().Set("Content-Type", "application/json")
	rw.Header().Set("X-Backend", "yes")
	json.NewEncoder(rw).Encode(map[string]any{"method": r.Method, "uri": r.RequestURI, "host": r.Host, "header": r.Header, "body": string(body)})
}

func (w *world) last() *http.Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.seen) == 0 {
		return nil
	}
	return w.seen[len(w.seen)-1]
}

func (w *world) set(kind, name string, chunk any) {
	w.t.Helper()
	data, hash, err := snapshot.Encode(chunk)
	if err != nil {
		w.t.Fatal(err)
	}
	w.chunks[hash] = data
	w.entries[kind+" "+name] = snapshot.Entry{Kind: kind, Name: name, Hash: hash}
}

func (w *world) api(a *snapshot.API) {
	if a.Backend.Targets == nil {
		a.Backend = snapshot.Backend{Name: "t/b", Targets: []snapshot.Target{{URL: w.backend.URL}}}
	}
	w.set(snapshot.KindAPI, a.ID(), a)
}

func (w *world) key(key string, s snapshot.Subscription, expires int64) {
	c := snapshot.KeyCredential(key)
	w.set(snapshot.KindCredentials, c.Shard(), &snapshot.Credentials{Subscriptions: []snapshot.Subscription{s}, Keys: []snapshot.Key{{Hash: c, Expires: expires}}})
}

func (w *world) manifest() *snapshot.Manifest {
	w.serial++
	m := &snapshot.Manifest{Environment: "dev", Serial: w.serial}
	for _, e := range w.entries {
		m.Entries = append(m.Entries, e)
	}
	slices.SortFunc(m.Entries, snapshot.Entry.Compare)
	return m
}

func (w *world) swap() []report.Refusal {
	w.t.Helper()
	w.reads = 0
	aside, err := w.g.Swap(context.Background(), w.manifest(), w.chunk)
	if err != nil {
		w.t.Fatal(err)
	}
	return aside
}

func (w *world) chunk(h snapshot.Hash) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reads++
	if data, ok := w.chunks[h]; ok {
		return data, nil
	}
	return nil, fmt.Errorf("no chunk %s", h)
}

// A reply is an answer, read to its end.
type reply struct {
	*http.Response
	text string
}

// problem decodes a problem's type, without the base, and policy.
func (r reply) problem() string {
	var p struct{ Type, Policy string }
	if r.Header.Get("Content-Type") != "application/problem+json" || json.Unmarshal([]byte(r.text), &p) != nil {
		return ""
	}
	return strings.TrimPrefix(p.Type, "https://gatehouse.dev/problems/")
}

func (w *world) do(method, path string, header ...string) reply {
	w.t.Helper()
	return w.send(method, path, nil, header...)
}

func (w *world) send(method, path string, body io.Reader, header ...string) reply {
	w.t.Helper()
	r, err := http.NewRequest(method, "http://"+w.addr+path, body)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, h := range header {
		n, v, _ := strings.Cut(h, ": ")
		r.Header.Add(n, v)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return reply{resp, string(b)}
}

// raw sends bytes and reads all answers until the connection closes.
func (w *world) raw(text string) string {
	w.t.Helper()
	c, err := net.Dial("tcp", w.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := c.Write([]byte(text)); err != nil {
		w.t.Fatal(err)
	}
	b, err := io.ReadAll(bufio.NewReader(c))
	if err != nil {
		w.t.Logf("reading: %v", err)
	}
	return string(b)
}

// orders is an API with operations, by subscription.
func orders() *snapshot.API {
	return &snapshot.API{Team: "payments", Name: "orders", Version: "v1", Revision: "r1", Path: "/orders/v1", Access: "subscription", Lifecycle: "published",
		Operations: []snapshot.Operation{
			{ID: "list", Method: "GET", Path: "/things"}, {ID: "create", Method: "POST", Path: "/things"},
			{ID: "get", Method: "GET", Path: "/things/{id}"}, {ID: "GET /large", Method: "GET", Path: "/large"},
			{ID: "trips", Method: "GET", Path: "/trips/{between}", Matrix: []string{"between"}},
		}}
}

// open is an API that asks nobody and has no definition.
func openAPI() *snapshot.API {
	return &snapshot.API{Team: "t", Name: "open", Version: "v1", Revision: "r1", Path: "/open", Access: "open", Lifecycle: "published", Any: true}
}

func use(name, config string) policy.Use {
	return policy.Use{Name: name, Config: json.RawMessage(config)}
}

func standard(t *testing.T) *world {
	w := newWorld(t, Options{})
	w.api(orders())
	w.api(openAPI())
	w.set(snapshot.KindProduct, "payments/commerce", &snapshot.Product{Name: "payments/commerce", APIs: []string{"payments/orders@v1"}, Plans: []snapshot.Plan{{Name: "gold"}}})
	w.key(testKey, snapshot.Subscription{Name: "billing/app-commerce", Application: "billing/app", Product: "payments/commerce", Plan: "gold"}, 0)
	if aside := w.swap(); len(aside) > 0 {
		t.Fatalf("aside: %+v", aside)
	}
	return w
}

func TestSecret(t *testing.T) {
	t.Setenv("A_SECRET", "v")
	t.Setenv("GATEHOUSE_TOKEN", "v")
	file := t.TempDir() + "/s"
	if err := os.WriteFile(file, []byte("w\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for ref, want := range map[string]string{"text": "text", "${env:A_SECRET}": "v", "${file:" + file + "}": "w", "$x": "$x", "": ""} {
		if got, err := Secret(ref); got != want || err != nil {
			t.Errorf("Secret(%q): got %q, %v", ref, got, err)
		}
	}
	for ref, want := range map[string]string{"${env:NOT_SET_HERE}": "not set", "${env:GATEHOUSE_TOKEN}": "not given out", "${file:" + file + ".none}": "no such file",
		"${vault:a#b}": "no vault", "${else:a}": "is not"} {
		if got, err := Secret(ref); err == nil || got != "" || !strings.Contains(err.Error(), want) {
			t.Errorf("Secret(%q): got %q, %v, want an error with %q", ref, got, err, want)
		}
	}
}

// Counters of limits outlive a restart, so that stopping a gateway is no way to a
// fresh budget.
func TestLimitsOutliveARestart(t *testing.T) {
	file := t.TempDir() + "/limits"
	for run, want := range []int{200, 429} {
		t.Run(fmt.Sprint("run ", run), func(t *testing.T) {
			w := newWorld(t, Options{State: file})
			a := openAPI()
			a.Policies = []policy.Use{use("quota", `{"requests":1,"per":"month","by":"api"}`)}
			w.api(a)
			if aside := w.swap(); len(aside) > 0 {
				t.Fatal(aside)
			}
			if r := w.do("GET", "/open/x"); r.StatusCode != want {
				t.Errorf("got %d %s, want %d", r.StatusCode, r.text, want)
			}
		})
	}
}
