// Package onboarding lets teams come onto the framework, and ask for more.
//
// An on-boarding begins requested and accepts the responsibilities of the
// framework version in force, word for word. The provider team approves it,
// asks back or turns it down; conditions of the framework may let it through
// without a person. When it is approved, one transaction makes the team, its
// users and their roles, and says what the team is allowed. It never turns
// back: who wants more asks again, so the trail stays a line.
//
// This package decides and records. Documents are package catalog's, which also
// holds teams to what they are allowed; words and conditions are package
// admission's.
package onboarding

import (
	"context"
	"encoding/json"
	"time"

	"gatehouse"
	"gatehouse/control/access"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/jsonx"
	"gatehouse/store"
)

const (
	// MaxOpen is how many on-boardings of one asker may be open at once.
	MaxOpen = 20
	// retries is how often a decision that lost a race is made anew.
	retries = 8
)

// A Desk takes what people ask about on-boardings. It is safe for use by
// several goroutines and processes.
type Desk struct {
	catalog *catalog.Catalog
	trail   *audit.Trail
	guard   *access.Guard
	db      store.DB
}

// New makes the desk of what trail writes.
func New(trail *audit.Trail, c *catalog.Catalog, g *access.Guard) *Desk {
	return &Desk{catalog: c, trail: trail, guard: g, db: trail.DB}
}

func (d *Desk) now() time.Time {
	if d.trail.Now != nil {
		return d.trail.Now().UTC().Truncate(time.Microsecond)
	}
	return time.Now().UTC().Truncate(time.Microsecond)
}

func actor(ctx context.Context) string { return audit.From(ctx).Actor }

// A Standing is an on-boarding as the store has it.
type Standing struct {
	gatehouse.Onboarding
	Rev store.Seq
}

// Key is where the on-boarding of that id lies.
func Key(id string) string { return string(gatehouse.KindOnboarding) + "/" + id }

// Get reads an on-boarding.
func (d *Desk) Get(ctx context.Context, id string) (*Standing, error) {
	rec, err := d.db.Get(ctx, Key(id))
	if gatehouse.Is(err, gatehouse.NotFound) {
		return nil, gatehouse.E(gatehouse.NotFound, "there is no on-boarding %q", id)
	}
	if err != nil {
		return nil, err
	}
	return standingOf(rec)
}

func standingOf(rec store.Record) (*Standing, error) {
	s := &Standing{Rev: rec.Rev}
	if err := json.Unmarshal(rec.Value, &s.Onboarding); err != nil {
		return nil, gatehouse.E(gatehouse.Internal, "reading %q: %w", rec.Key, err)
	}
	return s, nil
}

// A Filter selects on-boardings; zero fields ask nothing.
type Filter struct {
	Team, State, Asker string
	After              string
	Limit              int
}

// List is one page of on-boardings by id.
func (d *Desk) List(ctx context.Context, f Filter) (page []*Standing, next string, err error) {
	q := store.Query{Kind: string(gatehouse.KindOnboarding), Where: map[string]string{}, After: f.After, Limit: f.Limit}
	for name, value := range map[string]string{"team": f.Team, "state": f.State, "asker": f.Asker} {
		if value != "" {
			q.Where[name] = value
		}
	}
	found, err := d.db.List(ctx, q)
	if err != nil {
		return nil, "", err
	}
	for _, rec := range found.Records {
		s, err := standingOf(rec)
		if err != nil {
			return nil, "", err
		}
		page = append(page, s)
	}
	return page, found.Next, nil
}

// Concerns reports whether a subject has a part in it: asked for it, is among
// the members it names, or is of the team that asks for more.
func (d *Desk) Concerns(subject string, o *gatehouse.Onboarding) bool {
	x := d.guard.Index()
	return subject == o.AskedBy || x.Among(subject, o.Request.Members) || o.More && x.Of(subject, o.Request.Team)
}

// act is an event on the on-boarding that brings it from before, nil for none,
// to where it is now, with the write.
func (s *Standing) act(action string, before *gatehouse.Onboarding, reason string) (audit.Act, error) {
	value, err := jsonx.Marshal(&s.Onboarding)
	if err != nil {
		return audit.Act{}, err
	}
	var was json.RawMessage
	if before != nil {
		if was, err = jsonx.Marshal(before); err != nil {
			return audit.Act{}, err
		}
	}
	index := map[string]string{"team": s.Request.Team, "state": s.State, "asker": s.AskedBy}
	if s.Open() {
		if index["open"] = "1"; s.Rule != "" {
			index["rule"] = "1" // waits for nobody
		}
	}
	return audit.Act{
		Action: action, Object: "Onboarding " + s.ID, Team: s.Request.Team, Before: was, After: value, Reason: reason,
		Writes: []store.Write{{Key: Key(s.ID), Kind: string(gatehouse.KindOnboarding), Value: value, Expect: s.Rev, Index: index}},
	}, nil
}

// change brings an on-boarding from where it is to somewhere else, as decide
// says; decide sees the newest state and is asked again when that moved.
func (d *Desk) change(ctx context.Context, doing, action, id, reason string, decide func(*Standing) error) (*Standing, store.Seq, error) {
	for try := 1; ; try++ {
		s, err := d.Get(ctx, id)
		if err != nil {
			return nil, 0, err
		}
		before := s.Onboarding
		var a audit.Act
		if err = decide(s); err == nil {
			a, err = s.act(action, &before, reason)
		}
		var seq store.Seq
		if err == nil {
			seq, err = d.trail.Commit(ctx, a)
		}
		if err == nil {
			return s, seq, nil
		}
		if gatehouse.Is(err, gatehouse.Conflict) && try < retries && d.moved(ctx, s) {
			continue
		}
		return nil, 0, gatehouse.E(gatehouse.KindOf(err), "%s on-boarding %q: %w", doing, id, err)
	}
}

// moved reports whether the record is no longer what was read.
func (d *Desk) moved(ctx context.Context, s *Standing) bool {
	rec, err := d.db.Get(ctx, Key(s.ID))
	return err == nil && rec.Rev != s.Rev
}

// into moves it to a state.
func (s *Standing) into(state string, now time.Time) { s.State, s.Since = state, now }

// say adds to what was said.
func (s *Standing) say(by, is, text string, now time.Time) error {
	switch {
	case text == "":
		return nil
	case len(text) > gatehouse.MaxComment:
		return gatehouse.E(gatehouse.Invalid, "the text is %d bytes long; at most %d", len(text), gatehouse.MaxComment)
	case len(s.Comments) >= gatehouse.MaxOnboardingComments:
		return gatehouse.E(gatehouse.Conflict, "%d things have been said already: decide on it, or withdraw it and ask anew", len(s.Comments))
	}
	s.Comments = append(s.Comments[:len(s.Comments):len(s.Comments)], gatehouse.OnboardingComment{By: by, Time: now, Is: is, Text: text})
	return nil
}
