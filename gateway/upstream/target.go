package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"gatehouse/gateway/upstream/h1"
	"gatehouse/snapshot"
)

// A target is one address of a backend with its connections. It is shared by
// all backends of one name that agree on address and trust.
type target struct {
	key  string
	refs int // guarded by the set

	url  string // as configured
	addr string // host:port to dial
	host string // the Host field
	base string // path in front of every request's, no slash at its end

	dialer net.Dialer
	tls    *tls.Config // nil for plain text
	pool   pool
	h2     *http.Transport // nil for HTTP/1.1
	streak streak
}

func newTarget(key string, b *snapshot.Backend, spec snapshot.Target, o *Options) (*target, error) {
	u, err := url.Parse(spec.URL)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("target %q is not a URL of scheme, host and path", spec.URL)
	}
	t := &target{key: key, url: spec.URL, host: u.Host, base: strings.TrimRight(u.EscapedPath(), "/")}
	t.dialer.Control = control(o.Deny)
	t.dialer.KeepAlive = 30 * time.Second
	t.pool.idleFor, t.pool.age = o.IdleConn, o.ConnAge
	port := u.Port()
	switch u.Scheme {
	case "http":
		if port == "" {
			port = "80"
		}
	case "https":
		if port == "" {
			port = "443"
		}
		if t.tls, err = trust(b.TLS, u.Hostname(), b.HTTP2, o.Secret); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("target %q is neither http nor https", spec.URL)
	}
	t.addr = net.JoinHostPort(u.Hostname(), port)
	if b.HTTP2 {
		t.h2 = t.transport(o)
	}
	return t, nil
}

// dial makes a connection within wait.
func (t *target) dial(ctx context.Context, wait time.Duration) (*h1.Conn, *Failure) {
	within, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	nc, err := t.dialer.DialContext(within, "tcp", t.addr)
	if err != nil {
		return nil, dialFailure(ctx, err)
	}
	if t.tls == nil {
		return h1.NewConn(nc), nil
	}
	secured := tls.Client(nc, t.tls)
	if err := secured.HandshakeContext(within); err != nil {
		nc.Close()
		if within.Err() != nil {
			err = errors.Join(within.Err(), err)
		}
		return nil, dialFailure(ctx, errors.Join(errTLS, err))
	}
	return h1.NewConn(secured), nil
}

// healthy tells whether passive watching lets requests through.
func (t *target) healthy(now time.Time) bool {
	out, _ := t.streak.out(now)
	return !out
}

func (t *target) close() {
	t.pool.close()
	if t.h2 != nil {
		t.h2.CloseIdleConnections()
	}
}
