// Package instance is one running process of a gateway: it joins, serves what
// lies on disk, follows the control plane, and says what it counted.
//
// Everything it does is in other rooms; here they are wired and started and
// stopped in the right order. Both programs use it, and so does the gateway
// inside "gatehouse serve", whose control plane is in the same process.
package instance

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/filelock"
	"gatehouse/gateway"
	"gatehouse/gateway/fetch"
	"gatehouse/gateway/listen"
	"gatehouse/gateway/telemetry"
	"gatehouse/link"
	"gatehouse/settings"
)

// Options are what an instance is made of.
type Options struct {
	TrafficAddr string // default :8080, or :8443 with a certificate
	Cert, Key   string // PEM files for HTTPS
	Data        string // identity, last good configuration, counts, limits
	Control     string // URL of the control plane
	Token       string // join token, for the first start
	Name        string // of this instance; default the host's name
	// TrustedProxies are networks whose X-Forwarded-For is believed, and
	// FetchFrom those that key sets may be fetched from although they are
	// private.
	TrustedProxies, FetchFrom []string
	// Valkey is the URL of a server that counts shared limits exactly; empty:
	// the control plane hands out shares of them.
	Valkey    string
	AccessLog string // a file, "-" for standard output, "" for none
	FastLane  bool   // see listen.Options.NoFastLane; Bind's default is true
	Interval  time.Duration
	// DrainDelay is how long to take new connections after being told to stop,
	// while Ready already says no: what balances load looks away in time.
	DrainDelay time.Duration
	Log        *slog.Logger
	Version    string
	// Dial reaches a control plane in the same process; nil dials the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// An Instance is one running process of a gateway.
type Instance struct {
	Options
	Gateway *gateway.Gateway
	runner  *link.Runner
	traffic net.Listener
	leaving atomic.Bool
	log     io.Closer
	lock    io.Closer
	shared  *shared
}

// Open listens, joins if need be, and puts the configuration on disk in force.
func Open(ctx context.Context, o Options) (*Instance, error) {
	o.Name = cmp.Or(o.Name, hostName())
	if err := os.MkdirAll(o.Data, 0o700); err != nil {
		return nil, err
	}
	i := &Instance{Options: o}
	if err := i.open(ctx); err != nil {
		if i.Gateway != nil {
			err = errors.Join(err, i.Gateway.Shutdown(ctx))
		}
		return nil, errors.Join(err, i.close())
	}
	return i, nil
}

func (i *Instance) open(ctx context.Context) error {
	private, err := networks("--fetch-from", i.FetchFrom)
	if err != nil {
		return err
	}
	if err := i.alone(); err != nil {
		return err
	}
	// What can fail here fails before the token is used, which is good once.
	if err := i.listen(); err != nil {
		return err
	}
	accessLog, err := i.openLog()
	if err != nil {
		return err
	}
	client := &link.Client{URL: i.Control, Dial: i.Dial, Program: "gatehouse " + i.Version}
	if i.shared, err = newShared(&i.Options, client); err != nil {
		return err
	}
	if i.Gateway, err = gateway.New(gateway.Options{
		Limits:         i.shared.limits,
		Key:            func(id string) ed25519.PublicKey { return client.Identity().Keys[id] },
		Listen:         listen.Options{NoFastLane: !i.FastLane},
		TrustedProxies: i.TrustedProxies, State: filepath.Join(i.Data, "limits"), AccessLog: accessLog, Log: i.Log, Linked: i.linked,
		Fetch: fetch.New(fetch.Options{Allow: private, PlainLoopback: len(private) > 0}),
	}); err != nil {
		return err
	}
	i.runner = &link.Runner{
		Client: client,
		Dir:    i.Data, Swap: i.Gateway.Swap, Strike: i.Gateway.Strike, Standing: i.Gateway.Standing, Judged: i.Gateway.Judged(), Rollup: i.Gateway.Rollup, Health: i.Gateway.Health, Interval: i.Interval, Log: i.Log,
	}
	return i.runner.Start(ctx, i.Token, i.Name)
}

// alone sees to it that no other process has the data directory: two would send
// counts under the same numbers, and clear away each other's configuration. One
// that cannot be locked for another reason, such as a full disk, is served from
// all the same.
func (i *Instance) alone() (err error) {
	i.lock, err = filelock.Take(filepath.Join(i.Data, "lock"))
	if errors.Is(err, filelock.ErrHeld) {
		return fmt.Errorf("data directory %q is %w; each instance needs one of its own (--data)", i.Data, err)
	}
	if err != nil {
		i.Log.Warn("whether another process uses the data directory is not known", "error", err)
	}
	return nil
}

// linked is how the instance stands with its control plane and its disk.
func (i *Instance) linked() telemetry.Link {
	if i.runner == nil {
		return telemetry.Link{}
	}
	return telemetry.Link{Unsent: int64(i.runner.Unsent()), Unwritten: i.runner.Unwritten(), Interrupted: i.runner.Interrupted()}
}

// networks reads a flag's networks; a bare address stands for itself.
func networks(flag string, texts []string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, t := range texts {
		if p, err := netip.ParsePrefix(t); err == nil {
			all = append(all, p.Masked())
		} else if a, err := netip.ParseAddr(t); err == nil {
			all = append(all, netip.PrefixFrom(a, a.BitLen()))
		} else {
			return nil, fmt.Errorf("%s: %q is neither a network nor an address", flag, t)
		}
	}
	return all, nil
}

func (i *Instance) openLog() (io.Writer, error) {
	switch i.AccessLog {
	case "":
		return nil, nil
	case "-":
		return os.Stdout, nil
	}
	f, err := os.OpenFile(i.AccessLog, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return nil, fmt.Errorf("opening the access log: %w", err)
	}
	i.log = f
	return f, nil
}

func (i *Instance) listen() error {
	addr := cmp.Or(i.TrafficAddr, ":8080")
	if (i.Cert == "") != (i.Key == "") {
		return errors.New("--traffic-cert and --traffic-key go together: one of them is missing")
	}
	if i.Cert != "" {
		addr = cmp.Or(i.TrafficAddr, ":8443")
		if _, err := listen.LoadCertificates([]listen.Pair{{Cert: i.Cert, Key: i.Key}}, nil); err != nil {
			return err
		}
	}
	var err error
	i.traffic, err = settings.Listen("traffic", "--traffic-addr", addr)
	return err
}

// URL is how a caller on this machine reaches the gateway.
func (i *Instance) URL() string {
	scheme := "http"
	if i.Cert != "" {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(i.traffic.Addr().String())
	if err != nil {
		return scheme + "://" + i.traffic.Addr().String()
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// Ready is nil when the instance has a configuration to serve and goes on.
func (i *Instance) Ready() error {
	if i.leaving.Load() {
		return errors.New("shutting down")
	}
	return i.Gateway.Ready()
}

// Run serves until ctx ends. Then it says that it is not ready, serves on for
// DrainDelay, and drains: no new connection, requests in work go on for
// gateway.DrainTime at most, the last counts go to disk.
func (i *Instance) Run(ctx context.Context) error {
	linked, unlink := context.WithCancel(context.WithoutCancel(ctx))
	defer unlink()
	var work sync.WaitGroup
	work.Go(func() { i.runner.Run(linked) })
	work.Go(func() { i.shared.run(linked, i.runner.Client.Identity().Environment) })
	served := make(chan error, 1)
	go func() { served <- i.Gateway.Serve(i.traffic, gateway.TLS{Cert: i.Cert, Key: i.Key}) }()
	var err error
	select {
	case err = <-served:
	case <-ctx.Done():
		i.leaving.Store(true)
		select {
		case err = <-served:
		case <-time.After(i.DrainDelay):
		}
	}
	if e := i.Gateway.Shutdown(context.WithoutCancel(ctx)); e != nil {
		i.Log.Warn("some requests were cut when the gateway stopped", "error", e)
	}
	unlink()
	work.Wait()
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		err = nil
	}
	return errors.Join(err, i.close())
}

// close lets go of what Open took and Run does not.
func (i *Instance) close() error {
	var err error
	if i.log != nil {
		err, i.log = i.log.Close(), nil
	}
	if i.traffic != nil {
		i.traffic.Close()
	}
	if i.lock != nil {
		err = errors.Join(err, i.lock.Close())
	}
	return err
}

// hostName is the host's name as an instance may have it.
func hostName() string {
	h, err := os.Hostname()
	if err != nil || h == "" {
		return "gateway"
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '.':
			return r
		}
		return '-'
	}, h)
}
