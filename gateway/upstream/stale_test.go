package upstream

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"gatehouse/snapshot"
)

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// A connection that the backend closes, or speaks on unasked, after its answer
// is never used again, and the caller sees nothing of it.
func TestKeptConnectionGoesStale(t *testing.T) {
	tests := []struct {
		name string
		end  func(p *peer)
	}{
		{"closed", func(p *peer) {}},
		{"reset", func(p *peer) { p.reset() }},
		{"stray answer", func(p *peer) { p.say("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen"); p.wait() }},
		{"request timeout notice", func(p *peer) { p.say("HTTP/1.1 408 Request Timeout\r\n\r\n") }},
	}
	for _, tt := range tests {
		for _, method := range []string{"GET", "POST"} {
			t.Run(tt.name+" before "+method, func(t *testing.T) {
				goOn := make(chan bool)
				url := raw(t, func(p *peer) {
					if p.request(); p.n > 0 {
						p.say(ok)
						p.wait()
						return
					}
					p.say(ok)
					<-goOn
					tt.end(p)
				})
				b := acquire(t, Options{}, snapshot.Backend{}, url)
				if got := do(b, exchange(method, "/")); got.Body != "ok" {
					t.Fatalf("first: %+v", got)
				}
				close(goOn)
				disturbed(t, b)
				if got := do(b, exchange(method, "/")); got.Status != 200 || got.Body != "ok" {
					t.Errorf("second: got %+v, want the backend's ok", got)
				}
			})
		}
	}
}

// disturbed waits until what the backend did on its kept connection has come
// through the kernel.
func disturbed(t *testing.T, b *Backend) {
	t.Helper()
	p := &b.members[0].pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) != 1 {
		t.Fatalf("%d connections are kept, want 1", len(p.idle))
	}
	for p.idle[0].Quiet() {
		runtime.Gosched()
	}
}

// What is idempotent is sent again when a kept connection dies under it; what
// is not, is not: the backend may have done it.
func TestKeptConnectionDiesUnderRequest(t *testing.T) {
	tests := []struct {
		method string
		body   string
		stream bool
		want   string
		seen   int32 // how often the backend saw the second request
	}{
		{"GET", "", false, "200 ok ", 2},
		{"PUT", "small", false, "200 ok ", 2},
		{"PUT", "streamed", true, "502  connection_terminated", 1},
		{"POST", "", false, "502  connection_terminated", 1},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.body, func(t *testing.T) {
			var seen atomic.Int32
			url := raw(t, func(p *peer) {
				for i := 0; ; i++ {
					r := p.request()
					if r == nil {
						return
					}
					if r.URL.Path == "/second" {
						seen.Add(1)
						if p.n == 0 {
							return
						}
					}
					p.say(ok)
				}
			})
			b := acquire(t, Options{}, snapshot.Backend{}, url)
			do(b, exchange("GET", "/first"))
			x := exchange(tt.method, "/second")
			if tt.stream {
				withBody(x, strings.NewReader(tt.body), -1)
			} else if tt.body != "" {
				withBody(x, strings.NewReader(tt.body), int64(len(tt.body)))
			}
			r := do(b, x)
			if got := fmt.Sprint(r.Status, " ", r.Body, " ", r.Failure); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if seen.Load() != tt.seen {
				t.Errorf("backend saw it %d times, want %d", seen.Load(), tt.seen)
			}
		})
	}
}

// A fresh connection that dies is not a stale one: nothing is sent twice
// without a rule that says so.
func TestFreshConnectionIsNotRetried(t *testing.T) {
	var seen atomic.Int32
	url := raw(t, func(p *peer) { p.request(); seen.Add(1) })
	b := acquire(t, Options{}, snapshot.Backend{}, url)
	if got := do(b, exchange("GET", "/")); got.Failure != "connection_terminated" || seen.Load() != 1 {
		t.Errorf("got %+v after %d requests", got, seen.Load())
	}
}

// Under load, with answers in all framings, bodies left unread, surplus bytes
// and torn answers, each caller gets its own answer or an error.
func TestNoOneSeesAnothersAnswer(t *testing.T) {
	url := raw(t, func(p *peer) {
		for i := 0; ; i++ {
			r := p.request()
			if r == nil {
				return
			}
			id := r.URL.Query().Get("id")
			switch i % 7 {
			case 0:
				p.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(id), id))
			case 1:
				p.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(id), id))
			case 2:
				p.say(fmt.Sprintf("HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", len(id)))
				p.say(id)
			case 3:
				p.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(id), id) + strings.Repeat(ok, i%3))
			case 4:
				p.say("HTTP/1.1 204 No Content\r\n\r\n")
			case 5:
				p.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(id)+5, id))
				return
			case 6:
				p.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(id), id))
			}
		}
	})
	b := acquire(t, Options{}, snapshot.Backend{}, url)
	var all sync.WaitGroup
	for g := range 8 {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := range 200 {
				id := fmt.Sprintf("%d-%d", g, i)
				x := exchange("GET", "/")
				x.Query = "id=" + id
				if i%11 == 0 { // a caller that leaves
					ctx, cancel := context.WithCancel(t.Context())
					if a, _ := b.Do(ctx, x); a != nil {
						cancel()
						a.Body.Close()
					}
					cancel()
					continue
				}
				r := do(b, x)
				whole := r.Status == 200 && r.Torn == ""
				if whole && r.Body != id || r.Body != "" && !strings.HasPrefix(r.Body, id) {
					t.Errorf("asked for %q, got %+v", id, r)
				}
			}
		}()
	}
	all.Wait()
	if n := b.members[0].pool.load(); n != 0 {
		t.Errorf("%d places are still taken", n)
	}
}

// A caller's body that breaks off is the caller's fault, and the backend must
// not take the part for the whole.
func TestCallersBodyBreaksOff(t *testing.T) {
	broken := io.ErrUnexpectedEOF
	for _, length := range []int64{10, 100_000, -1} {
		t.Run(fmt.Sprint(length), func(t *testing.T) {
			whole := make(chan bool, 1)
			url := raw(t, func(p *peer) { whole <- p.request() != nil })
			b := acquire(t, Options{}, snapshot.Backend{}, url)
			x := withBody(exchange("POST", "/"), io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken)), length)
			if got := do(b, x); got.Status != 400 || got.Failure != "http_request_error" {
				t.Errorf("got %+v, want 400 http_request_error", got)
			}
			if length != 10 && <-whole {
				t.Error("the backend took a torn body for a whole one")
			}
		})
	}
}
