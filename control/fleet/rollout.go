package fleet

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/store"
)

// A Rollout is how far all changes up to one have come.
type Rollout struct {
	Seq       store.Seq
	Instances int      // connected
	Applied   int      // of them, those that run the change
	Pending   []string // those that do not yet, as "gateway/instance"
	Refused   []Refusal
}

// A Refusal is an instance that does not run something, and why.
type Refusal struct {
	Instance string // "gateway/instance"
	API      string // empty: the whole manifest
	Reason   string
}

// Rollout waits until connected instances run all changes up to seq (0: up to
// now) or ctx ends or wait is over, and tells which do.
func (f *Fleet) Rollout(ctx context.Context, seq store.Seq, wait time.Duration) (*Rollout, error) {
	head, err := f.DB.Head(ctx)
	if err != nil {
		return nil, err
	}
	if seq == 0 {
		seq = head.Seq
	}
	if seq > head.Seq {
		return nil, gatehouse.E(gatehouse.Invalid, "following change %d: the newest is %d", seq, head.Seq)
	}
	whole := ctx
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	// Within the wait while all is being read after a start; else it is quick,
	// and without it nothing is known.
	if f.loaded.Load() {
		err = f.Refresh(whole)
	} else if err = f.Refresh(ctx); ctx.Err() != nil {
		err = nil // all are pending
	}
	if err != nil {
		return nil, err
	}
	for {
		gateways := f.state.Gateways()
		f.mu.Lock()
		news := f.news
		r := f.rollout(gateways, seq)
		f.mu.Unlock()
		if len(r.Pending) == 0 {
			return r, nil
		}
		select {
		case <-news:
		case <-f.Rest.Done():
			return r, nil
		case <-ctx.Done():
			return r, nil
		}
	}
}

func (f *Fleet) rollout(gateways map[string]*gatehouse.Gateway, seq store.Seq) *Rollout {
	r, now := &Rollout{Seq: seq}, f.Now()
	for name, i := range f.instances {
		spec := gateways[i.Gateway]
		if spec == nil || !i.Revoked.IsZero() || !f.connected(name, now) {
			continue
		}
		r.Instances++
		switch {
		case !f.runsSince(spec, i, int64(seq)):
			r.Pending = append(r.Pending, name)
			continue
		case i.Ack.Refused != "":
			r.Refused = append(r.Refused, Refusal{Instance: name, Reason: i.Ack.Refused})
			continue
		}
		r.Applied++
		for _, a := range i.Ack.Aside {
			r.Refused = append(r.Refused, Refusal{name, a.API, a.Reason})
		}
	}
	slices.Sort(r.Pending)
	slices.SortFunc(r.Refused, func(a, b Refusal) int {
		return cmp.Or(strings.Compare(a.Instance, b.Instance), strings.Compare(a.API, b.API))
	})
	return r
}

// runsSince tells whether an instance acknowledged what held at the serial, or
// anything that came after.
func (f *Fleet) runsSince(spec *gatehouse.Gateway, i *gatehouse.Instance, serial int64) bool {
	h := f.views[spec.Environment]
	if h == nil || i.Ack.Digest == "" {
		return false
	}
	for n := range slices.Backward(h.views) {
		if f.runs(spec, i, &h.views[n]) {
			return true
		}
		if h.views[n].serial <= serial {
			return false // what came before lacks the change
		}
	}
	return false
}

// connected tells whether this process has heard of the instance lately.
func (f *Fleet) connected(name string, now time.Time) bool {
	saw, ok := f.seen[name]
	return ok && now.Sub(saw.at) < silence
}
