package link

import (
	"context"
	"net/http"
	"time"
)

// count rolls up in every interval.
func (r *Runner) count(ctx context.Context) {
	t := time.NewTicker(r.Interval)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			r.roll()
		case <-ctx.Done():
			return
		}
	}
}

// roll puts what was counted into the spool and wakes the sender.
func (r *Runner) roll() {
	if r.Rollup == nil {
		return
	}
	if err := r.spool.Add(r.Rollup()); err != nil {
		r.spooling.Met(r.Now(), 0, r.Log.Error, "counts stay in memory until the disk takes them", "error", err)
	} else {
		r.spooling.Over(r.Now(), r.Log, "counts are on disk again")
	}
	select {
	case r.send <- struct{}{}:
	default:
	}
}

// Flush rolls up now rather than at the next interval.
func (r *Runner) Flush() { r.roll() }

// deliver sends batches, oldest first, each until it is taken. A batch that
// the control plane refuses for what it is goes aside, so that those behind it
// get through.
func (r *Runner) deliver(ctx context.Context) {
	var pause backoff
	for ctx.Err() == nil {
		b, err := r.spool.Next()
		if err == nil && b == nil {
			select {
			case <-r.send:
			case <-ctx.Done():
			}
			continue
		}
		if err == nil {
			err = r.Client.Counts(ctx, b)
			if s := StatusOf(err); s == http.StatusBadRequest || s == http.StatusRequestEntityTooLarge {
				r.Log.Error("the control plane refuses a batch of counts; it is put aside", "spool", b.Spool, "number", b.Number, "error", err)
				err = r.spool.Aside(b)
			} else if err == nil {
				err = r.spool.Done(b)
			}
		}
		if err == nil {
			pause.reset()
			continue
		}
		if ctx.Err() == nil {
			r.Log.Debug("counts wait in the spool", "error", err)
		}
		pause.wait(ctx)
	}
}

// renew fetches the next certificate when two thirds of the life of the one in
// use are over.
func (r *Runner) renew(ctx context.Context) {
	for {
		wait := max(r.Client.Identity().RenewAt().Sub(r.Now()), 0)
		t := time.NewTimer(min(wait, time.Hour)) // look again: the clock may be moved
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return
		}
		if r.Now().Before(r.Client.Identity().RenewAt()) {
			continue
		}
		id, err := r.Client.Renew(ctx)
		if err == nil {
			err = id.Save(r.Dir)
		}
		if err == nil {
			r.Client.Use(id)
			continue
		}
		r.Log.Warn("renewing the gateway's certificate; trying again in a minute", "expires", r.Client.Identity().Expires(), "error", err)
		if !sleep(ctx, time.Minute) {
			return
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// ack tells the control plane what is in force, once for each swap.
func (r *Runner) ack(ctx context.Context) error {
	if r.acked || r.current == nil {
		return nil
	}
	err := r.Client.Ack(ctx, &r.standing)
	r.acked = err == nil
	return err
}
