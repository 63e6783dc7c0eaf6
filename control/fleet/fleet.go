// Package fleet is the control plane's side of all gateways: it follows the
// store, keeps what every gateway should run, hands it out over the link, and
// knows what every instance really runs.
//
// It holds the installation's identity too: the authority that certifies
// gateways and the key that signs manifests, sealed in the store. It compiles
// nothing itself (package compile does), carries nothing (package link does)
// and counts nothing (package usage does).
package fleet

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/control/compile"
	"gatehouse/report"
	"gatehouse/store"
)

// Options are what a fleet is made of.
type Options struct {
	DB    store.DB
	Trail *audit.Trail
	// Strangers records what is refused to who has no good join token. Nil: one
	// of its own.
	Strangers *audit.Strangers
	Log       *slog.Logger
	// Dir is the data directory, where installation.key lies.
	Dir string
	// Take records a batch of counts of a gateway of an environment, once.
	Take func(ctx context.Context, environment string, b *report.Batch) error
	Now  func() time.Time // nil: time.Now
	// Nodes is how many control-plane processes may hand out leases at once.
	// Each gives its part of every short budget, and of what is left of a long
	// one while the store cannot be written. Nil: one.
	Nodes func() int
	// Rest ends when whoever waits for news is to be answered at once, because
	// the process stops. Nil: never.
	Rest context.Context
}

// A Fleet is one control-plane process's view of all gateways. It implements
// [link.Source].
type Fleet struct {
	Options
	installation *installation
	state        *compile.State
	leases       leases
	following    chan struct{} // holds one while changes are read and taken
	loaded       atomic.Bool   // all there is was read
	ready        chan struct{} // closed once gateways are offered it

	mu        sync.Mutex // guards what follows
	views     map[string]*history
	offers    map[string]*offer              // by gateway
	changed   chan struct{}                  // closed at each change of content, then replaced
	news      chan struct{}                  // likewise when an instance is heard of
	instances map[string]*gatehouse.Instance // by "gateway/instance"
	seen      map[string]sighting
	struck    strikes // until all there is was read
}

// Open reads the installation's identity, or makes it on the first start, and who
// the gateways and their instances are. What gateways should run is read later, by
// [Fleet.Run] or whoever asks first: with a million keys that takes a while, in
// which people are served already and gateways keep what they have.
func Open(ctx context.Context, o Options) (*Fleet, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rest == nil {
		o.Rest = context.Background()
	}
	if o.Strangers == nil {
		o.Strangers = &audit.Strangers{Trail: o.Trail}
	}
	f := &Fleet{
		Options: o, state: compile.New(o.DB), views: map[string]*history{}, offers: map[string]*offer{}, changed: make(chan struct{}), news: make(chan struct{}),
		instances: map[string]*gatehouse.Instance{}, seen: map[string]sighting{}, following: make(chan struct{}, 1),
		ready: make(chan struct{}), struck: newStrikes(),
	}
	f.leases.init(f.Now)
	var err error
	if f.installation, err = openInstallation(ctx, &f.Options); err != nil {
		return nil, err
	}
	if err := f.state.LoadGateways(ctx); err != nil {
		return nil, err
	}
	return f, f.loadInstances(ctx)
}

// follows begins an exclusive piece of following, so that changes come in order;
// the caller ends it by end.
func (f *Fleet) follows(ctx context.Context) (end func(), err error) {
	select {
	case f.following <- struct{}{}:
		return func() { <-f.following }, nil
	case <-ctx.Done():
		return nil, gatehouse.E(gatehouse.Unavailable, "following the configuration: %w", context.Cause(ctx))
	}
}

// load reads all there is, once; the caller holds following.
func (f *Fleet) load(ctx context.Context) error {
	if f.loaded.Load() {
		return nil
	}
	began := time.Now()
	if err := f.state.Load(ctx); err != nil {
		return err
	}
	if err := f.loadInstances(ctx); err != nil {
		return err
	}
	f.publish(f.state.Environments(), f.state.Seq())
	f.loaded.Store(true)
	if took := time.Since(began); took > time.Second {
		f.Log.Info("the configuration is read and compiled", "took", took.Round(time.Millisecond))
	}
	return nil
}

func (f *Fleet) loadInstances(ctx context.Context) error {
	all := map[string]*gatehouse.Instance{}
	for q := (store.Query{Kind: string(gatehouse.KindInstance), Limit: 1000}); ; {
		page, err := f.DB.List(ctx, q)
		if err != nil {
			return err
		}
		for i := range page.Records {
			one := new(gatehouse.Instance)
			if json.Unmarshal(page.Records[i].Value, one) == nil {
				all[strings.TrimPrefix(page.Records[i].Key, string(gatehouse.KindInstance)+"/")] = one
			}
		}
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.instances = all
	renew(&f.news)
	renew(&f.changed)
	return nil
}

// Run reads what gateways should run and follows the store until ctx ends. What
// the database cannot do now is tried again; gateways keep what they have
// meanwhile.
func (f *Fleet) Run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { f.keepLedger(ctx) })
	wg.Go(func() { f.strike(ctx) })
	defer wg.Wait()
	for pause := time.Duration(0); ctx.Err() == nil; {
		at := f.state.Seq()
		err := error(nil)
		if f.loaded.Load() {
			err = f.DB.Wait(ctx, at)
		}
		if err == nil {
			err = f.follow(ctx)
		}
		if err == nil {
			pause = 0
			continue
		}
		if ctx.Err() != nil {
			return
		}
		f.Log.Error("following the store; gateways keep what they run", "seq", at, "error", err)
		pause = min(max(2*pause, 100*time.Millisecond), 2*time.Second)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// follow takes the changes since the last time.
func (f *Fleet) follow(ctx context.Context) error {
	const most = 10000
	end, err := f.follows(ctx)
	if err != nil {
		return err
	}
	defer end()
	if err := f.load(ctx); err != nil {
		return err
	}
	changes, upTo, err := f.DB.Changes(ctx, f.state.Seq(), most)
	if err != nil {
		return err
	}
	for i := range changes {
		f.hear(&changes[i])
	}
	changed, err := f.state.Apply(ctx, changes, upTo)
	f.publish(changed, upTo)
	if err == nil {
		f.endStrikes(upTo)
	}
	return err
}

// Refresh follows the store up to its head now, for callers that have just
// written and want to see the effect.
func (f *Fleet) Refresh(ctx context.Context) error {
	head, err := f.DB.Head(ctx)
	for err == nil && (!f.loaded.Load() || f.state.Seq() < head.Seq) {
		err = f.follow(ctx)
	}
	if err != nil {
		return err
	}
	// Whoever took the changes in may be about to publish them only.
	end, err := f.follows(ctx)
	if err == nil {
		end()
	}
	return err
}

// Explain is [compile.State.Explain] of what holds now.
func (f *Fleet) Explain(ctx context.Context, id, env, operation, plan string) (*compile.Explanation, error) {
	if err := f.Refresh(ctx); err != nil {
		return nil, err
	}
	return f.state.Explain(id, env, operation, plan)
}

// State is what is compiled, for explanations and status; nothing before
// [Fleet.Refresh] or [Fleet.Run] has read it.
func (f *Fleet) State() *compile.State { return f.state }
