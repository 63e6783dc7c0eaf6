package fleet

import (
	"context"
	"encoding/json"
	"time"

	"gatehouse"
	"gatehouse/store"
)

// keepLedger gives back what lies idle, pays debts, and drops records of windows
// that are over. At the end all that is not out goes back.
func (f *Fleet) keepLedger(ctx context.Context) {
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), reservePatience)
			defer cancel()
			f.giveBack(last, true)
			return
		case <-t.C:
		}
		f.giveBack(ctx, false)
		if err := f.dropBudgets(ctx); err != nil && !gatehouse.Is(err, gatehouse.Conflict) && ctx.Err() == nil {
			f.Log.Error("dropping budgets of windows that are over", "error", err)
		}
	}
}

// giveBack returns what this node has reserved beyond what is out: at the end of
// all budgets, else of those that are reserved to the last and were not asked for
// lately. Debts are put on record.
func (f *Fleet) giveBack(ctx context.Context, end bool) {
	l := &f.leases
	now := l.now()
	wants := map[*budget]int64{}
	l.mu.Lock()
	for _, b := range l.all {
		if b.account == nil || !b.account.opened || !now.Before(b.to) {
			continue
		}
		idle := b.account.taken >= b.account.limit && now.Sub(b.touched) > idleAfter
		if end || idle || b.out() > b.account.own {
			wants[b] = 0
		}
		if len(wants) == maxGiveBack && !end {
			break
		}
	}
	l.mu.Unlock()
	f.settle(ctx, wants, func(a *account, out, _ int64) int64 {
		if a.over {
			return 0
		}
		return out - a.own
	})
}

// maxGiveBack bounds one batch; the rest has its turn later.
const maxGiveBack = 1000

// dropBudgets deletes records whose window is over, some at a time. They are kept
// a little longer: clocks of nodes differ.
func (f *Fleet) dropBudgets(ctx context.Context) error {
	page, err := f.DB.List(ctx, store.Query{Kind: kindBudget, Sort: "to", Limit: maxGiveBack})
	if err != nil {
		return err
	}
	var b store.Batch
	for _, r := range page.Records {
		var e entry
		if json.Unmarshal(r.Value, &e) == nil && f.Now().Sub(e.To) < time.Minute {
			break
		}
		b.Writes = append(b.Writes, store.Write{Key: r.Key, Kind: kindBudget, Expect: r.Rev})
	}
	if len(b.Writes) == 0 {
		return nil
	}
	_, err = f.DB.Apply(ctx, b)
	return err
}
