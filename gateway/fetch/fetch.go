// Package fetch gets documents for policies, such as key sets, from addresses
// that files name: over HTTPS, within bounds of size and time, and never from
// an address inside the network that was not allowed.
//
// The address is checked when the connection is made, after names are resolved,
// so that no name leads where no address may (SAFETY.md 2, SSRF). It is for
// documents, not for backends: package upstream has rules of its own.
package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"gatehouse/outbound"
)

// Bounds that hold unless the options say otherwise.
const (
	DefaultMaxBytes = 1 << 20
	DefaultTimeout  = 2 * time.Second // SAFETY.md F12
)

// Options of a fetcher. The zero value refuses every address that is not public.
type Options struct {
	// MaxBytes bounds a document, after decompression; zero is 1 MiB.
	MaxBytes int64
	// Timeout bounds one fetch, from resolving the name to the last byte; zero
	// is 2 s.
	Timeout time.Duration
	// Allow lists networks that may be reached although they are private or
	// loopback. Link-local addresses and metadata services stay refused.
	Allow []netip.Prefix
	// PlainLoopback admits http:// where the address is a loopback one that
	// Allow has. It is for local work and tests.
	PlainLoopback bool
	// TLS is the trust for servers; nil is the system's.
	TLS *tls.Config
	// UserAgent of the requests; "gatehouse" when empty.
	UserAgent string
}

// A Func is policy.Env's Fetch.
type Func func(ctx context.Context, url string) (body []byte, header func(name string) string, err error)

// New makes a fetcher. It keeps no connection, follows no redirect, asks no
// proxy and sends no cookie.
func New(o Options) Func {
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.UserAgent == "" {
		o.UserAgent = "gatehouse"
	}
	transport := func(plain bool) *http.Transport {
		dialer := &net.Dialer{Timeout: o.Timeout, Control: outbound.Guard(o.Allow, plain)}
		return &http.Transport{
			DialContext:            dialer.DialContext,
			TLSClientConfig:        o.TLS,
			TLSHandshakeTimeout:    o.Timeout,
			DisableKeepAlives:      true,
			MaxResponseHeaderBytes: 32 << 10,
			ForceAttemptHTTP2:      true,
		}
	}
	f := &fetcher{o: o, https: client(transport(false)), http: client(transport(true))}
	return f.fetch
}

func client(t *http.Transport) *http.Client {
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

type fetcher struct {
	o           Options
	https, http *http.Client
}

func (f *fetcher) fetch(ctx context.Context, address string) ([]byte, func(string) string, error) {
	ctx, cancel := context.WithTimeout(ctx, f.o.Timeout)
	defer cancel()
	body, header, err := f.get(ctx, address)
	if err != nil {
		return nil, nil, fmt.Errorf("fetching %q: %w", shown(address), err)
	}
	return body, header, nil
}

func (f *fetcher) get(ctx context.Context, address string) ([]byte, func(string) string, error) {
	u, err := Parse(address, f.o.PlainLoopback)
	if err != nil {
		return nil, nil, err
	}
	c := f.https
	if u.Scheme == "http" {
		c = f.http
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, nil, err
	}
	r.Header.Set("Accept", "application/json, */*;q=0.1")
	r.Header.Set("User-Agent", f.o.UserAgent)
	answer, err := c.Do(r)
	if err != nil {
		if ue, ok := errors.AsType[*url.Error](err); ok {
			err = ue.Err // the URL is in the sentence already
		}
		return nil, nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("the answer is %d, not 200", answer.StatusCode)
	}
	if answer.ContentLength > f.o.MaxBytes {
		return nil, nil, fmt.Errorf("%d bytes are more than %d", answer.ContentLength, f.o.MaxBytes)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, f.o.MaxBytes+1))
	if err != nil {
		return nil, nil, err
	}
	if int64(len(body)) > f.o.MaxBytes {
		return nil, nil, fmt.Errorf("the document is larger than %d bytes", f.o.MaxBytes)
	}
	return body, answer.Header.Get, nil
}

// Parse reads an address that a document may be fetched from: an absolute https
// URL without user and fragment, or an http one when plain is allowed.
func Parse(address string, plain bool) (*url.URL, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return nil, errors.New(`not an absolute URL such as "https://id.example.com/keys"`)
	case u.Scheme != "https" && !(plain && u.Scheme == "http"):
		return nil, fmt.Errorf("the scheme %q is not https", u.Scheme)
	case u.User != nil:
		return nil, errors.New("the URL carries a user, which fetching does not send")
	case u.Fragment != "":
		return nil, errors.New("the URL has a fragment, which no server sees")
	}
	return u, nil
}

// shown is an address as an error may show it: without a user's password.
func shown(address string) string {
	if u, err := url.Parse(address); err == nil {
		u.RawQuery = ""
		return u.Redacted()
	}
	return "an address that is not a URL"
}
