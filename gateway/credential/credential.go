// Package credential finds the subscription that a key or a token's client
// proves, in memory, by hash.
//
// An Index has one part for each shard of credentials; a shard is built from
// its chunk and never changed, so that a revoked key costs the rebuilding of
// one shard of 4,096 and nothing else. What a subscription's plan means, and
// whether it has run out, is for package pipeline.
package credential

import (
	"crypto/subtle"
	"encoding/binary"
	"strings"
	"unique"

	"gatehouse/snapshot"
)

// A PlanName is a product's plan: "payments/commerce" and "gold". As a
// unique.Handle it compares as fast as a pointer and is stored once.
type PlanName struct{ Product, Plan string }

// A Subscription is who calls. Times are Unix seconds; zero is never.
type Subscription struct {
	Name        string // "billing/invoices-commerce"
	Application string // "billing/invoices"
	Plan        unique.Handle[PlanName]
	Expires     int64
}

// A Match is a credential that was found.
type Match struct {
	*Subscription
	// KeyExpires is when the key itself ends, apart from its subscription.
	KeyExpires int64
}

// Live tells whether both the key and its subscription are in force at now, in
// Unix seconds.
func (m Match) Live(now int64) bool {
	return (m.KeyExpires == 0 || now < m.KeyExpires) && (m.Expires == 0 || now < m.Expires)
}

// An Index is every credential of one table. It is never changed; the zero
// value is empty.
type Index struct{ shards [snapshot.Shards]*Shard }

// With returns an index in which the named shards stand as given; nil removes
// one. All others are shared. A name is what [snapshot.Credential.Shard] gives.
func (x *Index) With(changed map[string]*Shard) *Index {
	n := *x
	for name, s := range changed {
		if at, ok := position(name); ok {
			n.shards[at] = s
		}
	}
	return &n
}

// position reads a shard's name, three hexadecimal digits.
func position(name string) (at int, ok bool) {
	for i := 0; i < len(name); i++ {
		d := strings.IndexByte("0123456789abcdef", name[i])
		if d < 0 {
			return 0, false
		}
		at = at<<4 | d
	}
	return at, len(name) == 3
}

// Find appends to found the subscriptions that c proves: none, one for a key,
// several for a client that has subscribed to several products. It looks at
// the same places for a credential that exists and for one that does not, and
// compares hashes in constant time; what is compared is a hash of what the
// caller sent, so that the caller cannot steer it.
func (x *Index) Find(c *snapshot.Credential, found []Match) []Match {
	s := x.shards[int(c[0])<<4|int(c[1])>>4]
	if s == nil {
		s = &empty
	}
	return s.find(c, found)
}

// Len is the number of credentials.
func (x *Index) Len() int {
	n := 0
	for _, s := range x.shards {
		if s != nil {
			n += s.keys
		}
	}
	return n
}

// start is the part of a hash that chooses a slot; the bits that chose the
// shard are not in it.
func start(c *snapshot.Credential) uint32 { return binary.LittleEndian.Uint32(c[4:8]) }

func (s *Shard) find(c *snapshot.Credential, found []Match) []Match {
	for i := start(c) & s.mask; ; i = (i + 1) & s.mask {
		e := &s.slots[i]
		if subtle.ConstantTimeCompare(e.hash[:], c[:]) == 1 && e.sub != 0 {
			found = append(found, Match{&s.subs[e.sub-1], e.expires})
		}
		if e.sub == 0 {
			return found
		}
	}
}
