package fleet

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/link"
	"gatehouse/snapshot"
	"gatehouse/store"
)

const (
	// struckSince is how many batches before the head are looked at for what was
	// taken away: the process before this one may have ended before it said so.
	struckSince = 1000
	// maxStrikes bounds what is told; whatever is beyond waits for the manifest.
	maxStrikes = 10_000
)

// strikes are keys and subscriptions that changes took away while what gateways
// should run is still being read.
type strikes struct {
	all   map[string]struck // by the key of their record
	told  map[string]*snapshot.Delta
	upTo  store.Seq // of the changes taken
	ended bool
}

// struck is one of them.
type struck struct {
	environment  string // "" where it is not known: all are told
	key          snapshot.Credential
	subscription string // when it is no key
}

// strike follows what is taken away until all there is was read, and wakes polls
// with it. What the database cannot do now is tried again.
func (f *Fleet) strike(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-f.ready:
			cancel()
		case <-ctx.Done():
		}
	}()
	at := store.Seq(-1)
	for ctx.Err() == nil {
		next, err := f.strikeAfter(ctx, at)
		if err == nil {
			at = next
			continue
		}
		if ctx.Err() == nil {
			f.Log.Warn("following revocations while the configuration is read", "error", err)
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// strikeAfter takes the changes after at, waiting for one; below zero it begins
// some way before the head.
func (f *Fleet) strikeAfter(ctx context.Context, at store.Seq) (store.Seq, error) {
	if at < 0 {
		head, err := f.DB.Head(ctx)
		if err != nil {
			return at, err
		}
		at = max(0, head.Seq-struckSince)
	} else if err := f.DB.Wait(ctx, at); err != nil {
		return at, err
	}
	const most = 1000
	changes, upTo, err := f.DB.Changes(ctx, at, most)
	if err != nil {
		return at, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.struck.ended {
		return upTo, nil
	}
	changed := false
	for i := range changes {
		changed = f.struck.take(&changes[i], f.Now()) || changed
	}
	f.struck.upTo = upTo
	if changed {
		clear(f.struck.told)
		renew(&f.changed)
	}
	return upTo, nil
}

// endStrikes ends them once what gateways are offered says all that they said.
func (f *Fleet) endStrikes(upTo store.Seq) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.struck.ended || f.struck.upTo > upTo {
		return
	}
	f.struck = strikes{ended: true}
	close(f.ready)
	renew(&f.changed)
}

// take notes whether a change takes a key or a subscription away, or gives it back.
func (s *strikes) take(c *store.Change, now time.Time) (changed bool) {
	kind, name, _ := strings.Cut(c.Key, "/")
	_, was := s.all[c.Key]
	var one struck
	var ended bool
	switch gatehouse.Kind(kind) {
	case gatehouse.KindKey:
		if c.Deleted {
			return false // which hash it had is known if it was revoked before; else its subscription goes with it
		}
		one, ended = endedKey(c, now)
	case gatehouse.KindSubscription:
		one, ended = endedSubscription(c, name)
	default:
		return false
	}
	switch {
	case ended && !was && len(s.all) < maxStrikes:
		s.all[c.Key] = one
	case !ended && was:
		delete(s.all, c.Key)
	default:
		return false
	}
	return true
}

// endedKey tells whether a key's record says that it is revoked or has expired.
func endedKey(c *store.Change, now time.Time) (one struck, ended bool) {
	var k gatehouse.KeyRecord
	if json.Unmarshal(c.Value, &k) != nil || k.Revoked.IsZero() && (k.Expires.IsZero() || k.Expires.After(now)) {
		return one, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(k.Hash)
	if err != nil || len(raw) != len(one.key) {
		return one, false
	}
	return struck{environment: k.Environment, key: snapshot.Credential(raw)}, true
}

// endedSubscription tells whether a subscription is there no more or not approved.
func endedSubscription(c *store.Change, name string) (one struck, ended bool) {
	var stored struct {
		Object struct {
			Spec struct{ Environment string } `json:"spec"`
		} `json:"object"`
		Status struct{ State string } `json:"status"`
	}
	if !c.Deleted && json.Unmarshal(c.Value, &stored) == nil && stored.Status.State == gatehouse.Approved {
		return one, false
	}
	return struck{environment: stored.Object.Spec.Environment, subscription: name}, true
}

// news is what instances of the environment are told that have others in force;
// nil when there is none.
func (s *strikes) news(environment string, have link.Position) *snapshot.Delta {
	if !have.Strikes || s.ended && have.Struck == (snapshot.Hash{}) {
		return nil
	}
	d := s.told[environment]
	if d == nil {
		d = &snapshot.Delta{Strikes: new(snapshot.Strikes)}
		for _, one := range s.all {
			switch {
			case one.environment != "" && one.environment != environment:
			case one.subscription != "":
				d.Strikes.Subscriptions = append(d.Strikes.Subscriptions, one.subscription)
			default:
				d.Strikes.Keys = append(d.Strikes.Keys, one.key)
			}
		}
		d.Digest = d.Strikes.Sum()
		if s.told != nil {
			s.told[environment] = d
		}
	}
	if d.Digest == have.Struck {
		return nil
	}
	return d
}

func newStrikes() strikes {
	return strikes{all: map[string]struck{}, told: map[string]*snapshot.Delta{}}
}
