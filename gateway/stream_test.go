package gateway

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/listen"
	"gatehouse/policy"
	"gatehouse/snapshot"
)

func (w *world) dial() net.Conn {
	w.t.Helper()
	c, err := net.Dial("tcp", w.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(10 * time.Second))
	return c
}

func readAll(r io.Reader) string {
	b, _ := io.ReadAll(r)
	return string(b)
}

// An event reaches the caller while the backend still has more to say.
func TestEventsComeAtOnce(t *testing.T) {
	w := standard(t)
	next := make(chan string)
	backend := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "text/event-stream")
		for text := range next {
			io.WriteString(rw, text)
			rw.(http.Flusher).Flush()
		}
	}))
	defer backend.Close()
	a := openAPI()
	a.Backend = snapshot.Backend{Name: "t/sse", Targets: []snapshot.Target{{URL: backend.URL}}}
	w.api(a)
	w.swap()
	go func() { next <- "data: 1\n" }()
	resp, err := http.Get("http://" + w.addr + "/open/x")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewReader(resp.Body)
	for _, want := range []string{"data: 1\n", "data: 2\n", "data: 3\n"} {
		if got, err := lines.ReadString('\n'); got != want {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
		if want != "data: 3\n" {
			next <- strings.Replace(want, want[6:7], string(want[6]+1), 1)
		}
	}
	close(next)
}

// webSockets puts a backend of WebSockets behind the open API.
func (w *world) webSockets() {
	backend := httptest.NewServer(echoWebSocket(true))
	w.t.Cleanup(backend.Close)
	a := openAPI()
	a.Backend = snapshot.Backend{Name: "t/ws", Targets: []snapshot.Target{{URL: backend.URL}}}
	w.api(a)
	w.swap()
}

func echoWebSocket(accept bool) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !accept || r.Header.Get("Upgrade") != "websocket" {
			http.Error(rw, "no", http.StatusForbidden)
			return
		}
		c, rd, err := rw.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n")
		io.Copy(c, rd)
	})
}

const handshake = "GET /open/ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n"

func TestWebSocket(t *testing.T) {
	w := standard(t)
	w.webSockets()
	c := w.dial()
	io.WriteString(c, handshake)
	r := bufio.NewReader(c)
	resp, err := http.ReadResponse(r, nil)
	if err != nil || resp.StatusCode != 101 || resp.Header.Get("Sec-Websocket-Accept") != "x" || resp.Header.Get("Upgrade") != "websocket" {
		t.Fatalf("got %+v, %v", resp, err)
	}
	io.WriteString(c, "GET / HTTP/1.1\r\n\r\nany bytes\x00\n")
	got := make([]byte, len("GET / HTTP/1.1\r\n\r\nany bytes\x00\n"))
	if _, err := io.ReadFull(r, got); err != nil || string(got) != "GET / HTTP/1.1\r\n\r\nany bytes\x00\n" {
		t.Fatalf("got %q, %v", got, err)
	}
	c.Close()
}

// A refused handshake opens no way around: what comes behind it is not a request.
func TestRefusedHandshake(t *testing.T) {
	w := standard(t)
	backend := httptest.NewServer(echoWebSocket(false))
	defer backend.Close()
	a := openAPI()
	a.Backend = snapshot.Backend{Name: "t/ws", Targets: []snapshot.Target{{URL: backend.URL}}}
	w.api(a)
	w.swap()
	got := w.raw(handshake + "GET /open/second HTTP/1.1\r\nHost: h\r\n\r\n")
	if strings.Count(got, "HTTP/1.1 ") != 1 || !strings.HasPrefix(got, "HTTP/1.1 403") || !strings.Contains(got, "Connection: close") {
		t.Errorf("got:\n%s", got)
	}
}

// Only websocket is passed on; h2c would let requests pass unseen.
func TestOtherUpgradesAreNotPassedOn(t *testing.T) {
	w := standard(t)
	got := w.raw("GET /open/x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 200") {
		t.Fatalf("got:\n%s", got)
	}
	for _, name := range []string{"Upgrade", "Http2-Settings"} {
		if v := w.last().Header.Get(name); v != "" {
			t.Errorf("the backend got %s: %s", name, v)
		}
	}
}

func h2cClient() *http.Client {
	var p http.Protocols
	p.SetUnencryptedHTTP2(true)
	return &http.Client{Transport: &http.Transport{Protocols: &p}}
}

func TestHTTP2InClear(t *testing.T) {
	w := standard(t)
	client := h2cClient()
	defer client.CloseIdleConnections()
	for range 3 {
		resp, err := client.Post("http://"+w.addr+"/open/x?q", "text/plain", strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		text := readAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 200 || resp.ProtoMajor != 2 || !strings.Contains(text, `"body":"hello"`) {
			t.Fatalf("got %s %d: %s", resp.Proto, resp.StatusCode, text)
		}
	}
	if v := w.last().Header.Get("Via"); v != "2.0 gatehouse" {
		t.Errorf("Via: got %q", v)
	}
}

func TestTLS(t *testing.T) {
	w := standard(t)
	server := httptest.NewUnstartedServer(nil)
	server.StartTLS()
	conf := &tls.Config{Certificates: server.TLS.Certificates}
	defer server.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go w.g.Serve(l, TLS{Base: conf})
	for _, protos := range [][]string{{"h2"}, {"http/1.1"}} {
		var p http.Protocols
		p.SetHTTP1(protos[0] != "h2")
		p.SetHTTP2(protos[0] == "h2")
		client := &http.Client{Transport: &http.Transport{Protocols: &p, TLSClientConfig: server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()}}
		resp, err := client.Get("https://" + l.Addr().String() + "/open/x")
		if err != nil {
			t.Fatal(err)
		}
		readAll(resp.Body)
		resp.Body.Close()
		client.CloseIdleConnections()
		if want := map[string]int{"h2": 2, "http/1.1": 1}[protos[0]]; resp.ProtoMajor != want || resp.StatusCode != 200 {
			t.Errorf("%s: got %s %d", protos[0], resp.Proto, resp.StatusCode)
		}
		if v := w.last().Header.Get("X-Forwarded-Proto"); v != "https" {
			t.Errorf("%s: X-Forwarded-Proto: got %q", protos[0], v)
		}
	}
	// Bytes are validated beneath TLS as well.
	c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "GET /open/x HTTP/1.1\nHost: h\r\n\r\n")
	if got := readAll(c); !strings.HasPrefix(got, "HTTP/1.1 400") {
		t.Errorf("bare LF under TLS: got %q", got)
	}
}

// An answer that breaks off is not taken for whole, in either protocol.
func TestTornAnswer(t *testing.T) {
	w := standard(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			http.ReadRequest(bufio.NewReader(c))
			io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
			c.Close()
		}
	}()
	a := openAPI()
	a.Backend = snapshot.Backend{Name: "t/torn", Targets: []snapshot.Target{{URL: "http://" + l.Addr().String()}}}
	w.api(a)
	w.swap()
	h2 := h2cClient()
	defer h2.CloseIdleConnections()
	for name, client := range map[string]*http.Client{"HTTP/1.1": http.DefaultClient, "HTTP/2": h2} {
		resp, err := client.Get("http://" + w.addr + "/open/x")
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.ReadAll(resp.Body)
		resp.Body.Close()
		if err == nil {
			t.Errorf("%s: the answer reads as whole", name)
		}
	}
	if n := requests(w.g.Rollup(), 2); n != 2 {
		t.Errorf("counted: got %d requests, want 2", n)
	}
}

func TestBackendDown(t *testing.T) {
	w := standard(t)
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	l.Close()
	a := openAPI()
	a.Backend = snapshot.Backend{Name: "t/down", Targets: []snapshot.Target{{URL: "http://" + l.Addr().String()}}}
	w.api(a)
	w.swap()
	r := w.do("GET", "/open/x")
	if r.StatusCode != 502 || r.problem() != "backend-failed" || r.Header.Get("Proxy-Status") != "gatehouse; error=connection_refused" {
		t.Errorf("got %d %q %v", r.StatusCode, r.text, r.Header)
	}
	if strings.Contains(r.text, l.Addr().String()) {
		t.Errorf("the caller is told the backend's address: %s", r.text)
	}
}

func TestBodyLimit(t *testing.T) {
	w := standard(t)
	a := openAPI()
	a.Policies = []policy.Use{use("body-limit", `{"bytes":100000}`)}
	w.api(a)
	if aside := w.swap(); len(aside) > 0 {
		t.Fatal(aside)
	}
	for _, tt := range []struct {
		name string
		body io.Reader
		want int
	}{
		{"announced, at the limit", bytes.NewReader(make([]byte, 100000)), 200},
		{"announced, above", bytes.NewReader(make([]byte, 100001)), 413},
		{"streamed, at the limit", io.MultiReader(bytes.NewReader(make([]byte, 100000))), 200},
		{"streamed, above", io.MultiReader(bytes.NewReader(make([]byte, 100001))), 413},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if r := w.send("POST", "/open/x", tt.body); r.StatusCode != tt.want {
				t.Errorf("got %d %s, want %d", r.StatusCode, r.text, tt.want)
			}
		})
	}
}

func TestLargeAnswerAndTrailers(t *testing.T) {
	w := standard(t)
	if r := w.do("GET", "/open/large"); len(r.text) != 1<<20 {
		t.Errorf("got %d bytes", len(r.text))
	}
	backend := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Trailer", "Grpc-Status")
		io.WriteString(rw, "data")
		rw.(http.Flusher).Flush()
		rw.Header().Set("Grpc-Status", "0")
	}))
	defer backend.Close()
	a := openAPI()
	a.Backend = snapshot.Backend{Name: "t/grpc", Targets: []snapshot.Target{{URL: backend.URL}}}
	w.api(a)
	w.swap()
	client := h2cClient()
	defer client.CloseIdleConnections()
	resp, err := client.Get("http://" + w.addr + "/open/x")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text := readAll(resp.Body); text != "data" || resp.Trailer.Get("Grpc-Status") != "0" {
		t.Errorf("got %q with trailer %v", text, resp.Trailer)
	}
}

// A body that drips is cut, and so is a head.
func TestSlowCallers(t *testing.T) {
	w := newWorld(t, Options{Listen: listen.Options{HeadTimeout: 100 * time.Millisecond, BodyTimeout: 100 * time.Millisecond}})
	w.api(openAPI())
	w.swap()
	for name, text := range map[string]string{
		"head":         "GET /open/x HTTP/1.1\r\nHo",
		"second head":  "GET /open/x HTTP/1.1\r\nHost: h\r\n\r\nGET /open/x HT",
		"body":         "POST /open/x HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab",
		"chunked body": "POST /open/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nab",
	} {
		t.Run(name, func(t *testing.T) {
			c := w.dial()
			io.WriteString(c, text)
			if _, err := io.Copy(io.Discard, c); errors.Is(err, context.DeadlineExceeded) {
				t.Error("the connection is still open")
			} else if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() {
				t.Error("the connection is still open")
			}
		})
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	w := newWorld(t, Options{Listen: listen.Options{MaxConnections: 2}})
	w.api(openAPI())
	w.swap()
	a, b := w.dial(), w.dial()
	for _, c := range []net.Conn{a, b} {
		io.WriteString(c, "GET /open/x HTTP/1.1\r\nHost: h\r\n\r\n")
		if resp, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || resp.StatusCode != 200 {
			t.Fatalf("got %v, %v", resp, err)
		}
	}
	if got := readAll(w.dial()); !strings.HasPrefix(got, "HTTP/1.1 503") || !strings.Contains(got, "Retry-After") {
		t.Errorf("got %q", got)
	}
}
