package framework

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/control/access"
	"gatehouse/control/audit"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// A Permission decides who may do what now; access.Guard is one.
type Permission interface {
	Can(subject, action string, on access.On) access.Decision
	CatchUp(ctx context.Context, seq store.Seq) error
	// Makers are whoever made the proof that a request came with.
	Makers(ctx context.Context) ([]string, error)
	// Behind are the subjects and whoever stands behind those that are programs.
	Behind(ctx context.Context, subjects ...string) (map[string]bool, error)
	// Hands are those who may have acted as a subject.
	Hands(ctx context.Context, subject string) (map[string]bool, error)
}

// A Desk moves framework versions. It is safe for use by several goroutines
// and processes.
type Desk struct {
	trail *audit.Trail
	db    store.DB
	guard Permission
	// Document writes the service description of a version as it is approved;
	// nil keeps none.
	Document func(ctx context.Context, v *View) (markdown, html []byte, err error)
	// Inaugurate is asked when a framework comes in force for the first time, for
	// what must be written along so that nothing that is live goes dark; nil:
	// nothing.
	Inaugurate func(ctx context.Context, framework, version, hash string) ([]audit.Act, error)
}

// New makes the desk of what trail writes.
func New(trail *audit.Trail, guard Permission) *Desk {
	return &Desk{trail: trail, db: trail.DB, guard: guard}
}

// Now is the desk's clock.
func (d *Desk) Now() time.Time { return d.now() }

func (d *Desk) now() time.Time {
	if d.trail.Now != nil {
		return d.trail.Now().UTC().Truncate(time.Microsecond)
	}
	return time.Now().UTC().Truncate(time.Microsecond)
}

func actor(ctx context.Context) string { return audit.From(ctx).Actor }

// retries is how often an action that lost a race is decided anew.
const retries = 8

// A Moved is a version after an action.
type Moved struct {
	Framework, Version string
	gatehouse.FrameworkVersionState
	Seq store.Seq // of the batch that moved it
}

// A move is one action on one version under decision.
type move struct {
	*Desk
	name, version string
	standing      *Standing
	now           time.Time
	actor         string
	writes        []store.Write
	more          []audit.Act // beside the action's own
}

// ref is "corporate@2026.1".
func (m *move) ref() string { return m.name + "@" + m.version }

func (m *move) state() gatehouse.FrameworkVersionState { return m.standing.Versions[m.version] }

// set brings the version into a state.
func (m *move) set(state, reason string) gatehouse.FrameworkVersionState {
	v := m.state()
	v.State, v.Since, v.By, v.Reason = state, m.now, m.actor, reason
	m.standing.Versions[m.version] = v
	return v
}

// move decides an action and writes it; a race that is lost is run again on
// the new state.
func (d *Desk) move(ctx context.Context, doing, action, name, version, reason string, decide func(*move) error) (*Moved, error) {
	for try := 1; ; try++ {
		moved, err := d.try(ctx, action, name, version, reason, decide)
		if err == nil {
			return moved, nil
		}
		if !gatehouse.Is(err, gatehouse.Conflict) || try == retries || !raced(err) {
			return nil, gatehouse.E(gatehouse.KindOf(err), "%s framework %q: %w", doing, name+"@"+version, err)
		}
	}
}

func (d *Desk) try(ctx context.Context, action, name, version, reason string, decide func(*move) error) (*Moved, error) {
	standing, err := d.Standing(ctx, name)
	if err != nil {
		return nil, err
	}
	if _, known := standing.Versions[version]; !known {
		doc, err := d.document(ctx, name)
		if err != nil {
			return nil, err
		}
		if doc.Version(version) == nil {
			return nil, gatehouse.E(gatehouse.NotFound, "it has no version %q", version)
		}
	}
	m := &move{Desk: d, name: name, version: version, standing: standing, now: d.now(), actor: actor(ctx)}
	before, err := jsonx.Marshal(m.state())
	if err != nil {
		return nil, err
	}
	if err := decide(m); err != nil {
		return nil, err
	}
	after, err := jsonx.Marshal(m.state())
	if err != nil {
		return nil, err
	}
	w, err := standing.Write()
	if err != nil {
		return nil, err
	}
	act := audit.Act{Action: action, Object: Subject(name, version), Before: before, After: after, Reason: reason, Writes: append(m.writes, w)}
	seq, err := d.trail.Commit(ctx, append([]audit.Act{act}, m.more...)...)
	if err != nil {
		return nil, race{err}
	}
	return &Moved{Framework: name, Version: version, FrameworkVersionState: m.state(), Seq: seq}, nil
}

// A race is what the store answered to a decision; a conflict there is decided
// anew, one of the rules is not.
type race struct{ error }

func (r race) Unwrap() error { return r.error }

func raced(err error) bool { _, ok := err.(race); return ok }

// Subject is how decisions and events name a version.
func Subject(name, version string) string { return "Framework " + name + "@" + version }

// maxReason bounds what a person writes beside an action, in bytes.
const maxReason = 4000

func checkReason(reason string, required bool, what string) error {
	switch {
	case required && reason == "":
		return gatehouse.E(gatehouse.Invalid, "a reason is missing: say why it is %s", what)
	case len(reason) > maxReason:
		return gatehouse.E(gatehouse.Invalid, "the reason is %d bytes long; at most %d", len(reason), maxReason)
	}
	return nil
}
