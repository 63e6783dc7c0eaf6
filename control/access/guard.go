package access

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/store"
)

// A Guard answers for one store who is there and what they may do. It keeps an
// [Index] that follows the store and remembers proofs it has seen lately.
type Guard struct {
	trail *audit.Trail
	log   *slog.Logger
	now   func() time.Time
	index atomic.Pointer[Index]

	turn  chan struct{} // held by who takes changes in: one at a time
	past  chan struct{} // held by who rebuilds a moment of the past
	proof proofs
}

// Open builds the index from the store. Decisions follow what this process
// writes when it calls [Guard.CatchUp], and what others write while [Guard.Run]
// runs.
func Open(ctx context.Context, trail *audit.Trail, log *slog.Logger) (*Guard, error) {
	g := &Guard{trail: trail, log: log, now: trail.Now, turn: make(chan struct{}, 1), past: make(chan struct{}, 1)}
	if g.now == nil {
		g.now = time.Now
	}
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	head, err := trail.DB.Head(ctx)
	if err != nil {
		return nil, err
	}
	// The pages are from several states, none before head; taking in the
	// changes since head again makes one state of them.
	x := NewIndex(g.now)
	if err := x.fill(ctx, trail.DB, 0, nil, g.complain); err != nil {
		return nil, err
	}
	x.seq = head.Seq
	g.index.Store(x)
	return g, g.CatchUp(ctx, 0)
}

func (g *Guard) complain(err error) {
	g.log.Error("taking a change into the index of permissions", "error", err)
}

// Index is the index in force.
func (g *Guard) Index() *Index { return g.index.Load() }

// Can decides whether the subject may do the action on an object.
func (g *Guard) Can(subject, action string, on On) Decision {
	return g.Index().Can(subject, action, on)
}

// Why explains what Can decides.
func (g *Guard) Why(subject, action string, on On) Explanation {
	return g.Index().Why(subject, action, on)
}

// Who lists who may do the action on the object.
func (g *Guard) Who(action string, on On, after string, limit int) Holders {
	return g.Index().Who(action, on, after, limit)
}

// CheckWrites refuses documents by which the actor would hand on more than
// they hold; see [Index.CheckWrites].
func (g *Guard) CheckWrites(actor string, writes ...Write) error {
	return g.Index().CheckWrites(actor, writes...)
}

// CatchUp takes in what the store has until at least seq; 0 is the store's
// head. Whoever writes a document of this package's kinds calls it with the
// batch's number, so that the answer they give is already true here.
func (g *Guard) CatchUp(ctx context.Context, seq store.Seq) error {
	if seq > 0 && g.Index().Seq() >= seq {
		return nil
	}
	select {
	case g.turn <- struct{}{}:
		defer func() { <-g.turn }()
	case <-ctx.Done():
		return gatehouse.E(gatehouse.Unavailable, "waiting for permissions: %w", ctx.Err())
	}
	x := g.Index()
	for {
		at := x.Seq()
		if seq > 0 && at >= seq {
			return nil
		}
		changes, upTo, err := g.trail.DB.Changes(ctx, at, 5000)
		if err != nil {
			return err
		}
		for _, c := range changes {
			g.proof.forget(c)
			if err := x.Take(c); err != nil {
				g.complain(err)
			}
		}
		if upTo <= at {
			return nil
		}
		x.mu.Lock()
		x.seq = upTo
		x.mu.Unlock()
	}
}

// Run follows the store until ctx ends. While the store cannot be read,
// decisions stand on what was known last.
func (g *Guard) Run(ctx context.Context) error {
	const first, last = 100 * time.Millisecond, 5 * time.Second
	pause := first
	for ctx.Err() == nil {
		err := g.trail.DB.Wait(ctx, g.Index().Seq())
		if err == nil {
			err = g.CatchUp(ctx, 0)
		}
		if err == nil || ctx.Err() != nil {
			pause = first
			continue
		}
		g.log.Warn("following permissions", "error", err, "again", pause)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
			pause = min(2*pause, last)
		}
	}
	return ctx.Err()
}

// proofs remembers tokens and sessions by id. A change of the record drops it
// at once; were the line of changes to stall, it would be read again after
// proofLife.
type proofs struct {
	mu   sync.Mutex // guards the rest
	seen map[string]proof
	// steps counts changes to tokens, so that a record read before a change is
	// not remembered after it.
	steps uint64
}

type proof struct {
	token gatehouse.Token
	read  time.Time
}

const (
	proofLife = 5 * time.Second
	maxProofs = 10_000
)

func (p *proofs) get(key string, now time.Time) (gatehouse.Token, uint64, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known, ok := p.seen[key]
	if age := now.Sub(known.read); !ok || age < 0 || age >= proofLife {
		return gatehouse.Token{}, p.steps, false
	}
	return known.token, p.steps, true
}

func (p *proofs) put(key string, t gatehouse.Token, now time.Time, step uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if step != p.steps {
		return
	}
	if p.seen == nil || len(p.seen) >= maxProofs {
		p.seen = make(map[string]proof) // to start over is simple, and rare
	}
	p.seen[key] = proof{t, now}
}

func (p *proofs) forget(c store.Change) {
	switch gatehouse.Kind(c.Kind) {
	case gatehouse.KindToken, gatehouse.KindSession:
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.seen, c.Key)
		p.steps++
	}
}
