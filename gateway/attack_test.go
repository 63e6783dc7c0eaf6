package gateway

import (
	"strings"
	"testing"
)

// Two Upgrade fields must not open a way around the reader either: what is read
// as the end of HTTP by one must be by all.
func TestRefusedHandshakeAmongOthers(t *testing.T) {
	for _, fields := range []string{"Upgrade: h2c\r\nUpgrade: websocket\r\n", "Upgrade: websocket\r\nUpgrade: h2c\r\n"} {
		w := standard(t)
		// Bare line feeds: only a reader that looks at nothing lets this through.
		got := w.raw("GET /open/x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n" + fields + "\r\n" + "GET /open/second HTTP/1.1\nHost: h\n\n")
		if n := strings.Count(got, "HTTP/1.1 "); n != 1 || strings.Contains(got, "second") {
			t.Errorf("%q: got %d answers:\n%s", fields, n, got)
		}
		if w.count() != 1 {
			t.Errorf("%q: the backend got %d requests", fields, w.count())
		}
	}
}

// "K" of Unicode that folds to "k" names no protocol: the reader in front does not
// take it for one.
func TestUpgradeIsASCII(t *testing.T) {
	w := standard(t)
	w.webSockets()
	got := w.raw(strings.Replace(handshake, "Upgrade: websocket", "Upgrade: websoc\u212aet", 1) + "GET /open/second HTTP/1.1\nHost: h\n\n")
	if strings.Contains(got, " 101 ") {
		t.Errorf("the protocol was switched:\n%.300q", got)
	}
}

// A refusal of a body that has come whole leaves the backend's connection as good as
// any answer does.
func TestConnectionIsGoodAfterARefusedUpload(t *testing.T) {
	w := laneWorld(t, newSpeaker(t).addr, noFastLane)
	const upload = "POST /open/unknown HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
	for range 20 {
		got := w.raw(upload + "GET /open/plain HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		if !strings.HasPrefix(got, "HTTP/1.1 404") || !strings.Contains(got, "HTTP/1.1 200") {
			t.Fatalf("got:\n%s", got)
		}
	}
}
