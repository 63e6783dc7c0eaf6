package gateway

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/gateway/listen"
	"gatehouse/snapshot"
)

// behind makes a world whose open API has a handler for its backend.
func behind(t *testing.T, o Options, h http.HandlerFunc) *world {
	w := newWorld(t, o)
	backend := httptest.NewServer(h)
	t.Cleanup(backend.Close)
	a := openAPI()
	a.Backend = snapshot.Backend{Name: "t/behind", Targets: []snapshot.Target{{URL: backend.URL}}}
	w.api(a)
	w.swap()
	return w
}

// within fails the test when nothing comes on c.
func within[T any](t *testing.T, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(10 * time.Second):
		t.Fatalf("%s: nothing happens", what)
	}
	return v
}

// A backend need not work for a caller who has left.
func TestCallerLeaves(t *testing.T) {
	came, left := make(chan bool, 1), make(chan bool, 1)
	w := behind(t, Options{}, func(rw http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if strings.HasSuffix(r.URL.Path, "/begun") {
			io.WriteString(rw, "begun\n")
			rw.(http.Flusher).Flush()
		}
		came <- true
		<-r.Context().Done()
		left <- true
	})
	server := httptest.NewUnstartedServer(nil)
	server.StartTLS()
	defer server.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go w.g.Serve(l, TLS{Base: &tls.Config{Certificates: server.TLS.Certificates}})
	for name, text := range map[string]string{
		"GET":                     "GET /open/x HTTP/1.1\r\nHost: h\r\n\r\n",
		"second GET":              "GET /other HTTP/1.1\r\nHost: h\r\n\r\nGET /open/x HTTP/1.1\r\nHost: h\r\n\r\n",
		"POST":                    "POST /open/x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
		"large POST":              "POST /open/x HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 100000),
		"chunked POST":            "POST /open/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		"while the answer stands": "GET /open/begun HTTP/1.1\r\nHost: h\r\n\r\n",
	} {
		for _, over := range []string{"in clear", "over TLS"} {
			t.Run(name+" "+over, func(t *testing.T) {
				c, err := net.Dial("tcp", w.addr)
				if over == "over TLS" {
					c, err = tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true})
				}
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				io.WriteString(c, text)
				within(t, "the request", came)
				c.Close()
				within(t, "the end of it", left)
			})
		}
	}
}

// An answer that comes before the request's body has been sent reaches the caller,
// who may wait for it.
func TestEarlyAnswer(t *testing.T) {
	w := behind(t, Options{}, func(rw http.ResponseWriter, r *http.Request) {
		http.NewResponseController(rw).EnableFullDuplex()
		r.Body.Read(make([]byte, 1))
		io.WriteString(rw, "early")
		rw.(http.Flusher).Flush()
		io.Copy(rw, r.Body)
	})
	for _, framing := range []string{"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n", "Content-Length: 100000\r\n\r\na"} {
		c := w.dial()
		io.WriteString(c, "POST /open/x HTTP/1.1\r\nHost: h\r\n"+framing)
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatalf("%q: %v", framing, err)
		}
		first := make([]byte, 5)
		if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != "early" || !resp.Close {
			t.Errorf("%q: got %q, close %v, %v", framing, first, resp.Close, err)
		}
		c.Close()
	}
}

// Shutdown lets a request in work come to its end, says that the connection ends
// with it, and closes connections on which nothing is in work.
func TestDrain(t *testing.T) {
	came, goOn := make(chan bool, 1), make(chan bool)
	w := behind(t, Options{}, func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/slow") {
			came <- true
			<-goOn
		}
		io.WriteString(rw, "done")
	})
	kept, busy := w.dial(), w.dial()
	io.WriteString(kept, "GET /open/x HTTP/1.1\r\nHost: h\r\n\r\n")
	answers := bufio.NewReader(kept)
	if resp, err := http.ReadResponse(answers, nil); err != nil || resp.Close || readAll(resp.Body) != "done" {
		t.Fatalf("got %+v, %v", resp, err)
	}
	io.WriteString(busy, "GET /open/slow HTTP/1.1\r\nHost: h\r\n\r\n")
	within(t, "the request", came)
	ended := make(chan error, 1)
	go func() { ended <- w.g.Shutdown(context.Background()) }()
	if _, err := answers.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("on the kept connection: got %v, want the end", err)
	}
	close(goOn)
	resp, err := http.ReadResponse(bufio.NewReader(busy), nil)
	if err != nil || !resp.Close || readAll(resp.Body) != "done" {
		t.Errorf("got %+v, %v, want an answer that closes", resp, err)
	}
	if err := within(t, "Shutdown", ended); err != nil {
		t.Error(err)
	}
}

// At its bound on memory the gateway keeps no connection, and past it takes no work.
func TestMemoryPressure(t *testing.T) {
	var level atomic.Int32
	w := behind(t, Options{Listen: listen.Options{Memory: func() listen.Pressure { return listen.Pressure(level.Load()) }}}, func(rw http.ResponseWriter, r *http.Request) {})
	kept := w.dial()
	answers := bufio.NewReader(kept)
	for _, tt := range []struct {
		level  listen.Pressure
		status int
		close  bool
	}{{listen.Relaxed, 200, false}, {listen.Refusing, 503, true}} {
		level.Store(int32(tt.level))
		io.WriteString(kept, "GET /open/x HTTP/1.1\r\nHost: h\r\n\r\n")
		resp, err := http.ReadResponse(answers, nil)
		if err != nil || resp.StatusCode != tt.status || resp.Close != tt.close {
			t.Fatalf("at %v: got %+v, %v, want %d, close %v", tt.level, resp, err, tt.status, tt.close)
		}
		readAll(resp.Body)
	}
	level.Store(int32(listen.Closing))
	if got := w.raw("GET /open/x HTTP/1.1\r\nHost: h\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 200") || !strings.Contains(got, "Connection: close") {
		t.Errorf("closing: got %q", got)
	}
}

// More requests at once than the bound get 503 and the connection is kept.
func TestRequestsAreBounded(t *testing.T) {
	came, goOn := make(chan bool, 1), make(chan bool)
	w := behind(t, Options{Listen: listen.Options{MaxRequests: 1}}, func(rw http.ResponseWriter, r *http.Request) {
		came <- true
		<-goOn
	})
	first, second := w.dial(), w.dial()
	io.WriteString(first, "GET /open/x HTTP/1.1\r\nHost: h\r\n\r\n")
	within(t, "the request", came)
	io.WriteString(second, "GET /open/x HTTP/1.1\r\nHost: h\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(second), nil)
	if err != nil || resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" || resp.Close {
		t.Errorf("got %+v, %v", resp, err)
	}
	close(goOn)
	if resp, err := http.ReadResponse(bufio.NewReader(first), nil); err != nil || resp.StatusCode != 200 {
		t.Errorf("the first: got %+v, %v", resp, err)
	}
}

// A connection that asks nothing more is closed, and one that never asked.
func TestIdleConnectionsEnd(t *testing.T) {
	w := newWorld(t, Options{Listen: listen.Options{IdleTimeout: 50 * time.Millisecond, HeadTimeout: 50 * time.Millisecond}})
	for _, text := range []string{"", "GET /none HTTP/1.1\r\nHost: h\r\n\r\n"} {
		c := w.dial()
		io.WriteString(c, text)
		if _, err := io.Copy(io.Discard, c); err != nil {
			t.Errorf("%q: %v, want the end", text, err)
		}
	}
}

// A body that drips is told so, as far as the answer still reaches the caller.
func TestDrippingBodyIsTold(t *testing.T) {
	w := behind(t, Options{Listen: listen.Options{BodyTimeout: 50 * time.Millisecond}}, func(rw http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })
	for _, framing := range []string{"Content-Length: 9\r\n\r\nab", "Content-Length: 99999\r\n\r\nab", "Transfer-Encoding: chunked\r\n\r\n9\r\nab"} {
		got := w.raw("POST /open/x HTTP/1.1\r\nHost: h\r\n" + framing)
		if !strings.HasPrefix(got, "HTTP/1.1 408 ") || !strings.Contains(got, "Connection: close") || strings.Count(got, "HTTP/1.1") != 1 {
			t.Errorf("%q: got %q", framing, got)
		}
	}
}
