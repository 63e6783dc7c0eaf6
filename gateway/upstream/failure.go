package upstream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"os"
	"slices"
	"syscall"

	"gatehouse/gateway/upstream/h1"
)

// Proxy error types (RFC 9209 §2.3) beyond those of package h1.
const (
	DNSTimeout             = "dns_timeout"
	DNSError               = "dns_error"
	DestinationUnavailable = "destination_unavailable"
	DestinationProhibited  = "destination_ip_prohibited"
	DestinationUnroutable  = "destination_ip_unroutable"
	ConnectionRefused      = "connection_refused"
	ConnectionTimeout      = "connection_timeout"
	ConnectionLimit        = "connection_limit_reached"
	TLSProtocolError       = "tls_protocol_error"
	TLSCertificateError    = "tls_certificate_error"
	TLSAlertReceived       = "tls_alert_received"
	ConfigurationError     = "proxy_configuration_error"
)

// A Failure is why there is no answer of the backend's, or why its body broke
// off. It is an error, so that a body can end in one.
type Failure struct {
	Status int    // for the caller: 502, 503 or 504; 400 when the caller's own body failed
	Type   string // RFC 9209
	Detail string // for logs; names no address of ours to the caller
	Target string // the target's URL, empty when none was chosen
	Cause  error  // beneath, such as context.Canceled when the caller left

	dialing bool // there was no connection yet
}

func (f *Failure) Error() string {
	s := f.Type + ": " + f.Detail
	if f.Target != "" {
		s = f.Target + ": " + s
	}
	return s
}

func (f *Failure) Unwrap() error { return f.Cause }

func fail(kind, detail string, cause error) *Failure {
	return &Failure{Status: statusOf(kind), Type: kind, Detail: detail, Cause: cause}
}

// statusOf is the status RFC 9209 recommends for a type, as far as the answer
// is about the backend. Faults of ours are 502 too: the caller's request was
// in order and the backend was not reached.
func statusOf(kind string) int {
	switch kind {
	case DNSTimeout, ConnectionTimeout, h1.ConnectionReadTimeout, h1.ConnectionWriteTimeout, h1.ResponseTimeout:
		return http.StatusGatewayTimeout
	case DestinationUnavailable, ConnectionLimit:
		return http.StatusServiceUnavailable
	case h1.RequestError:
		return http.StatusBadRequest
	}
	return http.StatusBadGateway
}

// exchangeFailure tells how an exchange on an open connection failed.
func exchangeFailure(ctx context.Context, err error) *Failure {
	if f := ended(ctx); f != nil {
		return f
	}
	var e *h1.Error
	if errors.As(err, &e) {
		f := fail(e.Type, e.Error(), err)
		return f
	}
	return fail(h1.ProtocolError, err.Error(), err)
}

// ended is the failure of a request whose context is over: the caller left, or
// its time is up. Nothing is to be held against the target.
func ended(ctx context.Context) *Failure {
	switch err := ctx.Err(); {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return fail(h1.ResponseTimeout, "the request's time is over", err)
	default:
		return fail(h1.ConnectionTerminated, "the caller left", err)
	}
}

// dialFailure tells why there is no connection.
func dialFailure(ctx context.Context, err error) *Failure {
	if f := ended(ctx); f != nil {
		return f
	}
	var (
		dns     *net.DNSError
		refused *prohibited
		cert    *tls.CertificateVerificationError
		alert   tls.AlertError
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
	)
	kind := h1.ConnectionTerminated
	switch {
	case short(err):
		f := fail(h1.InternalError, err.Error(), err)
		f.Status = http.StatusServiceUnavailable
		return f
	case errors.As(err, &refused):
		kind = DestinationProhibited
	case errors.As(err, &dns):
		if kind = DNSError; dns.IsTimeout {
			kind = DNSTimeout
		}
	case errors.Is(err, syscall.ECONNREFUSED):
		kind = ConnectionRefused
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		kind = DestinationUnroutable
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		kind = ConnectionTimeout
	case errors.As(err, &cert), errors.As(err, &unknown), errors.As(err, &host):
		kind = TLSCertificateError
	case errors.As(err, &alert):
		kind = TLSAlertReceived
	case errors.Is(err, errTLS):
		kind = TLSProtocolError
	}
	return fail(kind, err.Error(), err)
}

// short tells whether the gateway's own machine was short of something: of
// descriptors, ports or memory. That says nothing about the target.
func short(err error) bool {
	return slices.ContainsFunc([]error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL},
		func(lack error) bool { return errors.Is(err, lack) })
}

// held tells whether a failure counts against the target.
func (f *Failure) held() bool {
	if f.Cause != nil && (errors.Is(f.Cause, context.Canceled) || errors.Is(f.Cause, context.DeadlineExceeded) && f.Type == h1.ResponseTimeout) {
		return false
	}
	switch f.Type {
	case ConnectionLimit, ConfigurationError, h1.RequestError, h1.InternalError:
		return false
	}
	return true
}
