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
	GateReason                  string            // what it does not obey, of refused and falls-short
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
	// May says which APIs, "payments/orders", are shown; nil: all.
	May func(api string) bool
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

// Entries lists all that is exposed, where, and what each instance runs, at any
// moment: one for each released version and gateway, by environment, API,
// version and gateway.
func Entries(ctx context.Context, db store.DB, s Selection) ([]Entry, error) {
	all, _, err := Page(ctx, db, s, 0, "")
	return all, err
}

func (p *past) entries(ctx context.Context, s Selection) ([]Entry, error) {
	all, _, err := p.page(ctx, s, 0, "")
	return all, err
}

// add adds the entries of one release, one for each gateway of its environment.
func (p *past) add(ctx context.Context, all []Entry, rel standing) ([]Entry, error) {
	e := p.entry(rel)
	gateways := p.gateways[rel.Environment]
	if len(gateways) == 0 {
		e.State = StateNoGateway
		return append(all, e), nil
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

func (p *past) entry(k standing) Entry {
	form := &p.revisions[k.shown()].Form
	e := Entry{
		API: k.API, Version: k.Version, Team: form.Team, Title: p.titles[k.apiKey()], Environment: k.Environment,
		Audience: cmp.Or(form.Audience, "internal"), Access: cmp.Or(form.Version.Access, "subscription"),
		Lifecycle: cmp.Or(form.Version.Lifecycle, "published"), Framework: form.Framework,
		Hosts: form.Version.Hosts, Path: form.Version.Path, Revision: k.Revision, Proposed: k.Proposed, Since: k.Time, By: k.By, Note: k.Note, Canary: k.Canary,
	}
	v := p.verdict(k)
	e.Gate, e.GateUntil, e.GateReason = v.gate, v.until, v.why
	if env := p.envs[k.Environment]; env != nil {
		e.Stage = env.Stage
		if len(e.Hosts) == 0 {
			e.Hosts = env.Hosts
		}
	}
	return e
}
