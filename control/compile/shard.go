package compile

import (
	"bytes"
	"cmp"
	"slices"

	"gatehouse/snapshot"
)

func (r *ring) shardsOf(env string) []chunkID {
	e, ok := r.texts[env]
	if !ok || e == 0 {
		return nil
	}
	var ids []chunkID
	for s := range r.shards {
		if s.env == e {
			of := r.ids(s)
			ids = append(ids, of[:]...)
		}
	}
	for s := range r.bound {
		if s.env == e {
			of := r.ids(s)
			ids = append(ids, of[:]...)
		}
	}
	return ids
}

// standing are the lines of a shard that count at now, in order of hash, then
// subscription: a client of an application with several subscriptions stands there
// once for each.
func (r *ring) standing(env, name string, now int64) []binding {
	var n uint16
	for _, c := range []byte(name) {
		n = n<<4 | uint16(bytes.IndexByte([]byte(hexDigits), c))
	}
	at := shardID{r.texts[env], n}
	all := slices.Clone(r.bound[at])
	for _, k := range r.shards[at] {
		if e := r.keys[k].expires; e == 0 || e > now {
			all = append(all, binding{r.keys[k].hash, r.keys[k].sub, k})
		}
	}
	all = slices.DeleteFunc(all, func(b binding) bool {
		s := &r.subs[b.sub]
		return !s.live || s.expires != 0 && s.expires <= now
	})
	slices.SortFunc(all, func(a, b binding) int {
		return cmp.Or(bytes.Compare(a.hash[:], b.hash[:]), cmp.Compare(r.subs[a.sub].name, r.subs[b.sub].name))
	})
	return all
}

// shard makes the chunk of credentials; nil when it would be empty.
func (r *ring) shard(env, name string, now int64) ([]byte, snapshot.Hash) {
	all := r.standing(env, name, now)
	if len(all) == 0 {
		return nil, snapshot.Hash{}
	}
	data := appendCredentials(nil, r.credentials(all))
	return data, snapshot.Sum(data)
}

// tails makes the chunk that tells how a shard's keys end; nil when that is known
// of none.
func (r *ring) tails(env, name string, now int64) ([]byte, snapshot.Hash) {
	var t snapshot.Tails
	for _, b := range r.standing(env, name, now) {
		end := &r.keys[b.key].tail
		switch {
		case b.key == 0:
			t.Keys = append(t.Keys, snapshot.TailOf(b.hash, ""))
		case *end != tail{}:
			t.Keys = append(t.Keys, snapshot.TailOf(b.hash, string(end[:])))
		}
	}
	if len(t.Keys) == 0 {
		return nil, snapshot.Hash{}
	}
	data := appendTails(nil, &t)
	return data, snapshot.Sum(data)
}

func (r *ring) credentials(all []binding) *snapshot.Credentials {
	subs := make([]uint32, 0, len(all))
	for _, b := range all {
		subs = append(subs, b.sub)
	}
	slices.SortFunc(subs, func(a, b uint32) int { return cmp.Compare(r.subs[a].name, r.subs[b].name) })
	subs = slices.Compact(subs)
	c, place := &snapshot.Credentials{}, map[uint32]int{}
	for i, n := range subs {
		s := &r.subs[n]
		place[n] = i
		c.Subscriptions = append(c.Subscriptions, snapshot.Subscription{
			Name: s.name, Application: r.text[s.application], Product: r.text[s.product], Plan: r.text[s.plan], Expires: s.expires,
		})
	}
	for _, b := range all {
		c.Keys = append(c.Keys, snapshot.Key{Hash: b.hash, Subscription: place[b.sub], Expires: r.keys[b.key].expires})
	}
	return c
}
