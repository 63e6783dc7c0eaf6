package gateway

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/gateway/limit"
	"gatehouse/policy"
)

// What is counted is on disk within seconds, whole, so that a killed gateway
// begins no budget anew; nothing is written while nothing is counted.
func TestCountersAreKeptWhileServing(t *testing.T) {
	file := t.TempDir() + "/limits"
	synctest.Test(t, func(t *testing.T) {
		counters := limit.New(limit.Options{})
		g, err := New(Options{Limits: counters, State: file})
		if err != nil {
			t.Fatal(err)
		}
		month := policy.Budget{Limit: 10, Calendar: "month"}
		counters.Take("s", "k", month, 7, time.Now())
		time.Sleep(2 * saveEvery)
		killed := limit.New(limit.Options{})
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := killed.Load(f, time.Now()); err != nil {
			t.Fatal(err)
		}
		if s := killed.Take("s", "k", month, 0, time.Now()); s.Remaining != 3 {
			t.Errorf("from the file: %d remain, want 3", s.Remaining)
		}
		before, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * saveEvery)
		after, err := os.Stat(file)
		if err != nil || !os.SameFile(before, after) {
			t.Errorf("the file was written again although nothing was counted (%v)", err)
		}
		if err := g.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(file + ".new"); err == nil {
			t.Error("a file that was not finished lies about")
		}
	})
}

// TestFullDiskIsToldOnce holds that a disk that does not take the counters is
// told when that begins and when it is over, not at each attempt, and counted.
func TestFullDiskIsToldOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		g, err := New(Options{Limits: limit.New(limit.Options{}), State: filepath.Join(dir, "limits"), Log: slog.New(slog.NewTextHandler(&out, nil))})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(5*saveEvery + saveEvery/2)
		if n := g.state().Unwritten; n != 5 {
			t.Errorf("counted %d faults, want 5", n)
		}
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * saveEvery)
		if err := g.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if text := out.String(); strings.Count(text, "level=WARN") != 1 || strings.Count(text, "level=INFO") != 1 || !strings.Contains(text, "times=5") {
			t.Errorf("told:\n%s", text)
		}
	})
}
