// Package credential finds the subscription that a key or a token's client
// proves, in memory, by hash.
//
// An Index has one part for each shard of credentials; a shard is built from
// its chunk and never changed, so that a revoked key costs the rebuilding of
// one shard of 4,096 and nothing else. All that a lookup needs of a key lies in
// one cache line, and where it lies follows from the key's hash, so that a
// million keys cost a request one wait for memory. What a subscription's plan
// means, and whether it has run out, is for package pipeline.
package credential

import (
	"crypto/subtle"
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
func (s Subscription) Live(now int64) bool {
	return (s.at.keyEnds == 0 || now < s.at.keyEnds) && (s.at.ends == 0 || now < s.at.ends)
}

// An Index is every credential of one table. It is never changed; the zero
// value is empty.
type Index struct {
	shards [snapshot.Shards]Shard
	loose  int // slots that were put in since all were packed
}

// With returns an index in which the named shards stand as given; nil removes
// one. All others are shared. A name is what [snapshot.Credential.Shard] gives.
func (x *Index) With(changed map[string]*Shard) *Index {
	n := new(Index)
	*n = *x
	for name, s := range changed {
		if s == nil {
			s = new(Shard)
		}
		if at, ok := position(name); ok {
			n.shards[at] = *s
			n.loose += len(s.slots)
		}
	}
	n.pack()
	return n
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

// nothing stands where there is no shard, so that looking there takes the same
// time.
var nothing = Shard{slots: make([]slot, 1), moves: make([]uint8, 1), about: new(about)}

// Find appends to found the subscriptions that c proves: none, one for a key,
// several for a client that has subscribed to several products. It looks at
// one place for a credential that exists and for one that does not, and
// compares hashes in constant time; what is compared is a hash of what the
// caller sent, so that the caller cannot steer it.
func (x *Index) Find(c *snapshot.Credential, found []Subscription) []Subscription {
	s := &x.shards[int(c[0])<<4|int(c[1])>>4]
	if len(s.slots) == 0 {
		s = &nothing
	}
	for e := &s.slots[s.place(c, s.moves[s.bucket(c)])]; ; e = &s.about.more[e.next-1] {
		if subtle.ConstantTimeCompare(e.hash[:], c[:]) == 1 && e.plan != 0 {
			found = append(found, Subscription{s.about, e})
		}
		if e.next == 0 {
			return found
		}
	}
}

// Len is the number of credentials.
func (x *Index) Len() int {
	n := 0
	for i := range x.shards {
		if a := x.shards[i].about; a != nil {
			n += a.keys
		}
	}
	return n
}
