package gateway

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gatehouse/gateway/credential"
	"gatehouse/gateway/pipeline"
	"gatehouse/gateway/route"
	"gatehouse/snapshot"
)

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
