package credential

import (
	"fmt"
	"math/bits"
	"strings"
	"unique"

	"gatehouse/snapshot"
)

// A Shard is one chunk of credentials, laid out for lookup: a table with open
// addressing that is at most two thirds full, the subscriptions in one slice
// and their names in one string.
type Shard struct {
	slots []entry
	mask  uint32
	subs  []Subscription
	keys  int
}

// An entry takes one cache line at most. sub counts from one; zero is free.
type entry struct {
	hash    snapshot.Credential
	expires int64
	sub     uint32
	_       [20]byte // to one cache line, so that a lookup waits for memory once
}

// empty stands where there is no shard, so that looking there takes the same
// time.
var empty = Shard{slots: make([]entry, 1)}

// NewShard lays out a chunk. name is the shard's name; a key that belongs to
// another shard, or names no subscription, is an error: the chunk is not what
// the compiler meant.
func NewShard(name string, c *snapshot.Credentials) (*Shard, error) {
	if _, ok := position(name); !ok {
		return nil, fmt.Errorf("shard %q: the name is not three hexadecimal digits", name)
	}
	size := 1 << bits.Len(uint(len(c.Keys)+len(c.Keys)/2))
	s := &Shard{slots: make([]entry, size), mask: uint32(size - 1), subs: layOut(c.Subscriptions), keys: len(c.Keys)}
	for i := range c.Keys {
		k := &c.Keys[i]
		switch {
		case k.Subscription < 0 || k.Subscription >= len(s.subs):
			return nil, fmt.Errorf("shard %s: key %d names subscription %d of %d", name, i, k.Subscription, len(s.subs))
		case k.Hash.Shard() != name:
			return nil, fmt.Errorf("shard %s: key %d belongs to shard %s", name, i, k.Hash.Shard())
		}
		at := start(&k.Hash) & s.mask
		for s.slots[at].sub != 0 {
			at = (at + 1) & s.mask
		}
		s.slots[at] = entry{hash: k.Hash, expires: k.Expires, sub: uint32(k.Subscription) + 1}
	}
	return s, nil
}

// layOut copies subscriptions into one slice whose text is one string.
func layOut(from []snapshot.Subscription) []Subscription {
	var text strings.Builder
	for i := range from {
		text.WriteString(from[i].Name)
		if !strings.HasPrefix(from[i].Name, from[i].Application) {
			text.WriteString(from[i].Application)
		}
	}
	rest := text.String()
	take := func(n int) (s string) { s, rest = rest[:n], rest[n:]; return s }
	subs := make([]Subscription, len(from))
	for i := range from {
		f, s := &from[i], &subs[i]
		s.Name = take(len(f.Name))
		if strings.HasPrefix(f.Name, f.Application) {
			s.Application = s.Name[:len(f.Application)]
		} else {
			s.Application = take(len(f.Application))
		}
		s.Plan = unique.Make(PlanName{f.Product, f.Plan})
		s.Expires = f.Expires
	}
	return subs
}
