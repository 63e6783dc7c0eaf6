package credential

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"unique"

	"gatehouse/snapshot"
)

// A Shard is one chunk of credentials, laid out for lookup by perfect hashing
// (Belazzougui, Botelho, Dietzfelbinger, "Hash, displace, and compress"): a
// credential's bucket says by how far those of the bucket are moved, and then no
// two of the shard share a slot. The few that cannot be kept apart, among them
// clients with several subscriptions, are chained in more.
type Shard struct {
	slots []slot
	moves []uint8 // by bucket
	about *about
	_     [8]byte // to one cache line
}

// An about is what a shard holds beside its slots.
type about struct {
	more  []slot
	plans []unique.Handle[PlanName]
	text  string // names of subscriptions and applications
	keys  int
}

// A slot is one credential, in one cache line of 64 bytes and without a pointer
// that the garbage collector would have to follow.
type slot struct {
	hash    snapshot.Credential
	keyEnds int64  // Unix seconds; zero is never
	ends    int64  // of the subscription
	plan    uint32 // place in plans, from one, and apart; zero is a free slot
	text    uint32 // where in text the subscription's name begins
	name    uint16 // its length
	app     uint16 // the application's, which begins at the same place
	next    uint32 // place in more, from one; zero is the last
}

// apart is set in slot.plan when the application stands behind the name instead.
const apart = 1 << 31

// How a shard is filled: a bucket has about bucketLoad credentials, four slots
// in five are taken.
const bucketLoad = 3

// NewShard lays out a chunk. name is the shard's name; a key that belongs to
// another shard, or names no subscription, is an error: the chunk is not what
// the compiler meant.
func NewShard(name string, c *snapshot.Credentials) (*Shard, error) {
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
	s.fill(c.Keys, subs)
	return s, nil
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

// bucket of c: by the bits behind those that chose the shard, so that credentials
// in order lie in buckets in order.
func (s *Shard) bucket(c *snapshot.Credential) int {
	bits := binary.BigEndian.Uint32(c[1:5])<<4 | uint32(c[5])>>4
	return int(uint64(bits) * uint64(len(s.moves)) >> 32)
}

// place is the slot of c when its bucket is moved by so much.
func (s *Shard) place(c *snapshot.Credential, move uint8) int {
	bits := (binary.LittleEndian.Uint64(c[8:16]) ^ uint64(move)*0x9E3779B97F4A7C15) * 0xD6E8FEB86659FD93 >> 32
	return int(bits * uint64(len(s.slots)) >> 32)
}
