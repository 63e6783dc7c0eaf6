// Package audit keeps the trail: an event for every management action, chained
// by hashes, in the transaction of the change it tells of.
//
// All writing of the management wing goes through [Trail.Commit]; there is no
// other way to change a record on someone's behalf. The package masks secrets
// and computes differences; it decides nothing. Package server records what
// was refused; package store numbers and chains.
package audit

import (
	"context"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"gatehouse"
	"gatehouse/store"
)

// A Request says on whose behalf something happens. The server puts it into
// the context; without one, the actor is "system".
type Request struct {
	Actor          string // "user:alice@example.com", "service:ci", "anonymous"
	Authentication string // "token:tok_…", "certificate:…", "none"
	Address        string
	ID             string
}

type requestKey struct{}

// WithRequest returns a context that acts on behalf of r.
func WithRequest(ctx context.Context, r Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// Along goes with what a request changes: its write is part of every transaction
// that a commit of the request makes, so it is there exactly when the change is.
type Along struct {
	Write func() (store.Write, error)
	Wrote func(store.Seq)
}

type alongKey struct{}

// WithAlong returns a context whose commits carry a.
func WithAlong(ctx context.Context, a *Along) context.Context {
	return context.WithValue(ctx, alongKey{}, a)
}

// From is the request that ctx acts on behalf of.
func From(ctx context.Context) Request {
	if r, ok := ctx.Value(requestKey{}).(Request); ok {
		return r
	}
	return Request{Actor: "system", Authentication: "none"}
}

// A Trail writes changes with their events.
type Trail struct {
	DB  store.DB
	Now func() time.Time // nil: time.Now
}

// An Act is one action on one object and the writes that carry it out. Before
// and After are the object's JSON, nil where there is none.
type Act struct {
	Action string // name in the route table, "api.put"
	Object string // "API payments/orders"
	Team   string
	Before json.RawMessage
	After  json.RawMessage
	Reason string
	Writes []store.Write
	Jobs   []store.Job // made or changed with it
}

// Commit does all acts in one transaction, one event for each, or nothing. If
// the events cannot be written, nothing is changed.
func (t *Trail) Commit(ctx context.Context, acts ...Act) (store.Seq, error) {
	var b store.Batch
	for _, a := range acts {
		e := t.event(ctx, a.Action, a.Object, a.Team)
		e.Outcome, e.Reason = gatehouse.Allowed, bounded(Mask(a.Reason))
		e.Change = Diff(a.Before, a.After)
		b.Events = append(b.Events, e)
		b.Writes = append(b.Writes, a.Writes...)
		b.Jobs = append(b.Jobs, a.Jobs...)
	}
	along, ok := ctx.Value(alongKey{}).(*Along)
	if !ok {
		return t.DB.Apply(ctx, b)
	}
	w, err := along.Write()
	if err != nil {
		return 0, err
	}
	b.Writes = append(b.Writes, w)
	seq, err := t.DB.Apply(ctx, b)
	if err == nil {
		along.Wrote(seq)
	}
	return seq, err
}

// Record puts on record an action that changed nothing, because it was refused
// or failed with err. If that cannot be written, the error says so: an action
// that leaves no trace is not answered as if it had.
//
// The caller's going away keeps nothing from the record: it is written for at
// most [recordTime] beyond that.
func (t *Trail) Record(ctx context.Context, action, object, team, outcome string, cause error) error {
	e := t.event(ctx, action, object, team)
	e.Outcome = outcome
	if cause != nil {
		e.Reason = bounded(Mask(cause.Error()))
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer stop()
	_, err := t.DB.Apply(ctx, store.Batch{Events: []*gatehouse.Event{e}})
	return err
}

func (t *Trail) event(ctx context.Context, action, object, team string) *gatehouse.Event {
	r, now := From(ctx), time.Now
	if t.Now != nil {
		now = t.Now
	}
	return &gatehouse.Event{
		Time: now().UTC().Truncate(time.Microsecond), Actor: r.Actor, Authentication: r.Authentication,
		Address: r.Address, RequestID: bounded(r.ID), Action: action, Object: bounded(Mask(object)), Team: bounded(team),
	}
}

// recordTime bounds the writing of one record.
const recordTime = 10 * time.Second

// maxText bounds what a caller wrote, in an event's reason or name.
const maxText = 2048

func bounded(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= maxText {
		return s
	}
	cut := maxText
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
