package compile

import (
	"crypto/sha256"
	"slices"
	"strings"

	"gatehouse/snapshot"
)

// A ring keeps subscriptions and keys, a million of each in about 200 MB:
// slices without pointers, texts that repeat kept once. Index 0 means none.
type ring struct {
	texts  map[string]uint32
	text   []string
	byName map[string]uint32 // subscriptions
	subs   []subscription
	byID   map[keyID]uint32 // keys, by the hash of their public id
	keys   []key
	free   []uint32 // of keys
	shards map[shardID][]uint32
	// Clients of applications at token issuers, and where they count.
	clients map[uint32][]snapshot.Credential // by application
	bound   map[shardID][]binding
}

type keyID [16]byte

type subscription struct {
	name                            string
	application, product, plan, env uint32
	first                           uint32 // of its keys
	live                            bool   // approved
	expires                         int64  // Unix seconds; 0: never
}

type key struct {
	hash      snapshot.Credential
	sub, next uint32
	expires   int64
	tail      tail
}

// A tail is how a key ends; zero when that is not known.
type tail [snapshot.TailLength]byte

type shardID struct {
	env   uint32
	shard uint16
}

// A binding is one line of a shard: a key, or a client when key is none.
type binding struct {
	hash snapshot.Credential
	sub  uint32
	key  uint32
}

func newRing() ring {
	return ring{
		texts: map[string]uint32{"": 0}, text: []string{""}, byName: map[string]uint32{}, subs: make([]subscription, 1),
		byID: map[keyID]uint32{}, keys: make([]key, 1), shards: map[shardID][]uint32{},
		clients: map[uint32][]snapshot.Credential{}, bound: map[shardID][]binding{},
	}
}

func (r *ring) intern(text string) uint32 {
	if i, ok := r.texts[text]; ok {
		return i
	}
	text = strings.Clone(text)
	i := uint32(len(r.text))
	r.texts[text], r.text = i, append(r.text, text)
	return i
}

func shardOf(c snapshot.Credential) uint16 { return uint16(c[0])<<4 | uint16(c[1])>>4 }

const hexDigits = "0123456789abcdef"

// ids are the chunks made from a shard.
func (r *ring) ids(s shardID) [2]chunkID {
	n := s.shard
	name := string([]byte{hexDigits[n>>8&15], hexDigits[n>>4&15], hexDigits[n&15]})
	env := r.text[s.env]
	return [2]chunkID{{env, snapshot.KindCredentials, name}, {env, snapshot.KindTails, name}}
}

func (r *ring) mark(s shardID, mark func(chunkID)) {
	for _, id := range r.ids(s) {
		mark(id)
	}
}

// sub is the index of the subscription, made when it is new: a key may be read
// before its subscription is.
func (r *ring) sub(name string) uint32 {
	if i, ok := r.byName[name]; ok {
		return i
	}
	name = strings.Clone(name)
	i := uint32(len(r.subs))
	r.byName[name], r.subs = i, append(r.subs, subscription{name: name})
	return i
}

// putSubscription replaces what is known of a subscription and yields the
// shards that change by it.
func (r *ring) putSubscription(next subscription, mark func(chunkID)) {
	i := r.sub(next.name)
	old := &r.subs[i]
	r.unbind(i, mark)
	next.name, next.first = old.name, old.first
	for k := old.first; k != 0; k = r.keys[k].next {
		r.drop(shardID{old.env, shardOf(r.keys[k].hash)}, k, mark)
	}
	*old = next
	for k := next.first; k != 0; k = r.keys[k].next {
		r.hang(shardID{next.env, shardOf(r.keys[k].hash)}, k, mark)
	}
	r.bind(i, mark)
}

func (r *ring) hang(s shardID, k uint32, mark func(chunkID)) {
	r.shards[s] = append(r.shards[s], k)
	r.mark(s, mark)
}

func (r *ring) drop(s shardID, k uint32, mark func(chunkID)) {
	list := r.shards[s]
	if i := slices.Index(list, k); i >= 0 {
		list[i] = list[len(list)-1]
		r.shards[s] = list[:len(list)-1]
	}
	r.mark(s, mark)
}

// putKey adds or replaces a key; a zero subscription name removes it.
func (r *ring) putKey(id string, next key, sub string, mark func(chunkID)) {
	sum := sha256.Sum256([]byte(id))
	at := keyID(sum[:16])
	if k := r.byID[at]; k != 0 {
		r.removeKey(k, mark)
		delete(r.byID, at)
	}
	if sub == "" {
		return
	}
	s := r.sub(sub)
	k := uint32(len(r.keys))
	if n := len(r.free); n > 0 {
		k, r.free = r.free[n-1], r.free[:n-1]
	} else {
		r.keys = append(r.keys, key{})
	}
	next.sub, next.next = s, r.subs[s].first
	r.keys[k] = next
	r.subs[s].first, r.byID[at] = k, k
	r.hang(shardID{r.subs[s].env, shardOf(next.hash)}, k, mark)
}

func (r *ring) removeKey(k uint32, mark func(chunkID)) {
	s := &r.subs[r.keys[k].sub]
	r.drop(shardID{s.env, shardOf(r.keys[k].hash)}, k, mark)
	for at := &s.first; *at != 0; at = &r.keys[*at].next {
		if *at == k {
			*at = r.keys[k].next
			break
		}
	}
	r.keys[k] = key{}
	r.free = append(r.free, k)
}

// putClients replaces an application's clients at token issuers.
func (r *ring) putClients(application string, clients []snapshot.Credential, mark func(chunkID)) {
	app := r.intern(application)
	if len(clients) == 0 && len(r.clients[app]) == 0 {
		return
	}
	var mine []uint32
	for i := range r.subs {
		if r.subs[i].application == app {
			mine = append(mine, uint32(i))
		}
	}
	for _, i := range mine {
		r.unbind(i, mark)
	}
	r.clients[app] = clients
	for _, i := range mine {
		r.bind(i, mark)
	}
}

func (r *ring) bind(i uint32, mark func(chunkID)) {
	s := &r.subs[i]
	for _, c := range r.clients[s.application] {
		at := shardID{s.env, shardOf(c)}
		r.bound[at] = append(r.bound[at], binding{hash: c, sub: i})
		r.mark(at, mark)
	}
}

func (r *ring) unbind(i uint32, mark func(chunkID)) {
	s := &r.subs[i]
	for _, c := range r.clients[s.application] {
		at := shardID{s.env, shardOf(c)}
		r.bound[at] = slices.DeleteFunc(r.bound[at], func(b binding) bool { return b.sub == i && b.hash == c })
		r.mark(at, mark)
	}
}

// expiredBetween are the shards that lose something in (from, to].
func (r *ring) expiredBetween(from, to int64) []chunkID {
	var ids []chunkID
	passed := func(t int64) bool { return t > from && t <= to }
	for i := range r.keys {
		k := &r.keys[i]
		if passed(k.expires) || passed(r.subs[k.sub].expires) {
			of := r.ids(shardID{r.subs[k.sub].env, shardOf(k.hash)})
			ids = append(ids, of[:]...)
		}
	}
	for s, list := range r.bound {
		for _, b := range list {
			if passed(r.subs[b.sub].expires) {
				of := r.ids(s)
				ids = append(ids, of[:]...)
			}
		}
	}
	return ids
}
