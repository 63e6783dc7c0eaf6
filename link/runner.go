package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/report"
	"gatehouse/snapshot"
	"gatehouse/spell"
)

// A Swap puts a manifest in force: it asks for the chunks it has not built yet,
// and returns the API versions it set aside. After an error the table before
// stays in force.
type Swap func(ctx context.Context, m *snapshot.Manifest, chunk func(snapshot.Hash) ([]byte, error)) ([]report.Refusal, error)

// A Runner keeps a gateway instance in step with its control plane: from disk
// first, then over the link; acknowledging what runs, sending what was counted,
// renewing the certificate in time. Whatever fails outside, the table in force
// stays and counting goes on.
type Runner struct {
	Client *Client
	Dir    string // identity, configuration and spool lie here
	Swap   Swap
	// Standing tells what is set aside or unattested; nil: what Swap returned.
	Standing func() report.Standing
	// Judged receives when that has changed by the clock alone; may be nil.
	Judged <-chan struct{}
	// Strike refuses what the configuration in force, and those to come, still
	// have, instead of what it refused before; nil: this gateway cannot.
	Strike func(*snapshot.Strikes)
	// Rollup takes what was counted since it was last called; nil: nothing is.
	Rollup func() []report.Count
	// Health is sent with each poll; may be nil.
	Health func() report.Health
	// Interval of rollups; 0 is 10 s.
	Interval time.Duration
	Log      *slog.Logger
	Now      func() time.Time // nil: time.Now

	disk     *Disk
	spool    *Spool
	current  *Update // with what follows: used by the poll loop alone, once running
	standing report.Ack
	acked    bool
	struck   Position // that strikes are taken, and which
	unsaved  map[snapshot.Hash][]byte
	unkept   *Update      // in force and not on disk
	contact  atomic.Int64 // Unix nanoseconds of the last answer
	serial   atomic.Int64
	told     time.Time // when health was sent last
	kept     int       // instances of the environment, on disk
	send     chan struct{}

	spooling, saving, keeping, linked spell.Spell
}

// Start joins with the token if the instance has not joined before (a token
// may be left out then), and puts the configuration on disk in force. It
// dials only to join.
func (r *Runner) Start(ctx context.Context, token, instance string) error {
	if r.Now == nil {
		r.Now = time.Now
	}
	if r.Interval == 0 {
		r.Interval = 10 * time.Second
	}
	r.send, r.unsaved = make(chan struct{}, 1), map[snapshot.Hash][]byte{}
	r.struck.Strikes = r.Strike != nil
	r.loadInstances()
	var err error
	if r.disk, err = OpenDisk(filepath.Join(r.Dir, "snapshot"), r.Log); err != nil {
		return err
	}
	var damaged []error
	if r.spool, damaged, err = OpenSpool(filepath.Join(r.Dir, "spool"), r.Now); err != nil {
		return errors.Join(err, r.disk.Close())
	}
	for _, err := range damaged {
		r.Log.Error("counts are lost: a batch on disk is damaged", "error", err)
	}
	if err := r.identify(ctx, token, instance); err != nil {
		return errors.Join(err, r.disk.Close())
	}
	for u := r.disk.Load(r.Client.Identity()); u != nil; u = r.disk.Load(r.Client.Identity()) {
		if r.put(ctx, u); r.standing.Refused == "" {
			return nil
		}
	}
	r.salvage(ctx)
	return nil
}

// salvage puts in force what is left where no generation on disk is whole: one bad
// sector must not take down all APIs. What is damaged the gateway sets aside. The
// control plane is asked as by one who has nothing, and gives what is lacking.
func (r *Runner) salvage(ctx context.Context) {
	remains := r.disk.Remains(r.Client.Identity())
	for _, u := range remains {
		aside, err := r.Swap(ctx, u.Manifest, r.chunk)
		if err == nil {
			r.serial.Store(u.Manifest.Serial)
			r.Log.Error("no configuration on disk is whole; what is left is in force until the control plane answers", "serial", u.Manifest.Serial, "aside", len(aside))
			return
		}
	}
	if len(r.disk.serial) > 0 {
		r.Log.Error("no configuration on disk can be used; nothing is served until the control plane answers")
	}
}

// identify loads the identity, or joins: when there is none, or the token is
// another than the one it joined with, as after it was shut out. If that token
// is refused, the identity at hand is still tried.
func (r *Runner) identify(ctx context.Context, token, instance string) error {
	id, err := LoadIdentity(r.Dir)
	switch {
	case token == "" && errors.Is(err, os.ErrNotExist):
		return errors.New("this gateway has not joined: make a token with \"gatehouse gateway-token create\" and start with it")
	case token == "" && err != nil:
		return fmt.Errorf("%w; make a token with \"gatehouse gateway-token create\" and start with it to join again", err)
	case err != nil:
		return r.join(ctx, token, instance)
	}
	r.Client.Use(id)
	if token == "" {
		return nil
	}
	t, err := ParseToken(token)
	if err != nil {
		return fmt.Errorf("joining: %w", err)
	}
	if t.PublicID() == id.JoinedWith {
		return nil
	}
	if instance == "" {
		instance = id.Instance
	}
	if err := r.join(ctx, token, instance); err != nil {
		r.Log.Warn("the token does not let this instance join; it goes on with the certificate it has", "expires", id.Expires(), "error", err)
	}
	return nil
}

func (r *Runner) join(ctx context.Context, token, instance string) error {
	t, err := ParseToken(token)
	if err != nil {
		return fmt.Errorf("joining %s: %w", r.Client.URL, err)
	}
	a, err := attemptIn(r.Dir, t, instance)
	if err != nil {
		return fmt.Errorf("joining: %w", err)
	}
	id, err := r.Client.join(ctx, t, a)
	if err != nil {
		return err
	}
	if err := id.Save(r.Dir); err != nil {
		return fmt.Errorf("joining: keeping the certificate: %w", err)
	}
	if err := endAttempt(r.Dir); err != nil {
		r.Log.Warn("removing what the instance joined with", "error", err)
	}
	r.Client.Use(id)
	return nil
}

// Serial is the serial of the manifest in force, 0 before the first.
func (r *Runner) Serial() int64 { return r.serial.Load() }

// Contact is when the control plane last answered, the zero time if never.
func (r *Runner) Contact() time.Time {
	if n := r.contact.Load(); n != 0 {
		return time.Unix(0, n)
	}
	return time.Time{}
}

// Unsent is how many batches of counts wait.
func (r *Runner) Unsent() int { return r.spool.Waiting() }

// Run works until ctx ends; it then keeps the last counts on disk and returns.
func (r *Runner) Run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { r.poll(ctx) })
	wg.Go(func() { r.count(ctx) })
	wg.Go(func() { r.deliver(ctx) })
	wg.Go(func() { r.renew(ctx) })
	wg.Wait()
	r.roll()
	if err := r.disk.Close(); err != nil {
		r.Log.Warn("closing configuration on disk", "error", err)
	}
	r.Client.Close()
}

// poll waits for news, takes it, acknowledges it, for ever.
func (r *Runner) poll(ctx context.Context) {
	var pause backoff
	for ctx.Err() == nil {
		wait := r.keep()
		err := r.ack(ctx)
		var news *Update
		judged := false
		if err == nil {
			news, judged, err = r.await(ctx, wait)
		}
		if judged {
			r.restate()
			continue
		}
		r.keepInstances()
		if err == nil || StatusOf(err) != 0 {
			r.contact.Store(r.Now().UnixNano())
		}
		switch {
		case err != nil || news == nil:
		case news.Strikes != nil:
			r.Strike(news.Strikes)
			r.struck.Struck = news.Strikes.Sum()
		default:
			err = r.take(ctx, news)
		}
		if err == nil {
			pause.reset()
			r.linked.Over(r.Now(), r.Log, "the link to the control plane is back")
			continue
		}
		r.told = time.Time{} // whoever answers next may know nothing
		if ctx.Err() == nil {
			r.linked.Met(r.Now(), StatusOf(err), r.Log.Warn, "the link to the control plane is interrupted; the configuration in force stays", "error", err)
		}
		if StatusOf(err) == http.StatusGone { // there is a newer manifest: ask at once
			pause.reset()
		}
		pause.wait(ctx)
	}
}

// healthEvery is how often the instance gives an account of itself at most: it
// looks at every target of every backend, and one change may follow the other.
const healthEvery = time.Second

func (r *Runner) health() *report.Health {
	now := r.Now()
	if since := now.Sub(r.told); r.Health == nil || since >= 0 && since < healthEvery {
		return nil // the control plane goes on with what it was told
	}
	r.told = now
	h := r.Health()
	h.Unsent = int64(r.spool.Waiting())
	return &h
}

// take fetches what is lacking, keeps it, puts it in force and says so.
func (r *Runner) take(ctx context.Context, u *Update) error {
	for h, data := range u.Chunks {
		r.unsaved[h] = data
	}
	var lacking []snapshot.Hash
	for _, h := range r.disk.Lacks(u.Manifest.Entries) {
		if _, ok := r.unsaved[h]; !ok {
			lacking = append(lacking, h)
		}
	}
	err := r.Client.Chunks(ctx, lacking, func(h snapshot.Hash, data []byte) error {
		r.unsaved[h] = data
		return nil
	})
	if err != nil {
		return err
	}
	err = r.disk.Save(u, r.unsaved)
	if err != nil {
		// A full disk is no reason to go on with yesterday's rules.
		r.saving.Met(r.Now(), 0, r.Log.Error, "configuration goes into force but is not on disk", "error", err)
	} else {
		r.saved(u)
	}
	r.put(ctx, u)
	r.unkept = nil
	if err == nil {
		clear(r.unsaved)
		return nil
	}
	r.forget(u)
	if r.standing.Refused == "" {
		r.unkept = u
	}
	return nil
}
