package credential

import "unsafe"

// packAbove is how many slots may stand outside the block, beside a quarter of
// all, before a new block is made: 4 MiB of them.
const packAbove = 1 << 16

// pack moves the slots of all shards into one block of large pages when too many
// stand alone. With pages of 4 KiB a lookup among a million keys waits for the
// page's address before it can wait for the slot, which takes longer. What the
// index was made from keeps its own slots until nobody reads it.
func (x *Index) pack() {
	slots, moves := 0, 0
	for i := range x.shards {
		slots += len(x.shards[i].slots)
		moves += len(x.shards[i].moves)
	}
	if x.loose <= packAbove+slots/4 {
		return
	}
	x.loose = 0
	block, moved := make([]slot, slots), make([]uint8, moves)
	advise(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(block))), slots*int(unsafe.Sizeof(slot{}))))
	for i := range x.shards {
		s := &x.shards[i]
		n, m := copy(block, s.slots), copy(moved, s.moves)
		s.slots, block = block[:n:n], block[n:]
		s.moves, moved = moved[:m:m], moved[m:]
	}
}
