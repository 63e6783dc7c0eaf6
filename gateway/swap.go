package gateway

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"gatehouse/gateway/credential"
	"gatehouse/gateway/pipeline"
	"gatehouse/gateway/route"
	"gatehouse/report"
	"gatehouse/snapshot"
)

// Swap puts a manifest in force. It asks chunk, from several goroutines at once,
// for the chunks that are not in force already, and builds only these. A chunk
// that is not what its hash says, or does not build, is set aside alone: what it
// was to replace goes on, and it is tried again with the next manifest. All that
// is aside is returned. An error means that nothing has changed.
func (g *Gateway) Swap(ctx context.Context, m *snapshot.Manifest, chunk func(snapshot.Hash) ([]byte, error)) ([]report.Refusal, error) {
	if !slices.IsSortedFunc(m.Entries, snapshot.Entry.Compare) {
		return nil, fmt.Errorf("manifest %d: entries are out of order", m.Serial)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed || g.stopping {
		return nil, errors.New("the gateway is shutting down")
	}
	s := &swap{g: g, chunk: chunk, old: g.flow.Table(), next: new(pipeline.Table)}
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
	return slices.Clone(g.aside), nil
}

// A swap is one change of table under way.
type swap struct {
	g       *Gateway
	chunk   func(snapshot.Hash) ([]byte, error)
	old     *pipeline.Table // nil at first
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
	// revision is the API's as far as it could be read.
	revision string
}

// compare splits entries by what is to be done with them. Both lists are sorted.
func (s *swap) compare(entries []snapshot.Entry) {
	have := s.g.have
	s.kept = make([]snapshot.Entry, 0, len(have))
	for i, e := range entries {
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
	data, err := s.chunk(c.Hash)
	if err != nil {
		return fmt.Errorf("fetching chunk %s: %w", c.Hash, err)
	}
	if snapshot.Sum(data) != c.Hash {
		return fmt.Errorf("chunk %s: content does not have this hash", c.Hash)
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
		c.shard, err = credential.NewShard(c.Name, &k)
		return err
	}
	return fmt.Errorf("a chunk of kind %q is not known to this gateway", c.Kind)
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
	for _, c := range s.changed {
		if c.err != nil {
			s.refuse(c)
		}
	}
	g.flow.Swap(s.next)
	for _, d := range s.gone {
		d.Done()
	}
	if len(s.changed) >= manyChunks {
		g.watches.Go(g.tidy)
	}
	g.have = s.inForce()
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
			s.kept[i].Hash = c.Hash
		} else {
			out = append(out, c.Entry)
		}
	}
	slices.SortFunc(out, snapshot.Entry.Compare)
	return slices.Clip(out)
}

func (s *swap) products() {
	touched := false
	next := s.g.products
	touch := func() {
		if !touched {
			touched, next = true, maps.Clone(next)
		}
	}
	for _, e := range s.removed {
		if e.Kind == snapshot.KindProduct {
			touch()
			s.gone = append(s.gone, next[e.Name])
			delete(next, e.Name)
		}
	}
	for _, c := range s.changed {
		if c.product == nil || c.err != nil {
			continue
		}
		touch()
		if old := next[c.Name]; old != nil {
			s.gone = append(s.gone, old)
		}
		next[c.Name] = c.product
	}
	s.g.products, s.next.Products = next, next
}

func (s *swap) credentials() {
	shards := map[string]*credential.Shard{}
	for _, e := range s.removed {
		if e.Kind == snapshot.KindCredentials {
			shards[e.Name] = nil
		}
	}
	for _, c := range s.changed {
		if c.shard != nil && c.err == nil {
			shards[c.Name] = c.shard
		}
	}
	index := new(credential.Index)
	if s.old != nil {
		index = s.old.Credentials
	}
	if len(shards) > 0 {
		index = index.With(shards)
	}
	s.next.Credentials = index
}

// place brings the APIs into the index. Of two that claim one host and base path
// the one whose name comes first holds it, on every instance alike.
func (s *swap) place() {
	p := s.placing()
	for _, e := range s.removed {
		if e.Kind == snapshot.KindAPI {
			p.take(e.Name)
		}
	}
	var apis []*change
	olds := map[*change]*pipeline.API{}
	for _, c := range s.changed {
		if c.Kind == snapshot.KindAPI && c.err == nil {
			olds[c] = p.lift(c.Name)
			apis = append(apis, c)
		}
	}
	for _, c := range apis {
		c.err = p.put(c.api)
	}
	for _, c := range apis {
		old := olds[c]
		if c.err == nil {
			if old != nil {
				s.gone = append(s.gone, old)
			}
			continue
		}
		c.api.Done()
		if old != nil && p.put(old) != nil {
			s.gone = append(s.gone, old)
			s.forget(c.Entry)
			c.before = false
		}
	}
	for id, err := range p.evicted {
		if p.apis[id] == nil {
			s.evict(apis, id, err)
		}
	}
	s.gone = append(s.gone, p.gone...)
	s.next.Index = p.index
}

// evict takes note of an API that gave way, so that it is reported and tried again.
func (s *swap) evict(apis []*change, id string, err error) {
	e := snapshot.Entry{Kind: snapshot.KindAPI, Name: id}
	s.forget(e)
	for _, c := range apis {
		if c.Name == id {
			c.err, c.before = err, false
			return
		}
	}
	s.changed = append(s.changed, &change{Entry: e, err: err})
}

// forget takes an entry out of those that go on.
func (s *swap) forget(e snapshot.Entry) {
	if i, ok := slices.BinarySearchFunc(s.kept, e, snapshot.Entry.Compare); ok {
		s.kept = slices.Delete(s.kept, i, i+1)
	}
}

// A placing is an index that is being changed.
type placing struct {
	index *route.Index[pipeline.API]
	env   []string // hosts of the environment
	apis  map[string]*pipeline.API
	gone  []interface{ Done() }
	// evicted are APIs that were in force and had to give way, with the reason.
	evicted map[string]error
}

func (s *swap) placing() *placing {
	p := &placing{index: new(route.Index[pipeline.API]), env: s.next.Environment.Hosts, apis: s.g.apis, evicted: map[string]error{}}
	if s.old == nil {
		return p
	}
	if slices.Equal(s.old.Environment.Hosts, p.env) {
		p.index = s.old.Index
		return p
	}
	ids := slices.Sorted(maps.Keys(p.apis))
	for _, id := range ids { // the hosts are others now: all anew, in order
		a := p.apis[id]
		delete(p.apis, id)
		if err := p.put(a); err != nil {
			p.evict(a, err)
		}
	}
	return p
}

// evict takes note of an API that has to give way.
func (p *placing) evict(a *pipeline.API, why error) {
	p.gone = append(p.gone, a)
	p.evicted[a.ID] = why
}

// hosts are those the API answers on.
func (p *placing) hosts(a *pipeline.API) []string {
	hosts := a.Hosts
	if len(hosts) == 0 {
		hosts = p.env
	}
	if len(hosts) == 0 {
		return []string{route.Any}
	}
	out := make([]string, len(hosts))
	for i, h := range hosts {
		out[i] = strings.ToLower(h)
	}
	return out
}

// take removes an API for good.
func (p *placing) take(id string) {
	if a := p.lift(id); a != nil {
		p.gone = append(p.gone, a)
	}
}

// lift takes an API out of the index and returns it, nil when it is not in force.
func (p *placing) lift(id string) *pipeline.API {
	a := p.apis[id]
	if a == nil {
		return nil
	}
	delete(p.apis, id)
	for _, h := range p.hosts(a) {
		if p.index.At(h, a.Path) == a {
			p.index = p.index.Remove(h, a.Path)
		}
	}
	return a
}

// put brings an API in, unless one whose name comes before holds a place that it
// claims; those whose names come after give way.
func (p *placing) put(a *pipeline.API) error {
	hosts := p.hosts(a)
	var later []*pipeline.API
	for _, h := range hosts {
		other := p.index.At(h, a.Path)
		switch {
		case other == nil || other == a || slices.Contains(later, other):
		case other.ID < a.ID:
			return collision(other, a, h)
		default:
			later = append(later, other)
			p.evicted[other.ID] = collision(a, other, h)
		}
	}
	for _, other := range later {
		p.take(other.ID)
	}
	for _, h := range hosts {
		p.index = p.index.Insert(h, a.Path, a)
	}
	p.apis[a.ID] = a
	return nil
}

func collision(first, second *pipeline.API, host string) error {
	if host == route.Any {
		return fmt.Errorf("routes to %q and %q both claim %q on every host", first.ID, second.ID, first.Path)
	}
	return fmt.Errorf("routes to %q and %q both claim %s%s", first.ID, second.ID, host, first.Path)
}
