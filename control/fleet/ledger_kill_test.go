package fleet

import (
	"testing"
	"time"

	"gatehouse/link"
	"gatehouse/store/memory"
)

// What instances hold when the node they had it from is killed comes back with
// their next question, once.
func TestKilledNodeLosesNoLeases(t *testing.T) {
	now := time.Date(2027, 1, 10, 15, 0, 0, 0, time.UTC)
	small := month
	small.Limit = 20
	db := memory.New()
	f := node(db, 1, &now)
	ask := small
	ask.Want = 10
	one, two := f.asks(t, "edge/1", ask), f.asks(t, "edge/2", ask)
	if one.Tokens != 3 || two.Tokens != 3 {
		t.Fatalf("%d and %d granted of 20, want an eighth of what is left each", one.Tokens, two.Tokens)
	}
	f = node(db, 1, &now) // the one before was killed
	back := small
	back.Had, back.Of, back.Used = one.Tokens, one.Of, 1
	f.asks(t, "edge/1", back)
	back.Had, back.Of, back.Used, back.Back = two.Tokens, two.Of, 3, 2 // one used, two counted ahead
	g := f.asks(t, "edge/2", back)
	if g.Remaining != 18 {
		t.Errorf("%d are left when 2 of 20 were used, want 18", g.Remaining)
	}
	back.Back, back.Used = 0, 0 // asked again, the answer was lost: it has no window now
	back.Of = 0
	if g = f.asks(t, "edge/2", back); g.Remaining != 18 {
		t.Errorf("%d are left after the question was put again, want 18", g.Remaining)
	}
	f = node(db, 1, &now)
	if n := drainOf(t, f, small); n != 18 {
		t.Errorf("another kill when nothing was held: %d are left, want 18", n)
	}
}

// A claim of a window that is over, or of more than was ever taken, brings nothing.
func TestClaimsAreBounded(t *testing.T) {
	now := time.Date(2027, 1, 31, 15, 0, 0, 0, time.UTC)
	small := month
	small.Limit = 20
	db := memory.New()
	f := node(db, 1, &now)
	ask := small
	ask.Want = 10
	g := f.asks(t, "edge/1", ask)
	f = node(db, 1, &now)
	lie := small
	lie.Had, lie.Back, lie.Of = 1_000_000, 1_000_000, g.Of
	if g := f.asks(t, "edge/1", lie); g.Remaining > 20 {
		t.Errorf("%d are left of 20", g.Remaining)
	}
	now = now.Add(24 * time.Hour) // February
	f.asks(t, "edge/1", ask)
	f = node(db, 1, &now)
	late := small
	late.Had, late.Of = g.Tokens, g.Of
	if g := f.asks(t, "edge/1", late); g.Remaining != 20-3 {
		t.Errorf("%d are left in February, want 17: what was held in January is no claim on it", g.Remaining)
	}
}

// drainOf uses what is left of a budget, one at a time.
func drainOf(t *testing.T, f *Fleet, a link.Lease) (all int64) {
	t.Helper()
	for a.Want = 1; ; {
		g := f.asks(t, "edge/3", a)
		if all += g.Tokens; g.Tokens == 0 {
			return all
		}
		a.Used, a.Had, a.Of = g.Tokens, g.Tokens, g.Of
	}
}
