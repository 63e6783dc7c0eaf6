package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// A tally is a backend that answers with the query it got and counts requests by
// path.
type tally struct {
	addr string
	mu   sync.Mutex // guards seen and heads
	seen map[string]int64
	head func(http.Header) // if set, is shown the fields of each request
}

func newTally(t *testing.T) *tally {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &tally{addr: l.Addr().String(), seen: map[string]int64{}}
	s := &http.Server{Handler: b}
	go func() { _ = s.Serve(l) }() // ends with Close
	t.Cleanup(func() { s.Close() })
	return b
}

func (b *tally) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	b.seen[r.URL.Path]++
	if b.head != nil {
		b.head(r.Header)
	}
	b.mu.Unlock()
	if d, err := time.ParseDuration(r.URL.Query().Get("drip")); err == nil { // a long answer, piece by piece
		for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			fmt.Fprint(w, ".")
			w.(http.Flusher).Flush()
		}
	}
	fmt.Fprint(w, r.URL.RawQuery)
}

// of is how often a path was asked for.
func (b *tally) of(path string) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seen[path]
}

// An answered is how one call ended.
type answered struct {
	at     time.Time
	status int // 0: there was no answer
	err    error
	took   time.Duration
}

// A load is clients that call a URL one call after the other, each with a query
// of its own that must come back.
type load struct {
	mu      sync.Mutex // guards answers
	answers []answered
	cancel  context.CancelFunc
	done    sync.WaitGroup
}

// callers starts n clients. Each keeps its connections, and sends its next call
// pause after the answer to the one before.
func callers(ctx context.Context, n int, pause time.Duration, transport http.RoundTripper, url func() string) *load {
	l := new(load)
	ctx, l.cancel = context.WithCancel(ctx)
	for i := range n {
		l.done.Go(func() {
			c := &http.Client{Transport: transport, Timeout: 20 * time.Second}
			for j := 0; ctx.Err() == nil; j++ {
				a := one(c, url(), fmt.Sprintf("call=%d.%d", i, j))
				l.mu.Lock()
				l.answers = append(l.answers, a)
				l.mu.Unlock()
				if a.status == 0 {
					_ = wait(ctx, 5*time.Millisecond) // nobody is there: do not spin
				}
				_ = wait(ctx, pause)
			}
		})
	}
	return l
}

// one makes a call; an answer that is not to it is an error.
func one(c *http.Client, url, query string) (a answered) {
	begin := time.Now()
	defer func() { a.at = time.Now(); a.took = a.at.Sub(begin) }()
	join := "?"
	if strings.HasSuffix(url, "&") {
		join = ""
	}
	resp, err := c.Get(url + join + query)
	if err != nil {
		return answered{err: err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	switch {
	case err != nil:
		return answered{err: err}
	case resp.StatusCode == http.StatusOK && !strings.HasSuffix(string(body), query):
		return answered{status: -1, err: fmt.Errorf("asked with %q and got the answer to %q", query, body)}
	}
	return answered{status: resp.StatusCode}
}

// end ends the clients after their call under way and returns all answers.
func (l *load) end() []answered {
	l.cancel()
	l.done.Wait()
	return l.answers
}

// sofar is what was answered up to now.
func (l *load) sofar() []answered {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.answers
}
