package gate

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/store"
)

// A watch is what background work keeps in mind of the store: what is released,
// what was found of it, and when the records behind it last changed. It follows
// the store's changes; what is due comes from it alone, so that a process that
// starts again goes on where any process stopped.
type watch struct {
	seq     store.Seq // taken up to here
	loaded  bool
	envs    map[string]environment
	gateway map[string]string                // gateway to its environment
	moved   map[string]store.Seq             // environment to the last change of a gateway of it
	states  map[string]standing              // by framework
	changed map[string]store.Seq             // last change of "API/…", "Backend/…", "PolicySet/…", "Waiver/team/name", "Answer/team/name"
	live    map[string]release               // by key of the release
	results map[string]*gatehouse.GateResult // of what is released, by key; controls left out
	revs    map[string]store.Seq             // of results
}

type environment struct {
	spec *gatehouse.Environment
	rev  store.Seq
}

type standing struct {
	hash     string // of the version in force; "" for none
	governed bool
	rev      store.Seq
}

type release struct {
	Target
	rev    store.Seq
	beside bool // a canary's: its result is that of what is not released
}

// besideIt is where the canary of a release is kept among the releases.
const besideIt = "#canary"

// watched are the kinds a watch follows.
var watched = []gatehouse.Kind{
	gatehouse.KindEnvironment, gatehouse.KindGateway, gatehouse.KindAPI, gatehouse.KindBackend, gatehouse.KindPolicySet, gatehouse.KindFrameworkState,
	gatehouse.KindRelease, gatehouse.KindWaiver, gatehouse.KindAnswer, gatehouse.KindGateResult,
}

func newWatch() watch {
	return watch{
		envs: map[string]environment{}, gateway: map[string]string{}, moved: map[string]store.Seq{}, states: map[string]standing{},
		changed: map[string]store.Seq{}, live: map[string]release{}, results: map[string]*gatehouse.GateResult{}, revs: map[string]store.Seq{},
	}
}

// follow takes what changed since the last time; the first time, all there is.
func (w *watch) follow(ctx context.Context, db store.DB) error {
	if !w.loaded {
		head, err := db.Head(ctx)
		if err != nil {
			return err
		}
		*w = newWatch()
		for _, kind := range watched {
			if err := each(ctx, db, store.Query{Kind: string(kind)}, func(r store.Record) error { w.take(r, false); return nil }); err != nil {
				return err
			}
		}
		w.seq, w.loaded = head.Seq, true
	}
	for {
		const most = 5000
		changes, upTo, err := db.Changes(ctx, w.seq, most)
		if err != nil {
			return err
		}
		for i := range changes {
			w.take(changes[i].Record, changes[i].Deleted)
		}
		if upTo <= w.seq {
			return nil
		}
		w.seq = upTo
	}
}

// take keeps what matters of one record. What cannot be read counts as gone.
func (w *watch) take(r store.Record, gone bool) {
	kind, name, _ := strings.Cut(r.Key, "/")
	switch gatehouse.Kind(kind) {
	case gatehouse.KindEnvironment:
		delete(w.envs, name)
		if o, err := objectOf(r.Key, r.Value); !gone && err == nil {
			if s, ok := o.Spec.(*gatehouse.Environment); ok {
				w.envs[name] = environment{s, r.Rev}
			}
		}
	case gatehouse.KindGateway:
		w.takeGateway(name, r, gone)
	case gatehouse.KindAPI, gatehouse.KindBackend, gatehouse.KindPolicySet:
		w.changed[r.Key] = max(w.changed[r.Key], r.Rev)
	case gatehouse.KindWaiver:
		var v gatehouse.Waiver
		if json.Unmarshal(r.Value, &v) == nil {
			api, _, _ := strings.Cut(v.API, "@")
			w.changed["Waiver/"+api] = max(w.changed["Waiver/"+api], r.Rev)
		}
	case gatehouse.KindAnswer:
		var v gatehouse.Answer
		if json.Unmarshal(r.Value, &v) == nil {
			w.changed["Answer/"+v.API] = max(w.changed["Answer/"+v.API], r.Rev)
		}
	case gatehouse.KindFrameworkState:
		var s gatehouse.FrameworkState
		if gone || json.Unmarshal(r.Value, &s) != nil {
			delete(w.states, name)
			return
		}
		w.states[name] = standing{s.Versions[s.InForce].Hash, !s.Governed.IsZero(), r.Rev}
	case gatehouse.KindRelease:
		var rel gatehouse.Release
		if gone || json.Unmarshal(r.Value, &rel) != nil || rel.Revision == "" {
			delete(w.live, r.Key)
			delete(w.live, r.Key+besideIt)
			return
		}
		w.live[r.Key] = release{targetOf(rel.Environment, rel.API, rel.Version, rel.Revision), r.Rev, false}
		if delete(w.live, r.Key+besideIt); rel.Canary != nil {
			w.live[r.Key+besideIt] = release{targetOf(rel.Environment, rel.API, rel.Version, rel.Canary.Revision), r.Rev, true}
		}
	case gatehouse.KindGateResult:
		w.takeResult(r, gone)
	}
}

func (w *watch) takeGateway(name string, r store.Record, gone bool) {
	touch := func(env string) {
		if env != "" {
			w.moved[env] = max(w.moved[env], r.Rev)
		}
	}
	touch(w.gateway[name])
	delete(w.gateway, name)
	if o, err := objectOf(r.Key, r.Value); !gone && err == nil {
		if s, ok := o.Spec.(*gatehouse.Gateway); ok {
			w.gateway[name] = s.Environment
			touch(s.Environment)
		}
	}
}

func (w *watch) takeResult(r store.Record, gone bool) {
	res := new(gatehouse.GateResult)
	if gone || json.Unmarshal(r.Value, res) != nil {
		delete(w.results, r.Key)
		delete(w.revs, r.Key)
		return
	}
	res.Controls = nil
	w.results[r.Key], w.revs[r.Key] = res, r.Rev
}

func (w *watch) governed() bool {
	for _, s := range w.states {
		if s.governed {
			return true
		}
	}
	return false
}

// due are the releases to look at again, and the results that are about what is
// not released, or not looked at, any more.
func (w *watch) due(now time.Time) (due []Target, stale []string) {
	governed := w.governed()
	wanted := map[string]bool{}
	for _, rel := range w.live {
		env, ok := w.envs[rel.Environment]
		if !ok {
			continue
		}
		key := rel.resultKey(!rel.beside)
		mode := env.spec.GateMode(governed)
		res := w.results[key]
		if mode == gatehouse.GateOff || !governed && mode == gatehouse.GateReport {
			continue // nothing judges, or nobody asks
		}
		wanted[key] = true
		if res == nil || w.old(rel, env, mode, res, now) {
			due = append(due, rel.Target)
		}
	}
	for key := range w.results {
		if !wanted[key] && strings.HasSuffix(key, "/live") {
			stale = append(stale, key)
		}
	}
	slices.SortFunc(due, func(a, b Target) int { return strings.Compare(a.releaseKey(), b.releaseKey()) })
	slices.Sort(stale)
	return due, stale
}

// old tells whether a result may not say any more what would be found now.
func (w *watch) old(rel release, env environment, mode string, res *gatehouse.GateResult, now time.Time) bool {
	seq := store.Seq(res.Seq)
	switch {
	case res.Revision != rel.Revision, res.Mode != mode, !res.Due.IsZero() && !now.Before(res.Due):
		return true
	case !res.Notice.IsZero() && res.Warned.IsZero():
		return true // of a program that did not announce its end
	case w.states[res.Framework].hash != res.FrameworkHash, w.states[res.Framework].rev > seq:
		return true
	case rel.rev > seq, env.rev > seq, w.moved[rel.Environment] > seq:
		return true
	case w.changed["API/"+rel.API()] > seq, w.changed["Waiver/"+rel.API()] > seq, w.changed["Answer/"+rel.API()] > seq:
		return true
	case res.Backend != "" && w.changed["Backend/"+res.Backend] > seq:
		return true
	}
	return slices.ContainsFunc(env.spec.Policies, func(u gatehouse.PolicyUse) bool {
		ref, ok := u.Set()
		return ok && w.changed["PolicySet/"+ref] > seq
	})
}
