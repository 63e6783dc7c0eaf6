package store

import (
	"time"

	"gatehouse"
)

// A Job is work that waits: short-lived, tried until it is done, and in such
// numbers that records with their history would be the wrong place for it.
// A job is made in a [Batch], in one transaction with what it follows from; what
// becomes of it then moves no number of the sequence.
type Job struct {
	ID string // unique, chosen by the maker: making it twice is a Conflict
	// Queue groups jobs that stand in one line, such as those of one receiver.
	Queue string
	Group string // whose it is; lists filter by it
	State string // a word of the maker's
	// Due is when it is to be done next; zero for one that rests.
	Due     time.Time
	Created time.Time
	Value   []byte
	// Rev counts its writes from 1. A write names the Rev it replaces, 0 for a
	// new job, and is refused when another came first.
	Rev int64
}

// What one job may hold.
const (
	MaxJobValue = 1 << 20
	MaxJobs     = 10_000 // in one batch
)

// A JobQuery selects jobs; zero fields ask nothing. They come newest first, or,
// with Due, the one due longest first.
type JobQuery struct {
	ID, Queue, Group, State string
	Due                     time.Time // only those due at this moment
	After                   JobCursor // only those behind it, newest first
	Limit                   int       // 0: all
}

// A JobCursor is the last job of a page.
type JobCursor struct {
	Created time.Time
	ID      string
}

// A JobQueue is a line of waiting jobs; one in which none waits is not listed.
type JobQueue struct {
	Queue   string
	Waiting int64     // that have a Due
	Next    time.Time // the earliest of them
}

// A JobDrop says which resting jobs go: those made before Before, and all but
// the newest Keep of each queue (0: no bound). One call drops Limit at most.
type JobDrop struct {
	Before time.Time
	Keep   int
	Limit  int
}

// Check tells what no engine could take.
func (j *Job) Check() error {
	for _, s := range []string{j.ID, j.Queue, j.State} {
		if s == "" || !isText(s) {
			return gatehouse.E(gatehouse.Invalid, "writing job %.80q: id, queue and state are UTF-8 text of 1 to %d bytes without NUL", j.ID, MaxKey)
		}
	}
	if !isText(j.Group) || len(j.Value) == 0 || len(j.Value) > MaxJobValue || j.Created.IsZero() || j.Rev < 0 {
		return gatehouse.E(gatehouse.Invalid, "writing job %q: it has no time, or a group or value beyond bounds", j.ID)
	}
	return nil
}

// CheckJobs checks jobs that are written together.
func CheckJobs(jobs []Job) error {
	if len(jobs) > MaxJobs {
		return gatehouse.E(gatehouse.Invalid, "writing %d jobs: at most %d are written together", len(jobs), MaxJobs)
	}
	seen := make(map[string]bool, len(jobs))
	for i := range jobs {
		if err := jobs[i].Check(); err != nil {
			return err
		}
		if seen[jobs[i].ID] {
			return gatehouse.E(gatehouse.Invalid, "writing job %q: the batch writes it twice", jobs[i].ID)
		}
		seen[jobs[i].ID] = true
	}
	return nil
}

// Moved is the refusal of a job that another write overtook.
func (j *Job) Moved() error {
	if j.Rev == 0 {
		return gatehouse.E(gatehouse.Conflict, "writing job %q: it exists already", j.ID)
	}
	return gatehouse.E(gatehouse.Conflict, "writing job %q: it has moved on from %d, or is gone", j.ID, j.Rev)
}

// Match reports whether the query selects the job, but for its Limit.
func (q JobQuery) Match(j *Job) bool {
	asked := func(want, have string) bool { return want == "" || want == have }
	if !asked(q.ID, j.ID) || !asked(q.Queue, j.Queue) || !asked(q.Group, j.Group) || !asked(q.State, j.State) {
		return false
	}
	if !q.Due.IsZero() && (j.Due.IsZero() || j.Due.After(q.Due)) {
		return false
	}
	if q.After.ID == "" {
		return true
	}
	return j.Created.Before(q.After.Created) || j.Created.Equal(q.After.Created) && j.ID < q.After.ID
}
