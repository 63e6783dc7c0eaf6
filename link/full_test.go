package link

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/report"
)

// TestFullDiskIsToldOnce holds that counts that the disk does not take are told
// when that begins and when it is over, not at each interval, and counted.
func TestFullDiskIsToldOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	var out bytes.Buffer
	r := &Runner{Client: &Client{}, Now: time.Now, Log: slog.New(slog.NewTextHandler(&out, nil)), send: make(chan struct{}, 1),
		Rollup: func() []report.Count { return []report.Count{{API: "a", Class: 2, Requests: 1}} }}
	var err error
	if r.spool, _, err = OpenSpool(dir, r.Now); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		r.roll()
	}
	if n := r.Unwritten(); n != 5 {
		t.Errorf("counted %d faults, want 5", n)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	r.roll()
	r.roll()
	if text := out.String(); strings.Count(text, "level=ERROR") != 1 || strings.Count(text, "level=INFO") != 1 || !strings.Contains(text, "times=5") {
		t.Errorf("told:\n%s", text)
	}
	if b, err := r.spool.Next(); err != nil || b == nil || countsOf(t, b)[0].Requests != 6 {
		t.Errorf("batch %+v, %v; want the 6 requests of the time and after", b, err)
	}
}
