package gateway

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// parts are what random heads are put together from.
var (
	oddMethods = []string{"GET", "GET", "GET", "POST", "PUT", "OPTIONS", "TRACE", "get", "G\tT", "PRI", "CONNECT", "M-SEARCH"}
	oddTargets = []string{"/open/plain", "/open/chunked", "/open/204", "/open/%70lain", "/open/./plain", "/open/x/../plain", "/open/%2e%2e/open/plain", "/open%2fplain",
		"/open//plain", "/open/plain;x", "/open/%zz", "/open/plain?a=%zz&b", "/open/plain?", "/open/plain?/../..", "/open/\x80", "/open/%C3%A9", "/open/é", "/orders/v1/things",
		"http://h/open/plain", "http://u@h/open/plain", "https://other/open/plain", "*", "//h/open/plain", "/open/plain#f", "open/plain", "/open/[x]", "/open/a:b", "/:/", "/", "/open/\"<>^`{|}", "/open/%252e", "/open\\plain", "/open/%00", "/open/%"}
	oddVersions = []string{"HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "http/1.1", ""}
	oddFields   = []string{"A: b", "a:c", "X-Gatehouse-Subscription: me", "x_gatehouse_subscription: me", "X_Request_Id: mine", "X-REQUEST-ID: mine", "X-Api-Key: wrong", "X_API_KEY: " + testKey,
		"X-API-Key: " + testKey, "Connection: X-Api-Key", "Connection: close, A", "Connection: keep-alive", "Connection: Content-Length", "Connection: ,", "Connection: upgrade", "Upgrade: h2c", "HTTP2-Settings: x", "TE: trailers",
		"Trailer: A", "Keep-Alive: 5", "Proxy-Connection: close", "Forwarded: for=1.2.3.4", "X-Forwarded-For: 1.2.3.4", "X-Real-IP: 1.1.1.1", "Content-Length: 0", "Content-Length: 00", "Content-Length: 3", "Content-Length: +3", "Content-Length: 3, 3",
		"Transfer-Encoding: chunked", "Transfer-Encoding: Chunked", "Transfer-Encoding: x", "Transfer-Encoding : chunked", "Transfer_Encoding: chunked", "Host: h", "Host: other", "Host:", "Host: u@h", "Expect: 200-ok",
		"A:\tb\t", "A: b\x00", "A: \xff", "A: b\r c", " folded: x", ": none", "none", "A:", "Authorization: Bearer x", "Cookie: a=b", "Range: bytes=0-1", "Accept-Encoding: gzip", "If-None-Match: \"a\"", "Via: 1.1 x", "Max-Forwards: 0", "Client-Cert: x"}
	oddBodies = []string{"", "abc", "0\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n", "3;x\r\nabc\r\n0\r\nA: b\r\n\r\n", "3 \r\nabc\r\n0\r\n\r\n", "\r\n"}
	ends      = []string{"\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r\r\n"}
)

func oddRequest(r *rand.Rand, serial int) string {
	pick := func(from []string) string { return from[r.IntN(len(from))] }
	end := pick(ends)
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s%s", pick(oddMethods), pick(oddTargets), pick(oddVersions), end)
	fmt.Fprintf(&b, "N: %d%s", serial, end)
	if r.IntN(10) > 0 {
		b.WriteString("Host: h" + end)
	}
	for range r.IntN(4) {
		b.WriteString(pick(oddFields) + end)
	}
	return b.String() + end + pick(oddBodies)
}

// untold takes out whether an answer tells that the connection closes: behind a
// body that nobody wanted and that is malformed, only net/http knows it in time.
// What comes behind the answer is compared all the same.
func untold(answers []string) []string {
	for i, a := range answers {
		answers[i] = strings.Replace(strings.Replace(a, " close true", "", 1), " close false", "", 1)
	}
	return answers
}

// of leaves out what was seen of an earlier conversation, too late.
func of(serial int, seen []string) []string {
	mark := fmt.Sprintf("N: [\"%d\"]", serial)
	return slices.DeleteFunc(seen, func(s string) bool { return strings.Contains(s, "N: [\"") && !strings.Contains(s, mark) })
}

// cutShort tells whether a malformed body came behind other requests: net/http learns
// of it too early, and then drops their answers or blames them.
func cutShort(want, got []string) bool {
	n := len(got) - 2
	return n > 0 && strings.Contains(got[n], "HTTP/1.1 4") && len(want) <= len(got) && want[len(want)-1] == "closed: true"
}

// Whatever is sent, both lanes say the same, and the backend sees the same.
// GATEHOUSE_RANDOM_HEADS is how many conversations are tried, 300 otherwise.
func TestLanesAreEqualForOddRequests(t *testing.T) {
	if noFastLane {
		t.Skip("this test runs both lanes by itself")
	}
	n, err := strconv.Atoi(os.Getenv("GATEHOUSE_RANDOM_HEADS"))
	if err != nil {
		n = 300
	}
	fastBackend, slowBackend := newSpeaker(t), newSpeaker(t)
	fast, slow := laneWorld(t, fastBackend.addr, false), laneWorld(t, slowBackend.addr, true)
	for i := range n {
		seed := rand.Uint64()
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		var text string
		for range 1 + r.IntN(3) {
			text += oddRequest(r, i)
		}
		text += fmt.Sprintf("GET /open/last HTTP/1.1\r\nN: %d\r\nHost: h\r\nConnection: close\r\n\r\n", i)
		want, wantSeen := untold(slow.talk(text)), of(i, slowBackend.took())
		got, gotSeen := untold(fast.talk(text)), of(i, fastBackend.took())
		if cutShort(want, got) {
			continue
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%q:\nthe fast lane answers\n%s\nnet/http's\n%s", text, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if !slices.Equal(gotSeen, wantSeen) {
			t.Fatalf("%q:\nby the fast lane the backend saw\n%q\nby net/http's\n%q", text, gotSeen, wantSeen)
		}
	}
}
