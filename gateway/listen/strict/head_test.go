package strict

import (
	"bytes"
	"testing"

	"gatehouse/policy"
)

func TestFields(t *testing.T) {
	const text = "POST /a%20b?c HTTP/1.1\r\nHost: h:80\r\nA:  b c\t\r\nX_Y:\r\nContent-Length: 3\r\nConnection: keep-alive, Close\r\n\r\n"
	var h policy.Header
	m, d := Fields([]byte(text), text, 10, &h)
	if d != nil || m.Method != "POST" || m.Target != "/a%20b?c" || m.Host != "h:80" || m.Length != 3 || !m.Close || !m.Plain || m.Chunked || m.Last {
		t.Errorf("got %+v, %+v", m, d)
	}
	want := policy.Header{{Name: "A", Value: "b c"}, {Name: "X_Y"}, {Name: "Content-Length", Value: "3"}, {Name: "Connection", Value: "keep-alive, Close"}}
	if len(h) != len(want) {
		t.Fatalf("got fields %q, want %q", h, want)
	}
	for i := range want {
		if h[i] != want[i] {
			t.Errorf("field %d: got %q, want %q", i, h[i], want[i])
		}
	}
	if _, d := Fields([]byte(text), text, 4, &h); d.Code() != 431 {
		t.Errorf("five fields where four are allowed: got %+v", d)
	}
}

// What asks something of the connection, or is not HTTP/1.1 with a path, is not plain.
func TestPlain(t *testing.T) {
	for text, want := range map[string]bool{
		"GET / HTTP/1.1\r\nHost: h\r\n\r\n":                                   true,
		"GET /?%zz HTTP/1.1\r\nHost: h\r\n\r\n":                               true,
		"GET / HTTP/1.0\r\nHost: h\r\n\r\n":                                   false,
		"GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n":                           false,
		"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n":                               false,
		"GET / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\n\r\n":                   false,
		"GET / HTTP/1.1\r\nHost: h\r\nexpect: 100-continue\r\n\r\n":           false,
		"GET / HTTP/1.1\r\nHost: h\r\nUPGRADE: h2c\r\n\r\n":                   false,
		"GET / HTTP/1.1\r\nHost: h\r\nTrailer: A\r\n\r\n":                     false,
		"GET / HTTP/1.1\r\nHost: h\r\nConnection: a\r\n\r\n":                  false,
		"GET / HTTP/1.1\r\nHost: h\r\nConnection:\r\n\r\n":                    false,
		"PRI * HTTP/2.0\r\n\r\n":                                              false,
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n":    true,
		"GET / HTTP/1.1\r\nHost: h\r\nUpgrade-Insecure-Requests: 1\r\n\r\n":   true,
		"GET / HTTP/1.1\r\nHost: h\r\nConnection: Keep-Alive , close\r\n\r\n": true,
	} {
		if m, d := Head([]byte(text), 10); d != nil || m.Plain != want {
			t.Errorf("%q: got plain %v, %+v, want %v", text, m.Plain, d, want)
		}
	}
}

// FuzzChunks holds that content is taken out of a body just where its end is found,
// however small the pieces.
func FuzzChunks(f *testing.F) {
	f.Add([]byte("3;a=b\r\nabc\r\nA\r\n0123456789\r\n0\r\nA: b\r\n\r\nrest"), 1, 1)
	f.Add([]byte("0\r\n\r\n"), 3, 2)
	f.Add([]byte("1\r\na\n"), 2, 7)
	f.Fuzz(func(t *testing.T, b []byte, in, out int) {
		in, out = max(in&63, 1), max(out&63, 1)
		var whole, parts Chunks
		end, done, err := whole.Scan(b)
		var content []byte
		p := make([]byte, out)
		for at := 0; ; {
			n, taken, partDone, partErr := parts.Content(p, b[at:min(at+in, len(b))])
			content = append(content, p[:n]...)
			at += taken
			if partDone || partErr != nil || at == len(b) {
				if at != end || partDone != done || (partErr == nil) != (err == nil) {
					t.Fatalf("%q: in pieces the end is %d, %v, %v; else %d, %v, %v", b, at, partDone, partErr, end, done, err)
				}
				break
			}
		}
		var again Chunks
		all := make([]byte, len(b))
		if n, _, _, _ := again.Content(all, b); !bytes.Equal(all[:n], content) {
			t.Fatalf("%q: got content %q, in pieces %q", b, all[:n], content)
		}
	})
}
