package route

import (
	"hash/maphash"
	"slices"
)

// A table is a map from base paths to APIs that is never changed: with returns a
// new one that shares with the old all but the part the path lies in. The parts
// are flat and searched from where the hash says, so that a lookup waits for
// memory once, however many there are.
// The zero value is empty.
type table[A any] struct {
	parts [][]entry[A] // a power of two of them, each with a power of two of places
	size  int
}

// An entry is one path in one cache line, unless it is long. Without an API it is
// free.
type entry[A any] struct {
	hash  uint64
	api   *A
	long  *string // the path, when it does not fit
	size  uint32
	short [pathRoom]byte
}

const pathRoom = 36

func newEntry[A any](path string, api *A) entry[A] {
	e := entry[A]{hash: maphash.String(seed, path), api: api, size: uint32(len(path))}
	if copy(e.short[:], path) < len(path) {
		e.long = &path
	}
	return e
}

func (e *entry[A]) is(path string) bool {
	if e.long != nil {
		return *e.long == path
	}
	return int(e.size) == len(path) && string(e.short[:e.size]) == path
}

// partSize is how many entries a part holds on average before there are more
// parts: what one change copies.
const partSize = 32

func (t *table[A]) get(path string) *A {
	if t.size == 0 {
		return nil
	}
	h := maphash.String(seed, path)
	part := t.parts[h>>32&uint64(len(t.parts)-1)]
	for i := h & uint64(len(part)-1); ; i = (i + 1) & uint64(len(part)-1) {
		e := &part[i]
		if e.api == nil || e.hash == h && e.is(path) {
			return e.api
		}
	}
}

// with returns a table in which api stands at path; nil takes what stands there
// away.
func (t *table[A]) with(path string, api *A) table[A] {
	e := newEntry(path, api)
	n := table[A]{parts: slices.Clone(t.parts)}
	if len(n.parts) == 0 {
		n.parts = [][]entry[A]{lay[A](nil)}
	}
	at := e.hash >> 32 & uint64(len(n.parts)-1)
	kept := taken(n.parts[at])
	n.size = t.size - len(kept)
	kept = slices.DeleteFunc(kept, func(o entry[A]) bool { return o.is(path) })
	if api != nil {
		kept = append(kept, e)
	}
	n.size += len(kept)
	n.parts[at] = lay(kept)
	if n.size > partSize*len(n.parts) || len(n.parts) > 1 && n.size < partSize/8*len(n.parts) {
		n.spread()
	}
	return n
}

// taken lists the entries of a part.
func taken[A any](part []entry[A]) []entry[A] {
	all := make([]entry[A], 0, len(part))
	for _, e := range part {
		if e.api != nil {
			all = append(all, e)
		}
	}
	return all
}

// lay makes a part of entries that is at most two thirds full.
func lay[A any](entries []entry[A]) []entry[A] {
	size := 2
	for size < len(entries)+len(entries)/2+1 {
		size *= 2
	}
	part := make([]entry[A], size)
	for _, e := range entries {
		i := e.hash & uint64(size-1)
		for part[i].api != nil {
			i = (i + 1) & uint64(size-1)
		}
		part[i] = e
	}
	return part
}

// spread lays all entries out anew in as many parts as they need now.
func (t *table[A]) spread() {
	count := 1
	for count*partSize/2 < t.size {
		count *= 2
	}
	groups := make([][]entry[A], count)
	for _, part := range t.parts {
		for _, e := range taken(part) {
			at := e.hash >> 32 & uint64(count-1)
			groups[at] = append(groups[at], e)
		}
	}
	t.parts = make([][]entry[A], count)
	for i := range groups {
		t.parts[i] = lay(groups[i])
	}
}
