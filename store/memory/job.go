package memory

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"gatehouse/store"
)

// keep puts a job in, one write further.
func (d *db) keep(j store.Job) store.Job {
	j.Rev++
	j.Due, j.Created, j.Value = utc(j.Due), utc(j.Created), slices.Clone(j.Value)
	d.jobs[j.ID] = j
	return j
}

func (d *db) Jobs(ctx context.Context, q store.JobQuery) ([]store.Job, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if err := d.use(ctx, "listing jobs"); err != nil {
		return nil, err
	}
	var out []store.Job
	for _, j := range d.jobs {
		if q.Match(&j) {
			j.Value = slices.Clone(j.Value)
			out = append(out, j)
		}
	}
	slices.SortFunc(out, func(a, b store.Job) int {
		if !q.Due.IsZero() {
			return cmp.Or(a.Due.Compare(b.Due), strings.Compare(a.ID, b.ID))
		}
		return newest(a, b)
	})
	if q.Limit > 0 && len(out) > q.Limit {
		out = out[:q.Limit]
	}
	return out, nil
}

func newest(a, b store.Job) int {
	return cmp.Or(b.Created.Compare(a.Created), strings.Compare(b.ID, a.ID))
}

func (d *db) JobQueues(ctx context.Context) ([]store.JobQueue, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if err := d.use(ctx, "listing queues of jobs"); err != nil {
		return nil, err
	}
	at := map[string]int{}
	var out []store.JobQueue
	for _, j := range d.jobs {
		if j.Due.IsZero() {
			continue
		}
		i, ok := at[j.Queue]
		if !ok {
			i = len(out)
			at[j.Queue] = i
			out = append(out, store.JobQueue{Queue: j.Queue, Next: j.Due})
		}
		out[i].Waiting++
		if j.Due.Before(out[i].Next) {
			out[i].Next = j.Due
		}
	}
	slices.SortFunc(out, func(a, b store.JobQueue) int { return strings.Compare(a.Queue, b.Queue) })
	return out, nil
}

func (d *db) SetJobs(ctx context.Context, jobs ...store.Job) ([]store.Job, error) {
	if err := store.CheckJobs(jobs); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.use(ctx, "writing jobs"); err != nil {
		return nil, err
	}
	var out []store.Job
	for _, j := range jobs {
		if have, ok := d.jobs[j.ID]; ok && have.Rev == j.Rev {
			out = append(out, d.keep(j))
		}
	}
	return out, nil
}

func (d *db) DropJobs(ctx context.Context, drop store.JobDrop) (int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.use(ctx, "dropping jobs"); err != nil {
		return 0, err
	}
	var resting []store.Job
	for _, j := range d.jobs {
		if j.Due.IsZero() {
			resting = append(resting, j)
		}
	}
	slices.SortFunc(resting, newest)
	rank := map[string]int{}
	var gone int64
	for _, j := range resting {
		rank[j.Queue]++
		if (j.Created.Before(drop.Before) || drop.Keep > 0 && rank[j.Queue] > drop.Keep) && gone < int64(drop.Limit) {
			delete(d.jobs, j.ID)
			gone++
		}
	}
	return gone, nil
}

// utc is t as a database keeps it: in UTC, to the microsecond.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}
