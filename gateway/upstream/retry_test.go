package upstream

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/jsonx"
	"gatehouse/policy"
	"gatehouse/snapshot"
)

// refusing is a loopback address on which nothing listens.
func refusing(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

func TestRetries(t *testing.T) {
	fails := map[string]func(p *peer, r *http.Request){
		"reset":   func(p *peer, r *http.Request) { p.reset() },
		"silence": func(p *peer, r *http.Request) { p.wait() },
		"503":     func(p *peer, r *http.Request) { p.say("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy") },
		"torn":    func(p *peer, r *http.Request) { p.say("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nto") },
	}
	small := func(method string) *policy.Exchange {
		return withBody(exchange(method, "/"), strings.NewReader("body"), 4)
	}
	tests := []struct {
		name string
		on   []string
		bad  string // how the first requests fail
		n    int32  // how many of them
		x    *policy.Exchange
		want string
		seen int32
	}{
		{"no condition that fits", []string{"connect-failure"}, "reset", 1, exchange("GET", "/"), "502 connection_terminated", 1},
		{"reset", []string{"reset"}, "reset", 2, exchange("GET", "/"), "200 ", 3},
		{"by default", nil, "reset", 2, exchange("GET", "/"), "200 ", 3},
		{"more than there are attempts", []string{"reset"}, "reset", 9, exchange("GET", "/"), "502 connection_terminated", 3},
		{"timeout", []string{"timeout"}, "silence", 1, exchange("GET", "/"), "200 ", 2},
		{"status", []string{"503"}, "503", 2, exchange("GET", "/"), "200 ", 3},
		{"status that stays", []string{"503"}, "503", 9, exchange("GET", "/"), "503 ", 3},
		{"another status", []string{"502"}, "503", 9, exchange("GET", "/"), "503 ", 1},
		{"small body", []string{"503"}, "503", 1, small("PUT"), "200 ", 2},
		{"POST", []string{"503", "reset"}, "503", 1, small("POST"), "503 ", 1},
		{"POST after a reset", []string{"reset"}, "reset", 1, small("POST"), "502 connection_terminated", 1},
		{"streamed body", []string{"503"}, "503", 1, withBody(exchange("PUT", "/"), strings.NewReader("body"), -1), "503 ", 1},
		{"not after bytes were passed on", []string{"reset"}, "torn", 1, exchange("GET", "/"), "200 http_response_incomplete", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var seen atomic.Int32
			url := raw(t, func(p *peer) {
				for {
					r := p.request()
					if r == nil {
						return
					}
					if r.ContentLength == 4 {
						if body := make([]byte, 5); mustRead(r, body) != "body" {
							t.Error("the body was not sent whole")
						}
					}
					if seen.Add(1) <= tt.n {
						fails[tt.bad](p, r)
						if tt.bad != "503" {
							return
						}
						continue
					}
					p.say(ok)
				}
			})
			b := acquire(t, Options{}, snapshot.Backend{Timeout: jsonx.Duration(100 * time.Millisecond), Retries: snapshot.Retries{Attempts: 2, On: tt.on}}, url)
			if tt.bad != "silence" {
				b.timeout = 10 * time.Second
			}
			r := do(b, tt.x)
			if got := fmt.Sprint(r.Status, " ", r.Failure+r.Torn); got != tt.want || seen.Load() != tt.seen {
				t.Errorf("got %q after %d requests, want %q after %d", got, seen.Load(), tt.want, tt.seen)
			}
		})
	}
}

func mustRead(r *http.Request, buf []byte) string {
	n, _ := r.Body.Read(buf)
	return string(buf[:n])
}

// A target that cannot be reached is passed over, for any method: nothing was
// sent. A streamed body has been touched by no one, but is not held either.
func TestRetryGoesToAnotherTarget(t *testing.T) {
	good := answering(t, ok)
	for _, method := range []string{"GET", "POST", "PATCH"} {
		b := acquire(t, Options{}, snapshot.Backend{Name: method, Retries: snapshot.Retries{Attempts: 1, On: []string{"connect-failure"}}}, refusing(t), good)
		for range 4 {
			x := exchange(method, "/")
			if method == "PATCH" {
				withBody(x, zeros(50_000), -1)
			}
			if got := do(b, x); got.Body != "ok" {
				t.Errorf("%s: got %+v, want ok of the second target", method, got)
			}
		}
	}
}

// Retries stay a part of the load: with every request failing, no more than a
// fifth again and the few that are free reach the backend.
func TestRetryBudget(t *testing.T) {
	var seen atomic.Int32
	url := raw(t, func(p *peer) {
		for p.request() != nil {
			seen.Add(1)
			p.say("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
		}
	})
	b := acquire(t, Options{}, snapshot.Backend{Retries: snapshot.Retries{Attempts: 5, On: []string{"503"}}}, url)
	b.budget.last = time.Now().Add(time.Hour) // nothing is earned by time
	const requests = 100
	for range requests {
		do(b, exchange("GET", "/"))
	}
	if n := seen.Load(); n < requests*110/100 || n > requests*121/100 {
		t.Errorf("%d requests became %d", requests, n)
	}
}

func TestBudget(t *testing.T) {
	var b budget
	now := time.Unix(1000, 0)
	spend := func() (n int) {
		for b.spend(now) {
			n++
		}
		return n
	}
	if n := spend(); n != 3 {
		t.Errorf("without load %d retries are free at once, want 3", n)
	}
	now = now.Add(time.Second)
	if n := spend(); n != 3 {
		t.Errorf("a second later %d are, want 3", n)
	}
	for range 50 {
		b.request()
	}
	if n := spend(); n < 9 || n > 10 {
		t.Errorf("50 requests earn %d, want 10", n)
	}
	now = now.Add(-time.Hour)
	if n := spend(); n != 0 {
		t.Errorf("a clock that goes back earns %d", n)
	}
	now = now.Add(24 * time.Hour)
	if n := spend(); n > mostEarned {
		t.Errorf("a day earns %d, want no more than %v", n, mostEarned)
	}
}
