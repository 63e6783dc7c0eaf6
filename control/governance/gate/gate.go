// Package gate is the compliance gate: it evaluates a revision of an API
// version against the framework version in force for an environment, and makes
// of it an attestation that gateways ask for.
//
// What each control finds is package rule's word; this package brings what is
// to be looked at, and adds what only a record tells: who answered a question,
// which waiver excepts whom, who is on notice, what passed before with the same
// inputs. Package catalog asks it before it releases ([Gate.Admit]); background
// work looks again at what is released ([Gate.Work]).
//
// A revision that was looked at once keeps the outcome of each control whose
// inputs stay the same, across revisions and framework versions. Nothing that is
// live goes dark because a rule changed: it is on notice until the control's
// grace ends, and then its attestation ends by itself.
package gate

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse"
	"gatehouse/attest"
	"gatehouse/control/audit"
	"gatehouse/rule"
	"gatehouse/store"
)

const (
	// DefaultLast is for how long a pass holds unless the framework says otherwise.
	DefaultLast = 365 * 24 * time.Hour
	// FirstGrace is for how long what is live may go on as it is, and longer where
	// a control gives longer, when the gate begins to be demanded of it: with the
	// first framework, when its environment is switched to enforce, or when that no
	// longer accepts its framework.
	FirstGrace = 30 * 24 * time.Hour
	// DefaultGrace is that of a control that says none: nobody is refused the
	// moment a version comes in force, unless its authors wrote so (1m).
	DefaultGrace = 7 * 24 * time.Hour
	// Notice is how long what is live may go on at least when not it but
	// something around it changed, such as a gateway's location.
	Notice = 24 * time.Hour
	// renewal is how long before its end an attestation is renewed at most.
	renewal = 30 * 24 * time.Hour
)

// A Signer is the installation, as far as it signs.
type Signer interface {
	ID() string
	Attest(s attest.Statement) (*attest.Attestation, error)
	// AttestKeys are the public keys by id.
	AttestKeys() map[string][]byte
}

// Holder tells whether a subject holds a role on an API.
type Holder func(subject, role, api string) bool

// A Gate is safe for use by several goroutines; several processes may share one
// database.
type Gate struct {
	trail  *audit.Trail
	db     store.DB
	signer Signer
	log    *slog.Logger
	// Holds answers who holds which role; nil: nobody holds any.
	Holds Holder
	// Apart refuses whoever is not a person apart from the one who did something
	// before; nil: [access.Apart].
	Apart func(ctx context.Context, before, did string) error

	mu       sync.Mutex              // guards what follows
	versions map[string]*judging     // framework versions made ready, by hash
	verdicts map[string]rule.Verdict // of checks that cost much, by inputs
	again    map[string]time.Time    // what could not be evaluated, and when to try again

	previewing chan struct{} // holds one while somebody looks ahead

	passing sync.Mutex   // held by the one goroutine that does background work
	watch   watch        // guarded by passing
	looked  atomic.Int64 // releases that background work looked at
}

// Bounds of what is kept in memory.
const (
	maxVersions = 64
	maxVerdicts = 4096
)

// New makes the gate of what trail writes.
func New(trail *audit.Trail, signer Signer, log *slog.Logger) *Gate {
	return &Gate{
		trail: trail, db: trail.DB, signer: signer, log: log, versions: map[string]*judging{}, verdicts: map[string]rule.Verdict{},
		again: map[string]time.Time{}, previewing: make(chan struct{}, 1),
	}
}

func (g *Gate) now() time.Time {
	if g.trail.Now != nil {
		return g.trail.Now().UTC().Truncate(time.Microsecond)
	}
	return time.Now().UTC().Truncate(time.Microsecond)
}

func actor(ctx context.Context) string { return audit.From(ctx).Actor }

// A Target is a revision of an API version in an environment.
type Target struct {
	Environment         string
	Team, Name, Version string
	Revision            string // whole
}

// API is "payments/orders".
func (t Target) API() string { return t.Team + "/" + t.Name }

// ID is "payments/orders@v1".
func (t Target) ID() string { return t.API() + "@" + t.Version }

// Object is how the trail names it: "Gate prod payments/orders@v1".
func (t Target) Object() string { return "Gate " + t.Environment + " " + t.ID() }

func (t Target) attestationKey() string {
	return gatehouse.AttestationKey(t.Environment, t.Team, t.Name, t.Version, t.Revision)
}

func (t Target) resultKey(live bool) string {
	return gatehouse.GateResultKey(t.Environment, t.Team, t.Name, t.Version, live)
}

func (t Target) releaseKey() string {
	return "Release/" + t.Environment + "/" + t.Team + "/" + t.Name + "/" + t.Version
}

func (t Target) revisionKey(hash string) string {
	return "Revision/" + t.Team + "/" + t.Name + "/" + t.Version + "/" + hash
}

// targetOf reads "payments/orders" and the rest into a target.
func targetOf(env, api, version, revision string) Target {
	team, name, _ := strings.Cut(api, "/")
	return Target{env, team, name, version, revision}
}
