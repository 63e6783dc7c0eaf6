package upstream

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/jsonx"
	"gatehouse/snapshot"
)

// A silent backend takes as many requests as it may have connections, as many
// again wait for a bounded time, and the rest are told at once.
func TestConnectionLimit(t *testing.T) {
	url := raw(t, func(p *peer) { p.request(); p.wait() })
	b := acquire(t, Options{}, snapshot.Backend{MaxConnections: 2, Connect: jsonx.Duration(50 * time.Millisecond), Timeout: jsonx.Duration(500 * time.Millisecond)}, url)
	var mu sync.Mutex
	got := map[string]int{}
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			r := do(b, exchange("GET", "/"))
			mu.Lock()
			defer mu.Unlock()
			got[r.Failure]++
			if r.Failure == ConnectionLimit && r.Status != 503 {
				t.Errorf("got status %d, want 503", r.Status)
			}
		})
	}
	all.Wait()
	if got["http_response_timeout"] != 2 || got[ConnectionLimit] != 8 {
		t.Errorf("got %v, want 2 that wait for the answer and 8 without a connection", got)
	}
	if healthy, _ := b.members[0].state(time.Now()); !healthy {
		t.Error("our own limit was held against the target")
	}
}

func TestPoolQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pool{max: 1, idleFor: time.Second}
		p.enter(t.Context(), time.Second)
		results := make(chan *Failure, 2)
		first := make(chan *Failure, 1)
		go func() { first <- p.enter(t.Context(), time.Hour) }()
		synctest.Wait()
		go func() { results <- p.enter(t.Context(), time.Hour) }()
		synctest.Wait()
		if f := <-results; f == nil || f.Type != ConnectionLimit {
			t.Errorf("got %v, want the queue to be full", f)
		}
		p.leave()
		if f := <-first; f != nil {
			t.Errorf("who waited was not let in: %v", f)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { results <- p.enter(ctx, time.Hour) }()
		synctest.Wait()
		cancel()
		if f := <-results; f == nil || f.Type != "connection_terminated" {
			t.Errorf("got %v, want the caller's leaving", f)
		}
		go func() { results <- p.enter(t.Context(), time.Second) }()
		if f := <-results; f == nil || f.Type != ConnectionLimit {
			t.Errorf("got %v, want the wait to end", f)
		}
		go func() { results <- p.enter(t.Context(), time.Hour) }()
		synctest.Wait()
		p.resize(2)
		if f := <-results; f != nil {
			t.Errorf("a larger pool let no one in: %v", f)
		}
		p.leave()
		p.leave()
		if p.load() != 0 || p.waiting.Len() != 0 {
			t.Errorf("load %d, waiting %d at the end", p.load(), p.waiting.Len())
		}
	})
}

// Connections are kept for IdleConn and no longer, and used again meanwhile.
func TestIdleConnections(t *testing.T) {
	closed := make(chan int, 4)
	url := raw(t, func(p *peer) {
		for p.request() != nil {
			p.say(ok)
		}
		closed <- p.n
	})
	b := acquire(t, Options{IdleConn: 30 * time.Millisecond}, snapshot.Backend{}, url)
	for range 5 {
		do(b, exchange("GET", "/"))
	}
	if n := <-closed; n != 0 {
		t.Errorf("connection %d was closed first", n)
	}
	if got := do(b, exchange("GET", "/")); got.Body != "ok" {
		t.Errorf("after it: %+v", got)
	}
}

// One live backend for one content; targets outlive changes of what is not
// theirs, and their connections with them.
func TestSwapKeepsWhatDidNotChange(t *testing.T) {
	conns := make(chan int, 16)
	url := raw(t, func(p *peer) {
		conns <- p.n
		for p.request() != nil {
			p.say(ok)
		}
	})
	set := NewSet(Options{})
	spec := snapshot.Backend{Name: "payments/orders", Targets: []snapshot.Target{{URL: url, Weight: 1}}}
	old := set.Acquire(spec)
	do(old, exchange("GET", "/"))
	if again := set.Acquire(spec); again != old {
		t.Error("the same content gave another backend")
	}
	spec.Targets = []snapshot.Target{{URL: url, Weight: 5}}
	spec.Timeout, spec.MaxConnections = jsonx.Duration(time.Second), 7
	changed := set.Acquire(spec)
	if changed == old {
		t.Fatal("another content gave the same backend")
	}
	old.Release()
	old.Release()
	if got := do(changed, exchange("GET", "/")); got.Body != "ok" {
		t.Errorf("got %+v", got)
	}
	spec.TLS.ServerName = "orders"
	other := set.Acquire(spec)
	changed.Release()
	do(other, exchange("GET", "/"))
	if n := len(conns); n != 2 {
		t.Errorf("%d connections were made, want one for each trust", n)
	}
	// A backend that was let go serves what is under way and keeps nothing.
	other.Release()
	if got := do(other, exchange("GET", "/")); got.Body != "ok" || len(other.members[0].pool.idle) != 0 {
		t.Errorf("got %+v with %d kept", got, len(other.members[0].pool.idle))
	}
	if len(set.backends) != 0 {
		t.Errorf("backends are left: %v", set.backends)
	}
}

// A connection serves for ConnAge and no longer, busy as it may be, so that a
// name that leads elsewhere is followed.
func TestOldConnectionsAreReplaced(t *testing.T) {
	conns := make(chan int, 16)
	url := raw(t, func(p *peer) {
		conns <- p.n
		for p.request() != nil {
			p.say(ok)
		}
	})
	b := acquire(t, Options{ConnAge: time.Nanosecond}, snapshot.Backend{}, url)
	for range 3 {
		do(b, exchange("GET", "/"))
	}
	if n := len(conns); n != 3 {
		t.Errorf("3 requests used %d connections, want 3", n)
	}
}
