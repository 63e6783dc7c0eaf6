package limit

import (
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"
)

// shards of a table; a power of two.
const shards = 64

// A table finds cells by name. Reading takes no lock: a shard is an open-addressed
// array of pointers that only ever changes from nil or a tombstone to a cell and
// from a cell to a tombstone, and that is replaced whole to grow.
type table struct {
	seed   maphash.Seed
	shards [shards]shard
}

type shard struct {
	slots atomic.Pointer[[]atomic.Pointer[cell]]
	mu    sync.Mutex // guards writing: all below and every change of slots
	live  int        // cells
	taken int        // cells and tombstones
	cap   int
	hand  int // where the search for a cell to forget goes on
}

// tombstone stands where a cell was, so that probing goes on behind it.
var tombstone = new(cell)

const firstSlots = 16

func (t *table) init(maxKeys int) {
	t.seed = maphash.MakeSeed()
	for i := range t.shards {
		s := &t.shards[i]
		s.cap = max(1, maxKeys/shards)
		slots := make([]atomic.Pointer[cell], firstSlots)
		s.slots.Store(&slots)
	}
}

// max is the most cells that the table holds.
func (t *table) max() int { return t.shards[0].cap * shards }

func (t *table) len() int {
	n := 0
	for i := range t.shards {
		t.shards[i].mu.Lock()
		n += t.shards[i].live
		t.shards[i].mu.Unlock()
	}
	return n
}

// cell returns the counter of that name, made if there is none.
func (t *table) cell(scope, key string, k kind, per, now int64) *cell {
	h := maphash.String(t.seed, key) ^ maphash.String(t.seed, scope)*0x9e3779b97f4a7c15
	h ^= h >> 29
	s := &t.shards[h%shards]
	if c := find(*s.slots.Load(), h, scope, key, k, per); c != nil {
		return c
	}
	return s.add(h, scope, key, k, per, now)
}

func find(slots []atomic.Pointer[cell], h uint64, scope, key string, k kind, per int64) *cell {
	mask := uint64(len(slots) - 1)
	for i := h / shards; ; i++ {
		c := slots[i&mask].Load()
		if c == nil {
			return nil
		}
		if c.hash == h && c.key == key && c.scope == scope && c.kind == k && c.per == per {
			return c
		}
	}
}

// add makes the counter unless another goroutine just has.
func (s *shard) add(h uint64, scope, key string, k kind, per, now int64) *cell {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := find(*s.slots.Load(), h, scope, key, k, per); c != nil {
		return c
	}
	// The key may lie in a request's buffer; the scope is a step's own.
	c := &cell{hash: h, scope: scope, key: strings.Clone(key), kind: k, per: per}
	if s.live >= s.cap {
		s.forget(now)
	}
	if n := len(*s.slots.Load()); (s.taken+1)*4 > n*3 {
		s.rebuild(now)
	}
	s.put(*s.slots.Load(), c)
	return c
}

func (s *shard) put(slots []atomic.Pointer[cell], c *cell) {
	mask := uint64(len(slots) - 1)
	for i := c.hash / shards; ; i++ {
		switch slots[i&mask].Load() {
		case nil:
			s.taken++
		case tombstone:
		default:
			continue
		}
		slots[i&mask].Store(c)
		s.live++
		return
	}
}

// rebuild copies what is in use into a table with room.
func (s *shard) rebuild(now int64) {
	var kept []*cell
	old := *s.slots.Load()
	for i := range old {
		if c := old[i].Load(); c != nil && c != tombstone && c.used(now) > 0 {
			kept = append(kept, c)
		}
	}
	n := firstSlots
	for n*3 < (len(kept)+1)*4*2 { // at most half of what makes it grow
		n *= 2
	}
	slots := make([]atomic.Pointer[cell], n)
	s.live, s.taken = 0, 0
	for _, c := range kept {
		s.put(slots, c)
	}
	s.slots.Store(&slots)
}

// forget makes room for one: of the next cells it looks at, it drops the first
// that is not in use, or the one that is used least.
func (s *shard) forget(now int64) {
	slots := *s.slots.Load()
	least, at := int64(-1), 0
	for seen, i := 0, 0; seen < 16 && i < len(slots); i++ {
		s.hand = (s.hand + 1) % len(slots)
		c := slots[s.hand].Load()
		if c == nil || c == tombstone {
			continue
		}
		seen++
		if u := c.used(now); least < 0 || u < least {
			least, at = u, s.hand
		}
		if least == 0 {
			break
		}
	}
	if least >= 0 {
		slots[at].Store(tombstone)
		s.live--
	}
}

// each yields every cell.
func (t *table) each(yield func(*cell) bool) {
	for i := range t.shards {
		slots := *t.shards[i].slots.Load()
		for j := range slots {
			if c := slots[j].Load(); c != nil && c != tombstone && !yield(c) {
				return
			}
		}
	}
}
