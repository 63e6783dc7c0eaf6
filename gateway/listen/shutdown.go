package listen

import (
	"context"
	"time"
)

// Shutdown stops taking connections and lets requests in work come to their end,
// tunnels and streams included, until ctx ends; what is left then is cut.
// Connections kept for further requests are told to close with their next answer
// and given a moment for it, so that no request meets a closed door.
func (s *Server) Shutdown(ctx context.Context) error {
	s.draining.Store(true)
	s.mu.Lock()
	for l := range s.listeners {
		l.Close()
	}
	started := s.started
	s.started = true // a later Serve finds draining set and starts nothing
	s.mu.Unlock()
	s.accepting.Wait()
	if !started {
		s.cancel()
		return nil
	}
	s.leaveTime(ctx)
	lane := make(chan error, 1)
	go func() {
		if s.fast == nil {
			lane <- nil
			return
		}
		lane <- s.fast.Shutdown(ctx)
	}()
	err := s.http.Shutdown(ctx)
	if e := <-lane; err == nil {
		err = e
	}
	done := make(chan struct{})
	go func() { s.tunnels.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.cancel()
	s.http.Close()
	s.in.Close()
	<-s.served
	<-done
	return err
}

// grace is the moment that kept connections are given.
const grace = 500 * time.Millisecond

func (s *Server) leaveTime(ctx context.Context) {
	timer := time.NewTimer(grace)
	defer timer.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for s.connections.Load() > 0 {
		select {
		case <-tick.C:
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// Draining tells whether the server is shutting down.
func (s *Server) Draining() bool { return s.draining.Load() }
