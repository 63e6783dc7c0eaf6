package fleet

import (
	"context"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/control/compile"
	"gatehouse/link"
	"gatehouse/report"
	"gatehouse/snapshot"
	"gatehouse/store"
)

// remembered is how many manifests of an environment are kept to make deltas
// from; a gateway that is further behind gets all entries.
const remembered = 32

// A history is the last few manifests of one environment, the newest last.
type history struct {
	views []view
}

// A view is a compiled environment at the serial it was published with.
type view struct {
	*compile.View
	serial int64
	at     time.Time // when it was published here
	// placed is what gateways get of it where not all may be, by jurisdiction.
	placed map[string]*placement
}

// publish offers new manifests of the environments and wakes who waits. A
// manifest's serial is the batch it was made at, or the one after its
// predecessor's when a failed compile was made good later.
func (f *Fleet) publish(environments []string, seq store.Seq) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, env := range environments {
		v := f.state.View(env)
		if v == nil {
			delete(f.views, env)
			continue
		}
		h := f.views[env]
		if h == nil {
			h = new(history)
			f.views[env] = h
		}
		next := view{View: v, serial: int64(seq), at: f.Now()}
		if n := len(h.views); n > 0 {
			if last := h.views[n-1]; last.Sum == v.Sum {
				h.views[n-1].View = v // only what is set aside changed
				continue
			} else if next.serial <= last.serial {
				next.serial = last.serial + 1
			}
		}
		h.fade()
		if h.views = append(h.views, next); len(h.views) > remembered {
			h.views = slices.Delete(h.views, 0, len(h.views)-remembered)
		}
	}
	f.offers = map[string]*offer{}
	renew(&f.changed)
	renew(&f.news)
}

// Manifest waits for a manifest other than the one the peer has.
func (f *Fleet) Manifest(ctx context.Context, p link.Peer, have link.Position, health *report.Health) (*snapshot.Delta, error) {
	f.sight(p, health)
	spec, err := f.gateway(ctx, p.Gateway)
	if err != nil {
		return nil, err
	}
	for {
		head := f.state.Seq()
		if have.Serial > int64(head) {
			now, err := f.DB.Head(ctx)
			if err != nil {
				return nil, unavailable(err)
			}
			head = now.Seq
		}
		f.mu.Lock()
		changed := f.changed
		d := f.delta(p.Gateway, spec, have, head)
		if d == nil {
			d = f.struck.news(spec.Environment, have)
		}
		f.mu.Unlock()
		if d != nil {
			return d, nil
		}
		select {
		case <-changed:
			if err := f.Admit(ctx, p); err != nil {
				return nil, err
			}
			if spec, err = f.gateway(ctx, p.Gateway); err != nil {
				return nil, err
			}
		case <-f.Rest.Done():
			return nil, nil
		case <-ctx.Done():
			return nil, nil
		}
	}
}

// delta is the way from what the peer has to the newest manifest, with small
// chunks; nil when it has that content, or a manifest this node has yet to see.
func (f *Fleet) delta(gateway string, spec *gatehouse.Gateway, have link.Position, head store.Seq) *snapshot.Delta {
	h := f.views[spec.Environment]
	if h == nil {
		return nil // the environment is gone or not yet there: the gateway keeps what it has
	}
	last := &h.views[len(h.views)-1]
	if have.Serial > int64(f.state.Seq()) && have.Serial <= int64(head) {
		return nil // another node was faster: this one is about to see it
	}
	m, sum := f.manifest(gateway, spec, last)
	m.Serial = have.Serial
	if m.DigestOf(sum) == have.Digest {
		return nil // the same content, whatever its number
	}
	// A gateway takes no serial below its own. Its own is above the last one
	// here when it comes from another environment, or from a database that was
	// put back to an earlier day: what holds now holds under its number.
	m.Serial = max(last.serial, have.Serial)
	// Every change wakes all polls, and instances of a gateway mostly come from
	// the same place: what one of them gets all of them do.
	to := m.DigestOf(sum)
	if o := f.offers[gateway]; o != nil && o.have == have && o.delta.Digest == to {
		return o.delta
	}
	var base *snapshot.Manifest
	for i := range h.views {
		if h.views[i].serial != have.Serial {
			continue
		}
		if b, sum := f.manifest(gateway, spec, &h.views[i]); b.DigestOf(sum) == have.Digest {
			base = b
		}
	}
	d := snapshot.DiffOf(base, m, to, f.installation.signID, f.installation.signKey)
	if base != nil {
		f.inline(spec.Environment, d)
	}
	f.offers[gateway] = &offer{have, d}
	return d
}

// An offer is the last delta that an instance of a gateway was given, and what it
// had before. It is never changed.
type offer struct {
	have  link.Position
	delta *snapshot.Delta
}

// manifest is a view as one gateway gets it, with the sum of its entries.
func (f *Fleet) manifest(gateway string, spec *gatehouse.Gateway, v *view) (*snapshot.Manifest, snapshot.Hash) {
	entries, sum := v.on(f.state.JurisdictionOf(spec))
	return &snapshot.Manifest{Installation: f.installation.id, Environment: v.Environment, Gateway: gateway, Serial: v.serial, Entries: entries}, sum
}

// inline sends small chunks along with the delta, so that a revocation takes
// one way and not three.
func (f *Fleet) inline(env string, d *snapshot.Delta) {
	left := link.MaxInline
	for _, e := range d.Entries {
		data, ok := f.state.Chunk(env, e)
		if !ok || len(data) > left {
			continue // fetched by hash
		}
		left -= len(data)
		d.Chunks = append(d.Chunks, snapshot.Content{Hash: e.Hash, Data: data})
	}
}

// Chunks yields those of the hashes that are in the gateway's newest manifest.
// Others are passed over: what a gateway may not hold it does not get, and
// what has changed since has a newer manifest.
func (f *Fleet) Chunks(ctx context.Context, p link.Peer, hashes []snapshot.Hash, yield func(snapshot.Hash, []byte) error) error {
	spec, err := f.gateway(ctx, p.Gateway)
	if err != nil {
		return err
	}
	if !f.loaded.Load() { // it was offered them by the process before this one
		if err := f.Refresh(ctx); err != nil {
			return unavailable(err)
		}
	}
	f.mu.Lock()
	var entries []snapshot.Entry
	if h := f.views[spec.Environment]; h != nil {
		m, _ := f.manifest(p.Gateway, spec, &h.views[len(h.views)-1])
		entries = m.Entries
	}
	f.mu.Unlock()
	asked := make(map[snapshot.Hash]struct{}, len(hashes))
	for _, h := range hashes {
		asked[h] = struct{}{}
	}
	for _, e := range entries {
		if _, ok := asked[e.Hash]; !ok {
			continue
		}
		delete(asked, e.Hash) // one chunk may have two names
		if data, ok := f.state.Chunk(spec.Environment, e); ok {
			if err := yield(e.Hash, data); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}
