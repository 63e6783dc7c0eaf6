// Package client is the management API for Go programs: one method for each
// route of adminapi, generated from the table, over one function that carries
// them all.
//
// It knows the contract only. Where the server is and who asks is given to
// [New]; finding that out (flags, environment, saved contexts) is for package
// cli. Errors of the server are *gatehouse.Error again, with their faults.
package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/adminapi"
)

//go:generate go run ../gen/client -o client.gen.go

// MaxAnswer bounds what is read of one answer, in bytes.
const MaxAnswer = 1 << 30

// A Client asks one management server. It is safe for concurrent use.
type Client struct {
	base  *url.URL
	token string
	http  *http.Client
}

// New makes a client of the server at address, such as
// "http://127.0.0.1:9080". A nil h is [HTTP] with the system's authorities.
func New(address, token string, h *http.Client) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, gatehouse.E(gatehouse.Invalid, "%q is not the address of a management API, such as \"http://127.0.0.1:9080\"", address)
	}
	if h == nil {
		h = HTTP(nil)
	}
	return &Client{base: u, token: token, http: h}, nil
}

// HTTP is an HTTP client that follows no redirect and gives up in the end. The
// server's certificate must be of one of the roots; nil is those of the system.
func HTTP(roots *x509.CertPool) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = &tls.Config{RootCAs: roots}
	return &http.Client{Transport: t, Timeout: 10 * time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// Address is where the server is.
func (c *Client) Address() string { return c.base.String() }

// call carries out one route.
func call[I, O any](ctx context.Context, c *Client, r adminapi.Route[I, O], in *I) (*O, error) {
	resp, err := c.send(ctx, r.Operation, in)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	out := new(O)
	if err := decode(resp, out); err != nil {
		return nil, fmt.Errorf("reading the answer to %s: %w", r.ID, err)
	}
	return out, nil
}

// send makes the request and turns problems into errors.
func (c *Client) send(ctx context.Context, o adminapi.Operation, in any) (*http.Response, error) {
	m, err := encode(o, in)
	if err != nil {
		return nil, err
	}
	var body io.Reader
	if m.body != nil {
		body = bytes.NewReader(m.body)
	}
	req, err := http.NewRequestWithContext(ctx, o.Method(), strings.TrimSuffix(c.base.String(), "/")+m.target, body)
	if err != nil {
		return nil, err
	}
	req.Header = m.header
	if m.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
			return nil, gatehouse.E(gatehouse.Denied, "the certificate of %s is not to be trusted: %w; --ca FILE or GATEHOUSE_CA names its authority", c.base, root(err))
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, gatehouse.E(gatehouse.Unavailable, "asking the control plane at %s: the connection broke before an answer came", c.base)
		}
		return nil, gatehouse.E(gatehouse.Unavailable, "reaching the control plane at %s: %w", c.base, &Unreached{root(err)})
	}
	if resp.StatusCode >= 300 {
		defer resp.Body.Close()
		return nil, problem(resp)
	}
	return resp, nil
}

// Document is the server's OpenAPI document. It needs no token and so tells
// whether there is a Gatehouse at the address at all.
func (c *Client) Document(ctx context.Context) ([]byte, error) {
	resp, err := c.send(ctx, adminapi.Operation{ID: "document", Pattern: "GET /openapi.json"}, &adminapi.Empty{})
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(io.LimitReader(resp.Body, MaxAnswer))
}

// Clock reads the server's clock, to the second.
func (c *Client) Clock(ctx context.Context) (time.Time, error) {
	resp, err := c.send(ctx, adminapi.Operation{ID: "document", Pattern: "GET /openapi.json"}, &adminapi.Empty{})
	if err != nil {
		return time.Time{}, err
	}
	defer resp.Body.Close()
	return http.ParseTime(resp.Header.Get("Date"))
}

// Unreached is that no server answered, as opposed to what a server answered
// or what went wrong on this side.
type Unreached struct{ error }

func (u *Unreached) Unwrap() error { return u.error }

// root is what stood in the way, without net/http's account of the request.
func root(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

var kinds = map[int]gatehouse.ErrorKind{
	400: gatehouse.Invalid, 401: gatehouse.Unauthenticated, 403: gatehouse.Denied, 404: gatehouse.NotFound, 409: gatehouse.Conflict,
	412: gatehouse.Lost, 413: gatehouse.TooLarge, 422: gatehouse.Invalid, 503: gatehouse.Unavailable,
}

func problem(resp *http.Response) error {
	data, _ := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	var p adminapi.Problem
	kind, ok := kinds[resp.StatusCode]
	if !ok {
		kind = gatehouse.Internal
	}
	if json.Unmarshal(data, &p) != nil || p.Type == "" {
		return gatehouse.E(kind, "the server answered %s and no problem document; is %q a Gatehouse management API?", resp.Status, resp.Request.URL.Host)
	}
	if p.Type == adminapi.ProblemType+string(gatehouse.Full) {
		kind = gatehouse.Full
	}
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	if kind == gatehouse.Internal && p.Instance != "" {
		text += " (request " + p.Instance + ")"
	}
	return &gatehouse.Error{Kind: kind, Text: text, Faults: p.Errors}
}
