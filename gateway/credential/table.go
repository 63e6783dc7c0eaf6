package credential

import (
	"encoding/binary"
	"unsafe"

	"gatehouse/snapshot"
)

// A table is slots in the order of their tags. Each lies where its tag says, its
// home, or behind it as far as those before it push it; at every home stands how
// many slots there are to look at. Two slots in three are taken, so that this is
// mostly one or two, next to each other.
type table struct {
	slots []slot
	homes uint64
}

// A slot is one credential, in one cache line of 64 bytes and without a pointer
// that the garbage collector would have to follow.
type slot struct {
	hash snapshot.Credential
	ends int64  // of the key or its subscription, Unix seconds; zero is never
	tag  uint32 // what its place follows from
	span uint32 // slots to look at for those whose home is here, with this one
	plan uint32 // place in plans, from one, and apart; zero is a free slot
	text uint32 // where in text the subscription's name begins
	name uint16 // its length
	app  uint16 // the application's, which begins at the same place
	_    [4]byte
}

// apart is set in slot.plan when the application stands behind the name instead.
const apart = 1 << 31

// nothing stands where there is no table, so that looking there takes the same
// time.
var nothing = table{slots: make([]slot, 1), homes: 1}

// tagOf mixes how a key ends, which its maker drew at random, into 32 bits. Of what
// is shorter than a tail all tags are alike: it is no key.
func tagOf(tail string) uint32 {
	if len(tail) < snapshot.TailLength {
		return 0
	}
	// Read from where it is: a copy would have to reach memory first, behind all
	// that is under way there.
	low := uint64(tail[0]) | uint64(tail[1])<<8 | uint64(tail[2])<<16 | uint64(tail[3])<<24
	high := uint64(tail[4]) | uint64(tail[5])<<8
	return uint32((low | high<<32) * 0x9E3779B97F4A7C15 >> 32)
}

// hashTag is the tag of what is known by its hash only: other bits than those that
// chose the shard.
func hashTag(c *snapshot.Credential) uint32 { return binary.LittleEndian.Uint32(c[8:12]) }

// lay makes a table of n slots and of homes enough for them; next gives one after
// the other in order of tags, and tag says what each will have.
func lay(n, homes int, tag func(i int) uint32, next func(i int) *slot) table {
	t := table{homes: uint64(homes) + 1}
	at := -1
	for i := range n {
		at = max(at+1, t.home(tag(i)))
	}
	t.slots = make([]slot, max(at+1, int(t.homes)))
	advise(t.slots)
	at = -1
	for i := range n {
		from := next(i)
		home := t.home(from.tag)
		at = max(at+1, home)
		t.slots[at] = *from
		t.slots[at].span = 0 // until one comes whose home this is
		t.slots[home].span = uint32(at - home + 1)
	}
	return t
}

func (t *table) home(tag uint32) int { return int(uint64(tag) * t.homes >> 32) }

// prefetch begins to bring what a tag makes one look at, and does not wait.
func (t *table) prefetch(tag uint32) {
	if len(t.slots) > 0 {
		prefetch(unsafe.Pointer(&t.slots[t.home(tag)]))
	}
}

// find appends those with hash c; about is their shard's.
func (t *table) find(tag uint32, c *snapshot.Credential, about *about, found []Subscription) []Subscription {
	if len(t.slots) == 0 {
		t = &nothing
	}
	at := t.home(tag)
	for end := at + int(t.slots[at].span); ; {
		e := &t.slots[at]
		if same(&e.hash, c) && e.tag == tag && e.plan != 0 {
			found = append(found, Subscription{about, e})
		}
		if at++; at >= end {
			return found
		}
	}
}

// group is how many slots are looked at as one, and begun to be fetched: all there
// are to look at for 98 keys of 100 in a packed table.
const group = 4

// findOne is find for what mostly proves one subscription or none. No branch in it
// follows from which slot it is: such a branch would be guessed before the slot has
// come, wrongly every third time, and with it all that the processor has begun
// behind it meanwhile would be thrown away.
func (t *table) findOne(tag uint32, c *snapshot.Credential, about *about, found []Subscription) []Subscription {
	if len(t.slots) < group {
		return t.find(tag, c, about, found)
	}
	at := t.home(tag)
	if at > len(t.slots)-group || t.slots[at].span > group {
		return t.find(tag, c, about, found)
	}
	near := (*[group]slot)(t.slots[at:])
	want, which, like := start(c), 0, 0
	for i := range near {
		is := 0
		if start(&near[i].hash) == want {
			is = 1
		}
		like += is
		which |= i * is
	}
	if like > 1 {
		return t.find(tag, c, about, found)
	}
	e := &near[which%group]
	if same(&e.hash, c) && e.tag == tag && e.plan != 0 {
		found = append(found, Subscription{about, e})
	}
	return found
}

// start tells slots of a group apart.
func start(c *snapshot.Credential) uint64 { return binary.LittleEndian.Uint64(c[:]) }

// same compares in constant time: all of both, whatever they hold. It does so by
// words, as package subtle goes byte by byte and there is more than one slot to
// look at.
func same(a, b *snapshot.Credential) bool {
	var d uint64
	for i := 0; i < len(a); i += 8 {
		d |= binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:])
	}
	return d == 0
}
