package gateway

import (
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// frame is one of HTTP/2 (RFC 9113 §4.1).
func frame(kind, flags byte, stream uint32, payload []byte) []byte {
	b := []byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, flags}
	return append(binary.BigEndian.AppendUint32(b, stream), payload...)
}

// Kinds and flags of frames.
const (
	fHeaders, fReset, fSettings, fPing, fGoAway, fWindow, fContinuation = 1, 3, 4, 6, 7, 8, 9
	endStream, endHeaders                                               = 1, 4
)

// asked is the head of GET /open/slow on host h (RFC 7541).
var asked = []byte("\x82\x86\x04\x0a/open/slow\x01\x01h")

// What floods a connection of HTTP/2 keeps nobody else waiting, and takes neither
// memory nor the backend with it: resets by the caller (CVE-2023-44487) and those
// that it makes the gateway send (CVE-2025-8671), heads without end
// (CVE-2024-27316), settings and pings that nobody reads the answers of.
func TestHTTP2Floods(t *testing.T) {
	zero, ping := make([]byte, 4), make([]byte, 8)
	junk := append([]byte{0, 1, 'a', 0x7f, 0xf1, 0x02}, make([]byte, 496)...) // a field of 496 bytes
	for i := range junk[6:] {
		junk[6+i] = 'x'
	}
	tests := []struct {
		name  string
		calls bool // it gets as far as the backend
		flood func(i uint32) []byte
	}{
		{"resets", true, func(i uint32) []byte {
			return append(frame(fHeaders, endStream|endHeaders, 2*i+1, asked), frame(fReset, 0, 2*i+1, []byte{0, 0, 0, 8})...)
		}},
		{"resets that it makes us send", true, func(i uint32) []byte {
			return append(frame(fHeaders, endStream|endHeaders, 2*i+1, asked), frame(fWindow, 0, 2*i+1, zero)...)
		}},
		{"a head without end", false, func(i uint32) []byte {
			if i == 0 {
				return frame(fHeaders, endStream, 1, asked)
			}
			return frame(fContinuation, 0, 1, junk)
		}},
		{"settings", false, func(uint32) []byte { return frame(fSettings, 0, 0, nil) }},
		{"pings", false, func(uint32) []byte { return frame(fPing, 0, 0, ping) }},
		{"empty continuations", false, func(i uint32) []byte {
			if i == 0 {
				return frame(fHeaders, endStream, 1, asked)
			}
			return frame(fContinuation, 0, 1, nil)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var working, most atomic.Int64
			w := behind(t, Options{}, func(rw http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/slow" {
					return
				}
				n := working.Add(1)
				defer working.Add(-1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				<-r.Context().Done() // until the gateway has left
			})
			before := inUse()
			c, err := net.Dial("tcp", w.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
			c.Write(frame(fSettings, 0, 0, nil))
			first := uint32(0)
			if tt.calls { // one that gets there before any is reset
				c.Write(frame(fHeaders, endStream|endHeaders, 1, asked))
				for end := time.Now().Add(10 * time.Second); working.Load() == 0 && time.Now().Before(end); {
					time.Sleep(time.Millisecond)
				}
				first = 1
			}
			ended := make(chan int)
			go func() { // nobody reads
				sent := 0
				c.SetWriteDeadline(time.Now().Add(3 * time.Second))
				for i := first; i < 40000; i += 20 {
					var b []byte
					for j := range uint32(20) {
						b = append(b, tt.flood(i+j)...)
					}
					n, err := c.Write(b)
					if sent += n; err != nil {
						break
					}
				}
				ended <- sent
			}()
			client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
			for range 20 {
				resp, err := client.Get("http://" + w.addr + "/open/other")
				if err != nil {
					t.Fatalf("another caller: %v", err)
				}
				resp.Body.Close()
				if resp.StatusCode != 200 {
					t.Fatalf("another caller: got %d", resp.StatusCode)
				}
			}
			sent := within(t, "the flood", ended)
			if more := inUse() - before; more > 48<<20 {
				t.Errorf("after %d bytes of it %d MiB more are in use", sent, more>>20)
			}
			if n := most.Load(); n > 300 || n == 0 && tt.calls {
				t.Errorf("the backend had %d calls of it at once; want some and not many", n)
			}
			c.Close()
			for end := time.Now().Add(10 * time.Second); w.g.flow.InFlight() > 0 && time.Now().Before(end); {
				time.Sleep(5 * time.Millisecond)
			}
			if n := w.g.flow.InFlight(); n > 0 {
				t.Errorf("%d calls are in work when it is over", n)
			}
		})
	}
}

// A frame larger than 16,384 bytes, more than RFC 9113 §4.2 lets anybody send
// unasked, ends the connection by GOAWAY with FRAME_SIZE_ERROR.
func TestHTTP2FrameTooLarge(t *testing.T) {
	w := behind(t, Options{}, func(http.ResponseWriter, *http.Request) {})
	c, err := net.Dial("tcp", w.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	c.Write(frame(fSettings, 0, 0, nil))
	c.Write(frame(fHeaders, endStream|endHeaders, 1, make([]byte, 16<<10+1)))
	for {
		head := make([]byte, 9)
		if _, err := io.ReadFull(c, head); err != nil {
			t.Fatalf("no GOAWAY before %v", err)
		}
		body := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
		if _, err := io.ReadFull(c, body); err != nil {
			t.Fatal(err)
		}
		if head[3] != fGoAway {
			continue
		}
		if code := binary.BigEndian.Uint32(body[4:]); code != 6 {
			t.Errorf("GOAWAY: got code %d, want 6", code)
		}
		return
	}
}

func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}
