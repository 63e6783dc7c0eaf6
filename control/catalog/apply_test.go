package catalog_test

import (
	"context"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse"
	"gatehouse/control/catalog"
	"gatehouse/control/release/releasetest"
	"gatehouse/store"
	"gatehouse/store/memory"
)

func TestApplyWritesAllOfItOnceAndReleasesIntoDev(t *testing.T) {
	w := releasetest.New(t)
	plan := releasetest.Base(t)
	plan.DryRun = true
	planned := w.MustApply(plan)
	if h, _ := w.DB.Head(w.Ctx); h.Seq != 0 {
		t.Fatalf("a dry run wrote batch %d", h.Seq)
	}
	done := w.MustApply(releasetest.Base(t))
	want := "create Team billing, create Team payments, create Environment dev, create Environment prod, create Environment qa, " +
		"create Backend payments/orders, create API payments/orders, create Revision payments/orders@v1, create Release dev payments/orders@v1"
	if got := releasetest.Actions(done); got != want {
		t.Errorf("applying: got %s\nwant %s", got, want)
	}
	if releasetest.Actions(planned) != releasetest.Actions(done) {
		t.Errorf("the plan said %s, the apply did %s", releasetest.Actions(planned), releasetest.Actions(done))
	}
	if done.Seq != 1 {
		t.Errorf("everything went into batch %d, want 1", done.Seq)
	}
	if r := w.Released("dev", "payments/orders@v1"); r == nil || r.Revision != w.HeadOf("payments/orders@v1") || r.State != gatehouse.ReleaseWanted {
		t.Errorf("release in dev: got %+v", r)
	}
	if r := w.Released("qa", "payments/orders@v1"); r != nil {
		t.Errorf("qa is manual, but has release %+v", r)
	}
	again := releasetest.Base(t)
	again.Files = nil // the server has them
	r := w.MustApply(again)
	if h, _ := w.DB.Head(w.Ctx); r.Changed() || h.Seq != 1 {
		t.Errorf("the second apply did %s; head at %d", releasetest.Actions(r), h.Seq)
	}
}

func TestChangedAPIMakesOneRevisionAndGoesToDev(t *testing.T) {
	w := releasetest.New(t)
	w.MustApply(releasetest.Base(t))
	first := w.HeadOf("payments/orders@v1")
	r := w.MustApply(catalog.Request{Documents: []catalog.Document{releasetest.APIDoc(t, "orders", "/orders/v1", `,"access":"open"`)}})
	if got, want := releasetest.Actions(r), "update API payments/orders, create Revision payments/orders@v1, update Release dev payments/orders@v1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	second := w.HeadOf("payments/orders@v1")
	if second == first {
		t.Error("the revision did not change")
	}
	if rel := w.Released("dev", "payments/orders@v1"); rel.Revision != second || rel.Previous != first {
		t.Errorf("release in dev: got %+v", rel)
	}
	// Back to how it was: the first revision again, no new one.
	r = w.MustApply(catalog.Request{Documents: []catalog.Document{releasetest.APIDoc(t, "orders", "/orders/v1", "")}})
	if got, want := releasetest.Actions(r), "update API payments/orders, update Release dev payments/orders@v1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := w.HeadOf("payments/orders@v1"); got != first {
		t.Errorf("the same form has revision %s, was %s", got, first)
	}
	revs, _, err := w.Revisions(w.Ctx, catalog.Ref{Team: "payments", Name: "orders", Version: "v1"}, 10, "")
	if err != nil || len(revs) != 2 || revs[0].Hash != second {
		t.Errorf("revisions: %d of them, %v", len(revs), err)
	}
	got, err := w.Revision(w.Ctx, catalog.Ref{"payments", "orders", "v1", first[:6]})
	if err != nil || got.Hash != first {
		t.Errorf("by the hash's beginning: %v %v", got, err)
	}
	if h, err := catalog.HashForm(&got.Form); err != nil || h != first {
		t.Errorf("the stored form hashes to %s, not to %s", h, first)
	}
}

// TestRevisionHashIsStable holds the hash of one form: when it moves, every
// installation would make new revisions of everything.
func TestRevisionHashIsStable(t *testing.T) {
	w := releasetest.New(t)
	w.MustApply(releasetest.Base(t))
	const want = "55901904bc2f42355f692ec2d69a08acc7f7086fe1a7af8ace8e2f57c8bbe199"
	if got := w.HeadOf("payments/orders@v1"); got != want {
		t.Errorf("the revision's hash is %s, want %s", got, want)
	}
}

func TestPathsOfFilesWrittenInTwoWaysAreOneRevision(t *testing.T) {
	w := releasetest.New(t)
	w.MustApply(releasetest.Base(t)) // sends "./orders.yaml"
	was := w.HeadOf("payments/orders@v1")
	d := releasetest.APIDoc(t, "orders", "/orders/v1", "")
	d.Files = map[string]string{"orders.yaml": releasetest.Sum(releasetest.Definition)}
	if r := w.MustApply(catalog.Request{Documents: []catalog.Document{d}, Files: releasetest.Files()}); r.Changed() {
		t.Errorf("the same file as \"orders.yaml\" changes %s", releasetest.Actions(r))
	}
	if now := w.HeadOf("payments/orders@v1"); now != was {
		t.Errorf("revision %s became %s", was, now)
	}
	d.Files["./orders.yaml"] = releasetest.Sum("other")
	w.Refuses(catalog.Request{Documents: []catalog.Document{d}, Files: releasetest.Files()}, gatehouse.Invalid, "stands twice")
}

func TestChangedPolicySetRevisesWhatIncludesIt(t *testing.T) {
	w := releasetest.New(t)
	set := func(n string) catalog.Document {
		return releasetest.Docs(t, `{"apiVersion":"gatehouse/v1","kind":"PolicySet","metadata":{"team":"payments","name":"std"},"spec":{"policies":[{"rate-limit":{"requests":`+n+`,"per":"1m"}}]}}`)[0]
	}
	req := releasetest.Base(t)
	req.Documents = append(req.Documents[:len(req.Documents)-1], set("5"), releasetest.APIDoc(t, "orders", "/orders/v1", `,"policies":[{"policy-set":"std"}]`))
	w.MustApply(req)
	r := w.MustApply(catalog.Request{Documents: []catalog.Document{set("6")}})
	if got, want := releasetest.Actions(r), "update PolicySet payments/std, create Revision payments/orders@v1, update Release dev payments/orders@v1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	rev, err := w.Revision(w.Ctx, catalog.Ref{Team: "payments", Name: "orders", Version: "v1"})
	if err != nil || !strings.Contains(string(rev.Form.PolicySets["payments/std"][0].Config), "6") {
		t.Errorf("the revision has sets %v, %v", rev.Form.PolicySets, err)
	}
	if r := w.MustApply(catalog.Request{Documents: []catalog.Document{set("6")}}); r.Changed() {
		t.Errorf("again: %s", releasetest.Actions(r))
	}
}

func TestLifecycleDecidesWhatIsReleased(t *testing.T) {
	w := releasetest.New(t)
	req := releasetest.Base(t)
	req.Documents[len(req.Documents)-1] = releasetest.APIDoc(t, "orders", "/orders/v1", `,"lifecycle":"design"`)
	w.MustApply(req)
	if r := w.Released("dev", "payments/orders@v1"); r != nil {
		t.Fatalf("a design is released: %+v", r)
	}
	w.MustApply(catalog.Request{Documents: []catalog.Document{releasetest.APIDoc(t, "orders", "/orders/v1", "")}})
	if r := w.Released("dev", "payments/orders@v1"); r == nil {
		t.Fatal("a published version is not released")
	}
	r := w.MustApply(catalog.Request{Documents: []catalog.Document{releasetest.APIDoc(t, "orders", "/orders/v1", `,"lifecycle":"retired"`)}})
	if w.Released("dev", "payments/orders@v1") != nil || !strings.Contains(releasetest.Actions(r), "delete Release dev payments/orders@v1") {
		t.Errorf("a retired version stays released: %s", releasetest.Actions(r))
	}
	// What is not served claims no route.
	w.MustApply(catalog.Request{Documents: []catalog.Document{releasetest.APIDoc(t, "orders-two", "/orders/v1", "")}})
}

func TestNewEnvironmentAndBackendRoom(t *testing.T) {
	w := releasetest.New(t)
	req := releasetest.Base(t)
	manual := strings.Replace(releasetest.DevDoc, `"stage":"dev"`, `"stage":"dev","release":{"mode":"manual"}`, 1)
	req.Documents = append(releasetest.Docs(t, releasetest.TeamDoc, manual, releasetest.QADoc, releasetest.ProdDoc, releasetest.BackendDoc), releasetest.APIDoc(t, "orders", "/orders/v1", ""))
	w.MustApply(req)
	if r := w.MustApply(catalog.Request{Documents: releasetest.Docs(t, releasetest.DevDoc)}); !strings.Contains(releasetest.Actions(r), "create Release dev payments/orders@v1") {
		t.Errorf("an environment that became automatic took nothing: %s", releasetest.Actions(r))
	}
	w.MustApply(catalog.Request{Documents: releasetest.Docs(t, strings.Replace(releasetest.DevDoc, `"name":"dev"`, `"name":"dev2"`, 1))})
	if w.Released("dev2", "payments/orders@v1") != nil {
		t.Fatal("released where the backend has no targets")
	}
	w.MustApply(catalog.Request{Documents: releasetest.Docs(t, strings.Replace(releasetest.BackendDoc, `"dev":`, `"dev2":{"targets":[{"url":"http://127.0.0.1:1"}]},"dev":`, 1))})
	if w.Released("dev2", "payments/orders@v1") == nil {
		t.Error("not released where the backend has targets now")
	}
	w.Refuses(catalog.Request{Documents: releasetest.Docs(t, releasetest.BackendDoc)}, gatehouse.Invalid, `environment "dev2" is left out, but API "payments/orders@v1" is released there`)
}

func TestCollisionsNameBoth(t *testing.T) {
	w := releasetest.New(t)
	w.MustApply(releasetest.Base(t))
	w.Refuses(catalog.Request{Documents: []catalog.Document{releasetest.APIDoc(t, "other", "/orders/v1", "")}}, gatehouse.Invalid,
		`routes to "payments/other@v1" and "payments/orders@v1" both claim`)
	// An operation of one that is an operation of the other under a shorter base.
	text := "openapi: 3.0.3\ninfo: {title: x, version: '1'}\npaths:\n  /v1/orders:\n    get: {operationId: x, responses: {}}\n"
	outer := releasetest.APIDoc(t, "outer", "/orders", "")
	outer.Files = map[string]string{"./orders.yaml": releasetest.Sum(text)}
	w.Refuses(catalog.Request{Documents: []catalog.Document{outer}, Files: map[string][]byte{releasetest.Sum(text): []byte(text)}}, gatehouse.Invalid,
		`both claim GET /orders/v1/orders`)
	inner := releasetest.Docs(t, `{"apiVersion":"gatehouse/v1","kind":"API","metadata":{"team":"payments","name":"inner"},"spec":{"versions":[{"name":"v1","path":"/orders","backend":"orders"}]}}`)[0]
	w.MustApply(catalog.Request{Documents: []catalog.Document{inner}}) // nested base paths are fine: the longest wins
	// After a restart the routes are read from the store.
	again := catalog.New(w.Trail)
	_, err := again.Apply(w.Ctx, catalog.Request{Documents: []catalog.Document{releasetest.APIDoc(t, "other", "/orders/v1", "")}})
	if !gatehouse.Is(err, gatehouse.Invalid) || !strings.Contains(err.Error(), "both claim") {
		t.Errorf("after a restart: %v", err)
	}
	// Two in one request.
	w.Refuses(catalog.Request{Documents: []catalog.Document{releasetest.APIDoc(t, "a", "/same", ""), releasetest.APIDoc(t, "b", "/same", "")}}, gatehouse.Invalid, "both claim")
	// One leaves, the other takes its place, in one request.
	w.MustApply(catalog.Request{Documents: []catalog.Document{releasetest.APIDoc(t, "orders", "/orders/v2", ""), releasetest.APIDoc(t, "other", "/orders/v1", "")}})
}

func TestPruneDeletesOnlyItsSet(t *testing.T) {
	w := releasetest.New(t)
	req := releasetest.Base(t)
	req.Set = "all"
	w.MustApply(req)
	w.MustApply(catalog.Request{Set: "mine", Documents: releasetest.Docs(t, strings.Replace(releasetest.TeamDoc, "payments", "others", 1))})
	all := releasetest.Base(t)
	all.Set, all.Prune = "all", true
	all.Documents = all.Documents[:len(all.Documents)-1]
	if got, want := releasetest.Actions(w.MustApply(all)), "delete API payments/orders, delete Release dev payments/orders@v1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	w.Refuses(catalog.Request{Prune: true}, gatehouse.Invalid, "no set is named")
	last := catalog.Request{Set: "all", Prune: true, Documents: releasetest.Docs(t, releasetest.TeamDoc)}
	if got, want := releasetest.Actions(w.MustApply(last)), "delete Backend payments/orders, delete Environment prod, delete Environment qa, delete Environment dev, delete Team billing"; !sameWords(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := w.Get(w.Ctx, gatehouse.KindTeam, "", "others", time.Time{}); err != nil {
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
	w := releasetest.New(t)
	w.MustApply(releasetest.Base(t))
	for _, tt := range []struct {
		kind       gatehouse.Kind
		team, name string
		want       string
	}{
		{gatehouse.KindBackend, "payments", "orders", "deleting Backend payments/orders: still referred to by API payments/orders"},
		{gatehouse.KindTeam, "", "payments", "still referred to by API payments/orders, Backend payments/orders"},
		{gatehouse.KindEnvironment, "", "qa", "still referred to by Backend payments/orders, Environment prod"},
	} {
		err := w.Delete(w.Ctx, tt.kind, tt.team, tt.name, nil, catalog.Request{})
		if !gatehouse.Is(err, gatehouse.Conflict) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("deleting %s %s: got %v, want %q", tt.kind, tt.name, err, tt.want)
		}
	}
	protected := releasetest.Docs(t, `{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"kept","protected":true},"spec":{}}`)
	w.MustApply(catalog.Request{Documents: protected})
	if err := w.Delete(w.Ctx, gatehouse.KindTeam, "", "kept", nil, catalog.Request{}); !gatehouse.Is(err, gatehouse.Conflict) {
		t.Errorf("deleting what is protected: %v", err)
	}
	if err := w.Delete(w.Ctx, gatehouse.KindTeam, "", "kept", nil, catalog.Request{YesDelete: true}); err != nil {
		t.Errorf("deleting what is protected with yes: %v", err)
	}
	if err := w.Delete(w.Ctx, gatehouse.KindTeam, "", "kept", nil, catalog.Request{}); !gatehouse.Is(err, gatehouse.NotFound) {
		t.Errorf("deleting what is gone: %v", err)
	}
}

func TestBadInputChangesNothing(t *testing.T) {
	w := releasetest.New(t)
	w.MustApply(releasetest.Base(t))
	product := func(apis, plans string) catalog.Document {
		return releasetest.Docs(t, `{"apiVersion":"gatehouse/v1","kind":"Product","metadata":{"team":"payments","name":"commerce"},"spec":{"apis":[`+apis+`],"plans":[`+plans+`]}}`)[0]
	}
	other := releasetest.APIDoc(t, "orders", "/orders/v1", "")
	other.Files = map[string]string{"./orders.yaml": strings.Repeat("0", 64)}
	missing := releasetest.APIDoc(t, "orders", "/orders/v1", "")
	missing.Files = nil
	bad := "openapi: 3.0.3\ninfo: {title: x, version: '1'}\npaths:\n  /a:\n    get: {operationId: same, responses: {}}\n  /b:\n    get: {operationId: same, responses: {}}\n"
	twice := releasetest.APIDoc(t, "orders", "/orders/v1", "")
	twice.Files = map[string]string{"./orders.yaml": releasetest.Sum(bad)}
	subscription := releasetest.Docs(t, `{"apiVersion":"gatehouse/v1","kind":"Subscription","metadata":{"team":"billing","name":"s"},"spec":{"application":"app","product":"payments/commerce","plan":"gold","environment":"dev"}}`)[0]
	app := releasetest.Docs(t, `{"apiVersion":"gatehouse/v1","kind":"Application","metadata":{"team":"billing","name":"app"},"spec":{}}`)[0]
	plan := `{"name":"free","approval":"automatic"}`
	tests := []struct {
		name string
		docs []catalog.Document
		want string
	}{
		{"two objects of one name", append(releasetest.Docs(t, releasetest.TeamDoc), releasetest.Docs(t, releasetest.TeamDoc)...), "stands twice"},
		{"team that is not there", releasetest.Docs(t, strings.Replace(releasetest.BackendDoc, `"team":"payments"`, `"team":"nobody"`, 1)), `metadata.team: team "nobody" does not exist`},
		{"backend that is not there", releasetest.Docs(t, `{"apiVersion":"gatehouse/v1","kind":"API","metadata":{"team":"payments","name":"x"},"spec":{"versions":[{"name":"v1","path":"/x","backend":"none"}]}}`), `backend "none" does not exist`},
		{"framework that is not there", releasetest.Docs(t, `{"apiVersion":"gatehouse/v1","kind":"API","metadata":{"team":"payments","name":"x"},"spec":{"framework":"corporate","versions":[{"name":"v1","path":"/x","backend":"orders"}]}}`), `framework "corporate" does not exist`},
		{"unknown operation", []catalog.Document{releasetest.APIDoc(t, "orders", "/orders/v1", `,"operations":{"createOrdr":{"policies":[]}}`)}, `/spec/versions/0/operations/createOrdr`},
		{"unknown policy", []catalog.Document{releasetest.APIDoc(t, "orders", "/orders/v1", `,"policies":[{"rate-limt":{}}]`)}, `"rate-limt" is not a policy`},
		{"policy that does not take its configuration", []catalog.Document{releasetest.APIDoc(t, "orders", "/orders/v1", `,"policies":[{"ip-filter":{"allow":["10.0.0/8"]}}]`)}, `"10.0.0/8"`},
		{"policy set that is not there", []catalog.Document{releasetest.APIDoc(t, "orders", "/orders/v1", `,"policies":[{"policy-set":"none"}]`)}, `policy set "none" does not exist`},
		{"content of a definition missing", []catalog.Document{other}, "definition"},
		{"definition not among the files", []catalog.Document{missing}, `definition "./orders.yaml" is missing`},
		{"operationId twice", []catalog.Document{twice}, "same"},
		{"product of an API that is not there", []catalog.Document{product(`"none"`, plan)}, `API "none" does not exist`},
		{"product of a version that is not there", []catalog.Document{product(`"orders@v9"`, plan)}, `has no version "v9"; did you mean "v1"?`},
		{"subscription to a plan that is not there", []catalog.Document{product(`"orders"`, plan), app, subscription}, `has no plan "gold"; there is "free"`},
		{"subscription of an application that is not there", []catalog.Document{product(`"orders"`, `{"name":"gold"}`), subscription}, `application "app" does not exist`},
		{"role that is not there", releasetest.Docs(t, `{"apiVersion":"gatehouse/v1","kind":"RoleAssignment","metadata":{"name":"x"},"spec":{"subject":"user:a","role":"devloper","scope":"team/payments"}}`), `role "devloper" does not exist`},
		{"backend in an environment that is not there", releasetest.Docs(t, strings.Replace(releasetest.BackendDoc, `"qa":`, `"qua":`, 1)), `/spec/environments/qua`},
		{"team above itself", releasetest.Docs(t, strings.Replace(releasetest.TeamDoc, `"spec":{}`, `"spec":{"parent":"billing"}`, 1), strings.Replace(releasetest.TeamDoc2, `"spec":{}`, `"spec":{"parent":"payments"}`, 1)), "payments below billing below payments"},
		{"environment that waits for itself", releasetest.Docs(t, strings.Replace(releasetest.ProdDoc, `["qa"]`, `["prod"]`, 1)), `"prod" waits for itself`},
		{"successor that is not there", []catalog.Document{releasetest.APIDoc(t, "orders", "/orders/v1", `,"lifecycle":"deprecated","deprecation":{"successor":"v2"}`)}, `"v2" is not a version of this API`},
		{"no backend and not mocked", releasetest.Docs(t, `{"apiVersion":"gatehouse/v1","kind":"API","metadata":{"team":"payments","name":"x"},"spec":{"versions":[{"name":"v1","path":"/x"}]}}`), "names no backend"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := releasetest.Files()
			f[releasetest.Sum(bad)] = []byte(bad)
			w.T = t
			w.Refuses(catalog.Request{Documents: tt.docs, Files: f}, gatehouse.Invalid, tt.want)
		})
	}
}

func TestLostRace(t *testing.T) {
	w := releasetest.New(t)
	w.MustApply(releasetest.Base(t))
	team := releasetest.Docs(t, strings.Replace(releasetest.TeamDoc, `"spec":{}`, `"spec":{"title":"A"}`, 1))[0]
	v, err := w.Get(w.Ctx, gatehouse.KindTeam, "", "payments", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	team.Expect = &v.Rev
	w.MustApply(catalog.Request{Documents: []catalog.Document{team}})
	other := releasetest.Docs(t, strings.Replace(releasetest.TeamDoc, `"spec":{}`, `"spec":{"title":"B"}`, 1))[0]
	other.Expect = &v.Rev
	w.Refuses(catalog.Request{Documents: []catalog.Document{other}}, gatehouse.Lost, "has moved on")
	absent := store.Absent
	other.Expect = &absent
	w.Refuses(catalog.Request{Documents: []catalog.Document{other}}, gatehouse.Lost, "exists already")
}

// TestTwoProcessesDecideOneAfterTheOther has two catalogs on one store claim
// one route, and delete what the other begins to refer to.
func TestTwoProcessesDecideOneAfterTheOther(t *testing.T) {
	db := memory.New()
	a, b := releasetest.NewOn(t, db), releasetest.NewOn(t, db)
	a.MustApply(releasetest.Base(t))
	b.MustApply(catalog.Request{Documents: releasetest.Docs(t, releasetest.TeamDoc2)}) // b reads the routes
	for i := range 20 {
		path := "/race/" + strconv.Itoa(i)
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for j, w := range []*releasetest.World{a, b} {
			d := releasetest.APIDoc(t, "race-"+strconv.Itoa(i)+"-"+strconv.Itoa(j), path, "")
			wg.Go(func() { _, errs[j] = w.Apply(w.Ctx, catalog.Request{Documents: []catalog.Document{d}}) })
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("round %d: both or neither claimed %s: %v, %v", i, path, errs[0], errs[1])
		}
	}
}

// turns is a store whose processes take turns, as PostgreSQL's do.
type turns struct {
	store.DB
	mu      *sync.Mutex
	waiting *atomic.Int32
}

func (d turns) Turn(context.Context, string) func() {
	d.waiting.Add(1)
	d.mu.Lock()
	d.waiting.Add(-1)
	return d.mu.Unlock
}

// TestWhoDecidesLongIsNotOvertaken has one process decide for as long as another
// writes: its bundle goes through at its first try, where without turns each try
// would lose to a write that came in between.
func TestWhoDecidesLongIsNotOvertaken(t *testing.T) {
	db := turns{memory.New(), new(sync.Mutex), new(atomic.Int32)}
	a, b := releasetest.NewOn(t, db), releasetest.NewOn(t, db)
	a.MustApply(releasetest.Base(t))
	quick, tries := make(chan error), 0
	slow := catalog.Request{Documents: []catalog.Document{releasetest.APIDoc(t, "slow", "/slow", "")}, Allow: func(context.Context, []catalog.Write) error {
		if tries++; tries > 1 {
			return nil
		}
		go func() {
			_, err := b.Apply(b.Ctx, catalog.Request{Documents: releasetest.Docs(t, strings.Replace(releasetest.TeamDoc2, `"spec":{}`, `"spec":{"title":"Quick"}`, 1))})
			quick <- err
		}()
		for db.waiting.Load() == 0 { // it wants to write, and must wait
			runtime.Gosched()
		}
		return nil
	}}
	a.MustApply(slow)
	if err := <-quick; err != nil {
		t.Errorf("who waited: %v", err)
	}
	if tries != 1 {
		t.Errorf("the bundle was decided %d times, want once", tries)
	}
}

// TestRoutesFollowAnotherProcess has one catalog take routes, and give them
// back, between two applies of another.
func TestRoutesFollowAnotherProcess(t *testing.T) {
	db := memory.New()
	a, b := releasetest.NewOn(t, db), releasetest.NewOn(t, db)
	a.MustApply(releasetest.Base(t))
	b.MustApply(catalog.Request{Documents: releasetest.Docs(t, strings.Replace(releasetest.TeamDoc2, "billing", "other", 1))}) // b has read the routes
	a.MustApply(catalog.Request{Documents: []catalog.Document{releasetest.APIDoc(t, "new", "/new", "")}})
	b.Refuses(catalog.Request{Documents: []catalog.Document{releasetest.APIDoc(t, "late", "/new", "")}}, gatehouse.Invalid, `"payments/new@v1" both claim`)
	a.MustApply(catalog.Request{Documents: []catalog.Document{releasetest.APIDoc(t, "new", "/moved", "")}})
	b.MustApply(catalog.Request{Documents: []catalog.Document{releasetest.APIDoc(t, "late", "/new", "")}})
	b.Refuses(catalog.Request{Documents: []catalog.Document{releasetest.APIDoc(t, "later", "/moved", "")}}, gatehouse.Invalid, `"payments/new@v1" both claim`)
	if err := a.Delete(a.Ctx, gatehouse.KindAPI, "payments", "new", nil, catalog.Request{}); err != nil {
		t.Fatal(err)
	}
	b.MustApply(catalog.Request{Documents: []catalog.Document{releasetest.APIDoc(t, "later", "/moved", "")}})
	followed, anew, err := catalog.Routes(b.Ctx, b.Catalog)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(anew, followed); diff != "" {
		t.Errorf("routes that were followed differ from those read anew: %s", diff)
	}
}
