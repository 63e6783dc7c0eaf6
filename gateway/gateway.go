package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"gatehouse/gateway/credential"
	"gatehouse/gateway/limit"
	"gatehouse/gateway/listen"
	"gatehouse/gateway/pipeline"
	"gatehouse/gateway/telemetry"
	"gatehouse/gateway/upstream"
	"gatehouse/report"
	"gatehouse/snapshot"
	"gatehouse/spell"
)

// A Gateway is one instance. It is safe for use by several goroutines.
type Gateway struct {
	context context.Context
	cancel  context.CancelFunc
	builder *pipeline.Builder
	flow    *pipeline.Server
	door    *listen.Server
	meter   *telemetry.Meter
	access  *telemetry.Log
	targets *upstream.Set
	options Options
	limits  *limit.Limiter // nil when Options bring others
	saved   uint32         // checksum of the state file; of the keeper until it ended
	unsaved spell.Spell    // that the state file could not be written
	watches sync.WaitGroup // of certificates, and the keeper of state

	mu       sync.Mutex // held by Swap from beginning to end; guards all below
	have     []snapshot.Entry
	spare    []snapshot.Entry         // what have was before; its memory is used for the next
	manifest *snapshot.Manifest       // put in force last; nil before the first
	apis     map[string]*pipeline.API // in force, by ID
	products map[string]*pipeline.Product
	canaries map[string]*canary // in force, by the ID of the API they stand beside
	aside    []report.Refusal   // what did not come into force
	gate     gate
	struck   *credential.Struck // what tables are given to refuse
	closed   bool
	stopping bool
}

// New makes a gateway that has no table yet and no listener.
func New(o Options) (*Gateway, error) {
	o.defaults()
	for _, text := range o.TrustedProxies {
		p, err := network(text)
		if err != nil {
			return nil, err
		}
		o.Listen.Trusted = append(o.Listen.Trusted, p)
	}
	ctx, cancel := context.WithCancel(context.Background())
	if o.Listen.Memory == nil {
		o.Listen.Memory = listen.Watch(ctx)
	}
	g := &Gateway{context: ctx, cancel: cancel, options: o, meter: telemetry.NewMeter(runtime.GOMAXPROCS(0), 0),
		targets: upstream.NewSet(o.Upstream), apis: map[string]*pipeline.API{}, products: map[string]*pipeline.Product{}, canaries: map[string]*canary{}, gate: newGate()}
	if o.Limits == nil {
		o.Limits = limit.New(limit.Options{})
	}
	if g.limits, _ = o.Limits.(*limit.Limiter); g.limits != nil && o.State != "" {
		g.loadState()
		g.watches.Go(func() { g.keepState(ctx) })
	}
	if o.AccessLog != nil {
		g.access = telemetry.NewLog(o.AccessLog, o.LogShare)
	}
	g.builder = &pipeline.Builder{Context: ctx, Find: o.Find, Limits: o.Limits, Upstreams: g.targets,
		Secret: o.Secret, Fetch: o.Fetch, Log: o.logf}
	g.flow = &pipeline.Server{Trusted: o.Listen.Trusted, Rules: o.Rules, MaxBody: o.MaxBody, Meter: g.meter, Access: g.access, Log: o.logf}
	g.door = listen.NewServer(o.Listen, g.flow)
	return g, nil
}

// TLS is how callers are spoken to; the zero value is in clear.
type TLS struct {
	// Cert and Key name PEM files; they are read again when they change.
	Cert, Key string
	// Base is refined by what Cert and Key say; nil is the default.
	Base *tls.Config
}

// certInterval is how often certificate files are looked at.
const certInterval = 10 * time.Second

// Serve takes connections from l until it is closed or the gateway shuts down,
// which is no error.
func (g *Gateway) Serve(l net.Listener, t TLS) error {
	config := t.Base
	if t.Cert != "" || t.Key != "" {
		certs, err := listen.LoadCertificates([]listen.Pair{{Cert: t.Cert, Key: t.Key}}, g.options.logf)
		if err != nil {
			l.Close()
			return err
		}
		if config == nil {
			config = new(tls.Config)
		}
		config = config.Clone()
		config.GetCertificate = certs.Get
		g.watches.Go(func() { certs.Watch(g.context, certInterval) })
	}
	return g.door.Serve(l, config)
}

// network reads a network or an address.
func network(text string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(text); err == nil {
		return p.Masked(), nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("trusted proxy %q is neither a network such as \"10.0.0.0/8\" nor an address", text)
	}
	a = a.Unmap().WithZone("")
	return netip.PrefixFrom(a, a.BitLen()), nil
}

// DrainTime is how long streams in work get at Shutdown, unless its context ends
// earlier.
const DrainTime = 30 * time.Second

// Shutdown takes no more connections, lets requests in work come to their end for
// at most [DrainTime], and lets go of everything. What was counted can be rolled up
// afterwards.
func (g *Gateway) Shutdown(ctx context.Context) error {
	g.mu.Lock()
	g.stopping = true
	g.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, DrainTime)
	defer cancel()
	err := g.door.Shutdown(ctx)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return err
	}
	g.closed = true
	g.gate.stop()
	for _, a := range g.apis {
		a.Done()
	}
	for _, p := range g.products {
		p.Done()
	}
	for _, k := range g.canaries {
		k.Done()
	}
	g.cancel()
	g.watches.Wait()
	g.access.Close()
	g.saveState()
	return err
}

// Rollup returns what was counted since the last call, each request once.
func (g *Gateway) Rollup() []report.Count { return g.meter.Rollup() }

// Full receives when it is time to roll up early.
func (g *Gateway) Full() <-chan struct{} { return g.meter.Full() }

// LogDropped is how many lines of the access log were dropped.
func (g *Gateway) LogDropped() int64 { return g.access.Dropped() }

// Running lists what is in force: the revision of each API version by its id,
// "payments/orders@v1".
func (g *Gateway) Running() map[string]string {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := make(map[string]string, len(g.apis))
	for id, a := range g.apis {
		if !g.gate.shut(id) {
			out[id] = a.Revision
		}
	}
	return out
}

// InForce is the serial and digest of the last manifest that was put in force;
// zero before the first. The digest is worked out when it is asked for: among
// ten thousand entries that takes milliseconds, which a change does not spend.
func (g *Gateway) InForce() (serial int64, digest snapshot.Hash) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.manifest == nil {
		return 0, digest
	}
	return g.manifest.Serial, g.manifest.Digest()
}

// Aside is what the manifest in force names and this instance does not serve as
// named, with the reasons.
func (g *Gateway) Aside() []report.Refusal {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.setAside()
}

// Health is the gateway's own account; the caller adds what it alone knows.
func (g *Gateway) Health() report.Health {
	return report.Health{Connections: g.door.Connections(), Backends: g.targets.States()}
}

// Ready says why the gateway should not be sent requests, or nil.
func (g *Gateway) Ready() error {
	if g.flow.Table() == nil {
		return errors.New("there is no configuration yet")
	}
	if g.door.Draining() {
		return errors.New("shutting down")
	}
	return nil
}

// Collector measures the gateway for Prometheus.
func (g *Gateway) Collector() *telemetry.Collector { return telemetry.NewCollector(g.meter, g.state) }

func (g *Gateway) state() telemetry.State {
	s := telemetry.State{InFlight: g.flow.InFlight(), Connections: g.door.Connections(), Panics: g.flow.Panics(), LogDropped: g.access.Dropped()}
	if g.options.Linked != nil {
		s.Link = g.options.Linked()
	}
	s.Unwritten += g.unsaved.Times()
	if t := g.flow.Table(); t != nil {
		s.Keys = t.Credentials.Len()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	shut := g.gate.shutCount()
	s.APIs, s.Aside = len(g.apis)-shut, len(g.aside)+shut
	if g.manifest != nil {
		s.Serial = g.manifest.Serial
	}
	return s
}
