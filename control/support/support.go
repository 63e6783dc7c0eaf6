// Package support lets a team ask the owner of an API, or the provider team,
// for help, and measures whether it came as promised.
//
// A request belongs to both sides and to nobody else. It is open, then
// acknowledged, answered, waiting for the asking side, resolved and closed, and
// may be reopened. Two clocks run within the hours of the helping side: until a
// person answers, and until it is solved; they stand while the asking side is
// waited for. What was promised is fixed when a request is opened.
//
// This package decides and records. It sends nothing: package notify tells both
// sides of the acts support.*. Who may is asked by package server.
package support

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/hours"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// Bounds.
const (
	MaxTitle        = 200
	MaxText         = 20_000
	MaxComments     = 500     // of one request
	MaxAttachment   = 1 << 20 // bytes of one file
	MaxTogether     = 5       // files with one comment
	MaxAttachments  = 20      // files of one request
	ReopenWithin    = 30 * 24 * time.Hour
	CloseAfter      = 7 * 24 * time.Hour // that it was resolved
	maxExcerpt      = 1000               // bytes of a text in the trail
	never           = "9999"             // sorts behind every time
	counterKey      = "Counter/support"
	retries         = 8
	maxAttachedName = 200
)

// A Desk takes requests. It is safe for use by several goroutines and
// processes.
type Desk struct {
	catalog *catalog.Catalog
	trail   *audit.Trail
	db      store.DB
}

// New makes the desk of what trail writes.
func New(trail *audit.Trail, c *catalog.Catalog) *Desk {
	return &Desk{catalog: c, trail: trail, db: trail.DB}
}

func (d *Desk) now() time.Time {
	now := time.Now
	if d.trail.Now != nil {
		now = d.trail.Now
	}
	return now().UTC().Truncate(time.Microsecond)
}

// A Request is a support request as it stands.
type Request struct {
	gatehouse.SupportRequest
	rev store.Seq
}

// Ref is how the trail names it.
func (r *Request) Ref() string { return string(gatehouse.KindSupportRequest) + " " + r.ID }

// Over reports whether nothing is waited for.
func (r *Request) Over() bool {
	return r.State == gatehouse.SupportResolved || r.State == gatehouse.SupportClosed
}

// Calendar is the helping side's hours. Text of old documents that says no
// hours counts as always.
func (r *Request) Calendar() *hours.Calendar {
	c, err := hours.Parse(r.Hours)
	if err != nil {
		c = new(hours.Calendar)
	}
	if with, err := c.With(r.Holidays); err == nil {
		c = with
	}
	return c
}

// Get reads a request.
func (d *Desk) Get(ctx context.Context, id string) (*Request, error) {
	rec, err := d.db.Get(ctx, key(id))
	if gatehouse.Is(err, gatehouse.NotFound) {
		return nil, gatehouse.E(gatehouse.NotFound, "there is no support request %q", id)
	}
	if err != nil {
		return nil, err
	}
	return requestOf(&rec)
}

func key(id string) string { return string(gatehouse.KindSupportRequest) + "/" + id }

func requestOf(rec *store.Record) (*Request, error) {
	r := &Request{rev: rec.Rev}
	if err := json.Unmarshal(rec.Value, &r.SupportRequest); err != nil {
		return nil, gatehouse.E(gatehouse.Internal, "reading %q: %w", rec.Key, err)
	}
	return r, nil
}

// write is the record as the request is now.
func (r *Request) write() (store.Write, error) {
	value, err := jsonx.Marshal(&r.SupportRequest)
	index := map[string]string{
		"state": r.State, "category": r.Category, "severity": r.Severity, "assignee": r.Assignee, "opened": store.Moment(r.Opened),
		"from": r.From, "team:" + r.From: "1",
	}
	if r.To != "" {
		index["to"], index["team:"+r.To] = r.To, "1"
	}
	if r.API != "" {
		index["api"], _, _ = strings.Cut(r.API, "@")
	}
	if !r.Over() {
		index["open"] = "1"
	}
	if r.Provider {
		index["provider"] = "1"
	}
	if at := r.wakes(); at != never {
		index["wakes"], index["wake"] = "1", at
	}
	maps.DeleteFunc(index, func(_, v string) bool { return v == "" })
	return store.Write{Key: key(r.ID), Kind: string(gatehouse.KindSupportRequest), Value: value, Expect: r.rev, Index: index}, err
}

// act is an event on the request. What was said goes into it as far as an
// excerpt, with secrets masked.
func (r *Request) act(action string, before *Request, said, reason string) (audit.Act, error) {
	w, err := r.write()
	if err != nil {
		return audit.Act{}, err
	}
	a := audit.Act{Action: action, Object: r.Ref(), Team: r.To, Reason: reason, Writes: []store.Write{w}}
	if before != nil {
		if a.Before, err = before.shown(""); err != nil {
			return a, err
		}
	}
	a.After, err = r.shown(said)
	return a, err
}

func (r *Request) shown(said string) (json.RawMessage, error) {
	m := map[string]any{"from": r.From, "category": r.Category, "severity": r.Severity, "title": r.Title, "state": r.State}
	for name, value := range map[string]string{"to": r.To, "api": r.API, "application": r.Application, "assignee": r.Assignee, "promise": r.Promise, "said": excerpt(said)} {
		if value != "" {
			m[name] = value
		}
	}
	return jsonx.Marshal(m)
}

func excerpt(text string) string {
	text = audit.Mask(text)
	if len(text) > maxExcerpt {
		return strings.ToValidUTF8(text[:maxExcerpt], "") + "…"
	}
	return text
}

// change reads a request, lets decide change it, and writes it with its event;
// what another process changed meanwhile is read again.
func (d *Desk) change(ctx context.Context, doing, id string, decide func(r *Request) ([]audit.Act, error)) (*Request, error) {
	for try := 0; ; try++ {
		r, err := d.Get(ctx, id)
		var acts []audit.Act
		if err == nil {
			acts, err = decide(r)
		}
		if err == nil {
			_, err = d.trail.Commit(ctx, acts...)
		} else {
			try = retries // its own refusal, which another reading does not change
		}
		if gatehouse.Is(err, gatehouse.Conflict) && try < retries {
			continue
		}
		if err != nil {
			return nil, gatehouse.E(gatehouse.KindOf(err), "%s support request %q: %w", doing, id, err)
		}
		return r, nil
	}
}

// next takes the number of a new request; the write that goes with it makes
// sure that nobody else has it.
func (d *Desk) next(ctx context.Context) (id string, w store.Write, err error) {
	n := 0
	rec, err := d.db.Get(ctx, counterKey)
	if err == nil {
		err = json.Unmarshal(rec.Value, &n)
	} else if gatehouse.Is(err, gatehouse.NotFound) {
		err = nil
	}
	n++
	return fmt.Sprintf("sup-%d", n), store.Write{Key: counterKey, Kind: "Counter", Value: fmt.Append(nil, n), Expect: rec.Rev}, err
}
