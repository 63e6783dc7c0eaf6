package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/cli"
	"gatehouse/cmd/gatehouse/demo"
	"gatehouse/control"
	"gatehouse/control/server"
	"gatehouse/gateway/instance"
	"gatehouse/link"
	"gatehouse/ops"
	"gatehouse/settings"
)

// serving are the flags of the roles that have a control plane.
type serving struct {
	settings.Common
	admin, data, database string
	cert, key             string
	origins               []string
	insecure, demo        bool
	first                 bool // start on this data
	gateway               instance.Options
	notify                notifying
}

func (s *serving) bind(c *cobra.Command) {
	s.Common.Bind(c)
	f := c.Flags()
	f.StringVar(&s.admin, "admin-addr", "127.0.0.1:9080", "management API and link of gateways")
	f.StringVar(&s.data, "data", "gatehouse-data", "directory of the embedded database, keys and spools")
	f.StringVar(&s.database, "database", "", "postgres:// URL; the embedded database when left out")
	f.StringVar(&s.cert, "admin-cert", "", "PEM file: certificate of the management API")
	f.StringVar(&s.key, "admin-key", "", "PEM file: its key")
	f.StringSliceVar(&s.origins, "admin-origin", nil, "origin under which a proxy serves the management API, such as https://gatehouse.example.com; may be repeated")
	s.notify.bind(f)
	f.BoolVar(&s.insecure, "insecure", false, "allow a management API without TLS on an address that others reach")
}

func serveCommand(a *cli.App) *cobra.Command {
	s := new(serving)
	c := &cobra.Command{
		Use: "serve", GroupID: "run", Args: cobra.NoArgs,
		Short: "Run a control plane and one gateway in one process",
		Long: `Run everything in one process: control plane, management API and one gateway of the
environment dev, with an embedded database in --data. The first start makes an administrator and
leaves its token in DIR/admin.token, where the other commands find it.`,
		Example: "  gatehouse serve --demo\n  gatehouse serve --data /var/lib/gatehouse --database postgres://gatehouse@db/gatehouse",
		RunE:    func(c *cobra.Command, _ []string) error { return s.run(c.Context(), a, true) },
	}
	s.bind(c)
	s.gateway.Bind(c)
	c.Flags().BoolVar(&s.demo, "demo", false, "fill an empty installation with a sample backend, teams, APIs and a key")
	settings.Bind(c, a.Getenv)
	return c
}

func controlCommand(a *cli.App) *cobra.Command {
	s := new(serving)
	c := &cobra.Command{
		Use: "control", GroupID: "run", Args: cobra.NoArgs,
		Short: "Run a control plane alone",
		Long:  "Run a control plane alone; gateways dial in. Several may share one PostgreSQL database,\neach with a copy of the first one's DIR/installation.key.",
		RunE:  func(c *cobra.Command, _ []string) error { return s.run(c.Context(), a, false) },
	}
	s.bind(c)
	settings.Bind(c, a.Getenv)
	return c
}

// run opens everything, serves until ctx ends, and closes in the reverse order.
func (s *serving) run(ctx context.Context, a *cli.App, withGateway bool) error {
	log, err := s.Logger(a.Err)
	if err != nil {
		return err
	}
	base, err := s.certificate()
	if err != nil {
		return err
	}
	if err := s.safe(base != nil); err != nil {
		return err
	}
	told, err := s.notify.options()
	if err != nil {
		return err
	}
	s.first = s.fresh()
	if bound := ops.BoundMemory(os.Getenv, os.DirFS("/")); bound > 0 {
		log.Info("memory is bounded by the container's", "bytes", bound)
	}
	c, err := control.Open(ctx, control.Options{Notify: told, Data: s.data, Database: s.database, Log: log, Version: a.Version, Origins: s.origins})
	if err != nil {
		return fmt.Errorf("opening the control plane: %w", err)
	}
	p := &process{ctl: c, log: log, http: &http.Server{
		Handler: c.Handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 90 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}}
	return errors.Join(p.run(ctx, s, a, base, withGateway), c.Close())
}

// certificate reads the management API's certificate, if there is one.
func (s *serving) certificate() (*tls.Config, error) {
	if s.cert == "" && s.key == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(s.cert, s.key)
	if err != nil {
		return nil, fmt.Errorf("reading --admin-cert and --admin-key: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

// leaveCertificate puts the certificate where the commands of the same machine
// find it, or takes an old one away.
func (s *serving) leaveCertificate() error {
	file := filepath.Join(s.data, "admin.pem")
	if s.cert == "" {
		if err := os.Remove(file); !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	}
	text, err := os.ReadFile(s.cert)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}

// safe refuses a management API in clear where others reach it.
func (s *serving) safe(secured bool) error {
	host, _, err := net.SplitHostPort(s.admin)
	if err != nil {
		return fmt.Errorf("--admin-addr: %w", err)
	}
	if ip := net.ParseIP(host); secured || s.insecure || host == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("--admin-addr %s can be reached from elsewhere and would speak plain HTTP: give --admin-cert and --admin-key, or say --insecure", s.admin)
}

// A process is what runs of one serve or control command.
type process struct {
	ctl      *control.Control
	log      *slog.Logger
	http     *http.Server
	instance atomic.Pointer[instance.Instance] // nil until it is open; operators ask before
}

func (p *process) run(ctx context.Context, s *serving, a *cli.App, base *tls.Config, withGateway bool) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	fail := func(err error) {
		if err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			stop(err)
		}
	}
	admin, err := settings.Listen("the management API", "--admin-addr", s.admin)
	if err != nil {
		return err
	}
	operators, err := s.Listen()
	if err != nil {
		admin.Close()
		return err
	}
	p.http.RegisterOnShutdown(p.ctl.Rest)
	var wg sync.WaitGroup
	work, rest := context.WithCancel(context.WithoutCancel(ctx))
	defer func() { // the control plane goes last: gateways say their last counts to it
		shut, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := p.http.Shutdown(shut); err != nil {
			p.http.Close()
		}
		rest()
		wg.Wait()
	}()
	wg.Go(func() { p.ctl.Run(work) })
	plain := base == nil
	wg.Go(func() {
		fail(p.http.Serve(&server.Either{Listener: admin, TLS: p.ctl.TLS(base), Plain: plain, Log: p.log}))
	})
	opsServer := &http.Server{Handler: ops.Handler(func() error { return p.ready(withGateway) }, p), ReadHeaderTimeout: 10 * time.Second}
	wg.Go(func() { fail(opsServer.Serve(operators)) })
	defer opsServer.Close()

	address := "http://" + admin.Addr().String()
	if !plain {
		address = "https://" + admin.Addr().String()
	}
	if err := os.WriteFile(filepath.Join(s.data, "admin.addr"), []byte(address+"\n"), 0o600); err != nil {
		return err
	}
	if err := s.leaveCertificate(); err != nil {
		return err
	}
	if s.first && !s.demo {
		if err := p.link(ctx, a.Out, address, s.data); err != nil {
			return fmt.Errorf("making a link to the console: %w", err)
		}
	}
	if withGateway {
		done, err := p.gateway(ctx, s, a)
		if err != nil {
			return err
		}
		defer func() { fail(<-done) }()
	}
	if err := p.welcome(ctx, s, a, address); err != nil {
		return err
	}
	<-ctx.Done()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	p.log.Info("stopping")
	return nil
}

// gateway starts the gateway of this process. It joins and is fed over the
// link like any other; only the wire does not leave the process.
func (p *process) gateway(ctx context.Context, s *serving, a *cli.App) (<-chan error, error) {
	dir := filepath.Join(s.data, "gateway")
	token := ""
	if id, err := link.LoadIdentity(dir); err != nil || !time.Now().Before(id.Expires()) {
		if token, err = p.ctl.LocalGateway(ctx); err != nil {
			return nil, err
		}
	}
	pipe := link.NewPipe()
	go func() { _ = p.http.Serve(tls.NewListener(pipe, p.ctl.TLS(nil))) }() // ends with the server
	o := s.gateway
	o.Data, o.Control, o.Token, o.Name, o.Dial = dir, "https://"+link.ServerName, token, "local", pipe.Dial
	o.Log, o.Version = p.log, a.Version
	i, err := instance.Open(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("starting the gateway: %w", err)
	}
	p.instance.Store(i)
	done := make(chan error, 1)
	go func() { done <- i.Run(ctx) }()
	return done, nil
}

func (p *process) ready(withGateway bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if _, err := p.ctl.DB.Head(ctx); err != nil {
		return err
	}
	if !withGateway {
		return nil
	}
	i := p.instance.Load()
	if i == nil {
		return errors.New("the gateway is starting")
	}
	return i.Ready()
}

// welcome says where everything is, and fills the installation with the demo.
func (p *process) welcome(ctx context.Context, s *serving, a *cli.App, address string) error {
	p.log.Info("management API is up", "address", address, "data", s.data)
	i := p.instance.Load()
	if i == nil {
		return nil
	}
	p.log.Info("gateway is up", "address", i.URL())
	if !s.demo {
		return nil
	}
	return demo.Start(ctx, demo.Options{Out: a.Out, Address: address, Data: s.data, Gateway: i.URL()})
}
