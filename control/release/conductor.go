package release

import (
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"time"

	"gatehouse"
	"gatehouse/control/catalog"
)

// A Conductor brings about what takes time: canaries step by step, and scheduled
// releases at their time. It decides by what gateways counted and by the clock,
// and nothing else.
//
// Every control plane runs one: each step is a compare-and-swap on the record
// that it was decided on, so it is taken once. It is safe for use by one
// goroutine.
type Conductor struct {
	Desk *Desk
	// May tells whether a subject may do an action on an object, so that who
	// scheduled a release must still be allowed when its time comes.
	May func(subject, action, on string) error
	Log *slog.Logger
	Now func() time.Time

	arrived uint64 // sum of what was acknowledged, and awaited, when it was last looked at
}

// every is how often what is due is looked for.
const every = time.Second

// Run works until ctx ends.
func (c *Conductor) Run(ctx context.Context) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if err := c.Look(ctx); err != nil && ctx.Err() == nil && !gatehouse.Is(err, gatehouse.Conflict) {
			c.Log.Error("bringing releases about", "error", err)
		}
	}
}

// Look does what is due now. One release that fails does not keep others.
func (c *Conductor) Look(ctx context.Context) error {
	err := c.schedules(ctx)
	if awaited := c.awaited(ctx); err == nil {
		err = awaited
	}
	if canaries := c.canaries(ctx); err == nil {
		err = canaries
	}
	return err
}

func (c *Conductor) schedules(ctx context.Context) error {
	due, err := c.Desk.Due(ctx, c.Now())
	for _, s := range due {
		may := func() error {
			if s.By == "system" {
				return nil
			}
			if err := c.May(s.By, "release.create", "API/"+s.API); err != nil {
				return gatehouse.E(gatehouse.Denied, "%q scheduled it and may not release it any more", s.By)
			}
			if s.Override != "" && c.May(s.By, "release.override", "API/"+s.API) != nil {
				return gatehouse.E(gatehouse.Denied, "%q scheduled it and may not override freezes any more", s.By)
			}
			return nil
		}
		if _, one := c.Desk.CarryOut(ctx, s, may); one != nil && err == nil {
			err = one
		}
	}
	return err
}

// awaited lets automatic environments take what is live by now where it has to be
// first. Only what gateways acknowledge, and what is awaited, changes that.
func (c *Conductor) awaited(ctx context.Context) error {
	all, err := c.Desk.Awaiting(ctx)
	if err != nil || len(all) == 0 {
		return err
	}
	standing, err := c.Desk.standing(ctx)
	if err != nil {
		return err
	}
	sum := fnv.New64a()
	fmt.Fprintln(sum, standing)
	for _, s := range all {
		fmt.Fprintln(sum, s.Environment, s.API, s.Version, s.Revision, s.Made.UnixNano())
	}
	now := sum.Sum64()
	if now == c.arrived {
		return nil
	}
	for _, s := range all {
		if one := c.Desk.Arrive(ctx, s); one != nil && err == nil {
			err = one
		}
	}
	if err == nil {
		c.arrived = now
	}
	return err
}

func (c *Conductor) canaries(ctx context.Context) error {
	running, err := c.Desk.Canaries(ctx)
	for i := range running {
		if one := c.canary(ctx, &running[i]); one != nil && err == nil && !gatehouse.Is(one, gatehouse.Conflict) {
			err = one
		}
	}
	return err
}

// canary takes the step that is due for one canary, if any is.
func (c *Conductor) canary(ctx context.Context, r *gatehouse.Release) error {
	team, name := gatehouse.ParseRef(r.API, "")
	ref, k := catalog.Ref{Team: team, Name: name, Version: r.Version}, r.Canary
	seen, err := c.Desk.Since(ctx, r.Environment, ref, k)
	if err != nil {
		return err
	}
	step := CanaryStep{Of: k.Revision, At: k.Step}
	over := !c.Now().Before(k.Since.Add(k.Every.Std()))
	switch broken := Broken(k, seen); {
	case broken != "":
		step.Action, step.Reason = "release.abort", broken
	case !over:
		return nil
	case seen.Requests < k.Requests:
		step.Action, step.Reason = "release.wait", fmt.Sprintf("it has not seen the %d requests that a step waits for", k.Requests)
	default:
		step.Action, step.Reason = "release.step", fmt.Sprintf("%d requests, %d errors in %s", seen.Requests, seen.Errors, c.Now().Sub(k.Since).Round(time.Second))
	}
	_, err = c.Desk.Canary(ctx, ref, r.Environment, step)
	if step.Action == "release.step" && (gatehouse.Is(err, gatehouse.Conflict) || gatehouse.Is(err, gatehouse.NotFound)) {
		// The rules do not let it go on now, or another node was faster, which
		// the wait finds out.
		step.Action, step.Reason = "release.wait", err.Error()
		_, err = c.Desk.Canary(ctx, ref, r.Environment, step)
	}
	return err
}
