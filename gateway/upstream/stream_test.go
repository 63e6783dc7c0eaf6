package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/jsonx"
	"gatehouse/snapshot"
)

// zeros reads as that many zero bytes.
func zeros(n int64) io.Reader { return io.LimitReader(zero{}, n) }

type zero struct{}

func (zero) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// A stuck body gives its first bytes and then none until it is aborted.
type stuck struct {
	first  io.Reader
	abort  chan struct{}
	closed atomic.Bool
}

func newStuck(first string) *stuck {
	return &stuck{first: strings.NewReader(first), abort: make(chan struct{})}
}

func (s *stuck) Read(p []byte) (int, error) {
	if n, _ := s.first.Read(p); n > 0 {
		return n, nil
	}
	<-s.abort
	return 0, errors.New("aborted")
}

func (s *stuck) Abort() {
	if s.closed.CompareAndSwap(false, true) {
		close(s.abort)
	}
}

func TestBodiesStreamBothWays(t *testing.T) {
	for _, length := range []int64{1, maxWhole, maxWhole + 1, 3 << 20, -1} {
		t.Run(fmt.Sprint(length), func(t *testing.T) {
			url := raw(t, func(p *peer) {
				for r := p.request(); r != nil; r = p.request() {
					n, _ := io.Copy(io.Discard, r.Body)
					p.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", n))
					io.Copy(p.Conn, zeros(n))
				}
			})
			b := acquire(t, Options{}, snapshot.Backend{}, url)
			sent := max(length, 100_000)
			if length > 0 {
				sent = length
			}
			for range 2 {
				got := do(b, withBody(exchange("POST", "/"), zeros(sent), length))
				if got.Status != 200 || int64(len(got.Body)) != sent {
					t.Fatalf("got status %d, %d bytes, %q; want %d bytes", got.Status, len(got.Body), got.Failure+got.Torn, sent)
				}
			}
		})
	}
}

// A caller that reads nothing of an answer does not draw it into memory, not even
// on a connection for which the kernel has made much room.
func TestUnreadAnswer(t *testing.T) {
	if text, err := os.ReadFile("/proc/sys/net/core/rmem_max"); err == nil {
		if n, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && n < window {
			t.Skipf("net.core.rmem_max is %d; the system keeps its own bound", n)
		}
	}
	const large = 128 << 20
	var gave atomic.Int64
	url := raw(t, func(p *peer) {
		for r := p.request(); r != nil; r = p.request() {
			p.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", large))
			if r.Method == "POST" {
				io.Copy(p.Conn, r.Body)
				continue
			}
			piece := make([]byte, 64<<10)
			for gave.Load() < large {
				n, err := p.Write(piece)
				if err != nil {
					return
				}
				gave.Add(int64(n))
			}
		}
	})
	b := acquire(t, Options{}, snapshot.Backend{}, url)
	if got := do(b, withBody(exchange("POST", "/"), zeros(large), large)); len(got.Body) != large {
		t.Fatalf("got %d bytes back, %q", len(got.Body), got.Failure+got.Torn)
	}
	a, f := b.Do(t.Context(), exchange("GET", "/"))
	if f != nil {
		t.Fatal(f)
	}
	defer a.Body.Close()
	for last := int64(-1); last != gave.Load(); time.Sleep(200 * time.Millisecond) {
		last = gave.Load()
	}
	if n := gave.Load(); n > 24_000_000 {
		t.Errorf("the backend got rid of %d bytes of an answer that nobody reads", n)
	}
}

// An answer that comes before the request was sent whole is passed on, and the
// connection is not used again.
func TestEarlyAnswer(t *testing.T) {
	url := raw(t, func(p *peer) {
		p.ReadString('\n')
		p.say("HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nbig!")
		p.wait()
	})
	b := acquire(t, Options{}, snapshot.Backend{}, url)
	body := newStuck("begin")
	got := do(b, withBody(exchange("POST", "/"), body, 1<<20))
	if got.Status != 413 || got.Body != "big!" {
		t.Errorf("got %+v, want the backend's 413", got)
	}
	if !body.closed.Load() {
		t.Error("the caller's body was not let go")
	}
	if n := len(b.members[0].pool.idle); n != 0 {
		t.Errorf("%d connections were kept", n)
	}
}

// A backend that answers and closes while it is sent a large body: the answer
// counts, not the broken pipe.
func TestAnswerThenClose(t *testing.T) {
	url := raw(t, func(p *peer) {
		p.ReadString('\n')
		p.say("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
		p.Conn.(interface{ CloseWrite() error }).CloseWrite()
		io.CopyN(io.Discard, p, 1<<20)
		p.wait()
	})
	b := acquire(t, Options{}, snapshot.Backend{}, url)
	if got := do(b, withBody(exchange("POST", "/"), zeros(8<<20), 8<<20)); got.Status != 401 || got.Body != "no" {
		t.Errorf("got %+v, want the backend's 401", got)
	}
}

func TestExpectContinue(t *testing.T) {
	tests := []struct {
		name  string
		serve func(p *peer)
		want  string
		read  bool // the caller's body was read
	}{
		{"leave is given", func(p *peer) {
			readHead(p)
			p.say("HTTP/1.1 100 Continue\r\n\r\n")
			io.CopyN(io.Discard, p, 4)
			p.say(ok)
			p.wait()
		}, "200 ok", true},
		{"leave is refused", func(p *peer) {
			readHead(p)
			p.say("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno")
			p.wait()
		}, "417 no", false},
		{"no word of it", func(p *peer) {
			readHead(p)
			io.CopyN(io.Discard, p, 4)
			p.say(ok)
			p.wait()
		}, "200 ok", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := acquire(t, Options{Continue: 20 * time.Millisecond}, snapshot.Backend{}, raw(t, tt.serve))
			x := exchange("POST", "/")
			x.Header.Add("Expect", "100-continue")
			body := strings.NewReader("body")
			withBody(x, body, 4)
			r := do(b, x)
			if got := fmt.Sprint(r.Status, " ", r.Body); got != tt.want {
				t.Errorf("got %q (%+v), want %q", got, r, tt.want)
			}
			if read := body.Len() == 0; read != tt.read {
				t.Errorf("body was read: %v, want %v", read, tt.read)
			}
		})
	}
}

func readHead(p *peer) {
	for {
		if line, err := p.ReadString('\n'); err != nil || line == "\r\n" {
			return
		}
	}
}

// A caller that leaves takes the connection with it, wherever the answer is.
func TestCallerLeaves(t *testing.T) {
	for _, sent := range []string{"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"} {
		t.Run(fmt.Sprintf("%q", sent), func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			gone := make(chan bool)
			url := raw(t, func(p *peer) {
				p.request()
				p.say(sent)
				if len(sent) < 20 {
					cancel()
				}
				p.wait()
				close(gone)
			})
			b := acquire(t, Options{}, snapshot.Backend{}, url)
			a, f := b.Do(ctx, exchange("GET", "/"))
			if f == nil {
				cancel()
				_, err := io.ReadAll(a.Body)
				f, _ = err.(*Failure)
				a.Body.Close()
			}
			if f == nil || !errors.Is(f, context.Canceled) {
				t.Errorf("got %v, want the caller's leaving", f)
			}
			<-gone
			if healthy, _ := b.members[0].state(time.Now()); !healthy {
				t.Error("it was held against the target")
			}
		})
	}
}

// What no one reads is not drawn from the backend without bound.
func TestBackpressure(t *testing.T) {
	var sent atomic.Int64
	stopped := make(chan bool)
	url := raw(t, func(p *peer) {
		p.request()
		p.say("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
		block := make([]byte, 64<<10)
		for {
			p.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
			n, err := p.Write(block)
			sent.Add(int64(n))
			if err != nil {
				close(stopped)
				return
			}
		}
	})
	b := acquire(t, Options{}, snapshot.Backend{}, url)
	a, f := b.Do(t.Context(), exchange("GET", "/"))
	if f != nil {
		t.Fatal(f)
	}
	defer a.Body.Close()
	<-stopped
	if sent.Load() > 24<<20 { // SAFETY L6
		t.Errorf("%d bytes were drawn for a reader that stands still", sent.Load())
	}
}

func TestTimeoutOfTheExchangeCounts(t *testing.T) {
	url := raw(t, func(p *peer) { p.request(); p.wait() })
	b := acquire(t, Options{}, snapshot.Backend{Timeout: jsonx.Duration(time.Hour)}, url)
	x := exchange("GET", "/")
	x.Timeout = 30 * time.Millisecond
	if got := do(b, x); got.Status != 504 || got.Failure != "http_response_timeout" {
		t.Errorf("got %+v, want 504 http_response_timeout", got)
	}
}

// A refusal with a long body comes through while the caller's body stands
// still: the upload ends when the head is there, not when the answer has been
// read.
func TestRefusalEndsTheUpload(t *testing.T) {
	url := raw(t, func(p *peer) {
		readHead(p)
		p.say("HTTP/1.1 413 Content Too Large\r\nContent-Length: 100000\r\n\r\n")
		io.Copy(p.Conn, zeros(100_000))
		p.wait()
	})
	b := acquire(t, Options{}, snapshot.Backend{}, url)
	body := newStuck("begin")
	x := withBody(exchange("POST", "/"), body, -1)
	a, f := b.Do(t.Context(), x)
	if f != nil {
		t.Fatal(f)
	}
	if !body.closed.Load() {
		t.Error("the caller's body was not let go with the answer's head")
	}
	if n, err := io.Copy(io.Discard, a.Body); n != 100_000 || err != nil {
		t.Errorf("got %d bytes, %v", n, err)
	}
	a.Body.Close()
	if n := len(b.members[0].pool.idle); n != 0 {
		t.Errorf("%d connections were kept", n)
	}
}

// An answer that streams while the request does goes both ways.
func TestFullDuplex(t *testing.T) {
	url := raw(t, func(p *peer) {
		readHead(p)
		p.say("HTTP/1.1 200 OK\r\n\r\n")
		io.CopyN(p.Conn, p, 300_000)
	})
	b := acquire(t, Options{}, snapshot.Backend{}, url)
	if got := do(b, withBody(exchange("POST", "/"), zeros(300_000), 300_000)); got.Status != 200 || len(got.Body) != 300_000 || got.Torn != "" {
		t.Errorf("got status %d, %d bytes, %s", got.Status, len(got.Body), got.Torn)
	}
}
