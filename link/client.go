package link

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/report"
	"gatehouse/snapshot"
)

// A Client speaks the protocol. It is safe for several goroutines.
type Client struct {
	// URL of the control plane, "https://control.example.com:9080".
	URL string
	// Dial opens connections; nil dials the network, through the proxy that
	// HTTPS_PROXY names, if any. An in-process control plane is reached by the
	// dial function of a [Pipe].
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Program and version, for the control plane's lists.
	Program string

	instances atomic.Int64 // of the environment, as last heard; 0: never

	mu   sync.Mutex // guards what follows
	id   *Identity
	http *http.Client
}

// Use makes the client speak as id from the next request on.
func (c *Client) Use(id *Identity) {
	c.mu.Lock()
	old := c.http
	c.id, c.http = id, &http.Client{Transport: c.transport(id)}
	c.mu.Unlock()
	if old != nil {
		old.CloseIdleConnections()
	}
}

// Identity is who the client speaks as, nil before Use.
func (c *Client) Identity() *Identity {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.id
}

// Instances is how many instances the environment has, as the control plane said
// last; 1 when it never did.
func (c *Client) Instances() int { return int(max(1, c.instances.Load())) }

// heard takes the number of instances from an answer.
func (c *Client) heard(h http.Header) {
	if n, err := strconv.Atoi(h.Get(instancesField)); err == nil && n > 0 && n <= maxInstances {
		c.instances.Store(int64(n))
	}
}

// Close closes idle connections.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.http != nil {
		c.http.CloseIdleConnections()
	}
}

// transport finds out within some ten seconds that the other side is gone:
// waiting on a dead connection would be waiting on yesterday's configuration.
func (c *Client) transport(id *Identity) *http.Transport {
	t := &http.Transport{
		TLSClientConfig: id.Client(), DialContext: c.Dial, TLSHandshakeTimeout: 5 * time.Second,
		ResponseHeaderTimeout: MaxWait + 5*time.Second, IdleConnTimeout: 90 * time.Second, MaxIdleConns: 4,
		DisableCompression: true, MaxResponseHeaderBytes: 32 << 10,
	}
	if c.Dial == nil {
		t.Proxy = http.ProxyFromEnvironment
		d := &net.Dialer{Timeout: 3 * time.Second, KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3}}
		t.DialContext = d.DialContext
	}
	return t
}

// Join exchanges a token for an identity. The control plane must prove that it
// has the authority whose fingerprint is in the token.
func (c *Client) Join(ctx context.Context, token, instance string) (*Identity, error) {
	t, err := ParseToken(token)
	if err != nil {
		return nil, fmt.Errorf("joining %s: %w", c.URL, err)
	}
	a, err := newAttempt(t, instance)
	if err != nil {
		return nil, fmt.Errorf("joining %s: %w", c.URL, err)
	}
	return c.join(ctx, t, a)
}

func (c *Client) join(ctx context.Context, t *Token, a *attempt) (*Identity, error) {
	stranger := c.transport(&Identity{})
	stranger.TLSClientConfig = pinned(t.Authority)
	defer stranger.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	id := &Identity{Key: a.Key, JoinedWith: t.PublicID()}
	err := c.call(ctx, &http.Client{Transport: stranger}, "join", &Join{Token: t.String(), Instance: a.Instance, Request: a.Request, Protocol: Protocol, Program: c.Program}, 1<<20, &id.Welcome)
	if err == nil {
		err = id.parse()
	}
	if err != nil {
		return nil, fmt.Errorf("joining %s: %w", c.URL, err)
	}
	return id, nil
}

// Renew fetches the next certificate. The caller saves and uses it.
func (c *Client) Renew(ctx context.Context) (*Identity, error) {
	key, request, err := newRequest()
	if err != nil {
		return nil, fmt.Errorf("renewing the certificate: %w", err)
	}
	id := &Identity{Key: key, JoinedWith: c.Identity().JoinedWith}
	if err = c.call(ctx, nil, "renew", &Renewal{Request: request}, 1<<20, &id.Welcome); err == nil {
		err = id.parse()
	}
	if err != nil {
		return nil, fmt.Errorf("renewing the certificate: %w", err)
	}
	return id, nil
}

// Manifest waits for news after base; nil when there is none within the wait. have
// is what it tells beside base: that strikes are taken, and which are in force.
// What it returns is whole and proven: signed by the installation, for this
// gateway, and not older than base. Chunks that came along are with it.
func (c *Client) Manifest(ctx context.Context, base *Update, have Position, wait time.Duration, health *report.Health) (*Update, error) {
	if base != nil {
		have.Serial, have.Digest = base.Manifest.Serial, base.Digest
	}
	poll := &Poll{Have: have, Wait: int(wait.Seconds()), Health: health}
	ctx, cancel := context.WithTimeout(ctx, wait+15*time.Second)
	defer cancel()
	var d *snapshot.Delta
	if err := c.call(ctx, nil, "manifest", poll, MaxManifest, &d); err != nil {
		return nil, fmt.Errorf("asking for configuration: %w", err)
	}
	if d == nil {
		return nil, nil
	}
	if d.Strikes != nil && have.Strikes {
		return &Update{Strikes: d.Strikes}, nil
	}
	u, err := prove(d, base, c.Identity())
	if err != nil {
		return nil, fmt.Errorf("taking configuration: %w", err)
	}
	return u, nil
}

// Chunks fetches chunks by hash, each proven by its address, and hands them to
// yield. It returns a 410 *Error when the control plane no longer has any of
// those that are left: then there is a newer manifest.
func (c *Client) Chunks(ctx context.Context, hashes []snapshot.Hash, yield func(snapshot.Hash, []byte) error) error {
	left := make(map[snapshot.Hash]struct{}, len(hashes))
	for _, h := range hashes {
		left[h] = struct{}{}
	}
	for len(left) > 0 {
		var body []byte
		for _, h := range hashes {
			if _, ok := left[h]; ok && len(body) < MaxHashes*len(h) {
				body = append(body, h[:]...)
			}
		}
		before := len(left)
		if err := c.chunks(ctx, body, left, yield); err != nil {
			return fmt.Errorf("fetching chunks: %w", err)
		}
		if len(left) == before {
			return fmt.Errorf("fetching chunks: %w", Errorf(http.StatusGone, "the control plane no longer has %d of them", before))
		}
	}
	return nil
}

func (c *Client) chunks(ctx context.Context, body []byte, left map[snapshot.Hash]struct{}, yield func(snapshot.Hash, []byte) error) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	resp, err := c.post(ctx, nil, "chunks", body, "")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	z, err := unzip(resp.Body)
	if err != nil {
		return err
	}
	defer z.Close()
	for {
		h, data, err := readFrame(z)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, ok := left[h]; !ok {
			return fmt.Errorf("chunk %s was not asked for", h)
		}
		if err := yield(h, data); err != nil {
			return err
		}
		delete(left, h)
	}
}

// Ack tells what the instance runs.
func (c *Client) Ack(ctx context.Context, a *report.Ack) error {
	return c.call(ctx, nil, "acks", a, 1<<20, nil)
}

// Counts hands over a batch. After nil it is taken, once, whatever was before.
func (c *Client) Counts(ctx context.Context, b *Sealed) error {
	return c.call(ctx, nil, "counts", b.Data, 1<<20, nil)
}

// Leases asks for shares of common budgets.
func (c *Client) Leases(ctx context.Context, asked []Lease) ([]Grant, error) {
	var grants []Grant
	err := c.call(ctx, nil, "leases", asked, 1<<20, &grants)
	return grants, err
}

// call sends in and reads the answer into out; out stays as it is when there
// is no content.
func (c *Client) call(ctx context.Context, via *http.Client, name string, in any, limit int64, out any) error {
	if via == nil {
		var cancel context.CancelFunc
		if _, has := ctx.Deadline(); !has {
			ctx, cancel = context.WithTimeout(ctx, 15*time.Second)
			defer cancel()
		}
	}
	body, encoding, err := pack(in)
	if err != nil {
		return err
	}
	resp, err := c.post(ctx, via, name, body, encoding)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if out == nil || resp.StatusCode == http.StatusNoContent {
		return nil
	}
	return unpack(resp.Body, resp.Header.Get("Content-Encoding"), limit, out)
}

func (c *Client) post(ctx context.Context, via *http.Client, name string, body []byte, encoding string) (*http.Response, error) {
	if via == nil {
		c.mu.Lock()
		via = c.http
		c.mu.Unlock()
		if via == nil {
			return nil, Errorf(http.StatusUnauthorized, "this instance has not joined")
		}
	}
	at, err := url.JoinPath(c.URL, Prefix, name)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	resp, err := via.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 == 2 {
		c.heard(resp.Header)
		return resp, nil
	}
	defer resp.Body.Close()
	e := new(Error)
	if err := unpack(resp.Body, resp.Header.Get("Content-Encoding"), 64<<10, e); err != nil || e.Text == "" {
		e.Text = "answered " + resp.Status
	}
	e.Status = resp.StatusCode
	return nil, e
}
