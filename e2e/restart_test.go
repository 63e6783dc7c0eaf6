package e2e

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// either dials the instances of a gateway in any order, as clients do for a name
// with several addresses.
func (s *site) either(names ...string) *http.Transport {
	return s.balanced(func(string) bool { return true }, names...)
}

// ready tells whether a process says that it is, as load balancers ask it.
func (s *site) ready(name string) bool {
	return get(s.t.Context(), s.ops[name]+"/readyz", http.StatusOK) == nil
}

// balanced dials those instances that may be dialled.
func (s *site) balanced(may func(name string) bool, names ...string) *http.Transport {
	var d net.Dialer
	return &http.Transport{
		MaxIdleConnsPerHost: 10,
		DialContext: func(ctx context.Context, network, _ string) (conn net.Conn, err error) {
			err = errors.New("no instance is ready")
			for _, i := range rand.Perm(len(names)) {
				if !may(names[i]) {
					continue
				}
				if conn, err = d.DialContext(ctx, network, strings.TrimPrefix(s.at[names[i]], "http://")); err == nil {
					return conn, nil
				}
			}
			return nil, err
		},
	}
}

// TestChaosRestart restarts the two instances of a gateway one after the other
// under load, again and again: no call fails, neither on kept connections nor on
// fresh ones through a balancer that asks who is ready; a long answer comes to its
// end, and each call is counted once.
func TestChaosRestart(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.control("control")
	s.apply(s.platform())
	for _, name := range []string{"left", "right"} {
		s.gateway(name, "--report-interval", flush.String(), "--drain-delay", "200ms")
	}
	s.inStep(2)
	url := func() string { return "http://gateway/pets" }
	busy := callers(t.Context(), 4, time.Millisecond, s.either("left", "right"), url)
	idle := callers(t.Context(), 4, 70*time.Millisecond, s.either("left", "right"), url)
	once := s.balanced(s.ready, "left", "right")
	once.DisableKeepAlives = true
	fresh := callers(t.Context(), 2, time.Millisecond, once, url)
	var slowest time.Duration
	var long []*load
	n := rounds(3, 10)
	for range n {
		for _, name := range []string{"left", "right"} {
			// A long answer is under way on the one that ends.
			l := callers(t.Context(), 1, time.Minute, new(http.Transport), func() string { return s.at[name] + "/pets?drip=1200ms&" })
			long = append(long, l)
			_ = wait(t.Context(), 100*time.Millisecond)
			begin := time.Now()
			s.stop(name)
			s.again(name)
			slowest = max(slowest, time.Since(begin))
			s.inStep(2)
		}
	}
	answers := slices.Concat(busy.end(), idle.end(), fresh.end())
	for _, l := range long {
		answers = append(answers, l.end()...)
	}
	failed := 0
	for _, a := range answers {
		if a.status != http.StatusOK {
			failed++
			t.Errorf("a call failed: %d, %v", a.status, a.err)
		}
	}
	s.eventually("each call is counted once", func() error { return s.exactly("pets/pets@v1", len(answers)) })
	t.Logf("%d restarts within %s each, %d calls, %d failed; each counted once", 2*n, slowest, len(answers), failed)
}
