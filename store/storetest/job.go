package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/store"

	"github.com/google/go-cmp/cmp"
)

// job is a new job of a queue, due some minutes after hour; a negative number
// rests.
func job(id, queue string, minutes int) store.Job {
	j := store.Job{ID: id, Queue: queue, Group: "payments", State: "waiting", Created: hour, Value: []byte(`{"id":"` + id + `"}`)}
	if minutes >= 0 {
		j.Due = hour.Add(time.Duration(minutes) * time.Minute)
	} else {
		j.State = "done"
	}
	return j
}

func idsOf(list []store.Job) (ids []string) {
	for _, j := range list {
		ids = append(ids, j.ID)
	}
	return ids
}

func jobs(t *testing.T, db store.DB) {
	late := job("e", "r2", -1)
	late.Created, late.Group = hour.Add(time.Second), ""
	seq := apply(t, db, store.Batch{Jobs: []store.Job{job("a", "r1", 5), job("b", "r1", 1), job("c", "r2", 3), job("d", "r1", -1), late}})
	for _, tt := range []struct {
		name string
		q    store.JobQuery
		want []string
	}{
		{"all, newest first", store.JobQuery{}, []string{"e", "d", "c", "b", "a"}},
		{"a queue", store.JobQuery{Queue: "r1"}, []string{"d", "b", "a"}},
		{"a group and state", store.JobQuery{Group: "payments", State: "done"}, []string{"d"}},
		{"one", store.JobQuery{ID: "c"}, []string{"c"}},
		{"due, longest first", store.JobQuery{Due: hour.Add(4 * time.Minute)}, []string{"b", "c"}},
		{"due at the moment", store.JobQuery{Due: hour.Add(5 * time.Minute), Queue: "r1"}, []string{"b", "a"}},
		{"due, few", store.JobQuery{Due: hour.Add(time.Hour), Limit: 1}, []string{"b"}},
		{"behind", store.JobQuery{After: store.JobCursor{Created: hour, ID: "d"}, Limit: 2}, []string{"c", "b"}},
		{"none", store.JobQuery{Queue: "' OR ''='"}, nil},
	} {
		got, err := db.Jobs(t.Context(), tt.q)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if diff := cmp.Diff(tt.want, idsOf(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	queues, err := db.JobQueues(t.Context())
	wantQueues := []store.JobQueue{{Queue: "r1", Waiting: 2, Next: hour.Add(time.Minute)}, {Queue: "r2", Waiting: 1, Next: hour.Add(3 * time.Minute)}}
	if diff := cmp.Diff(wantQueues, queues); err != nil || diff != "" {
		t.Errorf("queues: %v (-want +got):\n%s", err, diff)
	}
	b, err := db.Jobs(t.Context(), store.JobQuery{ID: "b"})
	if err != nil || len(b) != 1 {
		t.Fatalf("reading b: %v, %v", b, err)
	}
	wantB := job("b", "r1", 1)
	wantB.Rev = 1
	if diff := cmp.Diff(wantB, b[0]); diff != "" {
		t.Errorf("b (-want +got):\n%s", diff)
	}
	next, stale := b[0], b[0]
	next.State, next.Due, stale.Rev = "done", time.Time{}, 7
	got, err := db.SetJobs(t.Context(), next, job("new", "r1", 1))
	if err != nil || len(got) != 1 || got[0].Rev != 2 || got[0].ID != "b" {
		t.Errorf("SetJobs: got %+v, %v; want b alone, at 2", got, err)
	}
	if got, err := db.SetJobs(t.Context(), stale, b[0]); err == nil && len(got) > 0 {
		t.Errorf("SetJobs of what moved on: got %+v", got)
	}
	if head, err := db.Head(t.Context()); err != nil || head.Seq != seq {
		t.Errorf("head after SetJobs: got %d, want %d, %v", head.Seq, seq, err)
	}
	if due, err := db.Jobs(t.Context(), store.JobQuery{Due: hour.Add(time.Hour), Queue: "r1"}); err != nil || len(due) != 1 || due[0].ID != "a" {
		t.Errorf("due after b was done: got %v, %v", idsOf(due), err)
	}
}

func jobsWithABatch(t *testing.T, db store.DB) {
	seq := apply(t, db, store.Batch{Writes: []store.Write{put("Thing/cursor", store.Absent)}, Jobs: []store.Job{job("a", "r1", 1)}})
	changed := job("a", "r1", -1)
	changed.Rev = 1
	gone := job("gone", "r1", 1)
	gone.Rev = 3
	for name, b := range map[string]store.Batch{
		"made twice":      {Writes: []store.Write{put("Thing/x", store.Any)}, Jobs: []store.Job{job("n", "r1", 1), job("a", "r1", 1)}},
		"not there":       {Writes: []store.Write{put("Thing/x", store.Any)}, Jobs: []store.Job{changed, gone}},
		"cursor moved on": {Writes: []store.Write{put("Thing/cursor", store.Absent)}, Jobs: []store.Job{job("n", "r1", 1), changed}},
	} {
		b.Events = []*gatehouse.Event{event("job")}
		_, err := db.Apply(t.Context(), b)
		want(t, name, err, gatehouse.Conflict)
	}
	for name, b := range map[string][]store.Job{"no queue": {job("x", "", 1)}, "no value": {{ID: "x", Queue: "q", State: "s", Created: hour}}, "twice": {job("x", "q", 1), job("x", "q", 1)}} {
		_, err := db.Apply(t.Context(), store.Batch{Jobs: b})
		want(t, name, err, gatehouse.Invalid)
	}
	if list, err := db.Jobs(t.Context(), store.JobQuery{}); err != nil || len(list) != 1 || list[0].State != "waiting" {
		t.Errorf("after refused batches: got %+v, %v; want a as it was", list, err)
	}
	if _, err := db.Get(t.Context(), "Thing/x"); !gatehouse.Is(err, gatehouse.NotFound) {
		t.Errorf("a refused batch left a record: %v", err)
	}
	if got := apply(t, db, store.Batch{Jobs: []store.Job{changed, job("n", "r1", 1)}}); got != seq+1 {
		t.Errorf("a batch of jobs: got number %d, want %d", got, seq+1)
	}
	if list, err := db.Jobs(t.Context(), store.JobQuery{State: "done"}); err != nil || len(list) != 1 || list[0].Rev != 2 {
		t.Errorf("changed with a batch: got %+v, %v", list, err)
	}
	Verify(t, db)
}

// Of many who claim the same jobs each is claimed once.
func jobsAtOnce(t *testing.T, db store.DB) {
	const n, workers = 40, 4
	var made []store.Job
	for i := range n {
		made = append(made, job(fmt.Sprintf("j%02d", i), "r1", 1))
	}
	apply(t, db, store.Batch{Jobs: made})
	var mu sync.Mutex
	claims := map[string]int{}
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				due, err := db.Jobs(t.Context(), store.JobQuery{Due: hour.Add(time.Hour), Limit: 7})
				if err != nil {
					t.Errorf("looking: %v", err)
					return
				}
				if len(due) == 0 {
					return
				}
				for i := range due {
					due[i].Due = hour.Add(2 * time.Hour)
				}
				mine, err := db.SetJobs(t.Context(), due...)
				if err != nil && !gatehouse.Is(err, gatehouse.Unavailable) {
					t.Errorf("claiming: %v", err)
					return
				}
				mu.Lock()
				for _, j := range mine {
					claims[j.ID]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for _, j := range made {
		if claims[j.ID] != 1 {
			t.Errorf("job %s was claimed %d times", j.ID, claims[j.ID])
		}
	}
}

func jobsDropped(t *testing.T, db store.DB) {
	var made []store.Job
	for i := range 10 {
		j := job(fmt.Sprintf("j%d", i), "r1", -1)
		j.Created = hour.Add(time.Duration(i) * time.Minute)
		made = append(made, j)
	}
	made = append(made, job("waits", "r1", 1), job("other", "r2", -1))
	made[10].Created = hour.Add(-time.Hour)
	apply(t, db, store.Batch{Jobs: made})
	for _, tt := range []struct {
		drop store.JobDrop
		gone int64
		left int
	}{
		{store.JobDrop{Before: hour, Limit: 100}, 0, 12}, // the oldest waits
		{store.JobDrop{Before: hour.Add(2 * time.Minute), Limit: 100}, 3, 9},
		{store.JobDrop{Before: hour, Keep: 5, Limit: 2}, 2, 7},
		{store.JobDrop{Before: hour, Keep: 5, Limit: 100}, 1, 6},
	} {
		gone, err := db.DropJobs(t.Context(), tt.drop)
		list, _ := db.Jobs(t.Context(), store.JobQuery{})
		if err != nil || gone != tt.gone || len(list) != tt.left {
			t.Errorf("DropJobs(%+v): dropped %d, left %v, %v; want %d and %d left", tt.drop, gone, idsOf(list), err, tt.gone, tt.left)
		}
	}
}
