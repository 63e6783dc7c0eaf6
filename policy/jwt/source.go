package jwt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/policy"
)

// Times of fetching key sets.
const (
	wait       = 2 * time.Second  // longest that a request waits for keys (SAFETY.md F12)
	gap        = 5 * time.Second  // shortest between two fetches of one set
	usual      = 10 * time.Minute // between refreshes, unless Cache-Control says otherwise
	longest    = time.Hour        // between refreshes, whatever it says
	backoff    = time.Minute      // longest between tries after failures
	discovered = time.Hour        // how long a discovery document's word holds
)

// A source holds an issuer's keys and the tokens that they verified. It outlives
// tables and is shared by all uses of the issuer.
type source struct {
	set        atomic.Pointer[set]
	generation atomic.Uint64 // grows with each set that differs from the last
	tokens     *tokens

	// Of a set in place there is nothing to fetch and all below is zero.
	fetch   func(ctx context.Context, url string) ([]byte, func(string) string, error)
	log     func(format string, args ...any)
	issuer  string
	jwks    string // as configured; "" asks discovery
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu      sync.Mutex    // guards what follows
	flight  chan struct{} // closed when the fetch in the air is over; nil without one
	last    time.Time     // when the last fetch began
	next    time.Duration // until the next refresh
	failing bool

	// Only the fetch in the air touches these.
	found   string // what discovery said
	foundAt time.Time
	failed  int
}

func newSource(c *Config, env policy.Env) *source {
	s := &source{tokens: newTokens(), issuer: c.Issuer, jwks: c.JWKS, fetch: env.Fetch, log: env.Log}
	if len(c.Keys) > 0 {
		if set, err := parseSet(c.Keys); err == nil { // Validate has parsed it
			s.set.Store(set)
		}
		s.fetch = nil
		return s
	}
	s.ctx, s.cancel = context.WithCancel(env.Context)
	s.running.Add(1)
	go s.keep()
	return s
}

// stop ends the refreshing and waits until it has.
func (s *source) stop() {
	if s.cancel != nil {
		s.cancel()
		s.running.Wait()
	}
}

// keep refreshes the set for as long as the source lives.
func (s *source) keep() {
	defer s.running.Done()
	for {
		if done := s.refresh(); done != nil {
			<-done
		}
		s.mu.Lock()
		next := max(s.next, gap)
		s.mu.Unlock()
		t := time.NewTimer(next)
		select {
		case <-t.C:
		case <-s.ctx.Done():
			t.Stop()
			return
		}
	}
}

// refresh begins a fetch, or joins the one in the air. It returns nil when the
// last one was too short a time ago.
func (s *source) refresh() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flight != nil {
		return s.flight
	}
	if s.ctx.Err() != nil || !s.last.IsZero() && time.Since(s.last) < gap {
		return nil
	}
	done := make(chan struct{})
	s.flight, s.last = done, time.Now()
	s.running.Add(1)
	go func() {
		defer s.running.Done()
		next, err := s.load()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.flight, s.next = nil, next
		s.report(err)
		close(done)
	}()
	return done
}

// report logs when fetching begins to fail and when it works again.
func (s *source) report(err error) {
	switch {
	case s.log == nil || s.ctx.Err() != nil:
	case err != nil && !s.failing:
		s.log("keys of issuer %q: %v; the keys known so far stay in use", s.issuer, err)
	case err == nil && s.failing:
		s.log("keys of issuer %q: fetched again", s.issuer)
	}
	s.failing = err != nil
}

// load fetches the set and says when to do so again. A set that cannot be read
// changes nothing.
func (s *source) load() (next time.Duration, err error) {
	ctx, cancel := context.WithTimeout(s.ctx, wait)
	defer cancel()
	body, header, err := s.get(ctx)
	var fresh *set
	if err == nil {
		fresh, err = parseSet(body)
	}
	if err != nil {
		s.failed = min(s.failed+1, 10)
		return min(gap<<(s.failed-1), backoff), err
	}
	s.failed = 0
	if old := s.set.Load(); old == nil || old.sum != fresh.sum {
		s.set.Store(fresh)
		s.generation.Add(1)
		if s.log != nil {
			for _, why := range fresh.skipped {
				s.log("keys of issuer %q: left out: %v", s.issuer, why)
			}
		}
	}
	return lifetime(header("Cache-Control")), nil
}

func (s *source) get(ctx context.Context) ([]byte, func(string) string, error) {
	address := s.jwks
	if address == "" {
		var err error
		if address, err = s.discover(ctx); err != nil {
			return nil, nil, err
		}
	}
	body, header, err := s.fetch(ctx, address)
	if err != nil {
		s.foundAt = time.Time{} // perhaps the set has moved
	}
	return body, header, err
}

// discover asks the issuer where its keys are (OpenID Connect Discovery 1.0 §4).
func (s *source) discover(ctx context.Context) (string, error) {
	if !s.foundAt.IsZero() && time.Since(s.foundAt) < discovered {
		return s.found, nil
	}
	body, _, err := s.fetch(ctx, strings.TrimRight(s.issuer, "/")+"/.well-known/openid-configuration")
	if err != nil {
		return "", err
	}
	var doc struct {
		Issuer string `json:"issuer"`
		JWKS   string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return "", errors.New("the discovery document is not a JSON object")
	}
	if doc.Issuer != s.issuer {
		return "", fmt.Errorf("the discovery document is of issuer %q", short(doc.Issuer))
	}
	if err := checkURL("jwks_uri", doc.JWKS); err != nil {
		return "", fmt.Errorf("the discovery document: %w", err)
	}
	s.found, s.foundAt = doc.JWKS, time.Now()
	return s.found, nil
}

// lifetime reads max-age (RFC 9111 §5.2.2.1) within bounds.
func lifetime(control string) time.Duration {
	for d := range strings.SplitSeq(control, ",") {
		if age, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(d)), "max-age="); ok {
			if n, err := strconv.ParseUint(age, 10, 31); err == nil {
				return min(max(time.Duration(n)*time.Second, time.Minute), longest)
			}
		}
	}
	return usual
}

// errNoKeys is that no key set has come yet: the token may be good.
var errNoKeys = errors.New("the issuer's keys are not at hand")

var errKey = errors.New("the token is not signed with a key of the issuer")

// verify checks a token's signature. When no key fits, it looks for a new set,
// within the bounds of refresh, and waits no longer than wait.
func (s *source) verify(h head) (generation uint64, err error) {
	generation = s.generation.Load()
	if s.signed(h) {
		return generation, nil
	}
	current := s.set.Load()
	if s.fetch != nil && (current == nil || !h.hasKid || !current.names(h.kid)) {
		if done := s.refresh(); done != nil {
			t := time.NewTimer(wait)
			select {
			case <-done:
			case <-t.C:
			}
			t.Stop()
			generation = s.generation.Load()
			if s.set.Load() != current && s.signed(h) {
				return generation, nil
			}
		}
	}
	if s.set.Load() == nil {
		return 0, errNoKeys
	}
	return 0, errKey
}

// signed tells whether a key at hand has signed the token.
func (s *source) signed(h head) bool {
	for _, k := range s.set.Load().candidates(h) {
		if k.signs(h.signed, h.algorithm, h.signature) {
			return true
		}
	}
	return false
}

// names tells whether the set has a key of that name.
func (s *set) names(kid string) bool {
	for i := range s.keys {
		if s.keys[i].kid == kid {
			return true
		}
	}
	return false
}
