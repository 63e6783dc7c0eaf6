package notify

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"gatehouse"
	"gatehouse/store"
)

// A pickyStore counts writes of jobs, refuses any with a poisoned one, and is
// away for the first few.
type pickyStore struct {
	store.DB
	mu     sync.Mutex
	writes int
	away   int
	began  chan struct{} // closed when the first write is under way
	hold   chan struct{} // which waits for this
	held   sync.Once
}

func (p *pickyStore) SetJobs(ctx context.Context, jobs ...store.Job) ([]store.Job, error) {
	p.held.Do(func() { close(p.began); <-p.hold })
	p.mu.Lock()
	p.writes++
	p.away--
	away := p.away >= 0
	p.mu.Unlock()
	if away {
		return nil, gatehouse.E(gatehouse.Unavailable, "the store is away")
	}
	for _, j := range jobs {
		if strings.HasPrefix(j.ID, "poison") {
			return nil, gatehouse.E(gatehouse.Invalid, "not this one")
		}
	}
	return p.DB.SetJobs(ctx, jobs...)
}

// TestKeepTogether holds that what comes while a write is under way is written
// together, each once, and that one that the store refuses harms no other.
func TestKeepTogether(t *testing.T) {
	s := newSite(t)
	const many = 150
	var jobs []store.Job
	for i := range many {
		id := fmt.Sprintf("job%d", i)
		if i%50 == 7 {
			id = fmt.Sprintf("poison%d", i)
		}
		jobs = append(jobs, store.Job{ID: id, Queue: "webhook/ops", State: Waiting, Due: s.clock(), Created: s.clock(), Value: []byte(`{}`)})
	}
	if _, err := s.db.Apply(t.Context(), store.Batch{Jobs: jobs}); err != nil {
		t.Fatal(err)
	}
	p := &pickyStore{DB: s.db, began: make(chan struct{}), hold: make(chan struct{}), away: 1}
	n := s.node()
	n.DB = p
	errs := make([]error, many)
	var wg sync.WaitGroup
	keep := func(i int) {
		wg.Go(func() {
			j := jobs[i]
			j.Rev, j.State = 1, Delivered
			errs[i] = n.keep(t.Context(), j)
		})
	}
	keep(0)
	<-p.began
	for i := range many - 1 {
		keep(i + 1)
	}
	until(t, "all wait behind the first", func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return len(n.keeper.waiting) == many-1
	})
	close(p.hold)
	wg.Wait()
	for i, err := range errs {
		if poison := strings.HasPrefix(jobs[i].ID, "poison"); poison != (err != nil) {
			t.Errorf("%s: %v", jobs[i].ID, err)
		}
	}
	kept, err := s.db.Jobs(t.Context(), store.JobQuery{State: Delivered})
	if err != nil || len(kept) != many-3 {
		t.Errorf("%d are kept, %v; want %d", len(kept), err, many-3)
	}
	for _, j := range kept {
		if j.Rev != 2 {
			t.Errorf("%s was written %d times", j.ID, j.Rev-1)
		}
	}
	if n.keeper.writing || len(n.keeper.waiting) > 0 {
		t.Errorf("afterwards: %+v", n.keeper)
	}
	// One alone, one that failed first, three bundles, and those that had a poisoned
	// one in them one by one.
	if p.writes > 2+3+3*keepMost {
		t.Errorf("%d writes", p.writes)
	}
}
