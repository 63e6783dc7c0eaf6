package credential

import (
	"cmp"
	"slices"
)

// packAbove is how many credentials may stand in tables of shards, beside a
// quarter of all, before a new table of all is made: 6 MiB of them.
var packAbove = 1 << 16

// A place is where a credential stands that is to be packed: in a shard's own
// table, or in the packed one when shard is below zero.
type place struct {
	tag   uint32
	at    uint32
	shard int16
}

// pack moves the slots of all shards into one table of large pages, with two homes
// for each: 128 bytes, so that a lookup has the least to look at. With pages of
// 4 KiB a lookup among a million keys waits for the page's address before it can
// wait for the slot, which takes longer. What the index was made from keeps its own
// tables until nobody reads it.
func (x *Index) pack() {
	places := make([]place, 0, x.total)
	for i := range x.packed.slots {
		if e := &x.packed.slots[i]; e.plan != 0 && x.shards[shardOf(&e.hash)].own == nil {
			places = append(places, place{e.tag, uint32(i), -1})
		}
	}
	for n := range x.shards {
		if own := x.shards[n].own; own != nil {
			for i := range own.slots {
				if e := &own.slots[i]; e.plan != 0 {
					places = append(places, place{e.tag, uint32(i), int16(n)})
				}
			}
		}
	}
	// By place last: the subscriptions of one client stay in the chunk's order.
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.tag, b.tag), cmp.Compare(a.shard, b.shard), cmp.Compare(a.at, b.at))
	})
	old := x.packed
	x.packed = lay(len(places), 2*len(places), func(i int) uint32 { return places[i].tag }, func(i int) *slot {
		p := places[i]
		if p.shard < 0 {
			return &old.slots[p.at]
		}
		return &x.shards[p.shard].own.slots[p.at]
	})
	for n := range x.shards {
		x.shards[n].own = nil
	}
	x.loose = 0
}
