package upstream

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/netip"
	"sort"
	"sync"
	"time"

	"gatehouse/gateway/upstream/h1"
	"gatehouse/report"
	"gatehouse/snapshot"
)

// Options are a set's bounds and surroundings. The zero value has the defaults
// named here.
type Options struct {
	// Secret resolves references in TLS settings, "${file:path}"; text that
	// is no reference is returned as it is. Default: no reference resolves.
	Secret func(ref string) (string, error)
	// Deny refuses addresses beyond those never allowed (link-local and
	// metadata services), at the moment of connecting.
	Deny func(netip.Addr) bool
	// IdleConn is how long a connection is kept for the next request; below
	// what servers keep theirs. Default 30s.
	IdleConn time.Duration
	// ConnAge is how long a connection serves at most, so that a name that
	// leads elsewhere is followed under constant load too. Default 10m.
	ConnAge time.Duration
	// BodyIdle is how long a body may stand still. Default 60s. Event
	// streams get TunnelIdle.
	BodyIdle time.Duration
	// TunnelIdle is how long an upgraded connection may stand still. Default 10m.
	TunnelIdle time.Duration
	// Continue is how long a body waits for "100 Continue". Default 1s.
	Continue time.Duration
	// Log tells an operator of targets that go and come. Default: nobody.
	Log func(format string, args ...any)
}

func (o *Options) defaults() {
	if o.Secret == nil {
		o.Secret = func(ref string) (string, error) {
			if len(ref) > 1 && ref[0] == '$' {
				return "", errors.New("references cannot be resolved here")
			}
			return ref, nil
		}
	}
	if o.IdleConn <= 0 {
		o.IdleConn = 30 * time.Second
	}
	if o.ConnAge <= 0 {
		o.ConnAge = 10 * time.Minute
	}
	if o.BodyIdle <= 0 {
		o.BodyIdle = time.Minute
	}
	if o.TunnelIdle <= 0 {
		o.TunnelIdle = 10 * time.Minute
	}
	if o.Continue <= 0 {
		o.Continue = time.Second
	}
	if o.Log == nil {
		o.Log = func(string, ...any) {}
	}
}

// A Set holds the live backends of a gateway.
type Set struct {
	options Options

	mu       sync.Mutex // guards all below and the refs of what they hold
	backends map[string]*Backend
	targets  map[string]*target
	checks   map[string]*check
}

// NewSet returns an empty set. It runs nothing until a backend is acquired.
func NewSet(o Options) *Set {
	o.defaults()
	return &Set{options: o, backends: map[string]*Backend{}, targets: map[string]*target{}, checks: map[string]*check{}}
}

// Acquire returns the live backend of b, the same one for the same content.
// Each must be released. A backend that cannot be made, because its trust does
// not load, is returned all the same: [Backend.Err] says why, and every
// request to it fails.
func (s *Set) Acquire(b snapshot.Backend) *Backend {
	key := keyOf(b)
	s.mu.Lock()
	defer s.mu.Unlock()
	live := s.backends[key]
	if live == nil {
		live = s.build(key, &b)
		s.backends[key] = live
	}
	live.refs++
	return live
}

// Release lets go of the backend. The last release closes connections that no
// other backend shares and ends the health checks; requests under way finish.
func (b *Backend) Release() {
	s := b.set
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.refs--; b.refs != 0 {
		return
	}
	delete(s.backends, b.key)
	for _, m := range b.members {
		if c := m.check; c != nil {
			if c.refs--; c.refs == 0 {
				delete(s.checks, c.key)
				c.stop()
			}
		}
		if m.refs--; m.refs == 0 {
			delete(s.targets, m.key)
			m.target.close()
		}
	}
}

// build makes a backend of the targets at hand and new ones.
func (s *Set) build(key string, spec *snapshot.Backend) *Backend {
	b := newBackend(s, key, spec)
	for _, ts := range spec.Targets {
		tk := keyOf(spec.Name, ts.URL, spec.TLS, spec.HTTP2)
		t := s.targets[tk]
		if t == nil {
			var err error
			if t, err = newTarget(tk, spec, ts, &s.options); err != nil {
				b.err = errors.Join(b.err, err)
				continue
			}
			s.targets[tk] = t
		}
		t.refs++
		t.pool.resize(orDefault(spec.MaxConnections, 1024))
		m := &member{target: t, weight: max(ts.Weight, 1)}
		if spec.Health.Path != "" {
			m.check = s.watch(t, spec.Health)
		}
		b.members = append(b.members, m)
	}
	if len(b.members) == 0 && b.err == nil {
		b.err = errors.New("backend has no target")
	}
	return b
}

// watch returns the running check of t by h.
func (s *Set) watch(t *target, h snapshot.Health) *check {
	key := keyOf(t.key, h)
	c := s.checks[key]
	if c == nil {
		c = newCheck(key, t, h, s.options.Log)
		s.checks[key] = c
		c.start()
	}
	c.refs++
	return c
}

// maxStates bounds an account: when a whole network is gone, the first thousand
// targets tell it as well as all of them.
const maxStates = 1000

// States tells which targets do not stand well and why, in order of backend and
// target; of the many that do, nothing.
func (s *Set) States() []report.BackendState {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []report.BackendState
	step := 0
	for _, b := range s.backends {
		snapshot.Breathe(step)
		step++
		for _, m := range b.members {
			if healthy, reason := m.state(now); !healthy {
				out = append(out, report.BackendState{Backend: b.spec.Name, Target: m.url, Reason: reason})
			}
		}
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].Backend != out[j].Backend {
			return out[i].Backend < out[j].Backend
		}
		return out[i].Target < out[j].Target
	})
	return out[:min(len(out), maxStates)]
}

// keyOf names content: equal values have equal keys.
func keyOf(parts ...any) string {
	text, err := json.Marshal(parts)
	if err != nil {
		panic(err) // plain data always marshals
	}
	sum := sha256.Sum256(text)
	return string(sum[:])
}

func orDefault(n, otherwise int) int {
	if n > 0 {
		return n
	}
	return otherwise
}

var _ h1.Owner = (*pool)(nil)
