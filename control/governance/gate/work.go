package gate

import (
	"context"
	"math/rand/v2"
	"time"

	"gatehouse"
	"gatehouse/store"
)

const (
	lookEvery = 10 * time.Second       // at least, for what time alone makes due
	calm      = 500 * time.Millisecond // between passes, so that many changes are one
	tryAgain  = time.Minute            // what could not be evaluated
	share     = 80 * time.Millisecond  // for one release, resting included
	batch     = 50                     // releases that share what was read of the store
)

// Work looks again at what is released, whenever something behind it changed or
// its time has come, until ctx ends. Every process does it; each result is
// written once, because it is written only upon the one it was decided on. It
// rests longer than it works, so that whoever asks for something is
// not held up.
func (g *Gate) Work(ctx context.Context) {
	for ctx.Err() == nil {
		seen, err := g.pass(ctx, rest)
		if err != nil && ctx.Err() == nil {
			g.log.Error("evaluating what is released", "error", err)
		}
		if err := g.SweepWaivers(ctx); err != nil && !gatehouse.Is(err, gatehouse.Conflict) && ctx.Err() == nil {
			g.log.Error("sweeping waivers", "error", err)
		}
		pause(ctx, calm)
		wait, stop := context.WithTimeout(ctx, lookEvery)
		_ = g.db.Wait(wait, seen)
		stop()
	}
}

// Pass looks once at everything that is due, without rest, and answers how many
// releases that were.
func (g *Gate) Pass(ctx context.Context) (int, error) {
	before := g.looked.Load()
	_, err := g.pass(ctx, func(context.Context, time.Duration) {})
	return int(g.looked.Load() - before), err
}

// rest keeps work that nobody waits for off the way of people: it waits seven
// times as long as something took, while that lets five thousand releases be
// looked at within seven minutes, and three times at least.
func rest(ctx context.Context, took time.Duration) { pause(ctx, resting(took)) }

func resting(took time.Duration) time.Duration {
	return min(max(min(7*took, share-took), 3*took), time.Second)
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// pass evaluates what is due. Processes begin at different places, and see what
// the others did before each batch.
func (g *Gate) pass(ctx context.Context, rest func(context.Context, time.Duration)) (seen store.Seq, err error) {
	g.passing.Lock()
	defer g.passing.Unlock()
	defer func() { seen = g.watch.seq }()
	if err := g.watch.follow(ctx, g.db); err != nil {
		return 0, err
	}
	due, stale := g.watch.due(g.now())
	if err := g.sweep(ctx, stale); err != nil || len(due) == 0 {
		return 0, err
	}
	start := rand.IntN(len(due))
	due = append(due[start:len(due):len(due)], due[:start]...)
	for len(due) > 0 && ctx.Err() == nil {
		n := min(batch, len(due))
		if err := g.watch.follow(ctx, g.db); err != nil {
			return 0, err
		}
		if err := g.several(ctx, due[:n], rest); err != nil {
			return 0, err
		}
		due = due[n:]
	}
	return 0, ctx.Err()
}

// several evaluates some releases that are still due.
func (g *Gate) several(ctx context.Context, some []Target, rest func(context.Context, time.Duration)) error {
	v := g.stored()
	var same []store.Write
	for _, t := range some {
		if !g.watch.still(t, g.now()) || g.waits(t) {
			continue
		}
		began := time.Now()
		write, err := g.again1(ctx, v, t)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			g.fails(t, err)
			continue
		}
		if g.looked.Add(1); write != nil {
			same = append(same, *write)
		}
		rest(ctx, time.Since(began))
	}
	return g.keep(ctx, same)
}

// still tells whether a release is due yet.
func (w *watch) still(t Target, now time.Time) bool {
	rel, ok := w.live[t.releaseKey()]
	if rel.Revision != t.Revision {
		rel, ok = w.live[t.releaseKey()+besideIt]
	}
	env, known := w.envs[t.Environment]
	if !ok || !known || rel.Revision != t.Revision {
		return false
	}
	res := w.results[t.resultKey(!rel.beside)]
	return res == nil || w.old(rel, env, env.spec.GateMode(w.governed()), res, now)
}

// again1 evaluates one release. A result that says what the last one said is
// returned to be kept without an event, others are written at once.
func (g *Gate) again1(ctx context.Context, v *stored, t Target) (*store.Write, error) {
	l, err := g.look(ctx, v, t)
	if err != nil {
		return nil, err
	}
	l.seq = min(l.seq, int64(g.watch.seq)) // what v remembers was read after that
	r, err := g.rule(ctx, l)
	if err != nil {
		return nil, err
	}
	if r.overtaken() {
		return nil, nil // what is due then is seen next time
	}
	if !l.released && (l.live == nil || l.live.Canary == nil || l.live.Canary.Revision != t.Revision) {
		return nil, nil // another is, by now
	}
	if r.known() {
		writes, err := r.writes()
		if err != nil {
			return nil, err
		}
		return &writes[0], nil
	}
	acts, err := r.acts()
	if err == nil {
		err = g.commit(ctx, acts...)
	}
	if moved(err) {
		return nil, nil // somebody else decided: what is due then is seen next time
	}
	return nil, err
}

// keep writes results that say nothing new: only up to where they were read.
func (g *Gate) keep(ctx context.Context, same []store.Write) error {
	if len(same) == 0 {
		return nil
	}
	_, err := g.db.Apply(ctx, store.Batch{Writes: same})
	if !gatehouse.Is(err, gatehouse.Conflict) {
		return err
	}
	for _, w := range same {
		if _, err := g.db.Apply(ctx, store.Batch{Writes: []store.Write{w}}); err != nil && !gatehouse.Is(err, gatehouse.Conflict) {
			return err
		}
	}
	return nil
}

// sweep takes away results about what is not released, or looked at, any more.
func (g *Gate) sweep(ctx context.Context, stale []string) error {
	var writes []store.Write
	for _, key := range stale {
		writes = append(writes, store.Write{Key: key, Kind: string(gatehouse.KindGateResult), Expect: g.watch.revs[key]})
	}
	return g.keep(ctx, writes)
}

// waits tells whether something that could not be evaluated is left alone yet.
func (g *Gate) waits(t Target) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	at, ok := g.again[t.releaseKey()]
	if ok && !g.now().Before(at) {
		delete(g.again, t.releaseKey())
		return false
	}
	return ok
}

// fails leaves a release as it stands: that it cannot be evaluated is no reason
// to take its attestation back.
func (g *Gate) fails(t Target, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.again) > maxVerdicts {
		clear(g.again)
	}
	if _, known := g.again[t.releaseKey()]; !known {
		g.log.Warn("evaluating what is released; its attestation stays as it is", "api", t.ID(), "environment", t.Environment, "error", err)
	}
	g.again[t.releaseKey()] = g.now().Add(tryAgain)
}
