package gateway

import (
	"io"
	"net"
	"testing"

	"gatehouse/snapshot"
)

// How often a request may allocate, the upstream half included and the backend's
// share not. In the fast lane most are its own strings; net/http adds its request,
// its context and its header.
const (
	maxAllocs        = 9
	maxAllocsNetHTTP = 30
)

// TestAllocations guards what a request on a kept connection allocates, in the
// lane that this run is through.
func TestAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates too")
	}
	limit := float64(maxAllocs)
	if noFastLane {
		limit = maxAllocsNetHTTP
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		buf, text := make([]byte, 4096), []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok")
		for {
			if _, err := c.Read(buf); err != nil {
				return
			}
			c.Write(text)
		}
	}()
	w := newWorld(t, Options{})
	a := openAPI()
	a.Backend = snapshot.Backend{Name: "t/b", Targets: []snapshot.Target{{URL: "http://" + l.Addr().String()}}}
	w.api(a)
	w.swap()
	c := w.dial()
	req, buf := []byte("GET /open/things/7?x=1 HTTP/1.1\r\nHost: h\r\nAccept: */*\r\nUser-Agent: test\r\n\r\n"), make([]byte, 4096)
	length := 0
	n := testing.AllocsPerRun(200, func() {
		c.Write(req)
		if length == 0 {
			length, err = c.Read(buf)
		} else {
			_, err = io.ReadFull(c, buf[:length])
		}
		if err != nil || string(buf[length-6:length]) != "\r\n\r\nok" {
			t.Fatalf("got %q, %v", buf[:length], err)
		}
	})
	if n > limit {
		t.Errorf("a request allocates %v times, more than %v", n, limit)
	}
	t.Logf("%v allocations", n)
}
