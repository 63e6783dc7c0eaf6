package credential

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"unique"

	"gatehouse/snapshot"
)

// A Shard is one chunk of credentials, laid out for lookup. Once it is packed with
// all others it has no table of its own.
type Shard struct {
	own   *table
	about *about
}

// An about is what a shard holds beside its slots.
type about struct {
	plans    []unique.Handle[PlanName]
	text     string // names of subscriptions and applications
	keys     int
	tailless int
}

// NewShard lays out a chunk. name is the shard's name; a key that belongs to
// another shard, or names no subscription, is an error: the chunk is not what
// the compiler meant. tails are those of the chunk's keys as far as they are
// known; they decide where a key lies and nothing else.
func NewShard(name string, c *snapshot.Credentials, tails []snapshot.KeyTail) (*Shard, error) {
	if _, ok := position(name); !ok {
		return nil, fmt.Errorf("shard %q: the name is not three hexadecimal digits", name)
	}
	for i := range c.Keys {
		k := &c.Keys[i]
		switch {
		case k.Subscription < 0 || k.Subscription >= len(c.Subscriptions):
			return nil, fmt.Errorf("shard %s: key %d names subscription %d of %d", name, i, k.Subscription, len(c.Subscriptions))
		case k.Hash.Shard() != name:
			return nil, fmt.Errorf("shard %s: key %d belongs to shard %s", name, i, k.Hash.Shard())
		}
	}
	s := &Shard{about: &about{keys: len(c.Keys)}}
	subs, err := s.about.describe(c.Subscriptions)
	if err != nil {
		return nil, fmt.Errorf("shard %s: %w", name, err)
	}
	all := s.about.slots(c.Keys, subs, tails)
	t := lay(len(all), func(i int) uint32 { return all[i].tag }, func(i int) *slot { return &all[i] })
	s.own = &t
	return s, nil
}

// twice stands for the tail of credentials that cannot be told apart.
const twice = "?"

func tailsOf(all []snapshot.KeyTail) map[snapshot.HashStart]string {
	known := make(map[snapshot.HashStart]string, len(all))
	for _, t := range all {
		start, tail, ok := t.Split()
		if !ok {
			continue
		}
		if before, had := known[start]; had && before != tail {
			tail = twice
		}
		known[start] = tail
	}
	return known
}

// slots are those of keys, in order of their tags.
func (a *about) slots(keys []snapshot.Key, subs []slot, tails []snapshot.KeyTail) []slot {
	known := tailsOf(tails)
	all := make([]slot, len(keys))
	for i := range keys {
		k, e := &keys[i], &all[i]
		*e = subs[k.Subscription]
		e.hash = k.Hash
		if e.ends == 0 || k.Expires != 0 && k.Expires < e.ends {
			e.ends = k.Expires
		}
		switch tail, ok := known[k.Hash.Start()]; {
		case !ok || tail == twice:
			e.tag = hashTag(&k.Hash)
			a.tailless++
		case tail == "": // a client
			e.tag = hashTag(&k.Hash)
		default:
			e.tag = tagOf(tail)
		}
	}
	// Stable: the subscriptions of one client stay in the chunk's order.
	slices.SortStableFunc(all, func(a, b slot) int { return cmp.Compare(a.tag, b.tag) })
	return all
}

// describe makes for each subscription what its keys' slots have in common.
func (a *about) describe(from []snapshot.Subscription) ([]slot, error) {
	var text strings.Builder
	plans := map[PlanName]uint32{}
	out := make([]slot, len(from))
	for i := range from {
		f := &from[i]
		if max(len(f.Name), len(f.Application)) > math.MaxUint16 || text.Len() > math.MaxInt32 {
			return nil, fmt.Errorf("subscription %d: its name or its application's is longer than any may be", i)
		}
		plan := PlanName{f.Product, f.Plan}
		if plans[plan] == 0 {
			a.plans = append(a.plans, unique.Make(plan))
			plans[plan] = uint32(len(a.plans))
		}
		out[i] = slot{ends: f.Expires, plan: plans[plan], text: uint32(text.Len()), name: uint16(len(f.Name)), app: uint16(len(f.Application))}
		text.WriteString(f.Name)
		if !strings.HasPrefix(f.Name, f.Application) {
			text.WriteString(f.Application)
			out[i].plan |= apart
		}
	}
	a.text = strings.Clone(text.String()) // without the room that growing left
	return out, nil
}
