package listen

import (
	"context"
	"crypto/tls"
	"errors"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/gateway/head"
	"gatehouse/gateway/listen/h1"
	"gatehouse/gateway/pipeline"
)

// Options bound what callers may ask of the door. Zero fields take the default.
type Options struct {
	// MaxHead bounds the request line and the header fields together, in bytes.
	// Default 32 KiB.
	MaxHead int
	// MaxFields bounds the number of header fields. Default 128.
	MaxFields int
	// HeadTimeout is for a head to come whole, from its first byte. Default 10s.
	HeadTimeout time.Duration
	// BodyTimeout is how much waiting BodyPace bytes of a body may cost, so that
	// a body that drips is cut. Default 30s for 4 KiB.
	BodyTimeout time.Duration
	BodyPace    int
	// WriteTimeout is how long a caller may take nothing of an answer. Default 60s.
	WriteTimeout time.Duration
	// IdleTimeout is how long a connection may wait for its next request.
	// Default 75s.
	IdleTimeout time.Duration
	// MaxConnections at once; more are turned away. Default 20,000.
	MaxConnections int64
	// MaxRequests in work at once; more get 503. Default 10,000.
	MaxRequests int64
	// MaxStreams at once on a connection of HTTP/2. Default 128.
	MaxStreams int
	// NoHTTP2 switches HTTP/2 off, over TLS and by prior knowledge.
	NoHTTP2 bool
	// HTTP2 is set unless NoHTTP2 is.
	HTTP2 bool
	// NoFastLane leaves all of HTTP/1.1 to net/http; see package h1.
	NoFastLane bool
	// Trusted are proxies whose account of where a request comes from is believed.
	Trusted []netip.Prefix
	// Memory tells how close the process is to its bound; see [Watch]. Default:
	// there is none.
	Memory func() Pressure
	// Log reports what an operator should know. Default: nobody.
	Log func(format string, args ...any)
}

func (o *Options) defaults() {
	set(&o.MaxHead, 32<<10)
	set(&o.MaxFields, 128)
	set(&o.HeadTimeout, 10*time.Second)
	set(&o.BodyTimeout, 30*time.Second)
	set(&o.BodyPace, 4<<10)
	set(&o.WriteTimeout, time.Minute)
	set(&o.IdleTimeout, 75*time.Second)
	set(&o.MaxConnections, 20_000)
	set(&o.MaxRequests, 10_000)
	set(&o.MaxStreams, 128)
	o.HTTP2 = !o.NoHTTP2
	if o.Memory == nil {
		o.Memory = func() Pressure { return Relaxed }
	}
	if o.Log == nil {
		o.Log = func(string, ...any) {}
	}
}

func set[T int | int64 | time.Duration](v *T, otherwise T) {
	if *v <= 0 {
		*v = otherwise
	}
}

// A Server takes connections from listeners and serves their requests.
type Server struct {
	o    Options
	to   *pipeline.Server
	http *http.Server
	in   *handover
	fast *h1.Lane // nil when it is switched off

	connections atomic.Int64
	draining    atomic.Bool
	tunnels     sync.WaitGroup
	context     context.Context // of all requests
	cancel      context.CancelFunc

	mu        sync.Mutex // guards all below
	listeners map[net.Listener]bool
	accepting sync.WaitGroup
	started   bool
	served    chan struct{} // closed when http has returned
}

// NewServer makes a server that hands requests to a pipeline. It starts nothing
// before Serve.
func NewServer(o Options, to *pipeline.Server) *Server {
	o.defaults()
	s := &Server{o: o, to: to, in: newHandover(), listeners: map[net.Listener]bool{}, served: make(chan struct{})}
	s.context, s.cancel = context.WithCancel(context.Background())
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(o.HTTP2)
	protocols.SetUnencryptedHTTP2(o.HTTP2)
	s.http = &http.Server{
		Handler: (*handler)(s), Protocols: &protocols,
		ReadHeaderTimeout: o.HeadTimeout, IdleTimeout: o.IdleTimeout, MaxHeaderBytes: 2 * o.MaxHead,
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: o.MaxStreams, MaxReadFrameSize: 16 << 10,
			SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second, WriteByteTimeout: o.WriteTimeout},
		BaseContext: func(net.Listener) context.Context { return s.context },
		ConnContext: withPeer,
		ErrorLog:    log.New(logWriter{o.Log}, "", 0),
	}
	if !o.NoFastLane {
		s.fast = h1.New(h1.Options{MaxHead: o.MaxHead, MaxFields: o.MaxFields, HeadTimeout: o.HeadTimeout, BodyTimeout: o.BodyTimeout, BodyPace: o.BodyPace,
			WriteTimeout: o.WriteTimeout, IdleTimeout: o.IdleTimeout, Closing: s.closing, Overload: s.overload, Log: o.Log}, to)
	}
	return s
}

// Connections is how many connections are open.
func (s *Server) Connections() int64 { return s.connections.Load() }

// Serve takes connections from l until it is closed or the server shuts down,
// which is no error. With a configuration, callers must speak TLS.
func (s *Server) Serve(l net.Listener, config *tls.Config) error {
	s.mu.Lock()
	if s.draining.Load() {
		s.mu.Unlock()
		l.Close()
		return http.ErrServerClosed
	}
	s.listeners[l] = true
	s.accepting.Add(1)
	if !s.started {
		s.started = true
		go func() { defer close(s.served); s.http.Serve(s.in) }()
	}
	s.mu.Unlock()
	defer s.accepting.Done()
	defer func() {
		s.mu.Lock()
		delete(s.listeners, l)
		s.mu.Unlock()
		l.Close()
	}()
	if config != nil {
		config = config.Clone()
		config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
		config.NextProtos = []string{"http/1.1"}
		if s.o.HTTP2 {
			config.NextProtos = []string{"h2", "http/1.1"}
		}
	}
	return s.accept(l, config)
}

func (s *Server) accept(l net.Listener, config *tls.Config) error {
	pause := time.Duration(0)
	for {
		nc, err := l.Accept()
		var temporary interface{ Temporary() bool }
		switch {
		case err == nil:
			pause = 0
			s.take(nc, config)
		case s.draining.Load():
			return nil
		case errors.Is(err, net.ErrClosed):
			return nil
		case errors.As(err, &temporary) && temporary.Temporary():
			// Out of descriptors, most likely: those who are in go first.
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			s.o.Log("accepting on %s: %v; trying again in %v", l.Addr(), err, pause)
			select {
			case <-time.After(pause):
			case <-s.context.Done():
				return nil
			}
		default:
			return err
		}
	}
}

// take lets a connection in, or turns it away when there are too many.
func (s *Server) take(nc net.Conn, config *tls.Config) {
	n := s.connections.Add(1)
	c := &conn{Conn: nc, server: s, peer: head.NewPeer(addrOf(nc), config != nil, s.o.Trusted)}
	if n > s.o.MaxConnections || s.o.Memory() == Refusing {
		if config == nil {
			nc.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
			nc.Write([]byte("HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"))
		}
		c.Close()
		return
	}
	switch {
	case config != nil:
		go s.secure(c, config)
	case s.fast != nil:
		go s.first(c)
	default:
		s.in.give(c)
	}
}

// first lets the fast lane serve a connection as far as it does, and gives what is
// left to net/http.
func (s *Server) first(c *conn) {
	if s.fast != nil {
		rest := s.fast.Serve(s.context, c.Conn, &c.peer)
		if rest == nil {
			c.leave()
			return
		}
		c.hold(rest.Bytes)
		c.began, c.fresh = rest.Began, true
	}
	s.in.give(c)
}

// secure shakes hands. HTTP/2 goes on as a *tls.Conn, as net/http wants it; its
// bytes are not ours to validate.
func (s *Server) secure(c *conn, config *tls.Config) {
	ctx, cancel := context.WithTimeout(s.context, s.o.HeadTimeout)
	defer cancel()
	beneath := &sealed{Conn: c.Conn, of: c}
	shaken := tls.Server(beneath, config)
	if err := shaken.HandshakeContext(ctx); err != nil {
		c.Close()
		return
	}
	state := shaken.ConnectionState()
	if len(config.Certificates) > 1 {
		c.peer.Name = strings.ToLower(state.ServerName)
	}
	if state.NegotiatedProtocol == "h2" {
		beneath.gathers = true
		s.in.give(shaken)
		return
	}
	c.Conn = shaken
	s.first(c)
}

func addrOf(nc net.Conn) netip.Addr {
	if a, ok := nc.RemoteAddr().(*net.TCPAddr); ok {
		return a.AddrPort().Addr()
	}
	return netip.IPv4Unspecified()
}

// logWriter takes net/http's own messages. Those about callers who left or sent
// nonsense are not an operator's concern, and there can be many.
type logWriter struct {
	log func(format string, args ...any)
}

func (w logWriter) Write(p []byte) (int, error) {
	if text := string(p); contains(text, "panic serving") || contains(text, "Accept error") {
		w.log("%s", text)
	}
	return len(p), nil
}
