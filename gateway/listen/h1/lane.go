package h1

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/gateway/head"
	"gatehouse/gateway/pipeline"
	"gatehouse/policy"
)

// Options are the bounds of the door, as listen.Options explains them. All are
// set.
type Options struct {
	MaxHead, MaxFields                                  int
	HeadTimeout, BodyTimeout, WriteTimeout, IdleTimeout time.Duration
	BodyPace                                            int
	// Closing tells whether connections are not to be kept just now.
	Closing func() bool
	// Overload is what a request gets instead of an answer when there is too
	// much to do, else nil.
	Overload func() *policy.Denial
	Log      func(format string, args ...any)
}

// A Lane serves connections.
type Lane struct {
	o    Options
	to   *pipeline.Server
	shut atomic.Bool // no request may begin any more

	mu    sync.Mutex // guards all below
	conns map[*conn]bool
	empty chan struct{} // closed when the last connection goes after shut
}

// New makes a lane that hands requests to a pipeline.
func New(o Options, to *pipeline.Server) *Lane {
	return &Lane{o: o, to: to, conns: map[*conn]bool{}, empty: make(chan struct{})}
}

// A Rest is a connection that is given up, alive, by the lane.
type Rest struct {
	// Bytes have been read and not used; they begin with a message.
	Bytes []byte
	// Began is set when messages have been served before.
	Began bool
}

// Serve serves requests that come on nc until the connection ends, and then closes
// it and returns nil; or until one comes that is not ordinary. Requests end early
// when ctx does, or when the caller leaves.
func (l *Lane) Serve(ctx context.Context, nc net.Conn, peer *head.Peer) *Rest {
	c := newConn(l, nc, peer)
	c.ctx, c.cancel = context.WithCancel(ctx)
	defer c.cancel()
	if !l.add(c) {
		nc.Close()
		return nil
	}
	defer l.remove(c)
	return c.run()
}

func (l *Lane) add(c *conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shut.Load() {
		return false
	}
	l.conns[c] = true
	return true
}

func (l *Lane) remove(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
	if l.shut.Load() && len(l.conns) == 0 {
		l.once()
	}
}

// once closes empty; mu is held.
func (l *Lane) once() {
	select {
	case <-l.empty:
	default:
		close(l.empty)
	}
}

// Shutdown closes connections on which nothing is in work and waits for the
// others; those that are left when ctx ends are cut.
func (l *Lane) Shutdown(ctx context.Context) error {
	l.mu.Lock()
	l.shut.Store(true)
	for c := range l.conns {
		c.closeIdle()
	}
	if len(l.conns) == 0 {
		l.once()
	}
	l.mu.Unlock()
	select {
	case <-l.empty:
		return nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		c.cancel()
		c.nc.Close()
	}
	return ctx.Err()
}
