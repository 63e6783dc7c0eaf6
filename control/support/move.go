package support

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
)

// A Side is who acts.
type Side int

// The sides of a request.
const (
	Asking Side = iota
	Helping
)

// team is whose side it is.
func (r *Request) team(s Side) string {
	if s == Asking {
		return r.From
	}
	return r.To
}

// A Reply is what is said, and what it leads to.
type Reply struct {
	Text  string
	Files []File
	// Wait lets the clocks stand until the asking side says more; Resolve says
	// that it is solved. Both are for the helping side.
	Wait, Resolve bool
}

// Reply says something on a request.
func (d *Desk) Reply(ctx context.Context, id string, side Side, in Reply) (*Request, error) {
	return d.change(ctx, "answering", id, func(r *Request) ([]audit.Act, error) {
		switch {
		case r.State == gatehouse.SupportClosed:
			return nil, gatehouse.E(gatehouse.Conflict, "it is closed; reopen it first")
		case side == Asking && (in.Wait || in.Resolve):
			return nil, gatehouse.E(gatehouse.Denied, "only the helping side waits or resolves; close it when it is solved for you")
		case in.Wait && in.Resolve:
			return nil, gatehouse.E(gatehouse.Invalid, "it cannot wait and be resolved at once")
		}
		now := d.now()
		next := r.State
		switch {
		case side == Asking && r.State != gatehouse.SupportOpen && r.State != gatehouse.SupportAcknowledged:
			next = gatehouse.SupportAcknowledged // the helping side's turn again
		case side == Helping && in.Resolve:
			next = gatehouse.SupportResolved
		case side == Helping && in.Wait:
			next = gatehouse.SupportWaiting
		case side == Helping:
			next = gatehouse.SupportAnswered
		}
		before := r.copy()
		if side == Helping {
			met(r.FirstResponse, r.Calendar(), now)
			if r.Assignee == "" {
				r.Assignee = audit.From(ctx).Actor
			}
		}
		r.enter(ctx, next, now)
		writes, err := r.say(now, audit.From(ctx).Actor, r.team(side), in.Text, next, in.Files)
		if err != nil {
			return nil, err
		}
		a, err := r.act("support.reply", &before, in.Text, "")
		a.Writes = append(a.Writes, writes...)
		return []audit.Act{a}, err
	})
}

// copy is the request with clocks of its own.
func (r *Request) copy() Request {
	c := *r
	for _, k := range []**gatehouse.SupportClock{&c.FirstResponse, &c.Resolution} {
		if *k != nil {
			other := **k
			*k = &other
		}
	}
	return c
}

// enter brings the request to a state and its clocks with it.
func (r *Request) enter(ctx context.Context, state string, now time.Time) {
	was := r.Over()
	if r.State != state {
		r.State, r.Since, r.By = state, now, audit.From(ctx).Actor
	}
	switch over := r.Over(); {
	case over && !was:
		met(r.Resolution, r.Calendar(), now)
	case was && !over:
		r.Reopened++
		if r.Resolution != nil {
			r.Resolution.Met = time.Time{}
		}
	}
	r.tick(now)
}

// Assign names who helps, and takes the request up.
func (d *Desk) Assign(ctx context.Context, id, who string) (*Request, error) {
	return d.change(ctx, "assigning", id, func(r *Request) ([]audit.Act, error) {
		c := gatehouse.NewChecker("support request")
		c.At("assignee").Subject(who)
		if err := gatehouse.InvalidFaults(c.Faults()); err != nil {
			return nil, err
		}
		if r.Over() {
			return nil, gatehouse.E(gatehouse.Conflict, "it is %s; reopen it first", r.State)
		}
		before := r.copy()
		if r.Assignee = who; r.State == gatehouse.SupportOpen {
			r.enter(ctx, gatehouse.SupportAcknowledged, d.now())
		}
		a, err := r.act("support.assign", &before, "", "")
		return []audit.Act{a}, err
	})
}

// Close ends a request.
func (d *Desk) Close(ctx context.Context, id, reason string) (*Request, error) {
	return d.change(ctx, "closing", id, func(r *Request) ([]audit.Act, error) {
		if r.State == gatehouse.SupportClosed {
			return nil, gatehouse.E(gatehouse.Conflict, "it is closed already")
		}
		before := r.copy()
		r.enter(ctx, gatehouse.SupportClosed, d.now())
		a, err := r.act("support.close", &before, "", reason)
		return []audit.Act{a}, err
	})
}

// Reopen lets a request that is over go on; its clock of resolution goes on
// where it stood.
func (d *Desk) Reopen(ctx context.Context, id, reason string) (*Request, error) {
	return d.change(ctx, "reopening", id, func(r *Request) ([]audit.Act, error) {
		now := d.now()
		switch {
		case !r.Over():
			return nil, gatehouse.E(gatehouse.Conflict, "it is %s, and goes on", r.State)
		case now.Sub(r.Since) > ReopenWithin:
			return nil, gatehouse.E(gatehouse.Conflict, "it is %s since %s, longer than %d days; open another", r.State, r.Since.Format(time.DateOnly), int(ReopenWithin.Hours()/24))
		}
		before := r.copy()
		r.enter(ctx, gatehouse.SupportAcknowledged, now)
		a, err := r.act("support.reopen", &before, "", reason)
		return []audit.Act{a}, err
	})
}
