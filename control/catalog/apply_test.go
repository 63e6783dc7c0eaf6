package catalog

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/store"
	"gatehouse/store/memory"
)

// world is a catalog on an empty store with a clock of its own.
type world struct {
	*Catalog
	t   *testing.T
	ctx context.Context
	now time.Time
}

func newWorld(t *testing.T) *world {
	return newWorldOn(t, memory.New())
}

func newWorldOn(t *testing.T, db store.DB) *world {
	w := &world{t: t, now: time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)}
	t.Cleanup(func() { db.Close() })
	w.Catalog = New(&audit.Trail{DB: db, Now: func() time.Time { w.now = w.now.Add(time.Second); return w.now }})
	w.ctx = audit.WithRequest(t.Context(), audit.Request{Actor: "user:alice@example.com", Authentication: "token:x"})
	return w
}

// docs reads documents, one JSON object a line or separated by blank lines.
func docs(t *testing.T, texts ...string) (all []Document) {
	t.Helper()
	for _, text := range texts {
		o, err := gatehouse.DecodeObject([]byte(text))
		if err != nil {
			t.Fatalf("reading %s: %v", text, err)
		}
		all = append(all, Document{Object: o})
	}
	return all
}

func (w *world) apply(req Request) Result {
	w.t.Helper()
	r, err := w.Apply(w.ctx, req)
	if err != nil {
		if e, ok := err.(*gatehouse.Error); ok {
			w.t.Fatalf("applying: %v %v", err, e.Faults)
		}
		w.t.Fatalf("applying: %v", err)
	}
	return r
}

func (w *world) refuses(req Request, kind gatehouse.ErrorKind, want string) {
	w.t.Helper()
	before, _ := w.db.Head(w.ctx)
	_, err := w.Apply(w.ctx, req)
	if !gatehouse.Is(err, kind) {
		w.t.Fatalf("applying: got %v of kind %q, want kind %q", err, gatehouse.KindOf(err), kind)
	}
	text := err.Error()
	var e *gatehouse.Error
	if x, ok := err.(*gatehouse.Error); ok {
		e = x
		for _, f := range e.Faults {
			text += "\n" + f.Pointer + " " + f.String()
		}
	}
	if !strings.Contains(text, want) {
		w.t.Errorf("applying: got %q, want it to contain %q", text, want)
	}
	if after, _ := w.db.Head(w.ctx); after != before {
		w.t.Errorf("a refused apply moved the store from %v to %v", before, after)
	}
}

const (
	teamDoc    = `{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"payments"},"spec":{}}`
	teamDoc2   = `{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"billing"},"spec":{}}`
	devDoc     = `{"apiVersion":"gatehouse/v1","kind":"Environment","metadata":{"name":"dev"},"spec":{"stage":"dev"}}`
	qaDoc      = `{"apiVersion":"gatehouse/v1","kind":"Environment","metadata":{"name":"qa"},"spec":{"stage":"qa"}}`
	prodDoc    = `{"apiVersion":"gatehouse/v1","kind":"Environment","metadata":{"name":"prod"},"spec":{"stage":"prod","hosts":["api.example.com"],"release":{"mode":"approved","after":["qa"]}}}`
	backendDoc = `{"apiVersion":"gatehouse/v1","kind":"Backend","metadata":{"team":"payments","name":"orders"},"spec":{"environments":{
		"dev":{"targets":[{"url":"http://127.0.0.1:8081"}]},"qa":{"targets":[{"url":"http://127.0.0.1:8082"}]},"prod":{"targets":[{"url":"https://orders.example.com"}]}}}}`
	definitionText = `openapi: 3.0.3
info: {title: Orders, version: "1"}
paths:
  /orders:
    get: {operationId: listOrders, responses: {"200": {description: ok}}}
    post: {operationId: createOrder, responses: {"201": {description: ok}}}
  /orders/{id}:
    get: {operationId: getOrder, responses: {"200": {description: ok}}}
`
)

func apiDoc(t *testing.T, name, path, rest string) Document {
	t.Helper()
	d := docs(t, `{"apiVersion":"gatehouse/v1","kind":"API","metadata":{"team":"payments","name":"`+name+`"},"spec":{"versions":[{"name":"v1","definition":"./orders.yaml","path":"`+path+`","backend":"orders"`+rest+`}]}}`)[0]
	d.Files = map[string]string{"./orders.yaml": hashOf([]byte(definitionText))}
	return d
}

func files() map[string][]byte {
	return map[string][]byte{hashOf([]byte(definitionText)): []byte(definitionText)}
}

func base(t *testing.T) Request {
	return Request{Documents: append(docs(t, teamDoc, teamDoc2, devDoc, qaDoc, prodDoc, backendDoc), apiDoc(t, "orders", "/orders/v1", "")), Files: files()}
}

func actions(r Result) string {
	var all []string
	for _, c := range r.Changes {
		if c.Action != Unchanged {
			ref, _, _ := strings.Cut(c.Ref, "#")
			all = append(all, c.Action+" "+string(c.Kind)+" "+ref)
		}
	}
	return strings.Join(all, ", ")
}

func (w *world) head(ref string) string {
	w.t.Helper()
	team, name, version, _ := gatehouse.ParseVersionRef(ref, "")
	v, err := w.Get(w.ctx, gatehouse.KindAPI, team, name, time.Time{})
	if err != nil {
		w.t.Fatal(err)
	}
	s, err := statusOf(v.Status)
	if err != nil {
		w.t.Fatal(err)
	}
	return s.Versions[version].Revision
}

func (w *world) released(env, ref string) *gatehouse.Release {
	w.t.Helper()
	team, name, version, _ := gatehouse.ParseVersionRef(ref, "")
	rec, err := w.db.Get(w.ctx, ReleaseKey(env, team, name, version))
	if gatehouse.Is(err, gatehouse.NotFound) {
		return nil
	}
	if err != nil {
		w.t.Fatal(err)
	}
	var r gatehouse.Release
	if err := json.Unmarshal(rec.Value, &r); err != nil {
		w.t.Fatal(err)
	}
	return &r
}

func TestApplyWritesAllOfItOnceAndReleasesIntoDev(t *testing.T) {
	w := newWorld(t)
	plan := base(t)
	plan.DryRun = true
	planned := w.apply(plan)
	if h, _ := w.db.Head(w.ctx); h.Seq != 0 {
		t.Fatalf("a dry run wrote batch %d", h.Seq)
	}
	done := w.apply(base(t))
	want := "create Team billing, create Team payments, create Environment dev, create Environment prod, create Environment qa, " +
		"create Backend payments/orders, create API payments/orders, create Revision payments/orders@v1, create Release dev payments/orders@v1"
	if got := actions(done); got != want {
		t.Errorf("applying: got %s\nwant %s", got, want)
	}
	if actions(planned) != actions(done) {
		t.Errorf("the plan said %s, the apply did %s", actions(planned), actions(done))
	}
	if done.Seq != 1 {
		t.Errorf("everything went into batch %d, want 1", done.Seq)
	}
	if r := w.released("dev", "payments/orders@v1"); r == nil || r.Revision != w.head("payments/orders@v1") || r.State != Wanted {
		t.Errorf("release in dev: got %+v", r)
	}
	if r := w.released("qa", "payments/orders@v1"); r != nil {
		t.Errorf("qa is manual, but has release %+v", r)
	}
	again := base(t)
	again.Files = nil // the server has them
	r := w.apply(again)
	if h, _ := w.db.Head(w.ctx); r.Changed() || h.Seq != 1 {
		t.Errorf("the second apply did %s; head at %d", actions(r), h.Seq)
	}
}
