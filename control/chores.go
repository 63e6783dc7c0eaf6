package control

import (
	"context"
	"sync"
	"time"

	"gatehouse"
)

// sweepEvery is how often what has ended is looked for.
const sweepEvery = 10 * time.Second

// Run works until ctx ends. Every control-plane process runs it: all of it is
// decided by compare-and-swap, so that two that do the same do it once.
func (c *Control) Run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { c.Fleet.Run(ctx) })
	wg.Go(func() {
		if err := c.Guard.Run(ctx); err != nil && ctx.Err() == nil {
			c.Log.Error("following permissions", "error", err)
		}
	})
	wg.Go(func() { c.Notify.Run(ctx) })
	wg.Go(func() { c.sweep(ctx) })
	wg.Go(func() { c.Conductor.Run(ctx) })
	wg.Go(func() { c.Gate.Work(ctx) })
	wg.Wait()
}

// A chore is something that is looked for again and again.
type chore struct {
	what string
	do   func(context.Context) error
}

func (c *Control) chores() []chore {
	return []chore{
		{"expiring subscriptions", func(ctx context.Context) error { return c.Subscriptions.Expire(ctx, c.Now()) }},
		{"settling on-boardings", c.Onboarding.Settle},
		{"warning of quotas", c.Teams.WarnQuotas},
		{"sweeping tokens and sessions", func(ctx context.Context) error {
			_, err := c.Guard.Sweep(ctx)
			return err
		}},
		{"looking after frameworks", c.Frameworks.Sweep},
		{"looking after support requests", c.Support.Sweep},
		{"sweeping notifications", c.Notify.Sweep},
		{"sweeping remembered answers", func(ctx context.Context) error { return c.Server.SweepIdempotency(ctx, c.Now()) }},
	}
}

// sweep does the chores in turn until ctx ends. One that fails is told and
// does not keep the others; a conflict means that another process was first.
func (c *Control) sweep(ctx context.Context) {
	chores := c.chores()
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			c.strangers(context.WithoutCancel(ctx), true)
			return
		case <-t.C:
		}
		c.strangers(ctx, false)
		for _, chore := range chores {
			if err := chore.do(ctx); err != nil && !gatehouse.Is(err, gatehouse.Conflict) && ctx.Err() == nil {
				c.Log.Error(chore.what, "error", err)
			}
		}
	}
}

// strangers puts on record how many requests without proof were not recorded
// one by one.
func (c *Control) strangers(ctx context.Context, end bool) {
	if err := c.Server.Strangers.Flush(ctx, c.Now(), end); err != nil && ctx.Err() == nil {
		c.Log.Error("summing up refused requests", "error", err)
	}
}
