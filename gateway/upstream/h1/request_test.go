package h1

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"gatehouse/policy"
)

// Whatever is put into a request, the wire holds one request, the one that was
// meant, or nothing: no field, method or target can become another's.
func FuzzRequest(f *testing.F) {
	f.Add("GET", "/base", "/a", "q=1", "Accept", "*/*", "")
	f.Add("POST", "", "/a", "", "X-Forwarded-For", "192.0.2.1", "body")
	f.Add("GET", "", "/a HTTP/1.1\r\nX: y\r\n\r\nGET /b", "", "A", "b", "")
	f.Add("GET", "", "/", "a\r\nb", "A", "b\r\nC: d", "x")
	f.Add("PUT", "", "", "", "transfer-encoding", "chunked", "0\r\n\r\n")
	f.Add("HEAD", "/b/", "c", "", "Content-Length ", "5", "")
	f.Add("GET", "A:", "/?0", "", "0", "0", "0") // an absolute target, to who reads it
	f.Add("get", "", "*", "?", "Host", "evil", "")
	f.Fuzz(func(t *testing.T, method, base, path, query, name, value, body string) {
		r := &Request{Method: method, Host: "a.example.org:80", Base: base, Path: path, Query: query,
			Header: policy.Header{{Name: name, Value: value}, {Name: "X-Last", Value: "1"}}, Whole: []byte(body)}
		wire, bad := r.appendTo(nil)
		if bad != nil {
			return
		}
		br := bufio.NewReader(bytes.NewReader(wire))
		got, err := http.ReadRequest(br)
		if err != nil {
			if strings.Contains(err.Error(), "parse ") || method == "PRI" {
				return // a target net/url does not take, or HTTP/2's preface; framing is not at stake
			}
			t.Fatalf("net/http refuses %q: %v", wire, err)
		}
		got.Body.Close()
		target := base + path
		if !strings.HasPrefix(target, "/") {
			target = "/" + target
		}
		if query != "" {
			target += "?" + query
		}
		if got.Method != method || got.RequestURI != target || got.Host != "a.example.org:80" {
			t.Fatalf("%q reads as %s %s on %s", wire, got.Method, got.RequestURI, got.Host)
		}
		if got.ContentLength != int64(len(body)) || got.TransferEncoding != nil || got.Header.Get("X-Last") != "1" {
			t.Fatalf("%q reads as length %d, codings %v, fields %v", wire, got.ContentLength, got.TransferEncoding, got.Header)
		}
		if len(got.Header) > 3 {
			t.Fatalf("%q has a field too many: %v", wire, got.Header)
		}
		if rest, _ := io.ReadAll(br); len(rest) > 0 {
			t.Fatalf("%q leaves %q", wire, rest)
		}
	})
}
