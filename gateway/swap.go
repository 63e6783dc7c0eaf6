package gateway

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"gatehouse/gateway/credential"
	"gatehouse/gateway/pipeline"
	"gatehouse/report"
	"gatehouse/snapshot"
)

// Swap puts a manifest in force. It asks chunk, from several goroutines at once,
// for the chunks that are not in force already, and builds only these. A chunk
// that is not what its hash says, or does not build, is set aside alone: what it
// was to replace goes on, and it is tried again with the next manifest. All that
// is aside is returned. An error means that nothing has changed.
func (g *Gateway) Swap(ctx context.Context, m *snapshot.Manifest, chunk func(snapshot.Hash) ([]byte, error)) ([]report.Refusal, error) {
	for i := 1; i < len(m.Entries); i++ {
		snapshot.Breathe(i)
		if m.Entries[i-1].Compare(m.Entries[i]) > 0 {
			return nil, fmt.Errorf("manifest %d: entries are out of order", m.Serial)
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed || g.stopping {
		return nil, errors.New("the gateway is shutting down")
	}
	s := &swap{g: g, chunk: chunk, entries: m.Entries, old: g.flow.Table(), next: new(pipeline.Table)}
	s.compare(m.Entries)
	if err := s.build(ctx); err != nil {
		s.discard()
		return nil, fmt.Errorf("manifest %d: %w", m.Serial, err)
	}
	if err := s.environment(); err != nil {
		s.discard()
		return nil, fmt.Errorf("manifest %d: %w", m.Serial, err)
	}
	s.finish(m)
	return g.setAside(), nil
}

// A swap is one change of table under way.
type swap struct {
	g       *Gateway
	chunk   func(snapshot.Hash) ([]byte, error)
	entries []snapshot.Entry // of the manifest
	old     *pipeline.Table  // nil at first
	changed []*change
	removed []snapshot.Entry
	kept    []snapshot.Entry
	// next is of its own: what outlives the swap must not keep it, and with it the
	// table before, and the one before that.
	next  *pipeline.Table
	aside []report.Refusal
	gone  []interface{ Done() } // to let go of once the new table is in force
}

// A change is one chunk that is new, and what became of it.
type change struct {
	snapshot.Entry
	before bool // something under this name is in force
	err    error
	// one of these is set when err is nil
	env     *snapshot.Environment
	api     *pipeline.API
	product *pipeline.Product
	shard   *credential.Shard
	// proof of an attestation; also when err says that it may do later.
	proof  *proof
	canary *canary
	// revision is the API's as far as it could be read.
	revision string
}

// compare splits entries by what is to be done with them. Both lists are sorted.
func (s *swap) compare(entries []snapshot.Entry) {
	have := s.g.have
	s.kept = s.g.spare[:0]
	if cap(s.kept) < len(have) {
		s.kept = make([]snapshot.Entry, 0, len(have)+len(have)/8)
	}
	for i, e := range entries {
		snapshot.Breathe(i)
		if i > 0 && entries[i-1].Compare(e) == 0 {
			continue // a manifest that says a thing twice: the first holds
		}
		for len(have) > 0 && have[0].Compare(e) < 0 {
			s.removed, have = append(s.removed, have[0]), have[1:]
		}
		before := len(have) > 0 && have[0].Compare(e) == 0
		if before && have[0].Hash == e.Hash {
			s.kept = append(s.kept, e)
		} else {
			s.changed = append(s.changed, &change{Entry: e, before: before})
			if before {
				s.kept = append(s.kept, have[0]) // until its successor stands
			}
		}
		if before {
			have = have[1:]
		}
	}
	s.removed = append(s.removed, have...)
}

// build reads and builds what has changed. At first all processors help; later
// half of them, for there are requests to serve.
func (s *swap) build(ctx context.Context) error {
	workers := runtime.GOMAXPROCS(0)
	if s.old != nil {
		workers = max(1, workers/2)
	}
	var wg sync.WaitGroup
	work := make(chan *change)
	for range min(workers, len(s.changed)) {
		wg.Go(func() {
			for c := range work {
				c.err = s.buildOne(c)
			}
		})
	}
	var err error
	for _, c := range s.changed {
		if err = ctx.Err(); err != nil {
			break
		}
		work <- c
	}
	close(work)
	wg.Wait()
	return err
}

func (s *swap) buildOne(c *change) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("building panicked: %v", r)
		}
	}()
	if c.Kind == snapshot.KindTails {
		return nil // read with its shard
	}
	data, err := s.read(c.Hash)
	if err != nil {
		return err
	}
	switch c.Kind {
	case snapshot.KindEnvironment:
		c.env = new(snapshot.Environment)
		return snapshot.Decode(data, c.env)
	case snapshot.KindAPI:
		var a snapshot.API
		if err := snapshot.Decode(data, &a); err != nil {
			return err
		}
		c.revision = a.Revision
		if a.ID() != c.Name {
			return fmt.Errorf("chunk %s: holds %q, not %q", c.Hash, a.ID(), c.Name)
		}
		c.api, err = s.g.builder.API(&a)
		return err
	case snapshot.KindCanary:
		return s.buildCanary(c, data)
	case snapshot.KindAttestation:
		c.proof, err = s.g.prove(data)
		return err
	case snapshot.KindProduct:
		var p snapshot.Product
		if err := snapshot.Decode(data, &p); err != nil {
			return err
		}
		if p.Name != c.Name {
			return fmt.Errorf("chunk %s: holds product %q, not %q", c.Hash, p.Name, c.Name)
		}
		c.product, err = s.g.builder.Product(&p)
		return err
	case snapshot.KindCredentials:
		var k snapshot.Credentials
		if err := snapshot.Decode(data, &k); err != nil {
			return err
		}
		c.shard, err = credential.NewShard(c.Name, &k, s.tails(c.Name))
		return err
	}
	return fmt.Errorf("a chunk of kind %q is not known to this gateway", c.Kind)
}

// read fetches a chunk and proves it.
func (s *swap) read(h snapshot.Hash) ([]byte, error) {
	data, err := s.chunk(h)
	if err != nil {
		return nil, fmt.Errorf("fetching chunk %s: %w", h, err)
	}
	if snapshot.Sum(data) != h {
		return nil, fmt.Errorf("chunk %s: content does not have this hash", h)
	}
	return data, nil
}

// tails tells how the keys of a shard end. Without them, as from a control plane of
// before, or when they cannot be read, keys are found as well, if later.
func (s *swap) tails(shard string) []snapshot.KeyTail {
	i, ok := slices.BinarySearchFunc(s.entries, snapshot.Entry{Kind: snapshot.KindTails, Name: shard}, snapshot.Entry.Compare)
	if !ok {
		return nil
	}
	data, err := s.read(s.entries[i].Hash)
	var t snapshot.Tails
	if err == nil {
		err = snapshot.Decode(data, &t)
	}
	if err != nil {
		s.g.options.logf("reading how the keys of shard %s end: %v; they are looked up by hash", shard, err)
		return nil
	}
	return t.Keys
}

// discard lets go of what was built for nothing.
func (s *swap) discard() {
	for _, c := range s.changed {
		if c.api != nil {
			c.api.Done()
		}
		if c.product != nil {
			c.product.Done()
		}
		if c.canary != nil {
			c.canary.Done()
		}
	}
}

// environment settles what holds for all APIs. Without one nothing can be served.
func (s *swap) environment() error {
	if s.old != nil {
		s.next.Environment = s.old.Environment
	}
	known := s.old != nil
	for _, c := range s.changed {
		if c.Kind != snapshot.KindEnvironment {
			continue
		}
		if c.err != nil && !known {
			return fmt.Errorf("environment %q: %w", c.Name, c.err)
		}
		if c.err == nil {
			s.next.Environment, known = *c.env, true
		}
	}
	if !known {
		return errors.New("no environment is named")
	}
	return nil
}

// manyChunks is how many new ones leave so much behind that it is worth a
// collection: decoding takes about as much memory again as what is built.
const manyChunks = 500

const tidyAfter = 2 * time.Second

// tidy gives what decoding took back to the system, once those who were kept
// waiting are served.
func (g *Gateway) tidy() {
	select {
	case <-time.After(tidyAfter):
		debug.FreeOSMemory()
	case <-g.context.Done():
	}
}

// finish puts the new table together and in force.
func (s *swap) finish(m *snapshot.Manifest) {
	g := s.g
	s.products()
	s.credentials()
	s.place()
	s.canaries()
	s.judge(m)
	for _, c := range s.changed {
		if c.err != nil {
			s.refuse(c)
		}
	}
	s.next.Struck = g.struck
	g.flow.Swap(s.next)
	for _, d := range s.gone {
		d.Done()
	}
	if len(s.changed) >= manyChunks {
		g.watches.Go(g.tidy)
	}
	g.spare, g.have = g.have, s.inForce()
	g.manifest, g.aside = m, s.aside
}

func (s *swap) refuse(c *change) {
	name, reason := c.Name, c.err.Error()
	if c.Kind != snapshot.KindAPI {
		name = c.Kind + " " + c.Name
	}
	if c.before {
		reason += "; what was in force before goes on"
	}
	s.aside = append(s.aside, report.Refusal{API: name, Revision: c.revision, Reason: reason})
}

// inForce lists the entries as they are in force now.
func (s *swap) inForce() []snapshot.Entry {
	out := s.kept
	for _, c := range s.changed {
		if c.err != nil {
			continue
		}
		if i, ok := slices.BinarySearchFunc(s.kept, c.Entry, snapshot.Entry.Compare); ok {
			out[i].Hash = c.Hash // what is new stands behind those kept
		} else {
			out = append(out, c.Entry)
		}
	}
	if len(out) > len(s.kept) { // else all stand where they stood
		slices.SortFunc(out, snapshot.Entry.Compare)
	}
	return out
}
