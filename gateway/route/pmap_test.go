package route

import (
	"fmt"
	"hash/maphash"
	"testing"
)

// Keys that no part of the hash tells apart lie in a list; they are found,
// replaced and taken out as any others, and older maps keep theirs.
func TestKeysOfOneHash(t *testing.T) {
	const hash, n = 0, 5
	var b *branch[int]
	for i := range n {
		var added bool
		if b, added = b.set(hash, depth, slot[int]{key: fmt.Sprint(i), value: i}); !added {
			t.Errorf("%d: not new", i)
		}
	}
	before := b
	b, added := b.set(hash, depth, slot[int]{key: "2", value: 20})
	if added || len(b.slots) != n || b.slots[2].value != 20 || before.slots[2].value != 2 {
		t.Errorf("2 replaced: got %v added %v, before it %v", b.slots, added, before.slots)
	}
	if same, removed := b.del(hash, depth, "9"); removed || same != b {
		t.Error("9 was removed and was never there")
	}
	for i := range n {
		var removed bool
		if b, removed = b.del(hash, depth, fmt.Sprint(i)); !removed {
			t.Errorf("%d: not removed", i)
		}
	}
	if b != nil || len(before.slots) != n {
		t.Errorf("all removed: got %v, before it %v", b, before.slots)
	}
}

// A trie that reaches down to the list finds both keys there.
func TestTrieDownToTheList(t *testing.T) {
	list := &branch[int]{slots: []slot[int]{{key: "a", value: 1}, {key: "b", value: 2}}}
	for _, key := range []string{"a", "b", "c"} {
		down := list
		hash := maphash.String(seed, key)
		for level := depth - 1; level >= 0; level-- {
			down = &branch[int]{bits: 1 << (hash >> (level * step) & 31), slots: []slot[int]{{down: down}}}
		}
		v, ok := trie[int]{root: down, size: 2}.get(key)
		if want := map[string]int{"a": 1, "b": 2}[key]; v != want || ok != (want > 0) {
			t.Errorf("%s: got %d, %v; want %d", key, v, ok, want)
		}
	}
}
