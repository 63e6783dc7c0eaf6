package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"path"
	"sort"
	"strings"
	"sync"
	"testing"
)

// A speaker is a backend that answers in the bytes it was told to, by the last part
// of the path, and keeps account of the whole
// requests it saw.
type speaker struct {
	addr string
	mu   sync.Mutex // guards seen
	seen []string
}

var spoken = map[string]string{
	"plain":      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nX-Two: a\r\nX-Two: b\r\n\r\nhello",
	"last":       "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlast",
	"204":        "HTTP/1.1 204 No Content\r\n\r\n",
	"304":        "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nContent-Type: text/plain\r\nETag: \"a\"\r\n\r\n",
	"299":        "HTTP/1.1 299 Mostly\r\nContent-Length: 2\r\n\r\nok",
	"chunked":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n",
	"nothing":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"trailer":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n",
	"until":      "HTTP/1.1 200 OK\r\n\r\nuntil the end",
	"torn":       "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort",
	"tornchunks": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
	"large":      "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + strings.Repeat("0123456789", 30000),
	"dated":      "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 2\r\n\r\nok",
}

func newSpeaker(t *testing.T) *speaker {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s := &speaker{addr: l.Addr().String()}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go s.speak(c)
		}
	}()
	return s
}

func (s *speaker) speak(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		if req.Header.Get("Expect") != "" {
			io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
		}
		content, err := io.ReadAll(req.Body)
		if err != nil {
			return // torn: when this is seen is anybody's guess
		}
		s.note(req, content)
		answer, known := spoken[path.Base(req.URL.Path)]
		if !known {
			answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
		}
		if req.Method == "HEAD" {
			answer = answer[:strings.Index(answer, "\r\n\r\n")+4]
		}
		if _, err := io.WriteString(c, answer); err != nil {
			return
		}
		if strings.HasPrefix(path.Base(req.URL.Path), "torn") || path.Base(req.URL.Path) == "until" {
			return
		}
	}
}

// note keeps what was asked, without what differs from one request to the next.
func (s *speaker) note(r *http.Request, content []byte) {
	var fields []string
	for name, values := range r.Header {
		if name != "X-Request-Id" {
			fields = append(fields, fmt.Sprintf("%s: %q", name, values))
		}
	}
	sort.Strings(fields)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, fmt.Sprintf("%s %s length %d coding %v %v body %d %.40q trailer %v", r.Method, r.RequestURI, r.ContentLength, r.TransferEncoding, fields, len(content), content, r.Trailer))
}

// took returns what was seen since the last call.
func (s *speaker) took() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.seen
	s.seen = nil
	return seen
}
