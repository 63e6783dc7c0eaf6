package instance

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/valkey-io/valkey-go"

	"gatehouse/gateway/limit"
	"gatehouse/gateway/limit/lease"
	counter "gatehouse/gateway/limit/valkey"
	"gatehouse/link"
	"gatehouse/policy"
)

// shared is how this instance counts budgets that its environment has in common:
// by shares that the control plane hands out, or in a Valkey.
type shared struct {
	limits *limit.Limiter
	book   *lease.Book // nil with a Valkey
	url    string
	server atomic.Pointer[counter.Server] // nil until it was reached
	logf   func(string, ...any)
}

func newShared(o *Options, client *link.Client) (*shared, error) {
	s := &shared{url: o.Valkey, logf: func(format string, args ...any) { o.Log.Warn(fmt.Sprintf(format, args...)) }}
	s.limits = limit.New(limit.Options{Instances: client.Instances})
	if o.Valkey == "" {
		s.book = lease.New(lease.Options{Leaser: client, Local: s.limits.Alone(), Instances: client.Instances, Log: s.logf})
		s.limits.Share(s.book)
		return s, nil
	}
	if _, err := valkey.ParseURL(o.Valkey); err != nil {
		return nil, fmt.Errorf("--valkey: %w", err)
	}
	s.limits.Share(s)
	return s, nil
}

// Take counts in the Valkey; false while it cannot be reached.
func (s *shared) Take(scope, key string, b policy.Budget, n int64, now time.Time) (policy.Standing, bool) {
	if c := s.server.Load(); c != nil {
		return c.Take(scope, key, b, n, now)
	}
	return policy.Standing{}, false
}

// run works until ctx ends; with shares, what is left of them then goes back.
func (s *shared) run(ctx context.Context, environment string) {
	if s.book != nil {
		s.book.Run(ctx)
		return
	}
	c := s.connect(ctx, environment)
	if c == nil {
		return
	}
	s.server.Store(c)
	<-ctx.Done()
	c.Close()
}

// connect reaches the Valkey, however long that takes: a gateway must start
// without it. Nil when ctx ended first.
func (s *shared) connect(ctx context.Context, environment string) *counter.Server {
	for told := false; ; told = true {
		c, err := counter.Connect(counter.Options{URL: s.url, Prefix: "gatehouse:" + environment + ":", Log: s.logf})
		if err == nil {
			return c
		}
		if !told {
			s.logf("shared limits: %v; until it can be reached this instance keeps to its part of them", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}
