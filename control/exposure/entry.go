// Package exposure shows what the company exposes: which API version answers on
// which gateway, and what every instance of that gateway really runs, now or at
// any past moment.
//
// It only reads. What is wanted is decided by package release; what an instance
// runs is what it acknowledged to package fleet.
package exposure

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/store"
)

// pageOf and keysOf bound one read of records by a query and by their keys.
const pageOf, keysOf = 1000, 500

// States of an entry and of an instance.
const (
	StateLive      = "live"
	StatePending   = "pending"
	StateRefused   = "refused"
	StateNoGateway = "no-gateway"
	StateNotPlaced = "not-placed" // its data may not be where the gateway lies
)

// An Entry is one API version exposed, or wanted, on one gateway.
type Entry struct {
	API, Version, Team, Title   string
	Environment, Stage          string
	Gateway                     string // "": no gateway runs the environment
	Location                    *gatehouse.Location
	Audience, Access, Lifecycle string
	Framework                   string
	Hosts                       []string // none: any host
	Path                        string
	Revision                    string // that is wanted; "" while the first one waits for approval
	Proposed                    string // that waits for approval
	Since                       time.Time
	By                          string
	Note                        string            // of the release
	Canary                      *gatehouse.Canary // nil: none is on its way
	State                       string            // over all instances
	Gate                        string            // what the compliance gate says of it
	GateUntil                   time.Time         // when that ends by itself; zero: not
	Reason                      string            // why it is not placed
	Instances                   []Instance
}

// An Instance is what one process of the gateway really runs.
type Instance struct {
	Instance string
	Revision string // "": none
	State    string // live, pending, refused or not-placed
	Reason   string
	Warning  string // why an environment that enforces the gate would refuse it
	Serial   int64
	Time     time.Time // of its last acknowledgement
}

// A Selection narrows the view; the zero value takes everything.
type Selection struct {
	AsOf                            time.Time
	Environment, Team, API, Version string
}

// A past is everything the view is made of, all of one moment.
type past struct {
	db        store.DB
	at        store.Seq
	envs      map[string]*gatehouse.Environment
	gateways  map[string][]*gatehouse.Object // by environment
	instances map[string][]gatehouse.Instance
	titles    map[string]string
	releases  []standing
	revisions map[string]*gatehouse.Revision
	verdicts  map[string]verdict           // of the gate, by key of its result
	stood     map[moment]map[string]string // releases of an environment as of a serial, by key
}

// A moment is where one environment stood at a serial.
type moment struct {
	env    string
	serial store.Seq
}

// A standing is a release as it stood.
type standing struct {
	rev store.Seq
	gatehouse.Release
	key string
}

// Entries lists what is exposed, where, and what each instance runs, at any
// moment: one for each released version and gateway, in order of environment,
// API, version and gateway.
func Entries(ctx context.Context, db store.DB, s Selection) ([]Entry, error) {
	at := store.Seq(0)
	if !s.AsOf.IsZero() {
		var err error
		if at, err = db.AsOf(ctx, s.AsOf); err != nil || at == 0 {
			return nil, err
		}
	}
	p := &past{db: db, at: at, stood: map[moment]map[string]string{}}
	return p.entries(ctx, s)
}

func (p *past) entries(ctx context.Context, s Selection) (all []Entry, err error) {
	if err := p.read(ctx, s); err != nil {
		return nil, err
	}
	for _, rel := range p.releases {
		e := p.entry(rel)
		gateways := p.gateways[rel.Environment]
		if len(gateways) == 0 {
			e.State = StateNoGateway
			all = append(all, e)
		}
		for _, g := range gateways {
			one := e
			spec := g.Spec.(*gatehouse.Gateway)
			one.Gateway, one.Location = g.Metadata.Name, spec.Location
			if d := p.revisions[rel.shown()].Form.Data; d != nil {
				if lies := spec.JurisdictionIn(p.envs[rel.Environment]); !gatehouse.MayPass(d.Jurisdictions, lies) {
					one.Reason = gatehouse.NotPlaced(rel.API, d.Jurisdictions, one.Gateway, lies)
				}
			}
			if err := p.runs(ctx, rel, &one); err != nil {
				return nil, err
			}
			all = append(all, one)
		}
	}
	slices.SortFunc(all, func(a, b Entry) int {
		return cmp.Or(strings.Compare(a.Environment, b.Environment), strings.Compare(a.API, b.API),
			strings.Compare(a.Version, b.Version), strings.Compare(a.Gateway, b.Gateway))
	})
	return all, nil
}

// each goes through all records of a query as of the moment.
func (p *past) each(ctx context.Context, q store.Query, do func(store.Record) error) error {
	q.AsOf, q.Limit = p.at, pageOf
	if p.at != 0 {
		q.Limit = 0 // the past is read in one go: each page would go through all history
	}
	for {
		page, err := p.db.List(ctx, q)
		if err != nil {
			return err
		}
		for _, rec := range page.Records {
			if err := do(rec); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		q.After = page.Next
	}
}

func (p *past) read(ctx context.Context, s Selection) error {
	p.envs, p.gateways = map[string]*gatehouse.Environment{}, map[string][]*gatehouse.Object{}
	p.instances, p.titles = map[string][]gatehouse.Instance{}, map[string]string{}
	object := func(do func(o *gatehouse.Object)) func(store.Record) error {
		return func(rec store.Record) error {
			_, o, err := gatehouse.ReadStored(rec.Key, rec.Value)
			if err == nil {
				do(o)
			}
			return err
		}
	}
	where := func(pairs ...string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i+1] != "" {
				m[pairs[i]] = pairs[i+1]
			}
		}
		return m
	}
	api := ""
	if s.API != "" {
		api = s.Team + "/" + s.API
	}
	steps := []error{
		p.each(ctx, store.Query{Kind: "Environment"}, object(func(o *gatehouse.Object) { p.envs[o.Metadata.Name] = o.Spec.(*gatehouse.Environment) })),
		p.each(ctx, store.Query{Kind: "Gateway"}, object(func(o *gatehouse.Object) {
			env := o.Spec.(*gatehouse.Gateway).Environment
			p.gateways[env] = append(p.gateways[env], o)
		})),
		p.each(ctx, store.Query{Kind: "API", Where: where("team", s.Team, "name", s.API)}, object(func(o *gatehouse.Object) {
			p.titles[o.Metadata.Ref()] = o.Spec.(*gatehouse.API).Title
		})),
		p.each(ctx, store.Query{Kind: "Instance"}, func(rec store.Record) error {
			var i gatehouse.Instance
			if err := json.Unmarshal(rec.Value, &i); err != nil {
				return gatehouse.E(gatehouse.Internal, "reading %q: %w", rec.Key, err)
			}
			p.instances[i.Gateway] = append(p.instances[i.Gateway], i)
			return nil
		}),
		p.each(ctx, store.Query{Kind: "Release", Where: where("environment", s.Environment, "team", s.Team, "api", api, "version", s.Version)}, func(rec store.Record) error {
			k := standing{rev: rec.Rev, key: rec.Key}
			if err := json.Unmarshal(rec.Value, &k.Release); err != nil {
				return gatehouse.E(gatehouse.Internal, "reading %q: %w", rec.Key, err)
			}
			p.releases = append(p.releases, k)
			return nil
		}),
		p.judged(ctx, where("environment", s.Environment, "team", s.Team, "api", api)),
	}
	for _, err := range steps {
		if err != nil {
			return err
		}
	}
	return p.readRevisions(ctx)
}

// shown is the revision that describes an entry: the wanted one, or the first
// one that waits.
func (k *standing) shown() string {
	return "Revision/" + k.API + "/" + k.Version + "/" + cmp.Or(k.Revision, k.Proposed)
}

func (p *past) readRevisions(ctx context.Context) error {
	p.revisions = map[string]*gatehouse.Revision{}
	var keys []string
	for i := range p.releases {
		keys = append(keys, p.releases[i].shown())
	}
	for some := range slices.Chunk(keys, keysOf) {
		found, err := p.db.GetMany(ctx, some)
		if err != nil {
			return err
		}
		for _, key := range some {
			rev := new(gatehouse.Revision)
			if err := json.Unmarshal(found[key].Value, rev); err != nil {
				return gatehouse.E(gatehouse.Internal, "reading %q: %w", key, err)
			}
			p.revisions[key] = rev
		}
	}
	return nil
}

func (p *past) entry(k standing) Entry {
	form := &p.revisions[k.shown()].Form
	e := Entry{
		API: k.API, Version: k.Version, Team: form.Team, Title: p.titles[k.API], Environment: k.Environment,
		Audience: cmp.Or(form.Audience, "internal"), Access: cmp.Or(form.Version.Access, "subscription"),
		Lifecycle: cmp.Or(form.Version.Lifecycle, "published"), Framework: form.Framework,
		Hosts: form.Version.Hosts, Path: form.Version.Path, Revision: k.Revision, Proposed: k.Proposed, Since: k.Time, By: k.By, Note: k.Note, Canary: k.Canary,
	}
	v := p.verdict(k)
	e.Gate, e.GateUntil = v.gate, v.until
	if env := p.envs[k.Environment]; env != nil {
		e.Stage = env.Stage
		if len(e.Hosts) == 0 {
			e.Hosts = env.Hosts
		}
	}
	return e
}
