package upstream

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"gatehouse/gateway/upstream/h1"
	"gatehouse/policy"
	"gatehouse/snapshot"
)

// A check asks one target for its health path, again and again. A target is
// held for healthy until enough asks in a row say otherwise.
type check struct {
	key    string
	refs   int // guarded by the set
	target *target
	log    func(format string, args ...any)

	path, query        string
	interval, timeout  time.Duration
	healthy, unhealthy int
	statuses           []int

	cancel context.CancelFunc
	done   chan struct{}

	mu     sync.Mutex // guards all below
	down   bool
	row    int // answers in a row that speak against the present state
	reason string
}

func newCheck(key string, t *target, h snapshot.Health, log func(string, ...any)) *check {
	c := &check{key: key, target: t, log: log, interval: h.Interval.Std(), timeout: h.Timeout.Std(),
		healthy: orDefault(h.Healthy, 2), unhealthy: orDefault(h.Unhealthy, defaultUnhealthy), statuses: h.Statuses}
	c.path, c.query, _ = strings.Cut(h.Path, "?")
	if c.interval <= 0 {
		c.interval = 10 * time.Second
	}
	if c.timeout <= 0 {
		c.timeout = 2 * time.Second
	}
	return c
}

func (c *check) start() {
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel, c.done = cancel, make(chan struct{})
	go func() {
		defer close(c.done)
		c.run(ctx)
	}()
}

// stop ends the check without waiting for an ask under way.
func (c *check) stop() { c.cancel() }

func (c *check) run(ctx context.Context) {
	// The first ask comes at a random moment of the first second, so that a
	// table of a thousand backends does not begin with a burst.
	timer := time.NewTimer(rand.N(min(c.interval, time.Second)))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		reason, told := c.ask(ctx)
		if ctx.Err() != nil {
			return
		}
		if told {
			c.note(reason)
		}
		timer.Reset(c.interval*9/10 + rand.N(c.interval/5+1))
	}
}

// ask returns what is wrong with the target, or "". It is not told where the ask
// failed for what has nothing to do with it.
func (c *check) ask(ctx context.Context) (reason string, told bool) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	x := &policy.Exchange{Method: "GET", Upstream: c.path, Query: c.query}
	x.Header.Add("User-Agent", "gatehouse-health")
	status, err := c.target.probe(ctx, x, c.timeout)
	if err != nil {
		return err.Type, err.Type != h1.InternalError
	}
	if len(c.statuses) > 0 && !slices.Contains(c.statuses, status) || len(c.statuses) == 0 && (status < 200 || status > 399) {
		return fmt.Sprintf("health path answers %d", status), true
	}
	return "", true
}

func (c *check) note(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down == (reason != "") {
		c.row = 0
		if c.down {
			c.reason = reason
		}
		return
	}
	c.row++
	switch {
	case c.down && c.row >= c.healthy:
		c.down, c.row, c.reason = false, 0, ""
		c.log("target %s answers its health path again", c.target.url)
	case !c.down && c.row >= c.unhealthy:
		c.down, c.row, c.reason = true, 0, reason
		c.log("target %s is left out: %s", c.target.url, reason)
	}
}

func (c *check) up() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.down
}

func (c *check) why() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reason
}
