package credential

import (
	"bytes"
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
// the compiler meant. ends tells how the chunk's keys end as far as that is known,
// both in order of hashes; it decides where a key lies and nothing else.
func NewShard(name string, c *snapshot.Credentials, ends []snapshot.KeyTail) (*Shard, error) {
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
	all := s.about.slots(c.Keys, subs, tails{ends})
	t := lay(len(all), len(all)*3/2, func(i int) uint32 { return all[i].tag }, func(i int) *slot { return &all[i] })
	s.own = &t
	return s, nil
}

// A tails goes through what is known of how keys end, in the order of their hashes.
type tails struct{ rest []snapshot.KeyTail }

// of is how the key with that hash ends, empty for a client. What is out of order
// is not found, and what does not tell two credentials apart is no answer: the key
// lies where its hash says then.
func (t *tails) of(hash *snapshot.Credential) (tail string, known bool) {
	want := hash.Start()
	for len(t.rest) > 0 {
		start, tail, ok := t.rest[0].Split()
		switch order := bytes.Compare(start[:], want[:]); {
		case !ok || order < 0:
			t.rest = t.rest[1:]
			continue
		case order > 0:
			return "", false
		}
		for _, next := range t.rest[1:] {
			other, also, ok := next.Split()
			if !ok || other != want {
				break
			}
			if also != tail {
				return "", false
			}
		}
		return tail, true
	}
	return "", false
}

// slots are those of keys, in order of their tags.
func (a *about) slots(keys []snapshot.Key, subs []slot, known tails) []slot {
	all := make([]slot, len(keys))
	for i := range keys {
		k, e := &keys[i], &all[i]
		*e = subs[k.Subscription]
		e.hash = k.Hash
		if e.ends == 0 || k.Expires != 0 && k.Expires < e.ends {
			e.ends = k.Expires
		}
		switch tail, ok := known.of(&k.Hash); {
		case !ok:
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
