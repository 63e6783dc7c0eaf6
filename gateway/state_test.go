package gateway

import (
	"os"
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
