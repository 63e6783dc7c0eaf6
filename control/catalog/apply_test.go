package catalog

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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

func TestChangedAPIMakesOneRevisionAndGoesToDev(t *testing.T) {
	w := newWorld(t)
	w.apply(base(t))
	first := w.head("payments/orders@v1")
	r := w.apply(Request{Documents: []Document{apiDoc(t, "orders", "/orders/v1", `,"access":"open"`)}})
	if got, want := actions(r), "update API payments/orders, create Revision payments/orders@v1, update Release dev payments/orders@v1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	second := w.head("payments/orders@v1")
	if second == first {
		t.Error("the revision did not change")
	}
	if rel := w.released("dev", "payments/orders@v1"); rel.Revision != second || rel.Previous != first {
		t.Errorf("release in dev: got %+v", rel)
	}
	// Back to how it was: the first revision again, no new one.
	r = w.apply(Request{Documents: []Document{apiDoc(t, "orders", "/orders/v1", "")}})
	if got, want := actions(r), "update API payments/orders, update Release dev payments/orders@v1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := w.head("payments/orders@v1"); got != first {
		t.Errorf("the same form has revision %s, was %s", got, first)
	}
	revs, _, err := w.Revisions(w.ctx, Ref{Team: "payments", Name: "orders", Version: "v1"}, 10, "")
	if err != nil || len(revs) != 2 || revs[0].Hash != second {
		t.Errorf("revisions: %d of them, %v", len(revs), err)
	}
	got, err := w.Revision(w.ctx, Ref{"payments", "orders", "v1", first[:6]})
	if err != nil || got.Hash != first {
		t.Errorf("by the hash's beginning: %v %v", got, err)
	}
	if h, err := HashForm(&got.Form); err != nil || h != first {
		t.Errorf("the stored form hashes to %s, not to %s", h, first)
	}
}

// TestRevisionHashIsStable holds the hash of one form: when it moves, every
// installation would make new revisions of everything.
func TestRevisionHashIsStable(t *testing.T) {
	w := newWorld(t)
	w.apply(base(t))
	const want = "55901904bc2f42355f692ec2d69a08acc7f7086fe1a7af8ace8e2f57c8bbe199"
	if got := w.head("payments/orders@v1"); got != want {
		t.Errorf("the revision's hash is %s, want %s", got, want)
	}
}

func TestPathsOfFilesWrittenInTwoWaysAreOneRevision(t *testing.T) {
	w := newWorld(t)
	w.apply(base(t)) // sends "./orders.yaml"
	was := w.head("payments/orders@v1")
	d := apiDoc(t, "orders", "/orders/v1", "")
	d.Files = map[string]string{"orders.yaml": hashOf([]byte(definitionText))}
	if r := w.apply(Request{Documents: []Document{d}, Files: files()}); r.Changed() {
		t.Errorf("the same file as \"orders.yaml\" changes %s", actions(r))
	}
	if now := w.head("payments/orders@v1"); now != was {
		t.Errorf("revision %s became %s", was, now)
	}
	d.Files["./orders.yaml"] = hashOf([]byte("other"))
	w.refuses(Request{Documents: []Document{d}, Files: files()}, gatehouse.Invalid, "stands twice")
}

func TestChangedPolicySetRevisesWhatIncludesIt(t *testing.T) {
	w := newWorld(t)
	set := func(n string) Document {
		return docs(t, `{"apiVersion":"gatehouse/v1","kind":"PolicySet","metadata":{"team":"payments","name":"std"},"spec":{"policies":[{"rate-limit":{"requests":`+n+`,"per":"1m"}}]}}`)[0]
	}
	req := base(t)
	req.Documents = append(req.Documents[:len(req.Documents)-1], set("5"), apiDoc(t, "orders", "/orders/v1", `,"policies":[{"policy-set":"std"}]`))
	w.apply(req)
	r := w.apply(Request{Documents: []Document{set("6")}})
	if got, want := actions(r), "update PolicySet payments/std, create Revision payments/orders@v1, update Release dev payments/orders@v1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	rev, err := w.Revision(w.ctx, Ref{Team: "payments", Name: "orders", Version: "v1"})
	if err != nil || !strings.Contains(string(rev.Form.PolicySets["payments/std"][0].Config), "6") {
		t.Errorf("the revision has sets %v, %v", rev.Form.PolicySets, err)
	}
	if r := w.apply(Request{Documents: []Document{set("6")}}); r.Changed() {
		t.Errorf("again: %s", actions(r))
	}
}

func TestLifecycleDecidesWhatIsReleased(t *testing.T) {
	w := newWorld(t)
	req := base(t)
	req.Documents[len(req.Documents)-1] = apiDoc(t, "orders", "/orders/v1", `,"lifecycle":"design"`)
	w.apply(req)
	if r := w.released("dev", "payments/orders@v1"); r != nil {
		t.Fatalf("a design is released: %+v", r)
	}
	w.apply(Request{Documents: []Document{apiDoc(t, "orders", "/orders/v1", "")}})
	if r := w.released("dev", "payments/orders@v1"); r == nil {
		t.Fatal("a published version is not released")
	}
	r := w.apply(Request{Documents: []Document{apiDoc(t, "orders", "/orders/v1", `,"lifecycle":"retired"`)}})
	if w.released("dev", "payments/orders@v1") != nil || !strings.Contains(actions(r), "delete Release dev payments/orders@v1") {
		t.Errorf("a retired version stays released: %s", actions(r))
	}
	// What is not served claims no route.
	w.apply(Request{Documents: []Document{apiDoc(t, "orders-two", "/orders/v1", "")}})
}

func TestNewEnvironmentAndBackendRoom(t *testing.T) {
	w := newWorld(t)
	req := base(t)
	manual := strings.Replace(devDoc, `"stage":"dev"`, `"stage":"dev","release":{"mode":"manual"}`, 1)
	req.Documents = append(docs(t, teamDoc, manual, qaDoc, prodDoc, backendDoc), apiDoc(t, "orders", "/orders/v1", ""))
	w.apply(req)
	if r := w.apply(Request{Documents: docs(t, devDoc)}); !strings.Contains(actions(r), "create Release dev payments/orders@v1") {
		t.Errorf("an environment that became automatic took nothing: %s", actions(r))
	}
	w.apply(Request{Documents: docs(t, strings.Replace(devDoc, `"name":"dev"`, `"name":"dev2"`, 1))})
	if w.released("dev2", "payments/orders@v1") != nil {
		t.Fatal("released where the backend has no targets")
	}
	w.apply(Request{Documents: docs(t, strings.Replace(backendDoc, `"dev":`, `"dev2":{"targets":[{"url":"http://127.0.0.1:1"}]},"dev":`, 1))})
	if w.released("dev2", "payments/orders@v1") == nil {
		t.Error("not released where the backend has targets now")
	}
	w.refuses(Request{Documents: docs(t, backendDoc)}, gatehouse.Invalid, `environment "dev2" is left out, but API "payments/orders@v1" is released there`)
}

func TestCollisionsNameBoth(t *testing.T) {
	w := newWorld(t)
	w.apply(base(t))
	w.refuses(Request{Documents: []Document{apiDoc(t, "other", "/orders/v1", "")}}, gatehouse.Invalid,
		`routes to "payments/other@v1" and "payments/orders@v1" both claim`)
	// An operation of one that is an operation of the other under a shorter base.
	text := "openapi: 3.0.3\ninfo: {title: x, version: '1'}\npaths:\n  /v1/orders:\n    get: {operationId: x, responses: {}}\n"
	outer := apiDoc(t, "outer", "/orders", "")
	outer.Files = map[string]string{"./orders.yaml": hashOf([]byte(text))}
	w.refuses(Request{Documents: []Document{outer}, Files: map[string][]byte{hashOf([]byte(text)): []byte(text)}}, gatehouse.Invalid,
		`both claim GET /orders/v1/orders`)
	inner := docs(t, `{"apiVersion":"gatehouse/v1","kind":"API","metadata":{"team":"payments","name":"inner"},"spec":{"versions":[{"name":"v1","path":"/orders","backend":"orders"}]}}`)[0]
	w.apply(Request{Documents: []Document{inner}}) // nested base paths are fine: the longest wins
	// After a restart the routes are read from the store.
	again := New(w.trail)
	_, err := again.Apply(w.ctx, Request{Documents: []Document{apiDoc(t, "other", "/orders/v1", "")}})
	if !gatehouse.Is(err, gatehouse.Invalid) || !strings.Contains(err.Error(), "both claim") {
		t.Errorf("after a restart: %v", err)
	}
	// Two in one request.
	w.refuses(Request{Documents: []Document{apiDoc(t, "a", "/same", ""), apiDoc(t, "b", "/same", "")}}, gatehouse.Invalid, "both claim")
	// One leaves, the other takes its place, in one request.
	w.apply(Request{Documents: []Document{apiDoc(t, "orders", "/orders/v2", ""), apiDoc(t, "other", "/orders/v1", "")}})
}

func TestPruneDeletesOnlyItsSet(t *testing.T) {
	w := newWorld(t)
	req := base(t)
	req.Set = "all"
	w.apply(req)
	w.apply(Request{Set: "mine", Documents: docs(t, strings.Replace(teamDoc, "payments", "others", 1))})
	all := base(t)
	all.Set, all.Prune = "all", true
	all.Documents = all.Documents[:len(all.Documents)-1]
	if got, want := actions(w.apply(all)), "delete API payments/orders, delete Release dev payments/orders@v1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	w.refuses(Request{Prune: true}, gatehouse.Invalid, "no set is named")
	last := Request{Set: "all", Prune: true, Documents: docs(t, teamDoc)}
	if got, want := actions(w.apply(last)), "delete Backend payments/orders, delete Environment prod, delete Environment qa, delete Environment dev, delete Team billing"; !sameWords(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := w.Get(w.ctx, gatehouse.KindTeam, "", "others", time.Time{}); err != nil {
		t.Errorf("another set's team is gone: %v", err)
	}
}

func sameWords(a, b string) bool {
	x, y := strings.Split(a, ", "), strings.Split(b, ", ")
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

func TestProtectedAndReferredStay(t *testing.T) {
	w := newWorld(t)
	w.apply(base(t))
	for _, tt := range []struct {
		kind       gatehouse.Kind
		team, name string
		want       string
	}{
		{gatehouse.KindBackend, "payments", "orders", "deleting Backend payments/orders: still referred to by API payments/orders"},
		{gatehouse.KindTeam, "", "payments", "still referred to by API payments/orders, Backend payments/orders"},
		{gatehouse.KindEnvironment, "", "qa", "still referred to by Backend payments/orders, Environment prod"},
	} {
		err := w.Delete(w.ctx, tt.kind, tt.team, tt.name, nil, Request{})
		if !gatehouse.Is(err, gatehouse.Conflict) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("deleting %s %s: got %v, want %q", tt.kind, tt.name, err, tt.want)
		}
	}
	protected := docs(t, `{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"kept","protected":true},"spec":{}}`)
	w.apply(Request{Documents: protected})
	if err := w.Delete(w.ctx, gatehouse.KindTeam, "", "kept", nil, Request{}); !gatehouse.Is(err, gatehouse.Conflict) {
		t.Errorf("deleting what is protected: %v", err)
	}
	if err := w.Delete(w.ctx, gatehouse.KindTeam, "", "kept", nil, Request{YesDelete: true}); err != nil {
		t.Errorf("deleting what is protected with yes: %v", err)
	}
	if err := w.Delete(w.ctx, gatehouse.KindTeam, "", "kept", nil, Request{}); !gatehouse.Is(err, gatehouse.NotFound) {
		t.Errorf("deleting what is gone: %v", err)
	}
}

func TestBadInputChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.apply(base(t))
	product := func(apis, plans string) Document {
		return docs(t, `{"apiVersion":"gatehouse/v1","kind":"Product","metadata":{"team":"payments","name":"commerce"},"spec":{"apis":[`+apis+`],"plans":[`+plans+`]}}`)[0]
	}
	other := apiDoc(t, "orders", "/orders/v1", "")
	other.Files = map[string]string{"./orders.yaml": strings.Repeat("0", 64)}
	missing := apiDoc(t, "orders", "/orders/v1", "")
	missing.Files = nil
	bad := "openapi: 3.0.3\ninfo: {title: x, version: '1'}\npaths:\n  /a:\n    get: {operationId: same, responses: {}}\n  /b:\n    get: {operationId: same, responses: {}}\n"
	twice := apiDoc(t, "orders", "/orders/v1", "")
	twice.Files = map[string]string{"./orders.yaml": hashOf([]byte(bad))}
	subscription := docs(t, `{"apiVersion":"gatehouse/v1","kind":"Subscription","metadata":{"team":"billing","name":"s"},"spec":{"application":"app","product":"payments/commerce","plan":"gold","environment":"dev"}}`)[0]
	app := docs(t, `{"apiVersion":"gatehouse/v1","kind":"Application","metadata":{"team":"billing","name":"app"},"spec":{}}`)[0]
	plan := `{"name":"free","approval":"automatic"}`
	tests := []struct {
		name string
		docs []Document
		want string
	}{
		{"two objects of one name", append(docs(t, teamDoc), docs(t, teamDoc)...), "stands twice"},
		{"team that is not there", docs(t, strings.Replace(backendDoc, `"team":"payments"`, `"team":"nobody"`, 1)), `metadata.team: team "nobody" does not exist`},
		{"backend that is not there", docs(t, `{"apiVersion":"gatehouse/v1","kind":"API","metadata":{"team":"payments","name":"x"},"spec":{"versions":[{"name":"v1","path":"/x","backend":"none"}]}}`), `backend "none" does not exist`},
		{"framework that is not there", docs(t, `{"apiVersion":"gatehouse/v1","kind":"API","metadata":{"team":"payments","name":"x"},"spec":{"framework":"corporate","versions":[{"name":"v1","path":"/x","backend":"orders"}]}}`), `framework "corporate" does not exist`},
		{"unknown operation", []Document{apiDoc(t, "orders", "/orders/v1", `,"operations":{"createOrdr":{"policies":[]}}`)}, `/spec/versions/0/operations/createOrdr`},
		{"unknown policy", []Document{apiDoc(t, "orders", "/orders/v1", `,"policies":[{"rate-limt":{}}]`)}, `"rate-limt" is not a policy`},
		{"policy that does not take its configuration", []Document{apiDoc(t, "orders", "/orders/v1", `,"policies":[{"ip-filter":{"allow":["10.0.0/8"]}}]`)}, `"10.0.0/8"`},
		{"policy set that is not there", []Document{apiDoc(t, "orders", "/orders/v1", `,"policies":[{"policy-set":"none"}]`)}, `policy set "none" does not exist`},
		{"content of a definition missing", []Document{other}, "definition"},
		{"definition not among the files", []Document{missing}, `definition "./orders.yaml" is missing`},
		{"operationId twice", []Document{twice}, "same"},
		{"product of an API that is not there", []Document{product(`"none"`, plan)}, `API "none" does not exist`},
		{"product of a version that is not there", []Document{product(`"orders@v9"`, plan)}, `has no version "v9"; did you mean "v1"?`},
		{"subscription to a plan that is not there", []Document{product(`"orders"`, plan), app, subscription}, `has no plan "gold"; there is "free"`},
		{"subscription of an application that is not there", []Document{product(`"orders"`, `{"name":"gold"}`), subscription}, `application "app" does not exist`},
		{"role that is not there", docs(t, `{"apiVersion":"gatehouse/v1","kind":"RoleAssignment","metadata":{"name":"x"},"spec":{"subject":"user:a","role":"devloper","scope":"team/payments"}}`), `role "devloper" does not exist`},
		{"backend in an environment that is not there", docs(t, strings.Replace(backendDoc, `"qa":`, `"qua":`, 1)), `/spec/environments/qua`},
		{"team above itself", docs(t, strings.Replace(teamDoc, `"spec":{}`, `"spec":{"parent":"billing"}`, 1), strings.Replace(teamDoc2, `"spec":{}`, `"spec":{"parent":"payments"}`, 1)), "payments below billing below payments"},
		{"environment that waits for itself", docs(t, strings.Replace(prodDoc, `["qa"]`, `["prod"]`, 1)), `"prod" waits for itself`},
		{"successor that is not there", []Document{apiDoc(t, "orders", "/orders/v1", `,"lifecycle":"deprecated","deprecation":{"successor":"v2"}`)}, `"v2" is not a version of this API`},
		{"no backend and not mocked", docs(t, `{"apiVersion":"gatehouse/v1","kind":"API","metadata":{"team":"payments","name":"x"},"spec":{"versions":[{"name":"v1","path":"/x"}]}}`), "names no backend"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := files()
			f[hashOf([]byte(bad))] = []byte(bad)
			w.t = t
			w.refuses(Request{Documents: tt.docs, Files: f}, gatehouse.Invalid, tt.want)
		})
	}
}

func TestLostRace(t *testing.T) {
	w := newWorld(t)
	w.apply(base(t))
	team := docs(t, strings.Replace(teamDoc, `"spec":{}`, `"spec":{"title":"A"}`, 1))[0]
	v, err := w.Get(w.ctx, gatehouse.KindTeam, "", "payments", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	team.Expect = &v.Rev
	w.apply(Request{Documents: []Document{team}})
	other := docs(t, strings.Replace(teamDoc, `"spec":{}`, `"spec":{"title":"B"}`, 1))[0]
	other.Expect = &v.Rev
	w.refuses(Request{Documents: []Document{other}}, gatehouse.Lost, "has moved on")
	absent := store.Absent
	other.Expect = &absent
	w.refuses(Request{Documents: []Document{other}}, gatehouse.Lost, "exists already")
}

// TestTwoProcessesDecideOneAfterTheOther has two catalogs on one store claim
// one route, and delete what the other begins to refer to.
func TestTwoProcessesDecideOneAfterTheOther(t *testing.T) {
	db := memory.New()
	a, b := newWorldOn(t, db), newWorldOn(t, db)
	a.apply(base(t))
	b.apply(Request{Documents: docs(t, teamDoc2)}) // b reads the routes
	for i := range 20 {
		path := "/race/" + itoa(i)
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for j, w := range []*world{a, b} {
			d := apiDoc(t, "race-"+itoa(i)+"-"+itoa(j), path, "")
			wg.Go(func() { _, errs[j] = w.Apply(w.ctx, Request{Documents: []Document{d}}) })
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("round %d: both or neither claimed %s: %v, %v", i, path, errs[0], errs[1])
		}
	}
}

// TestRoutesFollowAnotherProcess has one catalog take routes, and give them
// back, between two applies of another.
func TestRoutesFollowAnotherProcess(t *testing.T) {
	db := memory.New()
	a, b := newWorldOn(t, db), newWorldOn(t, db)
	a.apply(base(t))
	b.apply(Request{Documents: docs(t, strings.Replace(teamDoc2, "billing", "other", 1))}) // b has read the routes
	a.apply(Request{Documents: []Document{apiDoc(t, "new", "/new", "")}})
	b.refuses(Request{Documents: []Document{apiDoc(t, "late", "/new", "")}}, gatehouse.Invalid, `"payments/new@v1" both claim`)
	a.apply(Request{Documents: []Document{apiDoc(t, "new", "/moved", "")}})
	b.apply(Request{Documents: []Document{apiDoc(t, "late", "/new", "")}})
	b.refuses(Request{Documents: []Document{apiDoc(t, "later", "/moved", "")}}, gatehouse.Invalid, `"payments/new@v1" both claim`)
	if err := a.Delete(a.ctx, gatehouse.KindAPI, "payments", "new", nil, Request{}); err != nil {
		t.Fatal(err)
	}
	b.apply(Request{Documents: []Document{apiDoc(t, "later", "/moved", "")}})
	again := New(b.trail)
	if err := again.sync(b.ctx, b.routes.rev); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(again.routes.by, b.routes.by); diff != "" {
		t.Errorf("routes that were followed differ from those read anew: %s", diff)
	}
}
