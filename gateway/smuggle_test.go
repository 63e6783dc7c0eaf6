package gateway

import (
	"fmt"
	"strings"
	"testing"
)

const second = "GET /open/second HTTP/1.1\r\nHost: h\r\n\r\n"

// smuggled are malformed messages and what they are answered.
var smuggled = []struct {
	name, text string
	status     int
}{
	{"bare LF after the request line", "GET /open/x HTTP/1.1\nHost: h\r\n\r\n", 400},
	{"escape that is none", "GET /open/%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400},
	{"escape cut short, absolute", "GET http://h/open/%a HTTP/1.1\r\nHost: h\r\n\r\n", 400},
	{"framing announced as a trailer", "POST /open/x HTTP/1.1\r\nHost: h\r\nTrailer: Sum, Content-Length\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
	{"bare LF after a field", "GET /open/x HTTP/1.1\r\nHost: h\nA: b\r\n\r\n", 400},
	{"bare LF as the end of the head", "GET /open/x HTTP/1.1\r\nHost: h\r\n\n", 400},
	{"bare CR in a value", "GET /open/x HTTP/1.1\r\nHost: h\r\nA: b\rc\r\n\r\n", 400},
	{"NUL in a value", "GET /open/x HTTP/1.1\r\nHost: h\r\nA: b\x00c\r\n\r\n", 400},
	{"folded field", "GET /open/x HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n", 400},
	{"folded first field", "GET /open/x HTTP/1.1\r\n A: b\r\nHost: h\r\n\r\n", 400},
	{"space before the colon", "GET /open/x HTTP/1.1\r\nHost : h\r\n\r\n", 400},
	{"no colon", "GET /open/x HTTP/1.1\r\nHost: h\r\nA\r\n\r\n", 400},
	{"empty name", "GET /open/x HTTP/1.1\r\nHost: h\r\n: b\r\n\r\n", 400},
	{"name with a control", "GET /open/x HTTP/1.1\r\nHost: h\r\nA\x0bB: b\r\n\r\n", 400},
	{"CL and TE", "POST /open/x HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
	{"TE and CL", "POST /open/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", 400},
	{"two equal CL", "POST /open/x HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", 400},
	{"two CL", "POST /open/x HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 9\r\n\r\na", 400},
	{"CL as a list", "POST /open/x HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\na", 400},
	{"CL with a sign", "POST /open/x HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\na", 400},
	{"negative CL", "POST /open/x HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", 400},
	{"CL in hexadecimal", "POST /open/x HTTP/1.1\r\nHost: h\r\nContent-Length: 0x1\r\n\r\na", 400},
	{"CL with a space", "POST /open/x HTTP/1.1\r\nHost: h\r\nContent-Length: 1 1\r\n\r\na", 400},
	{"empty CL", "POST /open/x HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\n", 400},
	{"CL too long for any number", "POST /open/x HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n", 400},
	{"two TE", "POST /open/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
	{"TE as a list", "POST /open/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
	{"TE identity", "POST /open/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n", 501},
	{"TE with a tab inside", "POST /open/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chun\tked\r\n\r\n0\r\n\r\n", 501},
	{"TE with a vertical tab", "POST /open/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400},
	{"empty TE", "POST /open/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n\r\n", 501},
	{"TE in HTTP/1.0", "POST /open/x HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
	{"no Host", "GET /open/x HTTP/1.1\r\n\r\n", 400},
	{"two Hosts", "GET /open/x HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", 400},
	{"empty Host", "GET /open/x HTTP/1.1\r\nHost:\r\n\r\n", 400},
	{"user in Host", "GET /open/x HTTP/1.1\r\nHost: u@h\r\n\r\n", 400},
	{"path in Host", "GET /open/x HTTP/1.1\r\nHost: h/x\r\n\r\n", 400},
	{"two names in Host", "GET /open/x HTTP/1.1\r\nHost: h, i\r\n\r\n", 400},
	{"user in an absolute target", "GET http://u@h/open/x HTTP/1.1\r\nHost: h\r\n\r\n", 400},
	{"another scheme", "GET ftp://h/open/x HTTP/1.1\r\nHost: h\r\n\r\n", 400},
	{"relative target", "GET open/x HTTP/1.1\r\nHost: h\r\n\r\n", 400},
	{"fragment", "GET /open/x#y HTTP/1.1\r\nHost: h\r\n\r\n", 400},
	{"space in the target", "GET /open/x y HTTP/1.1\r\nHost: h\r\n\r\n", 400},
	{"two spaces", "GET  /open/x HTTP/1.1\r\nHost: h\r\n\r\n", 400},
	{"tab for space", "GET\t/open/x HTTP/1.1\r\nHost: h\r\n\r\n", 400},
	{"HTTP/0.9", "GET /open/x\r\n\r\n", 400},
	{"lower-case version", "GET /open/x http/1.1\r\nHost: h\r\n\r\n", 400},
	{"HTTP/1.2", "GET /open/x HTTP/1.2\r\nHost: h\r\n\r\n", 505},
	{"HTTP/2.0 on a line", "GET /open/x HTTP/2.0\r\nHost: h\r\n\r\n", 505},
	{"method with a colon", "GE:T /open/x HTTP/1.1\r\nHost: h\r\n\r\n", 400},
	{"CONNECT", "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n", 501},
	{"asterisk for GET", "GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400},
	{"two empty lines in front", "\r\n\r\nGET /open/x HTTP/1.1\r\nHost: h\r\n\r\n", 400},
	{"preface with a field", "PRI * HTTP/2.0\r\nHost: h\r\n\r\n", 505},
	{"preface with two framings", "PRI * HTTP/2.0\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 505},
	{"preface behind an empty line", "\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
	{"long target", "GET /open/" + strings.Repeat("x", 40<<10) + " HTTP/1.1\r\nHost: h\r\n\r\n", 414},
	{"long field", "GET /open/x HTTP/1.1\r\nHost: h\r\nA: " + strings.Repeat("x", 40<<10) + "\r\n\r\n", 431},
	{"many fields", "GET /open/x HTTP/1.1\r\nHost: h\r\n" + strings.Repeat("A: b\r\n", 200) + "\r\n", 431},
}

// Each case is sent as it stands over TCP, with a second request behind it. What is
// refused must be the last that is answered, and the backend must see nothing of it.
func TestSmuggling(t *testing.T) {
	w := standard(t)
	for _, tt := range smuggled {
		t.Run(tt.name, func(t *testing.T) {
			before := w.count()
			got := w.raw(tt.text + second)
			if n := strings.Count(got, "HTTP/1.1 "); n != 1 || !strings.HasPrefix(got, fmt.Sprintf("HTTP/1.1 %d ", tt.status)) {
				t.Errorf("got %d answers, want one with %d:\n%.400s", n, tt.status, got)
			}
			if !strings.Contains(got, "application/problem+json") || !strings.Contains(got, "Connection: close") {
				t.Errorf("the answer is no problem, or the connection stays open:\n%s", got)
			}
			if n := w.count() - before; n != 0 {
				t.Errorf("the backend got %d requests", n)
			}
		})
	}
}

func (w *world) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.seen)
}

// brokenChunks are bodies that no chunked body is.
var brokenChunks = map[string]string{
	"bare LF after the size":     "1\na\r\n0\r\n\r\n",
	"bare LF after the data":     "1\r\na\n0\r\n\r\n",
	"bare LF in the trailer":     "0\r\nA: b\n\r\n",
	"size with a sign":           "+1\r\na\r\n0\r\n\r\n",
	"size with a prefix":         "0x1\r\na\r\n0\r\n\r\n",
	"size with a space":          "1 \r\na\r\n0\r\n\r\n",
	"empty size":                 "\r\na\r\n0\r\n\r\n",
	"size too large":             "fffffffffffffffff\r\na\r\n",
	"data longer than said":      "1\r\nab\r\n0\r\n\r\n",
	"control in an extension":    "1;a=\x00\r\na\r\n0\r\n\r\n",
	"CR in an extension":         "1;a\rb\r\na\r\n0\r\n\r\n",
	"extension without end":      "1;" + strings.Repeat("a", 1000) + "\r\na\r\n0\r\n\r\n",
	"trailer without colon":      "0\r\nGET /open/second HTTP/1.1\r\nHost: h\r\n\r\n",
	"space before trailer colon": "0\r\nA : b\r\n\r\n",
	"long trailer":               "0\r\nA: " + strings.Repeat("b", 20<<10) + "\r\n\r\n",
}

// The same with a body that goes wrong after a good head: whatever is answered,
// nothing behind it is a request.
func TestBrokenChunks(t *testing.T) {
	w := standard(t)
	for name, body := range brokenChunks {
		t.Run(name, func(t *testing.T) {
			got := w.raw("POST /open/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + body + second)
			if n := strings.Count(got, "HTTP/1.1 "); n != 1 {
				t.Errorf("got %d answers, want one:\n%s", n, got)
			}
			if last := w.last(); last != nil && strings.HasSuffix(last.URL.Path, "second") {
				t.Error("the backend got the second request")
			}
		})
	}
}

func TestGoodRaw(t *testing.T) {
	w := standard(t)
	tests := []struct {
		name, text string
		statuses   []int
		host       string
	}{
		{"three in a row", "GET /open/1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /open/2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /open/3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", []int{200, 200, 200}, "h"},
		{"chunks with extension and trailer", "POST /open/1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n3;a=\"b\"\r\nabc\r\n0\r\nA: b\r\n\r\nGET /open/2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", []int{200, 200}, "h"},
		{"an empty line in front", "\r\nGET /open/1 HTTP/1.1\r\nHost: h\r\n\r\n\r\nGET /open/1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", []int{200, 200}, "h"},
		{"absolute form wins", "GET http://a.example:80/open/1 HTTP/1.1\r\nHost: b.example\r\nConnection: close\r\n\r\n", []int{200}, "a.example:80"},
		{"absolute form without path", "GET http://a.example?x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n", []int{404}, ""},
		{"HTTP/1.0", "GET /open/1 HTTP/1.0\r\n\r\n", []int{200}, ""},
		{"refused behind an answer", "GET /open/1 HTTP/1.1\r\nHost: h\r\n\r\nGET /open/2 HTTP/1.1\r\nHost : h\r\n\r\nGET /open/3 HTTP/1.1\r\nHost: h\r\n\r\n", []int{200, 400}, "h"},
		{"asterisk", "OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", []int{200}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := w.raw(tt.text)
			var statuses []int
			for _, part := range strings.Split(got, "HTTP/1.")[1:] {
				var minor, s int
				fmt.Sscanf(part, "%d %d", &minor, &s)
				statuses = append(statuses, s)
			}
			if fmt.Sprint(statuses) != fmt.Sprint(tt.statuses) {
				t.Fatalf("got %v, want %v:\n%s", statuses, tt.statuses, got)
			}
			if tt.host != "" && w.last().Header.Get("X-Forwarded-Host") != tt.host {
				t.Errorf("host: got %q, want %q", w.last().Header.Get("X-Forwarded-Host"), tt.host)
			}
		})
	}
}

// A request that comes byte by byte reads as one that comes at once.
func TestDribble(t *testing.T) {
	w := standard(t)
	text := "POST /open/2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /open/3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
	c := w.dial()
	for i := range len(text) {
		if _, err := c.Write([]byte{text[i]}); err != nil {
			t.Fatal(err)
		}
	}
	if got := readAll(c); strings.Count(got, "HTTP/1.1 200") != 2 || !strings.Contains(got, `"body":"abc"`) {
		t.Errorf("got:\n%s", got)
	}
}
