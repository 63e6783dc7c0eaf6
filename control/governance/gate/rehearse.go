package gate

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/store"
)

// A rehearsal is what was decided on many releases before the catalog, which
// lets nobody else decide meanwhile, asks for them. A decision counts when the
// catalog asks only while nothing that it rests on has changed, and what it
// writes holds only upon the records that it was decided on.
type rehearsal struct {
	on       bool // decisions are made and kept; else they are used
	began    time.Time
	seq      store.Seq // changes are taken up to here
	decided  map[string]decided
	all      bool            // something changed that may matter to everything
	apis     map[string]bool // that changed, or what is on record of them
	backends map[string]bool
}

// A decided is what Admit answered.
type decided struct {
	backend string
	acts    []audit.Act
	err     error
}

// holdsFor is how old a rehearsed decision may be: what time alone changes is
// seen at the latest then.
const holdsFor = 10 * time.Minute

type rehearsing struct{}

// Rehearse begins a rehearsal: what is asked with the first context is decided
// and kept, and used by who asks the same with the second.
func (g *Gate) Rehearse(ctx context.Context) (ahead, then context.Context, err error) {
	head, err := g.db.Head(ctx)
	if err != nil {
		return ctx, ctx, err
	}
	r := &rehearsal{on: true, began: g.now(), seq: head.Seq, decided: map[string]decided{}, apis: map[string]bool{}, backends: map[string]bool{}}
	used := *r
	used.on = false
	return context.WithValue(ctx, rehearsing{}, r), context.WithValue(ctx, rehearsing{}, &used), nil
}

// rehearsed is the decision there is on a release, if it still counts.
func (g *Gate) rehearsed(ctx context.Context, t Target, way Going) (decided, bool) {
	r, _ := ctx.Value(rehearsing{}).(*rehearsal)
	if r == nil || r.on || way != Forward {
		return decided{}, false
	}
	d, ok := r.decided[t.attestationKey()]
	if !ok || g.now().Sub(r.began) > holdsFor || r.follow(ctx, g.db) != nil {
		return d, false
	}
	return d, !r.all && !r.apis[t.API()] && !r.backends[d.backend]
}

// rehearse keeps a decision where one is rehearsed.
func rehearse(ctx context.Context, t Target, way Going, d decided) {
	if r, _ := ctx.Value(rehearsing{}).(*rehearsal); r != nil && r.on && way == Forward {
		r.decided[t.attestationKey()] = d
	}
}

// follow takes what changed since the rehearsal.
func (r *rehearsal) follow(ctx context.Context, db store.DB) error {
	for {
		changes, upTo, err := db.Changes(ctx, r.seq, 5000)
		if err != nil {
			return err
		}
		for i := range changes {
			r.take(&changes[i])
		}
		if upTo <= r.seq {
			return nil
		}
		r.seq = upTo
	}
}

func (r *rehearsal) take(c *store.Change) {
	kind, rest, _ := strings.Cut(c.Key, "/")
	switch gatehouse.Kind(kind) {
	case gatehouse.KindEnvironment, gatehouse.KindGateway, gatehouse.KindPolicySet, gatehouse.KindFrameworkState, gatehouse.KindEvidence:
		r.all = true
	case gatehouse.KindBackend:
		r.backends[rest] = true
	case gatehouse.KindRelease, gatehouse.KindGateResult, gatehouse.KindAttestation:
		_, rest, _ = strings.Cut(rest, "/") // the environment
		r.touch(rest)
	case gatehouse.KindAPI, gatehouse.KindAnswer:
		r.touch(rest)
	case gatehouse.KindWaiver:
		var w gatehouse.Waiver
		if c.Deleted || json.Unmarshal(c.Value, &w) != nil {
			r.all = true
			return
		}
		api, _, _ := strings.Cut(w.API, "@")
		r.apis[api] = true
	case "Blob":
		r.all = r.all || c.Deleted
	}
}

// touch is of what lies under "team/name".
func (r *rehearsal) touch(path string) {
	team, rest, _ := strings.Cut(path, "/")
	name, _, _ := strings.Cut(rest, "/")
	r.apis[team+"/"+name] = true
}
