package site

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"gatehouse/control"
	"gatehouse/control/server"
)

// Within does something with a new site whose control plane is in the measuring
// process, so that time counts from when it has decided, rather than from when an
// answer came by HTTP. The gateway is a process of its own.
func Within(ctx context.Context, do func(*Site, *control.Control) error) (err error) {
	s, err := New()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	c, end, err := s.within(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	return do(s, c)
}

// within starts the control plane; end ends it and the gateway.
func (s *Site) within(ctx context.Context) (c *control.Control, end func() error, err error) {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	if c, err = control.Open(ctx, control.Options{Data: s.Data(), Log: log, Version: "bench"}); err != nil {
		return nil, nil, err
	}
	l, err := net.Listen("tcp", s.Admin())
	if err != nil {
		return nil, nil, errors.Join(err, c.Close())
	}
	if err := os.WriteFile(filepath.Join(s.Data(), "admin.addr"), []byte("http://"+s.Admin()+"\n"), 0o600); err != nil {
		return nil, nil, errors.Join(err, l.Close(), c.Close())
	}
	h := &http.Server{Handler: c.Handler(), ReadHeaderTimeout: 10 * time.Second}
	work, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { c.Run(work) })
	wg.Go(func() { _ = h.Serve(&server.Either{Listener: l, TLS: c.TLS(nil), Plain: true}) }) // ends with Close
	return c, func() error {
		s.Gateway.Kill()
		h.Close()
		stop()
		wg.Wait()
		return c.Close()
	}, nil
}
