package upstream

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gatehouse/policy"
	"gatehouse/snapshot"
)

// capture answers ok and hands out each request's head as it was sent.
func capture(t *testing.T) (url string, heads chan string) {
	heads = make(chan string, 8)
	return raw(t, func(p *peer) {
		for {
			var head strings.Builder
			for !strings.HasSuffix(head.String(), "\r\n\r\n") {
				line, err := p.ReadString('\n')
				if err != nil {
					return
				}
				head.WriteString(line)
			}
			r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head.String())))
			if err != nil {
				return
			}
			io.CopyN(io.Discard, p, max(r.ContentLength, 0))
			heads <- head.String()
			p.say(ok)
		}
	}), heads
}

func TestRequestOnTheWire(t *testing.T) {
	url, heads := capture(t)
	host := strings.TrimPrefix(url, "http://")
	fields := policy.Header{{Name: "accept", Value: "*/*"}, {Name: "Connection", Value: "x-a"}, {Name: "HOST", Value: "evil"},
		{Name: "Content-Length", Value: "7"}, {Name: "transfer-encoding", Value: "chunked"}, {Name: "TE", Value: "gzip"},
		{Name: "Trailer", Value: "x"}, {Name: "Keep-Alive", Value: "1"}, {Name: "Proxy-Connection", Value: "close"},
		{Name: "Upgrade", Value: "h2c"}, {Name: "HTTP2-Settings", Value: "x"}, {Name: "X-Two", Value: "1"}, {Name: "X-Two", Value: "2"}}
	tests := []struct {
		name string
		base string
		host bool
		x    *policy.Exchange
		want string
	}{
		{"plain", "", false, exchange("GET", "/a%20b"), "GET /a%20b HTTP/1.1\r\nHost: " + host + "\r\naccept: */*\r\nX-Two: 1\r\nX-Two: 2\r\n\r\n"},
		{"below a base path", "/base/", false, exchange("GET", "/a"), "GET /base/a HTTP/1.1\r\nHost: " + host + "\r\naccept: */*\r\nX-Two: 1\r\nX-Two: 2\r\n\r\n"},
		{"the base itself", "/base", false, exchange("GET", ""), "GET /base HTTP/1.1\r\nHost: " + host + "\r\naccept: */*\r\nX-Two: 1\r\nX-Two: 2\r\n\r\n"},
		{"no path", "", false, exchange("GET", ""), "GET / HTTP/1.1\r\nHost: " + host + "\r\naccept: */*\r\nX-Two: 1\r\nX-Two: 2\r\n\r\n"},
		{"caller's host", "", true, exchange("GET", "/"), "GET / HTTP/1.1\r\nHost: api.example.org\r\naccept: */*\r\nX-Two: 1\r\nX-Two: 2\r\n\r\n"},
		{"no body in POST", "", false, exchange("POST", "/"), "POST / HTTP/1.1\r\nHost: " + host + "\r\naccept: */*\r\nX-Two: 1\r\nX-Two: 2\r\nContent-Length: 0\r\n\r\n"},
		{"body", "", false, withBody(exchange("PUT", "/"), strings.NewReader("abc"), 3), "PUT / HTTP/1.1\r\nHost: " + host + "\r\naccept: */*\r\nX-Two: 1\r\nX-Two: 2\r\nContent-Length: 3\r\n\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := acquire(t, Options{}, snapshot.Backend{Name: t.Name(), PassHost: tt.host}, url+tt.base)
			tt.x.Header = append(policy.Header{}, fields...)
			if got := do(b, tt.x); got.Body != "ok" {
				t.Fatalf("got %+v", got)
			}
			if diff := cmp.Diff(tt.want, <-heads); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What would break out of its place on the wire is not sent.
func TestRequestThatCannotBeWritten(t *testing.T) {
	url, heads := capture(t)
	b := acquire(t, Options{}, snapshot.Backend{PassHost: true}, url)
	tests := map[string]func(x *policy.Exchange){
		"method with space":  func(x *policy.Exchange) { x.Method = "GET /x" },
		"CONNECT":            func(x *policy.Exchange) { x.Method = "CONNECT" },
		"path with CRLF":     func(x *policy.Exchange) { x.Upstream = "/ HTTP/1.1\r\nA: b" },
		"path with space":    func(x *policy.Exchange) { x.Upstream = "/a b" },
		"query with LF":      func(x *policy.Exchange) { x.Query = "a\nb" },
		"fragment":           func(x *policy.Exchange) { x.Upstream = "/a#b" },
		"host with space":    func(x *policy.Exchange) { x.Host = "a b" },
		"no host":            func(x *policy.Exchange) { x.Host = "" },
		"value with CRLF":    func(x *policy.Exchange) { x.Header.Add("A", "b\r\nC: d") },
		"value with bare CR": func(x *policy.Exchange) { x.Header.Add("A", "b\rc") },
		"value with NUL":     func(x *policy.Exchange) { x.Header.Add("A", "b\x00c") },
		"name with colon":    func(x *policy.Exchange) { x.Header.Add("A:", "b") },
		"name with space":    func(x *policy.Exchange) { x.Header.Add("Content-Length ", "3") },
		"name that is empty": func(x *policy.Exchange) { x.Header.Add("", "b") },
	}
	for name, change := range tests {
		x := exchange("GET", "/")
		change(x)
		if got := do(b, x); got.Status != 502 || got.Failure != "proxy_internal_error" {
			t.Errorf("%s: got %+v, want 502 proxy_internal_error", name, got)
		}
	}
	if len(heads) != 0 {
		t.Errorf("a request reached the backend: %q", <-heads)
	}
	if healthy, _ := b.members[0].state(time.Now()); !healthy {
		t.Error("it was held against the target")
	}
}

func TestAnswersFields(t *testing.T) {
	url := answering(t, "HTTP/1.1 200 Fine\r\nContent-Type: text/plain\r\nConnection: x-secret, keep-alive\r\nX-Secret: 1\r\nKeep-Alive: timeout=5\r\n"+
		"Proxy-Connection: close\r\nTrailer: X-Sum\r\nSet-Cookie: a\r\nSet-Cookie:  b \t\r\nEmpty:\r\nTransfer-Encoding: Chunked\r\n\r\n"+
		"4;ext=1\r\nbody\r\n000\r\nX-Sum: 9\r\nContent-Length: 3\r\nSet-Cookie: late\r\n\r\n")
	b := acquire(t, Options{}, snapshot.Backend{}, url)
	for range 2 { // the connection is kept
		r := do(b, exchange("GET", "/"))
		want := policy.Header{{Name: "Content-Type", Value: "text/plain"}, {Name: "Set-Cookie", Value: "a"}, {Name: "Set-Cookie", Value: "b"}, {Name: "Empty"}}
		if diff := cmp.Diff(want, r.header); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(policy.Header{{Name: "X-Sum", Value: "9"}}, r.trailer); diff != "" || r.Body != "body" {
			t.Errorf("%+v\n%s", r, diff)
		}
	}
	if n := len(b.members[0].pool.idle); n != 1 {
		t.Errorf("%d connections are kept, want 1", n)
	}
}

func TestAnswersWithoutBody(t *testing.T) {
	tests := []struct {
		method, send string
		length       int64
	}{
		{"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", 1000},
		{"HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", -1},
		{"HEAD", "HTTP/1.1 200 OK\r\n\r\n", -1},
		{"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", 7},
		{"GET", "HTTP/1.1 204 No Content\r\n\r\n", 0},
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0},
	}
	for _, tt := range tests {
		b := acquire(t, Options{}, snapshot.Backend{}, answering(t, tt.send))
		r := do(b, exchange(tt.method, "/"))
		if r.Failure+r.Torn+r.Body != "" || r.answer.Length != tt.length {
			t.Errorf("%s %q: got %+v of length %d, want length %d", tt.method, tt.send, r, r.answer.Length, tt.length)
		}
		if n := len(b.members[0].pool.idle); n != 1 {
			t.Errorf("%s %q: %d connections are kept, want 1", tt.method, tt.send, n)
		}
	}
}

func TestUpgrade(t *testing.T) {
	tests := []struct {
		name, ask, say string
		want           string
	}{
		{"switched", "WebSocket", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\nhello", "101"},
		{"refused", "websocket", "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "403"},
		{"to another protocol", "websocket", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", "http_upgrade_failed"},
		{"to none", "websocket", "HTTP/1.1 101 Switching Protocols\r\n\r\n", "http_upgrade_failed"},
		{"h2c is not asked", "h2c", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", "http_protocol_error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			asked := make(chan string, 1)
			url := raw(t, func(p *peer) {
				r := p.request()
				asked <- r.Header.Get("Upgrade")
				p.say(tt.say)
				io.Copy(p.Conn, p) // echo
			})
			b := acquire(t, Options{}, snapshot.Backend{}, url)
			x := exchange("GET", "/ws")
			x.Header.Add("Upgrade", tt.ask)
			a, f := b.Do(t.Context(), x)
			if got := <-asked; (got == "websocket") != policy.EqualName(tt.ask, "websocket") {
				t.Errorf("backend was asked for %q", got)
			}
			switch {
			case f != nil:
				if f.Type != tt.want || f.Status != 502 {
					t.Errorf("got %v, want 502 %s", f, tt.want)
				}
			case x.Response.Status != 101:
				a.Body.Close()
				if a.Upgraded != nil || tt.want != "403" {
					t.Errorf("got status %d, tunnel %v", x.Response.Status, a.Upgraded)
				}
			default:
				io.WriteString(a.Upgraded, " world")
				got := make([]byte, len("hello world"))
				if _, err := io.ReadFull(a.Upgraded, got); err != nil || string(got) != "hello world" {
					t.Errorf("through the tunnel came %q, %v", got, err)
				}
				a.Upgraded.Close()
				a.Upgraded.Close()
				a.Body.Close()
			}
			if n := b.members[0].pool.load(); n != 0 {
				t.Errorf("%d places are still taken", n)
			}
		})
	}
}
