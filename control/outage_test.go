package control

import (
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse"
)

// TestOutageIsToldOnce lets a database be away while a thousand requests come:
// the log says it, then how often, and is silent when it is over. Other errors
// are all told.
func TestOutageIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text page
		log := bounded(slog.New(slog.NewTextHandler(&text, nil))).With("node", "a")
		away := gatehouse.E(gatehouse.Unavailable, "writing: %w", errors.New("connection refused"))
		lines := func() string {
			synctest.Wait()
			return text.tear()
		}
		for i := range 1000 {
			log.Error("recording a refusal", "request", i, "error", away)
		}
		if got := lines(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "connection refused") || !strings.Contains(got, "node=a") {
			t.Errorf("during the outage: %q", got)
		}
		time.Sleep(outageTime + time.Second)
		if got := lines(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "times=999") || !strings.Contains(got, "node=a") {
			t.Errorf("after a while: %q", got)
		}
		time.Sleep(2 * outageTime)
		if got := lines(); got != "" {
			t.Errorf("when it is over: %q", got)
		}
		log.Error("recording a refusal", "error", away)
		for range 3 {
			log.Error("request failed", "error", errors.New("a fault of ours"))
			log.Info("applied", "error", away)
		}
		if got := lines(); strings.Count(got, "\n") != 7 {
			t.Errorf("the next outage, and what is none: %q", got)
		}
		time.Sleep(3 * outageTime) // no timer is left
	})
}

// A page is written by several goroutines, and torn off.
type page struct {
	mu   sync.Mutex
	text strings.Builder
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *page) tear() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.text.Reset()
	return p.text.String()
}
