// Package memory keeps a store in memory: for tests, and for trying things out.
//
// It passes the same contract as the databases but for outliving the process.
// It copies what comes in and what goes out, so that nobody shares a byte.
package memory

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/store"
)

// New returns an empty store.
func New() store.DB {
	return &db{
		live: map[string]*state{}, history: map[string][]*state{}, kinds: map[string]keys{}, entries: map[entry]keys{},
		usage: map[store.UsageKey]*store.UsageRow{}, taken: map[batch]bool{}, jobs: map[string]store.Job{}, moved: make(chan struct{}),
	}
}

type (
	keys  map[string]struct{}
	entry struct{ kind, name, value string }
	batch struct {
		spool  string
		number int64
	}
	// A state is a record as one batch left it. It never changes.
	state struct {
		store.Record
		deleted bool
		index   map[string]string
	}
)

type db struct {
	mu      sync.RWMutex // guards all below
	head    store.Head
	times   []time.Time // of batch i+1
	log     [][]*state  // what batch i+1 wrote, by key
	live    map[string]*state
	history map[string][]*state // oldest first
	kinds   map[string]keys
	entries map[entry]keys
	events  []event
	usage   map[store.UsageKey]*store.UsageRow
	taken   map[batch]bool
	jobs    map[string]store.Job
	moved   chan struct{} // closed when the head moves
	closed  bool
}

// use answers why the store cannot be used now.
func (d *db) use(ctx context.Context, doing string) error {
	if err := ctx.Err(); err != nil {
		return gatehouse.E(gatehouse.Unavailable, "%s: %w", doing, err)
	}
	if d.closed {
		return gatehouse.E(gatehouse.Unavailable, "%s: the store is closed", doing)
	}
	return nil
}

func (d *db) Apply(ctx context.Context, b store.Batch) (store.Seq, error) {
	if err := b.Check(); err != nil {
		return 0, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.use(ctx, "writing"); err != nil {
		return 0, err
	}
	if b.Empty() {
		return d.head.Seq, nil
	}
	if err := d.expect(b); err != nil {
		return 0, err
	}
	for i := range b.Jobs {
		if j := &b.Jobs[i]; d.jobs[j.ID].Rev != j.Rev {
			return 0, j.Moved()
		}
	}
	head := d.head
	head.Seq++
	events, err := seal(b.Events, &head)
	if err != nil {
		return 0, err
	}
	d.write(b, head.Seq)
	d.events = append(d.events, events...)
	d.count(b.Usage)
	for _, j := range b.Jobs {
		d.keep(j)
	}
	d.head = head
	close(d.moved)
	d.moved = make(chan struct{})
	return head.Seq, nil
}

// expect refuses a batch that another one overtook.
func (d *db) expect(b store.Batch) error {
	if u := b.Usage; u != nil && d.taken[batch{u.Spool, u.Number}] {
		return u.Taken()
	}
	for _, w := range b.Writes {
		var rev store.Seq
		if r := d.live[w.Key]; r != nil {
			rev = r.Rev
		}
		if err := w.Meets(rev); err != nil {
			return err
		}
	}
	return nil
}

func (d *db) write(b store.Batch, seq store.Seq) {
	var last time.Time
	if n := len(d.times); n > 0 {
		last = d.times[n-1]
	}
	now := store.Stamp(time.Now(), last)
	var wrote []*state
	for _, w := range b.Writes {
		old := d.live[w.Key]
		if w.Value == nil && old == nil {
			continue
		}
		s := &state{Record: store.Record{Key: w.Key, Kind: w.Kind, Value: slices.Clone(w.Value), Rev: seq, Time: now},
			deleted: w.Value == nil, index: w.Entries()}
		if s.deleted {
			s.Kind = old.Kind
		}
		d.unlist(old)
		d.list(s)
		d.history[w.Key] = append(d.history[w.Key], s)
		wrote = append(wrote, s)
	}
	slices.SortFunc(wrote, func(a, b *state) int { return strings.Compare(a.Key, b.Key) })
	d.times, d.log = append(d.times, now), append(d.log, wrote)
}

func (d *db) unlist(s *state) {
	if s == nil {
		return
	}
	delete(d.live, s.Key)
	delete(d.kinds[s.Kind], s.Key)
	for name, value := range s.index {
		e := entry{s.Kind, name, value}
		if delete(d.entries[e], s.Key); len(d.entries[e]) == 0 {
			delete(d.entries, e)
		}
	}
}

func (d *db) list(s *state) {
	if s.deleted {
		return
	}
	d.live[s.Key] = s
	add(d.kinds, s.Kind, s.Key)
	for name, value := range s.index {
		add(d.entries, entry{s.Kind, name, value}, s.Key)
	}
}

func add[K comparable](m map[K]keys, k K, key string) {
	if m[k] == nil {
		m[k] = keys{}
	}
	m[k][key] = struct{}{}
}

func (d *db) count(u *store.Usage) {
	if u == nil {
		return
	}
	d.taken[batch{u.Spool, u.Number}] = true
	for _, row := range u.Merged() {
		if sum := d.usage[row.Key()]; sum != nil {
			sum.Add(row)
		} else {
			d.usage[row.Key()] = row
		}
	}
}

func (d *db) Usage(ctx context.Context, q store.UsageQuery) ([]store.UsageRow, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	if err := d.use(ctx, "summing usage"); err != nil {
		return nil, err
	}
	sums := map[store.UsageKey]*store.UsageRow{}
	for k, row := range d.usage {
		if !q.Match(k) {
			continue
		}
		only := k.Only(q.By)
		if sums[only] == nil {
			sums[only] = only.Row()
		}
		counted := *row
		if !q.Bins {
			counted.Bins = nil
		}
		sums[only].Add(&counted)
	}
	if err := q.Full(len(sums)); err != nil {
		return nil, err
	}
	return q.Sorted(slices.Collect(maps.Values(sums))), nil
}

func (d *db) Head(ctx context.Context) (store.Head, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.head, d.use(ctx, "reading the head")
}

func (d *db) Wait(ctx context.Context, seq store.Seq) error {
	for {
		d.mu.RLock()
		head, moved, err := d.head.Seq, d.moved, d.use(ctx, "waiting for changes")
		d.mu.RUnlock()
		if err != nil || head > seq {
			return err
		}
		select {
		case <-moved:
		case <-ctx.Done():
		}
	}
}

func (d *db) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed {
		d.closed = true
		close(d.moved)
	}
	return nil
}
