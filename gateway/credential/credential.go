// Package credential finds the subscription that a key or a token's client
// proves, in memory, by hash.
//
// An Index has one part for each shard of credentials; a shard is built from
// its chunk and never changed, so that a revoked key costs the rebuilding of
// one shard of 4,096 and nothing else. Where a key lies follows from how its text
// ends, so that the wait for memory, which among a million keys takes longer than
// hashing one, goes by while the key is hashed. What a subscription's plan means,
// and whether it has run out, is for package pipeline.
package credential

import (
	"strings"
	"unique"

	"gatehouse/snapshot"
)

// A PlanName is a product's plan: "payments/commerce" and "gold". As a
// unique.Handle it compares as fast as a pointer and is stored once.
type PlanName struct{ Product, Plan string }

// A Subscription is who calls, as the credential that was found proves it. It
// can be compared; a subscription with two keys is two values. The zero value
// is nobody.
type Subscription struct {
	in *about
	at *slot
}

// Known tells whether s is somebody.
func (s Subscription) Known() bool { return s.at != nil }

// Name is the subscription's, such as "billing/invoices-commerce".
func (s Subscription) Name() string {
	if s.at == nil {
		return ""
	}
	return s.in.text[s.at.text:][:s.at.name]
}

// Application is whose subscription it is, such as "billing/invoices".
func (s Subscription) Application() string {
	if s.at == nil {
		return ""
	}
	from := s.at.text
	if s.at.plan&apart != 0 {
		from += uint32(s.at.name)
	}
	return s.in.text[from:][:s.at.app]
}

// Plan is the plan it has taken. Only somebody has one.
func (s Subscription) Plan() unique.Handle[PlanName] { return s.in.plans[s.at.plan&^apart-1] }

// Live tells whether both the key and its subscription are in force at now, in
// Unix seconds.
func (s Subscription) Live(now int64) bool { return s.at.ends == 0 || now < s.at.ends }

// An Index is every credential of one table. It is never changed; the zero
// value is empty.
type Index struct {
	packed table // of shards that have no table of their own
	shards [snapshot.Shards]Shard
	loose  int // credentials in tables of shards
	total  int
	// tailless is how many may be keys of which it is not known how they end; they
	// lie where their hash says.
	tailless int
}

// With returns an index in which the named shards stand as given; nil removes
// one. All others are shared. A name is what [snapshot.Credential.Shard] gives.
func (x *Index) With(changed map[string]*Shard) *Index {
	n := new(Index)
	*n = *x
	for name, s := range changed {
		if at, ok := position(name); ok {
			if s == nil {
				s = &nobody
			}
			n.replace(at, s)
		}
	}
	if n.loose > packAbove+n.total/4 {
		n.pack()
	}
	return n
}

// nobody is a shard of which nothing is left.
var nobody = Shard{own: &nothing, about: new(about)}

func (x *Index) replace(at int, s *Shard) {
	if old := &x.shards[at]; old.about != nil {
		x.total -= old.about.keys
		x.tailless -= old.about.tailless
		if old.own != nil {
			x.loose -= old.about.keys
		}
	}
	x.shards[at] = *s
	x.total += s.about.keys
	x.tailless += s.about.tailless
	x.loose += s.about.keys
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

func shardOf(c *snapshot.Credential) int { return int(c[0])<<4 | int(c[1])>>4 }

// Expect says that a key will be looked for soon. What a lookup among a million
// waits for is on its way then while other work is done, and Expect itself does not
// wait. It may be any text, and nothing need come of it.
func (x *Index) Expect(key string) { x.packed.prefetch(tagOf(snapshot.Tail(key))) }

// FindKey appends to found the subscription that a key proves, if any. What it
// looks at follows from the key alone, whether it exists or not, and hashes are
// compared in constant time; as it is a hash of what the caller sent, the caller
// cannot steer it.
func (x *Index) FindKey(key string, found []Subscription) []Subscription {
	tag := tagOf(snapshot.Tail(key))
	x.packed.prefetch(tag)
	c := snapshot.KeyCredential(key)
	if s := &x.shards[shardOf(&c)]; s.own == nil {
		found = x.packed.findOne(tag, &c, s.about, found)
	} else {
		found = s.own.findOne(tag, &c, s.about, found)
	}
	if x.tailless == 0 {
		return found
	}
	if other := hashTag(&c); other != tag {
		found = x.find(other, &c, found)
	}
	return found
}

// Find appends to found the subscriptions that c proves, which is no key: none,
// or several for a client that has subscribed to several products.
func (x *Index) Find(c *snapshot.Credential, found []Subscription) []Subscription {
	return x.find(hashTag(c), c, found)
}

// find looks where tag says.
func (x *Index) find(tag uint32, c *snapshot.Credential, found []Subscription) []Subscription {
	s := &x.shards[shardOf(c)]
	if s.own == nil {
		return x.packed.find(tag, c, s.about, found)
	}
	return s.own.find(tag, c, s.about, found)
}

// Len is the number of credentials.
func (x *Index) Len() int { return x.total }
