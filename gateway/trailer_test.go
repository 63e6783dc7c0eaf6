package gateway

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gatehouse/gateway/listen"
	"gatehouse/policy"
	"gatehouse/snapshot"
)

// seenTrailers is a backend that tells the content it had, what was announced
// and what stood behind it, in clear by HTTP/1.1 or HTTP/2.
func seenTrailers(t *testing.T, h2 bool) string {
	backend := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		announced := len(r.Trailer)
		content, err := io.ReadAll(r.Body)
		fmt.Fprintf(rw, "%s %q %v announced %d %v", r.Proto, content, err, announced, r.Trailer)
	}))
	if h2 {
		backend.Config.Protocols = new(http.Protocols)
		backend.Config.Protocols.SetUnencryptedHTTP2(true)
	}
	backend.Start()
	t.Cleanup(backend.Close)
	return backend.URL
}

// Fields behind a request's content go on to the backend, save those that a server
// could take for something else than what they are (RFC 9110 §6.5.1).
func TestRequestTrailers(t *testing.T) {
	tests := []struct {
		name, announced, trailer string
		h1, h2                   string // what the backends say of it
	}{
		{"none", "", "", "announced 0 map[]", "announced 0 map[]"},
		{"announced", "Sum, X-B", "Sum: 1\r\nx-b: 2\r\n", "announced 2 map[Sum:[1] X-B:[2]]", "announced 2 map[Sum:[1] X-B:[2]]"},
		{"not announced", "", "Sum: 1\r\n", "announced 0 map[Sum:[1]]", "announced 0 map[]"},
		{"announced and not there", "Sum", "", "announced 1 map[Sum:[]]", "announced 1 map[Sum:[]]"},
		{"repeated", "Sum", "Sum: 1\r\nSum: 2\r\n", "announced 1 map[Sum:[1 2]]", "announced 1 map[Sum:[1 2]]"},
		{"framing", "", "Host: b\r\nConnection: close\r\nTE: x\r\nUpgrade: h2c\r\nContent-Type: t/x\r\nContent_Length: 7\r\nSum: 1\r\n", "announced 0 map[Sum:[1]]", "announced 0 map[]"},
		{"who calls", "X-Gatehouse-Plan, X-Api-Key, Sum", "X-Gatehouse-Plan: gold\r\nx_gatehouse_subject: a\r\nX_API_KEY: k\r\nX-API-Key: k\r\nCookie: a\r\nAuthorization: b\r\nX-Forwarded-For: c\r\nForwarded: d\r\nClient-Cert: e\r\nX-Request-Id: f\r\nSum: 1\r\n", "announced 1 map[Sum:[1]]", "announced 1 map[Sum:[1]]"},
		{"in the head too", "X-Kept, Sum", "X-Kept: other\r\nx_kept: other\r\nSum: 1\r\n", "announced 1 map[Sum:[1]]", "announced 1 map[Sum:[1]]"},
		{"what a policy set", "X-Set, Sum", "X-Set: mine\r\nSum: 1\r\n", "announced 1 map[Sum:[1]]", "announced 1 map[Sum:[1]]"},
	}
	for _, noFast := range []bool{false, true} {
		w := newWorld(t, Options{Listen: listen.Options{NoFastLane: noFast}})
		for i, path := range []string{"/h1", "/h2"} {
			a := openAPI()
			a.Name, a.Path = path[1:], path
			a.Backend = snapshot.Backend{Name: "t" + path, HTTP2: i == 1, Targets: []snapshot.Target{{URL: seenTrailers(t, i == 1)}}}
			a.Policies = []policy.Use{use("headers", `{"request":{"set":{"X-Set":"ours"}}}`)}
			w.api(a)
		}
		if aside := w.swap(); len(aside) > 0 {
			t.Fatalf("aside: %+v", aside)
		}
		for _, tt := range tests {
			for path, want := range map[string]string{"/h1": tt.h1, "/h2": tt.h2} {
				t.Run(fmt.Sprintf("%s, to %s, fast lane off: %t", tt.name, path[1:], noFast), func(t *testing.T) {
					head := "POST " + path + "/x HTTP/1.1\r\nHost: h\r\nX-Kept: kept\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
					if tt.announced != "" {
						head += "Trailer: " + tt.announced + "\r\n"
					}
					got := w.talk(head + "\r\n3\r\nabc\r\n0\r\n" + tt.trailer + "\r\n")
					if !strings.Contains(got[0], `"abc" <nil> `+want+"\n") {
						t.Errorf("got %s\nwant %s", got[0], want)
					}
				})
			}
		}
	}
}

// What comes as HTTP/2 goes on as well.
func TestRequestTrailersOfHTTP2(t *testing.T) {
	w := newWorld(t, Options{})
	a := openAPI()
	a.Backend = snapshot.Backend{Name: "t/b", Targets: []snapshot.Target{{URL: seenTrailers(t, false)}}}
	w.api(a)
	w.swap()
	client := h2cClient()
	defer client.CloseIdleConnections()
	r, err := http.NewRequest("POST", "http://"+w.addr+"/open/x", io.MultiReader(strings.NewReader("abc")))
	if err != nil {
		t.Fatal(err)
	}
	r.Trailer = http.Header{"Sum": {"1"}, "X-Gatehouse-Plan": {"gold"}}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	text := readAll(resp.Body)
	resp.Body.Close()
	if want := `"abc" <nil> announced 1 map[Sum:[1]]`; !strings.Contains(text, want) {
		t.Errorf("got %s, want %s", text, want)
	}
}
