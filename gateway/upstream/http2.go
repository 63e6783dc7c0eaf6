package upstream

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/upstream/h1"
	"gatehouse/policy"
)

// transport makes the HTTP/2 side of a target: by ALPN over TLS, else by prior
// knowledge. It never falls back to HTTP/1.1, which is package h1's.
func (t *target) transport(*Options) *http.Transport {
	tr := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, defaultConnect)
			defer cancel()
			return t.dialer.DialContext(ctx, "tcp", t.addr)
		},
		TLSClientConfig:        t.tls,
		TLSHandshakeTimeout:    defaultConnect,
		DisableCompression:     true,
		IdleConnTimeout:        t.pool.idleFor,
		MaxResponseHeaderBytes: h1.MaxHeadBytes,
		Protocols:              new(http.Protocols),
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
	}
	if t.tls != nil {
		tr.Protocols.SetHTTP2(true)
	} else {
		tr.Protocols.SetUnencryptedHTTP2(true)
	}
	return tr
}

var errSlow = errors.New("no answer in time")

// overHTTP2 makes one attempt as a stream of HTTP/2.
func (c *call) overHTTP2(t *target) (*Answer, *Failure) {
	if f := t.pool.enter(c.ctx, min(c.left(), c.b.connect)); f != nil {
		return nil, f
	}
	if !c.b.spec.PassHost {
		c.req.Host = t.host
	}
	ctx, cancel := context.WithCancelCause(c.ctx)
	s := &stream{ctx: ctx, caller: c.ctx, cancel: cancel, target: t, idle: c.b.set.options.BodyIdle}
	r, err := c.httpRequest(ctx, t)
	if err != nil {
		s.end()
		return nil, fail(h1.InternalError, err.Error(), err)
	}
	s.timer = time.AfterFunc(max(c.left(), time.Millisecond), func() { cancel(errSlow) })
	early := early{to: c.x.Early}
	resp, err := t.h2.RoundTrip(early.of(r))
	early.end()
	if err != nil {
		f := s.failure(err)
		s.end()
		return nil, f
	}
	s.timer.Stop()
	s.resp = resp
	x := c.x
	x.Response.Status = resp.StatusCode
	x.Response.Header = appendFields(x.Response.Header, resp.Header)
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/grpc") || strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		s.idle = c.b.set.options.TunnelIdle
	}
	return &Answer{Body: s, Length: resp.ContentLength, Trailer: s.trailer, Target: t.url}, nil
}

// httpRequest puts the request into net/http's terms. The target goes through
// Opaque, so that not a byte of the path is written otherwise than it was read.
func (c *call) httpRequest(ctx context.Context, t *target) (*http.Request, error) {
	path := t.base + c.req.Path
	if path == "" || path[0] != '/' {
		path = "/" + path
	}
	if strings.HasPrefix(path, "//") {
		return nil, errors.New("path begins with two slashes")
	}
	r := &http.Request{Method: c.req.Method, Host: c.req.Host, Header: http.Header{}, Proto: "HTTP/2.0", ProtoMajor: 2}
	r.URL = &url.URL{Scheme: "http", Host: t.addr, Opaque: path, RawQuery: c.req.Query}
	if t.tls != nil {
		r.URL.Scheme = "https"
	}
	r.Header["User-Agent"] = []string{""} // none of our own
	for _, f := range c.req.Header {
		if h1.OfConnection(f.Name) {
			continue
		}
		name := http.CanonicalHeaderKey(f.Name)
		if name == "User-Agent" {
			r.Header[name] = nil
		}
		r.Header[name] = append(r.Header[name], f.Value)
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
		r.Header.Set("TE", "trailers")
	}
	switch {
	case c.req.Whole != nil:
		whole := c.req.Whole
		r.ContentLength = int64(len(whole))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(string(whole))), nil }
		r.Body, _ = r.GetBody()
	case c.req.Stream != nil:
		r.Body, r.ContentLength = io.NopCloser(c.req.Stream), c.req.Length
		if names := c.req.Announces(); len(names) > 0 && c.req.Length < 0 {
			r.Trailer = make(http.Header, len(names))
			for _, name := range names {
				r.Trailer[http.CanonicalHeaderKey(name)] = nil
			}
			r.Body = &trailing{ReadCloser: r.Body, req: &c.req, to: r.Trailer}
		}
		if c.req.Expect {
			r.Header.Set("Expect", "100-continue")
		}
	}
	return r.WithContext(ctx), nil
}

// A trailing body puts its trailer section where the transport looks for it when
// the body has ended. Of fields that were not announced HTTP/2's does not take any.
type trailing struct {
	io.ReadCloser
	req *h1.Request
	to  http.Header
}

func (t *trailing) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	if err == io.EOF {
		for _, f := range t.req.Trailer() {
			name := http.CanonicalHeaderKey(f.Name)
			if _, announced := t.to[name]; announced {
				t.to[name] = append(t.to[name], f.Value)
			}
		}
	}
	return n, err
}

// A stream reads an HTTP/2 answer's content.
type stream struct {
	ctx    context.Context
	caller context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	idle   time.Duration
	target *target
	resp   *http.Response
	over   bool
}

func (s *stream) Read(p []byte) (int, error) {
	s.timer.Reset(s.idle)
	n, err := s.resp.Body.Read(p)
	s.timer.Stop()
	if err != nil && err != io.EOF {
		f := s.failure(err)
		if f.Type == h1.ConnectionTerminated && s.caller.Err() == nil {
			f = fail(h1.ResponseIncomplete, f.Detail, err)
		}
		f.Target = s.target.url
		err = f
	}
	return n, err
}

func (s *stream) Close() error {
	err := s.resp.Body.Close()
	s.end()
	return err
}

func (s *stream) end() {
	if s.over {
		return
	}
	s.over = true
	if s.timer != nil {
		s.timer.Stop()
	}
	s.cancel(nil)
	s.target.pool.leave()
}

// failure tells how the stream failed. The transport dials within, so both
// kinds of failure come out of it.
func (s *stream) failure(err error) *Failure {
	if f := ended(s.caller); f != nil {
		return f
	}
	if context.Cause(s.ctx) == errSlow {
		if s.resp != nil {
			return fail(h1.ConnectionReadTimeout, "body stood still", nil)
		}
		return fail(h1.ResponseTimeout, "no answer in time", nil)
	}
	f := dialFailure(s.caller, err)
	if f.Type == h1.ConnectionTerminated && strings.Contains(err.Error(), "http2: ") && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		f = fail(h1.ProtocolError, f.Detail, err)
	}
	return f
}

func (s *stream) trailer() policy.Header { return appendFields(nil, s.resp.Trailer) }

// appendFields adds fields in order of their names, so that equal answers look
// equal, without those of the connection.
func appendFields(h policy.Header, from http.Header) policy.Header {
	names := make([]string, 0, len(from))
	for name := range from {
		if !h1.OfConnection(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		for _, v := range from[name] {
			h.Add(name, v)
		}
	}
	return h
}
