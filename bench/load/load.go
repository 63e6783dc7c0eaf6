package load

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A Load is requests at a steady pace over some connections.
type Load struct {
	Addr string
	Rate int // requests a second, over all connections; 0: as fast as answers come
	Conn int // connections
	// Exact keeps due times to some ten microseconds, where Go's own timers
	// are late by up to a millisecond, at the price of a thread for each
	// connection.
	Exact bool
	// Next tells path and key of the n-th request.
	Next func(n int) (path, key string)
}

// A Sample is one request: when it was due, and how long after that it was
// answered. What a stalled gateway keeps waiting is thus counted in full.
type Sample struct {
	Due  time.Time
	Took time.Duration
}

// A Run is a load under way.
type Run struct {
	stop    atomic.Bool
	number  atomic.Int64
	work    sync.WaitGroup
	mu      sync.Mutex // guards what follows
	samples []Sample
	failed  []string
}

// Start begins.
func (l Load) Start() *Run {
	r := new(Run)
	begin := time.Now()
	for c := range l.Conn {
		r.work.Go(func() { r.calls(l, begin, c) })
	}
	return r
}

// Done is how many requests were answered so far.
func (r *Run) Done() int64 { return r.number.Load() }

// Stop ends it and returns every request that was answered with 200, in the
// order of their due times, and what became of the others.
func (r *Run) Stop() ([]Sample, []string) {
	r.stop.Store(true)
	r.work.Wait()
	slices.SortFunc(r.samples, func(a, b Sample) int { return a.Due.Compare(b.Due) })
	return r.samples, r.failed
}

// calls is one connection's part: every Conn-th request.
func (r *Run) calls(l Load, begin time.Time, c int) {
	var samples []Sample
	var failed []string
	var conn *Conn
	defer func() {
		if conn != nil {
			conn.Close()
		}
		r.mu.Lock()
		r.samples, r.failed = append(r.samples, samples...), append(r.failed, failed...)
		r.mu.Unlock()
	}()
	for n := c; !r.stop.Load(); n += l.Conn {
		due := time.Now()
		if l.Rate > 0 {
			due = begin.Add(time.Duration(n) * time.Second / time.Duration(l.Rate))
			l.sleep(time.Until(due))
		}
		if why := r.call(l, &conn, n); why != "" {
			failed = append(failed, why)
			continue
		}
		samples = append(samples, Sample{due, time.Since(due)})
		r.number.Add(1)
	}
}

func (l *Load) sleep(d time.Duration) {
	if !l.Exact {
		time.Sleep(d)
	} else if d > 0 {
		t := syscall.NsecToTimespec(int64(d))
		_ = syscall.Nanosleep(&t, nil) // a signal ends it early, which only makes one request early
	}
}

func (r *Run) call(l Load, conn **Conn, n int) (failure string) {
	path, key := l.Next(n)
	var err error
	if *conn == nil {
		if *conn, err = Dial(l.Addr); err != nil {
			*conn = nil
			return err.Error()
		}
	}
	a, err := (*conn).Get(path, key, "")
	if err != nil {
		(*conn).Close()
		*conn = nil
		return fmt.Sprintf("%s: %v", path, err)
	}
	if a.Status != 200 {
		return fmt.Sprintf("%s: status %d", path, a.Status)
	}
	return ""
}

// Percentile is the smallest time that p percent of the samples do not exceed;
// zero when there are none.
func Percentile(times []time.Duration, p float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(times))
	return s[min(len(s)-1, int(float64(len(s))*p/100))]
}

// Times are those of the samples.
func Times(samples []Sample) []time.Duration {
	out := make([]time.Duration, len(samples))
	for i, s := range samples {
		out[i] = s.Took
	}
	return out
}
