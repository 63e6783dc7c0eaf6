// Package policytest is the harness for tests of policies, and the contract that
// every kind of policy keeps: see [Contract].
//
// It stands in for the gateway: a limiter that counts in a map, secrets that are
// marked, documents from a map. It is for tests only.
package policytest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/policy"
)

// Now is the time of every exchange that [Request] makes.
var Now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// Secret marks every secret that the harness resolves: it must never come out.
const Secret = "s3cret-mark"

// A Use is a policy that is built, both halves.
type Use struct {
	Step      policy.Step
	Responses []policy.ResponseStep
}

// Build makes the request half of c, or ends the test.
func Build(t testing.TB, c policy.Config, change ...func(*policy.Env)) policy.Step {
	t.Helper()
	return New(t, c, change...).Step
}

// New makes both halves of c, or ends the test.
func New(t testing.TB, c policy.Config, change ...func(*policy.Env)) *Use {
	t.Helper()
	u, err := Try(t, c, change...)
	if err != nil {
		t.Fatalf("building %+v: %v", c, err)
	}
	return u
}

// Try makes both halves of c.
func Try(t testing.TB, c policy.Config, change ...func(*policy.Env)) (*Use, error) {
	t.Helper()
	u := new(Use)
	env := Env(t)
	env.OnResponse = func(s policy.ResponseStep) { u.Responses = append(u.Responses, s) }
	for _, f := range change {
		f(&env)
	}
	var err error
	u.Step, err = c.Build(env)
	return u, err
}

// Decode reads a configuration as files carry it, in JSON, or ends the test.
func Decode(t testing.TB, k policy.Kind, config string) policy.Config {
	t.Helper()
	c, err := k.Decode(json.RawMessage(config))
	if err != nil {
		t.Fatalf("decoding %s: %v", config, err)
	}
	return c
}

// Run performs both halves as the pipeline does: the answer is the denial's or
// one with status 200 and the fields given.
func (u *Use) Run(x *policy.Exchange, answer ...policy.Field) *policy.Denial {
	d := u.Step(x)
	x.Response = policy.Response{Status: http.StatusOK, Header: answer}
	if d != nil {
		x.Response = policy.Response{Status: d.Status, Header: d.Header, Denial: d}
	}
	for i := len(u.Responses) - 1; i >= 0; i-- {
		u.Responses[i](x)
	}
	return d
}

// Env is what the harness lends: an own limiter, marked secrets, no documents.
// Shared values end with the test.
func Env(t testing.TB) policy.Env {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	shared := &shared{values: map[string]any{}}
	t.Cleanup(shared.stop)
	return policy.Env{
		Context:    ctx,
		Scope:      "payments/orders@v1",
		OnResponse: func(policy.ResponseStep) {},
		Secret: func(ref string) (string, error) {
			if strings.Contains(ref, "MISSING") {
				return "", errors.New("there is no such secret")
			}
			if strings.HasPrefix(ref, "${") {
				return Secret, nil
			}
			return ref, nil
		},
		Limits: NewLimiter(),
		Shared: shared.get,
		Fetch: func(context.Context, string) ([]byte, func(string) string, error) {
			return nil, nil, errors.New("the harness has no such document")
		},
		Log: t.Logf,
	}
}

type shared struct {
	mu     sync.Mutex // guards values and stops
	values map[string]any
	stops  []func()
}

func (s *shared) get(key string, make func() (any, func())) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.values[key]
	if !ok {
		var stop func()
		v, stop = make()
		s.values[key] = v
		if stop != nil {
			s.stops = append(s.stops, stop)
		}
	}
	return v
}

func (s *shared) stop() {
	for _, stop := range s.stops {
		stop()
	}
}

// Request makes an exchange: Request("GET", "/orders/7?x=1", "Origin: https://a.example").
// It comes from 192.0.2.7, of a subscription, for operation getOrder.
func Request(method, target string, fields ...string) *policy.Exchange {
	path, query, _ := strings.Cut(target, "?")
	x := &policy.Exchange{
		Context: context.Background(),
		Caller:  netip.MustParseAddr("192.0.2.7"), Proto: "HTTP/1.1", Now: Now,
		Method: method, Host: "api.example.com", Path: "/orders/v1" + path, Upstream: path, Query: query,
		Body: &policy.Body{Reader: http.NoBody},
		API:  "payments/orders@v1", Operation: "getOrder",
		Subscription: "billing/invoices-commerce", Application: "billing/invoices",
		Product: "payments/commerce", Plan: "gold",
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		x.Header.Add(name, value)
	}
	return x
}
