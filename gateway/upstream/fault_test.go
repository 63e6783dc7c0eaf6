package upstream

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse/jsonx"
	"gatehouse/snapshot"
)

// What a backend may do to us, and what a caller must see of it (SAFETY F11).
func TestFaultyAnswers(t *testing.T) {
	big := strings.Repeat("x", 70<<10)
	type then int
	const (
		closes then = iota
		resets
		waits
	)
	tests := []struct {
		name string
		send string
		then then
		want result // without header, answer, trailer
	}{
		{"closes before an answer", "", closes, result{Status: 502, Failure: "connection_terminated"}},
		{"resets before an answer", "", resets, result{Status: 502, Failure: "connection_terminated"}},
		{"silent", "", waits, result{Status: 504, Failure: "http_response_timeout"}},
		{"silent inside the status line", "HTTP/1.1 20", waits, result{Status: 504, Failure: "http_response_timeout"}},
		{"silent inside the head", "HTTP/1.1 200 OK\r\nA: b\r\n", waits, result{Status: 504, Failure: "http_response_timeout"}},
		{"closes inside the head", "HTTP/1.1 200 OK\r\nA: b\r\n", closes, result{Status: 502, Failure: "http_response_incomplete"}},
		{"closes inside the body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", closes, result{Status: 200, Body: "half", Torn: "http_response_incomplete"}},
		{"resets inside the body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", resets, result{Status: 200, Body: "half", Torn: "http_response_incomplete"}},
		{"silent inside the body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", waits, result{Status: 200, Body: "half", Torn: "connection_read_timeout"}},
		{"closes inside a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf", closes, result{Status: 200, Body: "half", Torn: "http_response_incomplete"}},
		{"closes without the last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", closes, result{Status: 200, Body: "half", Torn: "http_response_incomplete"}},
		{"closes inside the trailer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\nA: b\r\n", closes, result{Status: 200, Body: "half", Torn: "http_response_incomplete"}},
		{"not HTTP", "220 mail.example.org ESMTP\r\n", waits, result{Status: 502, Failure: "http_protocol_error"}},
		{"HTTP/0.9", "<html></html>", closes, result{Status: 502, Failure: "http_protocol_error"}},
		{"HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n", closes, result{Status: 502, Failure: "http_protocol_error"}},
		{"HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n", closes, result{Status: 502, Failure: "http_protocol_error"}},
		{"empty line first", "\r\nHTTP/1.1 200 OK\r\n\r\n", closes, result{Status: 502, Failure: "http_protocol_error"}},
		{"status of two digits", "HTTP/1.1 20 OK\r\n\r\n", closes, result{Status: 502, Failure: "http_protocol_error"}},
		{"status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", closes, result{Status: 502, Failure: "http_protocol_error"}},
		{"status 099", "HTTP/1.1 099 Low\r\n\r\n", closes, result{Status: 502, Failure: "http_protocol_error"}},
		{"status 999", "HTTP/1.1 999 High\r\n\r\n", closes, result{Status: 502, Failure: "http_protocol_error"}},
		{"signed status", "HTTP/1.1 +20 OK\r\n\r\n", closes, result{Status: 502, Failure: "http_protocol_error"}},
		{"NUL in the reason", "HTTP/1.1 200 O\x00K\r\n\r\n", closes, result{Status: 502, Failure: "http_protocol_error"}},
		{"no reason", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", waits, result{Status: 200, Body: "ok"}},
		{"bare LF", "HTTP/1.1 200 OK\nA: b\n\n", waits, result{Status: 502, Failure: "http_protocol_error"}},
		{"bare CR in a value", "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", waits, result{Status: 502, Failure: "http_protocol_error"}},
		{"NUL in a value", "HTTP/1.1 200 OK\r\nA: b\x00c\r\n\r\n", waits, result{Status: 502, Failure: "http_protocol_error"}},
		{"space before the colon", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n", waits, result{Status: 502, Failure: "http_protocol_error"}},
		{"folding", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", waits, result{Status: 502, Failure: "http_protocol_error"}},
		{"field without a colon", "HTTP/1.1 200 OK\r\nAb\r\n\r\n", waits, result{Status: 502, Failure: "http_protocol_error"}},
		{"field without a name", "HTTP/1.1 200 OK\r\n: b\r\n\r\n", waits, result{Status: 502, Failure: "http_protocol_error"}},
		{"both framings", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", waits, result{Status: 502, Failure: "http_protocol_error"}},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc", waits, result{Status: 502, Failure: "http_protocol_error"}},
		{"the same length twice", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab", waits, result{Status: 502, Failure: "http_protocol_error"}},
		{"listed lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nab", waits, result{Status: 502, Failure: "http_protocol_error"}},
		{"signed length", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nab", waits, result{Status: 502, Failure: "http_protocol_error"}},
		{"length in hexadecimal", "HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nab", waits, result{Status: 502, Failure: "http_protocol_error"}},
		{"length beyond 63 bits", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nab", waits, result{Status: 502, Failure: "http_protocol_error"}},
		{"empty length", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nab", waits, result{Status: 502, Failure: "http_protocol_error"}},
		{"unknown coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", waits, result{Status: 502, Failure: "http_response_transfer_coding"}},
		{"identity coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nab", closes, result{Status: 502, Failure: "http_response_transfer_coding"}},
		{"chunked twice", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", waits, result{Status: 502, Failure: "http_response_transfer_coding"}},
		{"chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", waits, result{Status: 502, Failure: "http_protocol_error"}},
		{"chunk size of none", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", waits, result{Status: 200, Torn: "http_protocol_error"}},
		{"chunk size with sign", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", waits, result{Status: 200, Torn: "http_protocol_error"}},
		{"chunk size with prefix", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n", waits, result{Status: 200, Torn: "http_protocol_error"}},
		{"chunk size too large", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n", waits, result{Status: 200, Torn: "http_protocol_error"}},
		{"chunk line by bare LF", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n", waits, result{Status: 200, Torn: "http_protocol_error"}},
		{"chunk longer than its size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", waits, result{Status: 200, Body: "a", Torn: "http_protocol_error"}},
		{"endless chunk extension", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + big, waits, result{Status: 200, Torn: "http_protocol_error"}},
		{"folded trailer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n A: b\r\n\r\n", waits, result{Status: 200, Torn: "http_protocol_error"}},
		{"head too large", "HTTP/1.1 200 OK\r\nA: " + big + "\r\n\r\n", waits, result{Status: 502, Failure: "http_response_header_section_size"}},
		{"too many fields", "HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 600) + "\r\n", waits, result{Status: 502, Failure: "http_response_header_section_size"}},
		{"too large a trailer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + strings.Repeat("A: "+big[:1000]+"\r\n", 20) + "\r\n", waits, result{Status: 200, Torn: "http_response_trailer_section_size"}},
		{"flood of 1xx", strings.Repeat("HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n", 1000), waits, result{Status: 502, Failure: "http_protocol_error"}},
		{"some 1xx", strings.Repeat("HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\n", 9) + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", waits, result{Status: 200, Body: "ok"}},
		{"1xx then silence", "HTTP/1.1 100 Continue\r\n\r\n", waits, result{Status: 504, Failure: "http_response_timeout"}},
		{"1xx with a body", "HTTP/1.1 103 Early\r\nContent-Length: 2\r\n\r\nabHTTP/1.1 200 OK\r\n\r\n", closes, result{Status: 502, Failure: "http_protocol_error"}},
		{"101 unasked", "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", waits, result{Status: 502, Failure: "http_protocol_error"}},
		{"204 with a body", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nstray", waits, result{Status: 204}},
		{"204 chunked", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nstray\r\n0\r\n\r\n", waits, result{Status: 204}},
		{"304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", waits, result{Status: 304}},
		{"ends with the connection", "HTTP/1.1 200 OK\r\n\r\nall of it", closes, result{Status: 200, Body: "all of it"}},
		{"ends with a reset", "HTTP/1.1 200 OK\r\n\r\nall of it", resets, result{Status: 200, Body: "all of it", Torn: "http_response_incomplete"}},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", waits, result{Status: 200, Body: "ok"}},
		{"surplus after the body", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen", waits, result{Status: 200, Body: "ok"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url := raw(t, func(p *peer) {
				if p.request() == nil {
					return
				}
				p.say(tt.send)
				switch tt.then {
				case resets:
					p.reset()
				case waits:
					p.wait()
				}
			})
			b := acquire(t, Options{BodyIdle: 150 * time.Millisecond}, snapshot.Backend{Timeout: jsonx.Duration(150 * time.Millisecond)}, url)
			got := do(b, exchange("GET", "/"))
			got.header, got.answer, got.trailer = nil, nil, nil
			if fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if n := len(b.members[0].pool.idle); n > 0 && tt.want.Failure+tt.want.Torn != "" {
				t.Errorf("%d connections were kept after a fault", n)
			}
			if n := b.members[0].pool.load(); n != 0 {
				t.Errorf("%d places are still taken", n)
			}
		})
	}
}
