package fleet

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/jsonx"
	"gatehouse/link"
	"gatehouse/store"
)

const (
	kindBudget = "Budget"
	// portion of a budget is what a node reserves at least when it needs any.
	portion = 32
	// reservePatience bounds a reservation; after one that failed the store is
	// left alone for as long.
	reservePatience = time.Second
	// idleAfter is when a node gives back what it reserved and nobody uses, if
	// the budget is all reserved.
	idleAfter = 10 * time.Second
)

// A ledger keeps budgets of calendar windows in the store, so that they outlast
// restarts and all control-plane nodes share them.
//
// A node reserves before it grants: a portion of the limit, or more when more is
// asked for at once, by compare-and-swap. Nodes can therefore never grant more
// than the limit together, and a budget costs some portion*2 writes in its window,
// however many requests there are; what instances return beyond a portion goes
// back to the store. A node that is killed takes with it at most limit/portion and
// the grants whose answers were under way, each an eighth of what was left: what
// instances hold they return to whichever node they ask next. An instance that is
// killed takes what it held.
//
// While the store cannot be written, a node grants on from memory: what it has
// reserved, and its even part of what nobody had reserved when it last read. With
// n nodes of Options.Nodes that is no more than the limit, but for reservations of
// other nodes that it had not heard of: those may pass twice. It puts its debt on
// record as soon as it can, unless it is killed before: then that may pass again.
type ledger struct {
	one    sync.Mutex // held while reserving
	closed time.Time  // the store is left alone until then; guarded by leases.mu
}

// An account is this node's view of one budget in the store. Guarded by leases.mu.
type account struct {
	name   string // key of the record
	limit  int64
	opened bool  // was read
	over   bool  // another node is in the next window already
	own    int64 // reserved by this node
	taken  int64 // reserved by all, when last read or written
	rev    store.Seq
}

// entry is the record, under "Budget/<environment>/<hash>": what is counted by
// may be personal and stays out of the store.
type entry struct {
	To    time.Time `json:"to"` // end of the window
	Taken int64     `json:"taken"`
}

func durable(a *link.Lease) bool { return a.Calendar != "" }

func newAccount(k leaseKey) *account {
	sum := sha256.Sum256([]byte(k.key))
	return &account{name: kindBudget + "/" + k.env + "/" + hex.EncodeToString(sum[:16])}
}

// free is what nobody has reserved.
func (a *account) free() int64 {
	if a.over {
		return 0
	}
	return max(0, a.limit-a.taken)
}

// left is what this node may still grant, and what all nodes may as far as it knows.
func (a *account) left(out, nodes int64, closed bool) (here, all int64) {
	here, all = a.own-out, a.own-out+a.free()
	if closed {
		here += a.free() / nodes
	}
	return here, all
}

// saw takes in a record of the window that ends at to.
func (a *account) saw(value []byte, rev store.Seq, to time.Time) {
	var e entry
	if value == nil || json.Unmarshal(value, &e) != nil || e.To.Before(to) {
		e.Taken = 0 // no record, or of the window before
	}
	a.over = e.To.After(to)
	a.taken, a.rev = e.Taken, rev
}

// hearBudget takes a change that this or another node made.
func (f *Fleet) hearBudget(c *store.Change) {
	f.leases.mu.Lock()
	defer f.leases.mu.Unlock()
	b := f.leases.stored[c.Key]
	if b != nil && b.account.opened && c.Seq > b.account.rev && !c.Deleted {
		b.account.saw(c.Value, c.Seq, b.to)
	}
}

// inherit takes over what another process had reserved.
func (a *account) inherit(n int64) {
	if !a.over {
		a.own += max(0, min(n, a.taken-a.own))
	}
}

func eighth(left int64) int64 { return (max(0, left) + 7) / 8 }

// needs is what the node should reserve so that it can grant want, or pay its
// debt; below zero what it should give back.
func (a *account) needs(out, want int64) int64 {
	short := out - a.own // below zero: there is some
	if a.over {
		return 0
	}
	free := a.free()
	if short += min(want, eighth(free-short)); short < -a.limit/portion {
		return short + a.limit/portion/2
	}
	if short <= 0 {
		return 0
	}
	debt := max(0, out-a.own) // is put on record even beyond the limit
	return max(debt, min(free, max(short, a.limit/portion)))
}

// open finds the budgets, those that this process does not know yet in the store.
func (f *Fleet) open(ctx context.Context, env string, asked []link.Lease, now time.Time) ([]*budget, error) {
	l := &f.leases
	l.mu.Lock()
	l.sweep(now)
	budgets := make([]*budget, len(asked))
	var unknown []*budget
	for i := range asked {
		budgets[i] = l.budget(leaseKey{env, asked[i].Key}, &asked[i], now)
		if b := budgets[i]; b != nil && b.account != nil && !b.account.opened {
			unknown = append(unknown, b)
		}
	}
	l.mu.Unlock()
	return budgets, f.read(ctx, unknown)
}

// read brings accounts up to date with the store.
func (f *Fleet) read(ctx context.Context, budgets []*budget) error {
	if len(budgets) == 0 {
		return nil
	}
	keys := make([]string, len(budgets))
	for i, b := range budgets {
		keys[i] = b.account.name
	}
	ctx, cancel := context.WithTimeout(ctx, reservePatience)
	defer cancel()
	records, err := f.DB.GetMany(ctx, keys)
	if err != nil {
		return err
	}
	f.leases.mu.Lock()
	defer f.leases.mu.Unlock()
	for i, b := range budgets {
		r := records[keys[i]]
		if !b.account.opened || r.Rev >= b.account.rev {
			b.account.saw(r.Value, r.Rev, b.to)
			b.account.opened = true
		}
	}
	return nil
}

// reserve takes from the store what the budgets lack to grant what is asked. When
// it cannot, the grants that follow are smaller.
func (f *Fleet) reserve(ctx context.Context, asked []link.Lease, budgets []*budget) {
	wants := make(map[*budget]int64, len(budgets))
	for i, b := range budgets {
		if b != nil && b.account != nil {
			wants[b] += asked[i].Want
		}
	}
	f.settle(ctx, wants, (*account).needs)
}

// settle changes what this node has reserved of the budgets by what need says.
func (f *Fleet) settle(ctx context.Context, wants map[*budget]int64, need func(a *account, out, want int64) int64) {
	l := &f.leases
	if !l.anyNeeds(wants, need) {
		return
	}
	l.ledger.one.Lock()
	defer l.ledger.one.Unlock()
	ctx, cancel := context.WithTimeout(ctx, reservePatience)
	defer cancel()
	var err error
	for range 8 {
		if err = f.settleOnce(ctx, wants, need); !gatehouse.Is(err, gatehouse.Conflict) {
			break
		}
		var stale []*budget
		for b := range wants {
			stale = append(stale, b)
		}
		if err = f.read(ctx, stale); err != nil { // another node was faster
			break
		}
	}
	if err != nil && ctx.Err() != context.Canceled {
		l.mu.Lock()
		if !gatehouse.Is(err, gatehouse.Conflict) {
			l.ledger.closed = l.now().Add(reservePatience)
		}
		l.mu.Unlock()
		f.Log.Warn("shared limits: the store takes no reservations now", "error", err)
	}
}

func (l *leases) anyNeeds(wants map[*budget]int64, need func(a *account, out, want int64) int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now().Before(l.ledger.closed) {
		return false
	}
	for b, want := range wants {
		if need(b.account, b.out(), want) != 0 {
			return true
		}
	}
	return false
}

func (f *Fleet) settleOnce(ctx context.Context, wants map[*budget]int64, need func(a *account, out, want int64) int64) error {
	l := &f.leases
	var batch store.Batch
	type change struct{ more, taken int64 }
	changes := map[*budget]change{}
	l.mu.Lock()
	for b, want := range wants {
		a := b.account
		n := need(a, b.out(), want)
		if n == 0 {
			continue
		}
		value, err := jsonx.Marshal(entry{To: b.to, Taken: max(0, a.taken+n)})
		if err != nil {
			l.mu.Unlock()
			return err
		}
		changes[b] = change{n, max(0, a.taken+n)}
		batch.Writes = append(batch.Writes, store.Write{Key: a.name, Kind: kindBudget, Value: value, Expect: a.rev,
			Index: map[string]string{"to": b.to.Format(time.RFC3339)}})
	}
	l.mu.Unlock()
	if len(batch.Writes) == 0 {
		return nil
	}
	seq, err := f.DB.Apply(ctx, batch)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for b, c := range changes {
		b.account.own += c.more
		if seq > b.account.rev { // else it was heard of, or even of what came after
			b.account.taken, b.account.rev = c.taken, seq
		}
	}
	return nil
}
