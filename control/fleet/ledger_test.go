package fleet

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse"
	"gatehouse/link"
	"gatehouse/store"
	"gatehouse/store/memory"
)

// A shaky store refuses writes while it is down.
type shaky struct {
	store.DB
	down   bool
	writes int
}

func (s *shaky) Apply(ctx context.Context, b store.Batch) (store.Seq, error) {
	if s.down {
		return 0, gatehouse.E(gatehouse.Unavailable, "the disk is full")
	}
	s.writes++
	return s.DB.Apply(ctx, b)
}

// A node is a fleet that only hands out leases.
func node(db store.DB, nodes int, now *time.Time) *Fleet {
	f := &Fleet{Options: Options{DB: db, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return *now }, Nodes: func() int { return nodes }}}
	f.leases.init(f.Now)
	return f
}

type tester interface {
	Fatal(...any)
	Helper()
	Context() context.Context
}

// asks is Leases of one holder of the environment dev.
func (f *Fleet) asks(t tester, holder string, a link.Lease) link.Grant {
	t.Helper()
	grants, err := f.lease(t.Context(), "dev", holder, []link.Lease{a})
	if err != nil {
		t.Fatal(err)
	}
	return grants[0]
}

var month = link.Lease{Key: "scope\x00pets/demo", Limit: 1000, Calendar: "month"}

// drain uses what is left, by some at a time, and returns how much that was.
func (f *Fleet) drain(t tester, holder string, some int64) int64 {
	t.Helper()
	var all int64
	a := month
	for a.Want = some; ; {
		g := f.asks(t, holder, a)
		if all += g.Tokens; g.Tokens == 0 {
			return all
		}
		a.Used, a.Had = g.Tokens, g.Tokens
	}
}

func TestBudgetOutlivesTheProcess(t *testing.T) {
	for name, end := range map[string]func(*Fleet){
		"stopped": func(f *Fleet) { f.giveBack(context.Background(), true) },
		"killed":  func(*Fleet) {},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Date(2027, 1, 31, 15, 0, 0, 0, time.UTC)
			db := &shaky{DB: memory.New()}
			f := node(db, 1, &now)
			var used int64
			a := month
			for a.Want = 10; used < 400; used += a.Used {
				g := f.asks(t, "edge/1", a)
				a.Used, a.Had = g.Tokens, g.Tokens
			}
			end(f)
			f = node(db, 1, &now)
			g := f.asks(t, "edge/1", a) // goes on where it was
			a.Used, a.Had, a.Want = g.Tokens, g.Tokens, 0
			used += g.Tokens
			f.asks(t, "edge/1", a)
			used += f.drain(t, "edge/1", 10)
			lost := int64(0)
			if name == "killed" {
				lost = month.Limit / portion
			}
			if used > month.Limit || used < month.Limit-lost {
				t.Errorf("%d used in a window of %d, want at most that and at least %d less", used, month.Limit, lost)
			}
			if db.writes > 3*portion {
				t.Errorf("%d writes for one budget", db.writes)
			}
			now = now.Add(24 * time.Hour) // February
			if n := f.drain(t, "edge/1", 10); n != month.Limit {
				t.Errorf("in the next window: %d, want %d", n, month.Limit)
			}
		})
	}
}

// Nodes on one store hand out one budget, whichever of them is asked.
func TestNodesShareABudget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2027, 1, 10, 15, 0, 0, 0, time.UTC)
		db := memory.New()
		nodes := []*Fleet{node(db, 2, &now), node(db, 2, &now)}
		type instance struct{ had, used, prepaid, of int64 }
		all := map[string]*instance{}
		var used int64
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			i := rapid.IntRange(0, 1).Draw(t, "node")
			holder := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "holder") + string(rune('0'+i))
			if rapid.IntRange(0, 9).Draw(t, "killed") == 0 {
				nodes[i] = node(db, 2, &now)
			}
			h := all[holder]
			if h == nil || rapid.IntRange(0, 9).Draw(t, "instance killed") == 0 {
				if h != nil {
					used += h.had - h.used + h.prepaid // at worst, and it is never said
				}
				h = new(instance)
				all[holder] = h
			}
			if rapid.Bool().Draw(t, "moves") { // asks the other node next
				i = 1 - i
			}
			a := month
			a.Had, a.Of, a.Want = h.had, h.of, rapid.Int64Range(0, 200).Draw(t, "want")
			n := rapid.Int64Range(0, h.had-h.used).Draw(t, "used")
			used, h.used = used+n, h.used+n
			ahead := rapid.Int64Range(0, h.had-h.used).Draw(t, "ahead")
			h.used += ahead
			a.Used = h.used
			if h.of != 0 {
				a.Back = rapid.Int64Range(0, h.prepaid).Draw(t, "back")
			}
			h.prepaid += ahead - a.Back
			switch rapid.IntRange(0, 9).Draw(t, "answer") {
			case 0: // lost: nothing may be claimed again
				nodes[i].asks(t, holder, a)
				h.of = 0
			case 1: // not heard
				h.prepaid += a.Back
			default:
				g := nodes[i].asks(t, holder, a)
				h.had, h.used, h.of = g.Tokens, 0, g.Of
			}
		}
		for _, h := range all {
			used += h.had - h.used + h.prepaid // at worst
		}
		if used > month.Limit {
			t.Fatalf("%d granted of %d", used, month.Limit)
		}
	})
}

func TestNodeHearsOfTheOthers(t *testing.T) {
	now := time.Date(2027, 1, 10, 15, 0, 0, 0, time.UTC)
	db := memory.New()
	a, b := node(db, 2, &now), node(db, 2, &now)
	b.asks(t, "edge/2", month) // it knows the budget as untouched
	a.drain(t, "edge/1", 100)
	if n := b.drain(t, "edge/2", 100); n != 0 {
		t.Errorf("the second node gives %d of a budget that is used up", n)
	}
}

func TestGrantsGoOnWithoutTheStore(t *testing.T) {
	now := time.Date(2027, 1, 10, 15, 0, 0, 0, time.UTC)
	db := &shaky{DB: memory.New()}
	f, other := node(db, 2, &now), node(db, 2, &now)
	a := month
	a.Want = 100
	g := f.asks(t, "edge/1", a)
	other.asks(t, "edge/2", a)
	db.down = true
	a.Used, a.Had = g.Tokens, g.Tokens
	total := g.Tokens
	for a.Want = 10; ; {
		if g = f.asks(t, "edge/1", a); g.Tokens == 0 {
			break
		}
		total += g.Tokens
		a.Used, a.Had = g.Tokens, g.Tokens
		now = now.Add(10 * time.Millisecond)
	}
	if total < month.Limit/2 || total > month.Limit/2+100 {
		t.Errorf("one of two nodes without the store gave %d of %d, want its part of what was left", total, month.Limit)
	}
	db.down = false
	now = now.Add(2 * reservePatience)
	f.giveBack(t.Context(), false) // the debt goes on record
	rest := other.drain(t, "edge/2", 100)
	if total+rest > month.Limit {
		t.Errorf("%d and %d given of %d after the store came back", total, rest, month.Limit)
	}
}

func TestOldBudgetsAreDropped(t *testing.T) {
	now := time.Date(2027, 1, 10, 15, 0, 0, 0, time.UTC)
	db := memory.New()
	f := node(db, 1, &now)
	a := month
	a.Want = 1
	f.asks(t, "edge/1", a)
	for _, want := range []int{1, 0} {
		if err := f.dropBudgets(t.Context()); err != nil {
			t.Fatal(err)
		}
		page, err := db.List(t.Context(), store.Query{Kind: kindBudget})
		if err != nil || len(page.Records) != want {
			t.Errorf("%s: %d records, %v; want %d", now, len(page.Records), err, want)
		}
		now = now.AddDate(0, 1, 0)
	}
}

// What one node gives back another hears of and can give.
func TestIdleReservationsGoBack(t *testing.T) {
	now := time.Date(2027, 1, 10, 15, 0, 0, 0, time.UTC)
	db := memory.New()
	a, b := node(db, 2, &now), node(db, 2, &now)
	ask := month
	ask.Want = 1
	b.asks(t, "edge/2", ask) // reserves a portion for one request
	got := a.drain(t, "edge/1", 100)
	if got != month.Limit-month.Limit/portion {
		t.Fatalf("the first node gives %d, want all but the other's portion", got)
	}
	follow(t, b)
	now = now.Add(idleAfter + time.Second)
	b.giveBack(t.Context(), false)
	if n := a.drain(t, "edge/1", 100); n != 0 {
		t.Errorf("before it heard: %d given", n)
	}
	follow(t, a)
	if n := a.drain(t, "edge/1", 100); n != month.Limit/portion-1 {
		t.Errorf("after it heard: %d given, want %d", n, month.Limit/portion-1)
	}
}

// follow lets a node hear of all changes of budgets.
func follow(t *testing.T, f *Fleet) {
	t.Helper()
	changes, _, err := f.DB.Changes(t.Context(), 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	for i := range changes {
		f.hearBudget(&changes[i])
	}
}
