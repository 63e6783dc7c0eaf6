package traffic

import (
	"strings"
	"testing"
	"time"
)

// Without a tool its rows say what to install; the others stay.
func TestMoreTable(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	all := map[string][]sample{}
	for _, tr := range trials {
		for _, conns := range tr.demand.connections {
			all[key(tr.other.name, tr.other.work, conns)] = []sample{{cpu: 100, rate: 4, p50: time.Millisecond, p99: time.Millisecond}}
			all[key(tr.own.name, tr.own.work, conns)] = []sample{{cpu: 220, rate: 2, p50: time.Millisecond, p99: 2 * time.Millisecond}}
		}
	}
	got := moreTable(all, 1)
	for _, want := range []string{
		"| TLS, HTTP/1.1 | CPU for 10,000 | 32 | 220 ms | nginx: 100 ms | 2.20 | ≤ 1.8, missed |\n",
		"| TLS, HTTP/1.1 | requests/s | 32 | 2 | nginx: 4 | 0.50 |  |\n",
		"| TLS, HTTP/2 | not measured: h2load is needed; on Debian: apt-get install nghttp2-client |",
		"| answers of 10 KiB | CPU for 10,000 | 256 | 220 ms | nginx: 100 ms | 2.20 | ≤ 2.3 |\n",
		"| apim at 2,500/s | p99 | 16 | 2.00 ms | nginx: 1.00 ms | 2.00 | ≤ 1.8, missed |\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no line %q in\n%s", want, got)
		}
	}
}

func TestH2loadLine(t *testing.T) {
	const said = "finished in 2.00s, 25031.50 req/s, 4.70MB/s\nrequests: 50063 total, 50095 started, 50063 done, 50063 succeeded, 0 failed, 0 errored, 0 timeout\n"
	m := h2loadLine.FindStringSubmatch(said)
	if len(m) != 5 || m[1] != "25031.50" || m[2] != "50063" || m[4] != "50063" {
		t.Errorf("got %q", m)
	}
}
