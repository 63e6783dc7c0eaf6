package fleet

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/link"
	"gatehouse/snapshot"
	"gatehouse/store"
)

const (
	// struckBatches before the head are looked at for what was taken away, the
	// newest first: the process before this one may have ended before it said so.
	// They may be large; struckChanges of them are enough.
	struckBatches = 1000
	struckChanges = 20_000
	// maxStrikes bounds what is told, and maxDecided of how many records it is
	// known; whatever is beyond waits for the manifest.
	maxStrikes = 10_000
	maxDecided = 500_000
)

// strikes are keys and subscriptions that changes took away while what gateways
// should run is still being read.
type strikes struct {
	all     map[string]struck    // by the key of their record
	decided map[string]store.Seq // which change of a record says so, or that it is not struck
	told    map[string]*snapshot.Delta
	upTo    store.Seq // of the changes taken
	ended   bool
}

// struck is one of them.
type struck struct {
	environment  string // "" where it is not known: all are told
	key          snapshot.Credential
	subscription string // when it is no key
}

// strike follows what is taken away until all there is was read, and wakes polls
// with it: what happens now at once, and beside it what was shortly before.
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
	var head store.Head
	f.insist(ctx, func() (err error) {
		head, err = f.DB.Head(ctx)
		return err
	})
	var back sync.WaitGroup
	back.Go(func() { f.insist(ctx, func() error { return f.strikeBefore(ctx, head.Seq) }) })
	defer back.Wait()
	for at := head.Seq; ctx.Err() == nil; {
		f.insist(ctx, func() error {
			err := f.DB.Wait(ctx, at)
			if err == nil {
				at, _, err = f.strikeAfter(ctx, at)
			}
			return err
		})
	}
}

// insist does what the database may not be able to do now, until it can or ctx ends.
func (f *Fleet) insist(ctx context.Context, do func() error) {
	for ctx.Err() == nil {
		err := do()
		if err == nil || ctx.Err() != nil {
			return
		}
		f.Log.Warn("following revocations while the configuration is read", "error", err)
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// strikeBefore looks at what was before head, the newest first.
func (f *Fleet) strikeBefore(ctx context.Context, head store.Seq) error {
	left := struckChanges
	for to, step := head, store.Seq(1); to > max(0, head-struckBatches) && left > 0; step *= 2 {
		from := max(0, to-step)
		for at := from; at < to && left > 0; {
			next, n, err := f.strikeAfter(ctx, at)
			if err != nil {
				return err
			}
			if next <= at {
				break
			}
			at, left = next, left-n
		}
		to = from
	}
	return nil
}

// strikeAfter takes changes after at and tells up to where, and how many.
func (f *Fleet) strikeAfter(ctx context.Context, at store.Seq) (upTo store.Seq, n int, err error) {
	const most = 1000
	changes, upTo, err := f.DB.Changes(ctx, at, most)
	if err != nil {
		return at, 0, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.struck.ended {
		return upTo, len(changes), nil
	}
	changed := false
	for i := range changes {
		changed = f.struck.take(&changes[i], f.Now()) || changed
	}
	f.struck.upTo = max(f.struck.upTo, upTo)
	if changed {
		clear(f.struck.told)
		renew(&f.changed)
	}
	return upTo, len(changes), nil
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
	at, known := s.decided[c.Key]
	if c.Seq < at || !known && len(s.decided) >= maxDecided {
		return false
	}
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
	s.decided[c.Key] = c.Seq
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
	return strikes{all: map[string]struck{}, decided: map[string]store.Seq{}, told: map[string]*snapshot.Delta{}}
}
