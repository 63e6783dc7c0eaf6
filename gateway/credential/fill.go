package credential

import (
	"bytes"
	"slices"

	"gatehouse/snapshot"
)

// A run is the credentials of one bucket: from one place to another in order.
type run struct{ bucket, from, to int }

// fill gives every key its slot. subs are the slots' common parts.
func (s *Shard) fill(keys []snapshot.Key, subs []slot) {
	s.slots = make([]slot, len(keys)+len(keys)/4+1)
	s.moves = make([]uint8, len(keys)/bucketLoad+1)
	sorted := make([]*snapshot.Key, len(keys))
	for i := range keys {
		sorted[i] = &keys[i]
	}
	// Stable: the subscriptions of one client stay in the chunk's order.
	slices.SortStableFunc(sorted, func(a, b *snapshot.Key) int { return bytes.Compare(a.Hash[:], b.Hash[:]) })
	for _, r := range s.runs(sorted) {
		s.settle(r.bucket, sorted[r.from:r.to], subs)
	}
	s.about.more = slices.Clip(s.about.more)
}

// runs lists the buckets in use, the fullest first: it is the hardest to place.
func (s *Shard) runs(sorted []*snapshot.Key) []run {
	runs := make([]run, 0, len(s.moves))
	for i, k := range sorted {
		b := s.bucket(&k.Hash)
		if n := len(runs); n == 0 || runs[n-1].bucket != b {
			runs = append(runs, run{bucket: b, from: i})
		}
		runs[len(runs)-1].to = i + 1
	}
	slices.SortStableFunc(runs, func(a, b run) int { return (b.to - b.from) - (a.to - a.from) })
	return runs
}

// settle moves a bucket to where its credentials meet no other, or as few as
// can be, and puts them there.
func (s *Shard) settle(bucket int, keys []*snapshot.Key, subs []slot) {
	distinct := make([]*snapshot.Key, 0, 16)
	for i, k := range keys {
		if i == 0 || k.Hash != keys[i-1].Hash {
			distinct = append(distinct, k)
		}
	}
	best, least := uint8(0), len(distinct)+1
	for move := 0; move < 256 && least > 0; move++ {
		if n := s.clashes(distinct, uint8(move), least); n < least {
			best, least = uint8(move), n
		}
	}
	s.moves[bucket] = best
	for _, k := range keys {
		e := subs[k.Subscription]
		e.hash, e.keyEnds = k.Hash, k.Expires
		s.put(s.place(&k.Hash, best), e)
	}
}

// clashes counts which of keys would not have a slot to themselves, and stops
// counting at enough.
func (s *Shard) clashes(keys []*snapshot.Key, move uint8, enough int) (n int) {
	var room [16]int
	used := room[:0]
	for _, k := range keys {
		at := s.place(&k.Hash, move)
		if s.slots[at].plan != 0 || slices.Contains(used, at) {
			if n++; n >= enough {
				return n
			}
		}
		if len(used) < cap(room[:]) {
			used = append(used, at)
		}
	}
	return n
}

// put lays e down at a slot or, when that is taken, at the end of its chain.
func (s *Shard) put(at int, e slot) {
	last := &s.slots[at]
	if last.plan == 0 {
		*last = e
		return
	}
	for last.next != 0 {
		last = &s.about.more[last.next-1]
	}
	last.next = uint32(len(s.about.more) + 1) // before more may move
	s.about.more = append(s.about.more, e)
}
