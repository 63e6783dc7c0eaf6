package load

import (
	"net"
	"runtime"
	"testing"
	"time"
)

func TestPercentile(t *testing.T) {
	var times []time.Duration
	for i := range 200 {
		times = append(times, time.Duration(200-i))
	}
	for _, tt := range []struct {
		p    float64
		want time.Duration
	}{{0, 1}, {50, 101}, {99, 199}, {100, 200}} {
		if got := Percentile(times, tt.p); got != tt.want {
			t.Errorf("%v: got %d, want %d", tt.p, got, tt.want)
		}
	}
	if Percentile(nil, 99) != 0 {
		t.Error("none have a percentile")
	}
}

// A load counts what was answered and tells what was not.
func TestLoad(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go Backend(l)
	calls := Load{Addr: l.Addr().String(), Conn: 2, Next: func(int) (string, string) { return "/x", "key" }}
	r := calls.Start()
	for r.Done() < 100 {
		runtime.Gosched()
	}
	samples, failed := r.Stop()
	if int64(len(samples)) != r.Done() || len(failed) > 0 {
		t.Errorf("%d samples of %d, failed: %v", len(samples), r.Done(), failed)
	}
	l.Close()
	asked := make(chan bool, 1000)
	r = Load{Addr: l.Addr().String(), Rate: 1000, Conn: 1, Next: func(int) (string, string) { asked <- true; return "/x", "" }}.Start()
	<-asked
	<-asked
	if samples, failed = r.Stop(); len(samples) > 0 || len(failed) == 0 {
		t.Errorf("nobody listens: %d samples, failed: %v", len(samples), failed)
	}
}
