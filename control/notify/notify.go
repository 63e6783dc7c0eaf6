// Package notify tells people and programs of what happened: by webhook and by
// mail.
//
// It follows the trail; nobody calls it. From each event and the receivers that
// stood at that moment come deliveries, made in one transaction with the place
// up to which the trail was read: over restarts and several control planes each
// is made once. A delivery is a job of the store, tried with growing pauses for
// days, and then given up, on record. Receivers have a line each, bounded, so
// that a slow or dead one delays nobody.
//
// It decides nothing and changes no object. What an event says is package
// audit's; who may see what is said in audience.go.
package notify

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"gatehouse/control/audit"
	"gatehouse/control/fleet"
	"gatehouse/store"
)

// Options are what notifying is made of.
type Options struct {
	DB    store.DB
	Trail *audit.Trail
	Log   *slog.Logger
	Now   func() time.Time // nil: time.Now
	Vault Vault
	// Source names the installation in messages.
	Source string
	// Version of the program, as it names itself to receivers.
	Version string
	// Allow lists networks that webhooks may reach although they are private or
	// loopback.
	Allow []netip.Prefix
	Mail  *Mailer // nil: no mail is sent
	// Getenv and ReadFile resolve references to secrets; nil: the process's.
	Getenv   func(string) (string, bool)
	ReadFile func(string) ([]byte, error)
	// Alone is set where no other process shares the store: what was under way
	// when the one before died is tried at once.
	Alone bool
	// Pause is the wait before the attempt after n failed ones, before jitter;
	// nil: growing from seconds to half a day.
	Pause func(n int) time.Duration
}

// A Vault seals secrets; *[fleet.Fleet] is one.
type Vault interface {
	Seal(name string, secret []byte) ([]byte, error)
	Unseal(name string, sealed []byte) ([]byte, error)
}

var _ Vault = (*fleet.Fleet)(nil)

// Bounds.
const (
	// GiveUp is how long a delivery is tried.
	GiveUp = 5 * 24 * time.Hour
	// Keep is how long what became of a delivery stays in the log, and KeepOf
	// how many of one receiver do.
	Keep   = 30 * 24 * time.Hour
	KeepOf = 10_000
	// MaxWaiting deliveries may wait in one receiver's line; further ones are
	// given up at once.
	MaxWaiting = 10_000
	// AtOnce attempts run in one process, and AtOnceOf of one receiver, one of a
	// receiver whose last attempt failed. A receiver that has none may begin one
	// beyond AtOnce, up to AtOnceOfAll.
	AtOnce      = 64
	AtOnceOf    = 4
	AtOnceOfAll = 1024
	// attemptTime bounds one attempt; leaseTime is after how long another
	// process may take it that the one who made it has died: a little more,
	// for what became of it to be written and for clocks that differ.
	attemptTime = 15 * time.Second
	leaseTime   = attemptTime + 10*time.Second
)

// A Notify is one process's part in telling. It is safe for use by several
// goroutines.
type Notify struct {
	Options
	hooks *hooks
	wake  chan struct{} // there may be something due

	mu      sync.Mutex       // guards what follows
	lanes   map[string]*lane // by receiver
	all     int              // attempts under way
	keeper  keeper
	dropped time.Time // when the log was shortened last
}

// New makes the room.
func New(o Options) *Notify {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Pause == nil {
		o.Pause = pause
	}
	return &Notify{Options: o, hooks: newHooks(o.Allow), wake: make(chan struct{}, 1), lanes: map[string]*lane{}}
}

func (n *Notify) now() time.Time { return n.Now().UTC().Truncate(time.Microsecond) }

// Run follows and delivers until ctx ends.
func (n *Notify) Run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { n.follow(ctx) })
	wg.Go(func() { n.dispatch(ctx) })
	wg.Wait()
}

// stir lets the dispatcher look.
func (n *Notify) stir() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// rest waits, or until ctx ends, which it reports.
func rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
