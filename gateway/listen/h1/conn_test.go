package h1

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/head"
	"gatehouse/gateway/pipeline"
	"gatehouse/gateway/telemetry"
	"gatehouse/policy"
)

// served runs a lane that has no configuration, so that every request is answered
// 503 by the gateway itself, on one end of a TCP connection; the other is returned.
func served(t *testing.T, o Options) (l *Lane, near net.Conn, ended chan *Rest) {
	t.Helper()
	if o.Overload == nil {
		o.Overload = func() *policy.Denial { return nil }
	}
	l = New(o, &pipeline.Server{Meter: telemetry.NewMeter(1, 0), Log: t.Logf})
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer door.Close()
	if near, err = net.Dial("tcp", door.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close() })
	near.SetDeadline(time.Now().Add(10 * time.Second))
	far, err := door.Accept()
	if err != nil {
		t.Fatal(err)
	}
	ended = make(chan *Rest, 1)
	peer := new(head.Peer)
	go func() { ended <- l.Serve(context.Background(), far, peer) }()
	return l, near, ended
}

// only is the lane's one connection.
func (l *Lane) only() *conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		return c
	}
	return nil
}

const get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

// answer reads one answer of the gateway's own.
func answer(t *testing.T, c net.Conn) string {
	t.Helper()
	var all []byte
	for !strings.HasSuffix(string(all), "}\n") {
		b := make([]byte, 4096)
		n, err := c.Read(b)
		if err != nil {
			t.Fatalf("after %q: %v", all, err)
		}
		all = append(all, b[:n]...)
	}
	return string(all)
}

func TestWhatIsUnusualIsGivenUp(t *testing.T) {
	for name, text := range map[string]string{
		"HTTP/1.0":      "GET / HTTP/1.0\r\n\r\nrest",
		"HTTP/2":        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"fault":         "GET / HTTP/1.1\r\nHost : h\r\n\r\n",
		"Expect":        "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
		"Upgrade":       "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
		"trailer":       "POST / HTTP/1.1\r\nHost: h\r\nTrailer: A\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"TE":            "GET / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\n\r\n",
		"absolute form": "GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n",
		"empty line":    "\r\n" + get,
	} {
		for _, before := range []string{"", get} {
			_, near, ended := served(t, options())
			io.WriteString(near, before+text)
			rest := <-ended
			if rest == nil || string(rest.Bytes) != text || rest.Began != (before != "") {
				t.Errorf("%s behind %q: got %+v", name, before, rest)
			}
			if before != "" {
				answer(t, near)
			}
		}
	}
	_, near, ended := served(t, options())
	io.WriteString(near, "GET /"+strings.Repeat("x", MaxHead))
	if rest := <-ended; rest == nil || len(rest.Bytes) != MaxHead {
		t.Errorf("a large head is not given up")
	}
	o := options()
	o.MaxHead = len(get)
	_, near, ended = served(t, o)
	io.WriteString(near, get)
	answer(t, near)
	io.WriteString(near, strings.Replace(get, ": h", ": hh", 1))
	if rest := <-ended; rest == nil || !rest.Began {
		t.Errorf("a head above the bound is not given up")
	}
}

func TestParkedConnectionHoldsNoBuffer(t *testing.T) {
	l, near, ended := served(t, options())
	for range 3 {
		io.WriteString(near, get)
		answer(t, near)
	}
	c := l.only()
	for c.state.Load() != parked {
		time.Sleep(time.Millisecond) // until the loop has come round
	}
	if c.in != nil || c.out.room != nil {
		t.Error("a parked connection holds a buffer")
	}
	if err := l.Shutdown(context.Background()); err != nil || <-ended != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if _, err := near.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("after Shutdown: got %v, want the end", err)
	}
}

// A fault of the program's costs one connection.
func TestPanic(t *testing.T) {
	o := options()
	o.Overload = func() *policy.Denial { panic("here") }
	said := make(chan string, 1)
	o.Log = func(format string, args ...any) { said <- format }
	_, near, ended := served(t, o)
	io.WriteString(near, get)
	if rest := <-ended; rest != nil {
		t.Errorf("got %+v", rest)
	}
	if !strings.Contains(<-said, "panic") {
		t.Error("nothing is logged")
	}
	if _, err := near.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is still open")
	}
}

func TestShutdownCutsWhatDoesNotEnd(t *testing.T) {
	came, goOn := make(chan bool), make(chan bool)
	o := options()
	o.Overload = func() *policy.Denial { came <- true; <-goOn; return nil }
	l, near, ended := served(t, o)
	io.WriteString(near, get)
	<-came
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := l.Shutdown(ctx); err != context.Canceled {
		t.Errorf("got %v", err)
	}
	close(goOn)
	<-ended
	if _, err := near.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is still open")
	}
}

// A deadlined connection notes the deadlines that are set on it.
type deadlined struct {
	net.Conn
	write time.Time
}

func (d *deadlined) Write(p []byte) (int, error)        { return len(p), nil }
func (d *deadlined) SetWriteDeadline(t time.Time) error { d.write = t; return nil }

func TestWritesHaveADeadline(t *testing.T) {
	d := new(deadlined)
	c := newConn(New(options(), nil), d, nil)
	before := time.Now()
	c.out = writer{c: c}
	c.out.Head(204, nil, 0)
	c.out.finish()
	if d.write.Before(before.Add(c.lane.o.WriteTimeout)) || d.write.After(time.Now().Add(c.lane.o.WriteTimeout+slack)) {
		t.Errorf("got a deadline %v ahead", d.write.Sub(before))
	}
}

// What a policy or a backend may not put into a field becomes a space.
func TestFieldsCannotBreakOut(t *testing.T) {
	for in, want := range map[string]string{"plain": "plain", "a\r\nX-Evil: b": "a  X-Evil: b", "\x00": " ", "tab\there": "tab\there", "caf\xc3\xa9": "caf\xc3\xa9", "\x7f": " "} {
		if got := string(appendValue([]byte("V: "), in)); got != "V: "+want {
			t.Errorf("%q: got %q, want %q", in, got, "V: "+want)
		}
	}
}
