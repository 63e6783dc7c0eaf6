package route

import (
	"hash/maphash"
	"math/bits"
)

// A trie is a map from text that is never changed: set and del return a new
// map which shares with the old all but the nodes on the path to the key. It is
// a hash trie with 32 branches a level (Bagwell, "Ideal Hash Trees"). The zero
// value is empty. Lookup does not allocate.
type trie[V any] struct {
	root *branch[V]
	size int
}

type branch[V any] struct {
	bits  uint32 // which of the 32 slots are taken; slots holds those only
	slots []slot[V]
}

// A slot holds a value or, when down is set, a branch.
type slot[V any] struct {
	key   string
	value V
	down  *branch[V]
}

const (
	step  = 5  // bits of the hash used on a level
	depth = 12 // levels; below them, keys of one hash lie in a list
)

var seed = maphash.MakeSeed()

func (t trie[V]) get(key string) (v V, ok bool) {
	b := t.root
	if b == nil {
		return v, false
	}
	h := maphash.String(seed, key)
	for level := 0; level < depth; level++ {
		bit := uint32(1) << (h & 31)
		if b.bits&bit == 0 {
			return v, false
		}
		s := &b.slots[bits.OnesCount32(b.bits&(bit-1))]
		if s.down == nil {
			if s.key == key {
				return s.value, true
			}
			return v, false
		}
		b, h = s.down, h>>step
	}
	for i := range b.slots {
		if b.slots[i].key == key {
			return b.slots[i].value, true
		}
	}
	return v, false
}

func (t trie[V]) set(key string, value V) trie[V] {
	root, added := t.root.set(maphash.String(seed, key), 0, slot[V]{key: key, value: value})
	if added {
		t.size++
	}
	t.root = root
	return t
}

func (b *branch[V]) set(h uint64, level int, s slot[V]) (*branch[V], bool) {
	if b == nil {
		b = new(branch[V])
	}
	if level == depth {
		return b.setList(s)
	}
	bit := uint32(1) << (h & 31)
	at := bits.OnesCount32(b.bits & (bit - 1))
	if b.bits&bit == 0 {
		n := &branch[V]{bits: b.bits | bit, slots: make([]slot[V], len(b.slots)+1)}
		copy(n.slots, b.slots[:at])
		n.slots[at] = s
		copy(n.slots[at+1:], b.slots[at:])
		return n, true
	}
	n := b.clone()
	old := &n.slots[at]
	if old.down == nil && old.key == s.key {
		*old = s
		return n, false
	}
	below := old.down
	if below == nil {
		rest := maphash.String(seed, old.key) >> ((level + 1) * step)
		below, _ = below.set(rest, level+1, *old)
	}
	below, added := below.set(h>>step, level+1, s)
	*old = slot[V]{down: below}
	return n, added
}

func (b *branch[V]) setList(s slot[V]) (*branch[V], bool) {
	n := b.clone()
	for i := range n.slots {
		if n.slots[i].key == s.key {
			n.slots[i] = s
			return n, false
		}
	}
	n.slots = append(n.slots, s)
	return n, true
}

func (t trie[V]) del(key string) trie[V] {
	root, removed := t.root.del(maphash.String(seed, key), 0, key)
	if removed {
		t.size--
	}
	t.root = root
	return t
}

// del returns nil when nothing is left.
func (b *branch[V]) del(h uint64, level int, key string) (*branch[V], bool) {
	if b == nil {
		return nil, false
	}
	at, bit := -1, uint32(0)
	if level == depth {
		for i := range b.slots {
			if b.slots[i].key == key {
				at = i
			}
		}
	} else if bit = uint32(1) << (h & 31); b.bits&bit != 0 {
		at = bits.OnesCount32(b.bits & (bit - 1))
	}
	if at < 0 {
		return b, false
	}
	if down := b.slots[at].down; down != nil {
		below, removed := down.del(h>>step, level+1, key)
		if !removed {
			return b, false
		}
		if below != nil {
			n := b.clone()
			n.slots[at].down = below
			return n, true
		}
	} else if b.slots[at].key != key {
		return b, false
	}
	if len(b.slots) == 1 {
		return nil, true
	}
	n := &branch[V]{bits: b.bits &^ bit, slots: make([]slot[V], 0, len(b.slots)-1)}
	n.slots = append(append(n.slots, b.slots[:at]...), b.slots[at+1:]...)
	return n, true
}

func (b *branch[V]) clone() *branch[V] {
	n := &branch[V]{bits: b.bits, slots: make([]slot[V], len(b.slots))}
	copy(n.slots, b.slots)
	return n
}
