package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse"
)

// TestKillUnderChange kills the gateway, and every other time the control plane
// with it, while one configuration follows the other: alone, the gateway comes
// back with a whole one that is no older than what it ran, and then catches up.
func TestKillUnderChange(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(*seed, 6))
	s := newSite(t)
	s.control("control")
	s.apply(s.platform())
	s.gateway("edge")
	var asked, acked atomic.Int64
	change := func(ctx context.Context) error {
		n := asked.Add(1)
		// Two APIs change together, so that half of it would show.
		set := fmt.Sprintf(`{headers: {response: {set: {X-Number: "%d"}}}}`, n)
		_, err := s.try(ctx, s.open("churn", set)+"---"+s.open("twin", set))
		if err == nil {
			acked.Store(n)
		}
		return err
	}
	if err := change(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.inStep(1)
	var slowest time.Duration
	n := rounds(15, 100)
	for round := range n {
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		var seen atomic.Int64
		wg.Go(func() {
			for ctx.Err() == nil {
				if err := change(ctx); err != nil && ctx.Err() == nil && !gatehouse.Is(err, gatehouse.Unavailable) {
					t.Errorf("changing: %v", err)
				}
			}
		})
		wg.Go(func() {
			for ctx.Err() == nil {
				if k, err := s.number("churn"); err == nil {
					seen.Store(k)
				}
			}
		})
		_ = wait(t.Context(), 50*time.Millisecond+time.Duration(random.IntN(200))*time.Millisecond)
		both := round%2 == 1
		if both {
			s.kill("control")
		}
		s.kill("edge")
		cancel()
		wg.Wait()
		begin := time.Now()
		s.again("edge")
		k, err := s.number("churn")
		slowest = max(slowest, time.Since(begin))
		if err != nil || k < seen.Load() || k > asked.Load() {
			t.Errorf("round %d: it ran configuration %d; after the kill it runs %d, %v", round, seen.Load(), k, err)
		}
		if twin, err := s.number("twin"); both && (err != nil || twin != k) {
			t.Errorf("round %d: one half is of configuration %d, the other of %d, %v", round, k, twin, err)
		}
		if both {
			s.again("control")
		}
		want := acked.Load()
		s.eventually("the gateway catches up", func() error {
			k, err := s.number("churn")
			if err == nil && k < want {
				err = fmt.Errorf("it runs configuration %d, want %d", k, want)
			}
			return err
		})
		if t.Failed() {
			t.Fatalf("-fault.seed=%d", *seed)
		}
	}
	s.inStep(1)
	t.Logf("%d kills during %d changes; serving a whole configuration within %s", n, acked.Load(), slowest)
}

// number is the configuration that the gateway runs of an API.
func (s *site) number(api string) (int64, error) {
	resp, err := http.Get(s.at["edge"] + "/" + api)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("got status %d", resp.StatusCode)
	}
	return strconv.ParseInt(resp.Header.Get("X-Number"), 10, 64)
}
