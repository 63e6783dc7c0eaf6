package gateway

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"log/slog"
	"time"

	"gatehouse/gateway/fetch"
	"gatehouse/gateway/listen"
	"gatehouse/gateway/route"
	"gatehouse/gateway/telemetry"
	"gatehouse/gateway/upstream"
	"gatehouse/policy"
	"gatehouse/policy/all"
)

// Options of a gateway. The zero value serves.
type Options struct {
	Listen   listen.Options
	Upstream upstream.Options
	// TrustedProxies are networks or addresses whose account of where a request
	// comes from is believed.
	TrustedProxies []string
	// Rules loosen what paths may hold; the zero value refuses all that is read
	// in two ways.
	Rules route.Rules
	// MaxBody bounds request bodies that no policy bounds, in bytes; zero is no
	// bound, for bodies are not kept.
	MaxBody int64
	// Find finds kinds of policies. Default: policy/all.
	Find func(name string) (policy.Kind, bool)
	// Limits counts for policies. Default: in this process alone.
	Limits policy.Limiter
	// State is a file that carries Limits over a restart when they are a
	// *limit.Limiter, as the default is; empty for none. It is written every few
	// seconds and at the end.
	State string
	// Secret resolves references. Default: [Secret].
	Secret func(ref string) (string, error)
	// Fetch gets documents for policies. Default: package fetch's, which goes to
	// public addresses only.
	Fetch func(ctx context.Context, url string) ([]byte, func(string) string, error)
	// AccessLog takes a share of the requests as lines of JSON, all of them when
	// LogShare is zero. Default: no log.
	AccessLog io.Writer
	LogShare  float64
	// Key finds the installation's key that signed an attestation, nil for one it
	// does not know. Default: it knows none.
	Key func(id string) ed25519.PublicKey
	// Linked tells how it stands with the link, for Prometheus; nil: there is none.
	Linked func() telemetry.Link
	// Now tells the time by which attestations end. Default: [time.Now].
	Now func() time.Time
	// Log reports what an operator should know. Default: nobody.
	Log *slog.Logger
}

func (o *Options) defaults() {
	if o.Find == nil {
		o.Find = all.Find
	}
	if o.Secret == nil {
		o.Secret = Secret
	}
	if o.Key == nil {
		o.Key = func(string) ed25519.PublicKey { return nil }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Fetch == nil {
		o.Fetch = fetch.New(fetch.Options{})
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.LogShare <= 0 || o.LogShare > 1 {
		o.LogShare = 1
	}
	if o.Listen.Log == nil {
		o.Listen.Log = o.logf
	}
	if o.Upstream.Secret == nil {
		o.Upstream.Secret = o.Secret
	}
	if o.Upstream.Log == nil {
		o.Upstream.Log = o.logf
	}
}

func (o *Options) logf(format string, args ...any) { o.Log.Warn(fmt.Sprintf(format, args...)) }
