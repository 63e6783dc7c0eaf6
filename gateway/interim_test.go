package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"

	"gatehouse/snapshot"
)

// hints is a backend that says a few things before its answer.
func hints(rw http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	h := rw.Header()
	h.Set("X-Internal", "10.1.2.3")
	rw.WriteHeader(http.StatusProcessing)
	h.Add("Link", "</a.css>; rel=preload")
	h.Add("Link", "</b.css>; rel=preload")
	h.Set("X-Gatehouse-Consumer", "forged")
	rw.WriteHeader(http.StatusEarlyHints)
	clear(h)
	h.Set("X-Last", "yes")
	io.WriteString(rw, "answer")
}

const hinted = "HTTP/1.1 102 Processing\r\n\r\n" +
	"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nLink: </b.css>; rel=preload\r\n\r\n" +
	"HTTP/1.1 200 OK\r\n"

// What a backend says before its answer reaches the caller, without fields that the
// gateway would keep from it, on every way in and out.
func TestInterimAnswers(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("backend speaks HTTP/2: %t", http2), func(t *testing.T) {
			w := newWorld(t, Options{})
			backend := httptest.NewUnstartedServer(http.HandlerFunc(hints))
			var p http.Protocols
			p.SetUnencryptedHTTP2(http2)
			p.SetHTTP1(!http2)
			backend.Config.Protocols = &p
			backend.Start()
			t.Cleanup(backend.Close)
			a := openAPI()
			a.Backend = snapshot.Backend{Name: "t/hints", HTTP2: http2, Targets: []snapshot.Target{{URL: backend.URL}}}
			w.api(a)
			w.swap()
			for name, text := range map[string]string{
				"GET":                  "GET /open/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
				"POST":                 "POST /open/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
				"POST that is chunked": "POST /open/x HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
			} {
				got := w.raw(text)
				if !strings.HasPrefix(got, hinted) || strings.Contains(got, "X-Internal") || !strings.HasSuffix(got, "answer") && !strings.HasSuffix(got, "\r\nanswer\r\n0\r\n\r\n") ||
					strings.Count(got, "Link") != 2 || !strings.Contains(got, "X-Last: yes") {
					t.Errorf("%s: got %q", name, got)
				}
			}
			if got := w.raw("GET /open/x HTTP/1.0\r\nHost: h\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 200") && !strings.HasPrefix(got, "HTTP/1.0 200") {
				t.Errorf("HTTP/1.0, which has none: got %q", got)
			}
			client := h2cClient()
			defer client.CloseIdleConnections()
			var heard []string
			trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
				heard = append(heard, fmt.Sprint(code, " ", map[string][]string(h)))
				return nil
			}}
			r, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "GET", "http://"+w.addr+"/open/x", nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			if text := readAll(resp.Body); text != "answer" || resp.Header["Link"] != nil {
				t.Errorf("HTTP/2: got %v %q", resp.Header, text)
			}
			resp.Body.Close()
			want := "[102 map[] 103 map[Link:[</a.css>; rel=preload </b.css>; rel=preload]]]"
			if got := fmt.Sprint(heard); got != want {
				t.Errorf("HTTP/2: heard %s, want %s", got, want)
			}
		})
	}
}

// Interim answers without end are a fault of the backend's, not the caller's to
// bear; 100 is between the gateway and the backend.
func TestInterimAnswersAreBounded(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	many := "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\nLink: bad\rvalue\r\n\r\n"
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				r, err := http.ReadRequest(bufio.NewReader(c))
				if err != nil {
					return
				}
				if strings.HasSuffix(r.URL.Path, "many") {
					io.WriteString(c, strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 100))
				} else {
					io.WriteString(c, many)
				}
				io.Copy(io.Discard, c)
			}()
		}
	}()
	w := newWorld(t, Options{})
	a := openAPI()
	a.Backend = snapshot.Backend{Name: "t/raw", Targets: []snapshot.Target{{URL: "http://" + l.Addr().String()}}}
	w.api(a)
	w.swap()
	for _, path := range []string{"many", "malformed"} {
		got := w.raw("GET /open/" + path + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		if !strings.Contains(got, "HTTP/1.1 502 ") || strings.Count(got, " 103 ") > 33 || strings.Contains(got, " 100 ") {
			t.Errorf("%s: got %.300q", path, got)
		}
	}
}
