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
	"log/slog"
	"sync"
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
	Log   *slog.Logger
	// Dir is the data directory, where installation.key lies.
	Dir string
	// Take records a batch of counts of a gateway of an environment, once.
	Take func(ctx context.Context, environment string, b *report.Batch) error
	Now  func() time.Time // nil: time.Now
	// Nodes is how many control-plane processes may hand out leases at once.
	// Each gives its part of every short budget, and of what is left of a long
	// one while the store cannot be written. Nil: one.
	Nodes func() int
}

// A Fleet is one control-plane process's view of all gateways. It implements
// [link.Source].
type Fleet struct {
	Options
	installation *installation
	state        *compile.State
	leases       leases
	following    sync.Mutex // held while changes are read and taken, so that they come in order

	mu        sync.Mutex // guards what follows
	views     map[string]*history
	changed   chan struct{} // closed at each change of content, then replaced
	news      chan struct{} // likewise when an instance is heard of
	ready     bool
	instances map[string]*gatehouse.Instance // by "gateway/instance"
	seen      map[string]sighting
}

// Open reads the installation's identity, or makes it on the first start, and
// loads what gateways should run.
func Open(ctx context.Context, o Options) (*Fleet, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	f := &Fleet{
		Options: o, state: compile.New(o.DB), views: map[string]*history{}, changed: make(chan struct{}), news: make(chan struct{}),
		instances: map[string]*gatehouse.Instance{}, seen: map[string]sighting{},
	}
	f.leases.init(f.Now)
	var err error
	if f.installation, err = openInstallation(ctx, &f.Options); err != nil {
		return nil, err
	}
	if err := f.load(ctx); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *Fleet) load(ctx context.Context) error {
	if err := f.state.Load(ctx); err != nil {
		return err
	}
	seq := f.state.Seq()
	for q := (store.Query{Kind: string(gatehouse.KindInstance), Limit: 1000}); ; {
		page, err := f.DB.List(ctx, q)
		if err != nil {
			return err
		}
		for i := range page.Records {
			f.hear(&store.Change{Record: page.Records[i]})
		}
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	f.publish(f.state.Environments(), seq)
	return nil
}

// Run follows the store until ctx ends. What the database cannot do now is
// tried again; gateways keep what they have meanwhile.
func (f *Fleet) Run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { f.keepLedger(ctx) })
	defer wg.Wait()
	for pause := time.Duration(0); ctx.Err() == nil; {
		at := f.state.Seq()
		err := f.DB.Wait(ctx, at)
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
	f.following.Lock()
	defer f.following.Unlock()
	changes, upTo, err := f.DB.Changes(ctx, f.state.Seq(), most)
	if err != nil {
		return err
	}
	for i := range changes {
		f.hear(&changes[i])
	}
	changed, err := f.state.Apply(ctx, changes, upTo)
	f.publish(changed, upTo)
	return err
}

// Refresh follows the store up to its head now, for callers that have just
// written and want to see the effect.
func (f *Fleet) Refresh(ctx context.Context) error {
	head, err := f.DB.Head(ctx)
	for err == nil && f.state.Seq() < head.Seq {
		err = f.follow(ctx)
	}
	// Whoever took the changes in may be about to publish them only.
	f.following.Lock()
	defer f.following.Unlock()
	return err
}

// State is what is compiled, for explanations and status.
func (f *Fleet) State() *compile.State { return f.state }
