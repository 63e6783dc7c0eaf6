package gate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"gatehouse"
	"gatehouse/control/access"
	"gatehouse/control/audit"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// MaxWaiver is how long a waiver may last: what is needed longer is asked for
// again, or is no exception.
const MaxWaiver = 365 * 24 * time.Hour

// maxReason bounds what people write, in bytes.
const maxReason = 4000

// waiverWarnings are how long before its end a waiver's end is announced.
var waiverWarnings = []time.Duration{30 * 24 * time.Hour, 7 * 24 * time.Hour, 24 * time.Hour}

// AskWaiver asks for an exception of one API, or one version of it, from one
// control until a date. It excepts from nothing before somebody else approves it.
func (g *Gate) AskWaiver(ctx context.Context, ask gatehouse.Waiver) (*gatehouse.Waiver, error) {
	w, err := g.askWaiver(ctx, ask)
	if err != nil {
		return nil, gatehouse.E(gatehouse.KindOf(err), "asking for a waiver of control %q for %q: %w", ask.Control, ask.API, err)
	}
	return w, nil
}

func (g *Gate) askWaiver(ctx context.Context, ask gatehouse.Waiver) (*gatehouse.Waiver, error) {
	now := g.now()
	team, name, version, revision := gatehouse.ParseVersionRef(ask.API, "")
	switch {
	case team == "" || name == "" || revision != "":
		return nil, gatehouse.E(gatehouse.Invalid, "%q names neither an API nor a version: \"team/name\" or \"team/name@version\"", ask.API)
	case strings.TrimSpace(ask.Reason) == "":
		return nil, gatehouse.E(gatehouse.Invalid, "it has no reason: say why the API cannot obey the control yet")
	case len(ask.Reason) > maxReason:
		return nil, gatehouse.E(gatehouse.Invalid, "the reason has %d bytes, the limit is %d", len(ask.Reason), maxReason)
	}
	if err := waiverEnd(ask.Expires, now); err != nil {
		return nil, err
	}
	framework, err := g.waivable(ctx, team, name, version, ask)
	if err != nil {
		return nil, err
	}
	open := 0
	err = each(ctx, g.db, store.Query{Kind: string(gatehouse.KindWaiver), Where: map[string]string{"of": team + "/" + name, "state": gatehouse.Requested}}, func(r store.Record) error {
		other, err := read[gatehouse.Waiver](r)
		if open++; err == nil && other.Control == ask.Control && other.API == ask.API && other.Environment == ask.Environment && other.Framework == framework {
			return gatehouse.E(gatehouse.Conflict, "waiver %q asks for the same and waits for approval", other.ID)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if open >= maxOpen {
		return nil, gatehouse.E(gatehouse.Conflict, "%d waivers of the API wait for approval already; have some decided first", open)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	w := &gatehouse.Waiver{
		ID: "wvr_" + strings.ReplaceAll(id.String(), "-", ""), Framework: framework, Control: ask.Control, API: ask.API, Environment: ask.Environment,
		Reason: ask.Reason, State: gatehouse.Requested, AskedBy: actor(ctx), Asked: now, Expires: ask.Expires.UTC().Truncate(time.Microsecond),
	}
	return w, g.putWaiver(ctx, "waiver.ask", nil, store.Absent, w, ask.Reason)
}

// maxOpen is how many waivers of one API may wait for approval.
const maxOpen = 200

func waiverEnd(end, now time.Time) error {
	switch {
	case end.IsZero():
		return gatehouse.E(gatehouse.Invalid, "it has no end, and a waiver without one is none: say until when it expires, at most %s from now", days(MaxWaiver))
	case !end.After(now):
		return gatehouse.E(gatehouse.Invalid, "%s is past; say until when", end.UTC().Format(time.RFC3339))
	case end.After(now.Add(MaxWaiver)):
		return gatehouse.E(gatehouse.Invalid, "%s is too late: a waiver ends at most %s from now, and can be asked for again", end.UTC().Format(time.DateOnly), days(MaxWaiver))
	}
	return nil
}

func days(d time.Duration) string { return fmt.Sprintf("%d days", int(d/(24*time.Hour))) }

// waivable finds the framework whose control is to be waived, and refuses what
// is not there.
func (g *Gate) waivable(ctx context.Context, team, name, version string, ask gatehouse.Waiver) (string, error) {
	v := g.stored()
	o, err := v.Object(ctx, gatehouse.Key(gatehouse.KindAPI, team, name))
	if err != nil {
		return "", err
	}
	if o == nil {
		return "", gatehouse.E(gatehouse.NotFound, "there is no API %q", team+"/"+name)
	}
	api := o.Spec.(*gatehouse.API)
	if version != "" && !slices.ContainsFunc(api.Versions, func(v gatehouse.Version) bool { return v.Name == version }) {
		return "", gatehouse.E(gatehouse.NotFound, "API %q has no version %q", team+"/"+name, version)
	}
	env := new(gatehouse.Environment)
	if ask.Environment != "" {
		if env, err = spec[*gatehouse.Environment](ctx, v, gatehouse.Key(gatehouse.KindEnvironment, "", ask.Environment)); err != nil {
			return "", err
		}
		if env == nil {
			return "", NoEnvironment(ctx, g.db, ask.Environment)
		}
	}
	named := ask.Framework
	if named == "" {
		named = api.Framework
	}
	b, err := g.bench(ctx, v, env, named, time.Time{})
	if err != nil {
		return "", err
	}
	if b.judging == nil {
		reason, remedy := b.reason(team+"/"+name, ask.Environment)
		if named == "" && ask.Environment == "" {
			remedy = "name the environment whose framework judges it (--env), or the framework (--framework)"
		}
		return "", gatehouse.E(gatehouse.Conflict, "%s; %s", reason, remedy)
	}
	c := b.text.Version.Control(ask.Control)
	if c == nil {
		return "", gatehouse.E(gatehouse.NotFound, "framework %q %s has no control %q%s", b.framework, b.text.Version.Name, ask.Control, b.nearest(ask.Control))
	}
	if c.Level == gatehouse.ControlAdvisory {
		return "", gatehouse.E(gatehouse.Conflict, "the control is advisory: nothing depends on it")
	}
	return b.framework, nil
}

// nearest suggests the control that was meant.
func (b *bench) nearest(id string) string {
	var ids []string
	for _, r := range b.rules {
		ids = append(ids, r.ID)
	}
	if near := gatehouse.Nearest(id, ids); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// A Word is what a person says on a waiver.
type Word struct {
	Comment string
	Hash    string // of what was read; "" is whatever waits
}

// on refuses a word on something other than what was read.
func (w Word) on(waiver *gatehouse.Waiver) error {
	if len(w.Comment) > maxReason {
		return gatehouse.E(gatehouse.Invalid, "the comment has %d bytes, the limit is %d", len(w.Comment), maxReason)
	}
	asked, err := waiver.Requested()
	if err != nil {
		return err
	}
	return gatehouse.AsRead(w.Hash, asked, "the waiver")
}

// ApproveWaiver lets an exception begin. Who asked for it cannot.
func (g *Gate) ApproveWaiver(ctx context.Context, id string, w Word) (*gatehouse.Waiver, error) {
	return g.moveWaiver(ctx, "approving", "waiver.approve", id, w, func(w *gatehouse.Waiver, now time.Time) error {
		if w.State != gatehouse.Requested {
			return gatehouse.E(gatehouse.Conflict, "it is %s", w.State)
		}
		if err := g.apart(ctx, w.AskedBy, "asked for it"); err != nil {
			return err
		}
		if err := waiverEnd(w.Expires, now); err != nil {
			return err
		}
		w.State = gatehouse.Approved
		return nil
	})
}

// RejectWaiver turns a waiver down.
func (g *Gate) RejectWaiver(ctx context.Context, id string, w Word) (*gatehouse.Waiver, error) {
	return g.moveWaiver(ctx, "rejecting", "waiver.reject", id, w, func(w *gatehouse.Waiver, _ time.Time) error {
		if w.State != gatehouse.Requested {
			return gatehouse.E(gatehouse.Conflict, "it is %s", w.State)
		}
		w.State = gatehouse.Rejected
		return nil
	})
}

// RevokeWaiver ends a waiver before its time.
func (g *Gate) RevokeWaiver(ctx context.Context, id string, said Word) (*gatehouse.Waiver, error) {
	return g.moveWaiver(ctx, "revoking", "waiver.revoke", id, said, func(w *gatehouse.Waiver, _ time.Time) error {
		if w.State != gatehouse.Approved && w.State != gatehouse.Requested {
			return gatehouse.E(gatehouse.Conflict, "it is %s", w.State)
		}
		if strings.TrimSpace(said.Comment) == "" {
			return gatehouse.E(gatehouse.Invalid, "say why, for the record")
		}
		w.State = gatehouse.Revoked
		return nil
	})
}

// apart holds a decision to four eyes.
func (g *Gate) apart(ctx context.Context, before, did string) error {
	if g.Apart == nil {
		return access.Apart(actor(ctx), before, did)
	}
	return g.Apart(ctx, before, did)
}

func waiverKey(id string) string { return string(gatehouse.KindWaiver) + "/" + id }

// Waiver reads one waiver.
func (g *Gate) Waiver(ctx context.Context, id string) (*gatehouse.Waiver, error) {
	w, _, err := g.waiver(ctx, id)
	return w, err
}

func (g *Gate) waiver(ctx context.Context, id string) (*gatehouse.Waiver, store.Seq, error) {
	rec, err := g.db.Get(ctx, waiverKey(id))
	if gatehouse.Is(err, gatehouse.NotFound) {
		return nil, 0, gatehouse.E(gatehouse.NotFound, "there is no waiver %q", id)
	}
	if err != nil {
		return nil, 0, err
	}
	w, err := read[gatehouse.Waiver](rec)
	return w, rec.Rev, err
}

func (g *Gate) moveWaiver(ctx context.Context, doing, action, id string, said Word, decide func(*gatehouse.Waiver, time.Time) error) (*gatehouse.Waiver, error) {
	for try := 1; ; try++ {
		w, rev, err := g.waiver(ctx, id)
		if err != nil {
			return nil, err
		}
		before, now := *w, g.now()
		if err = said.on(w); err == nil {
			err = decide(w, now)
		}
		if err == nil {
			w.DecidedBy, w.Decided, w.Comment = actor(ctx), now, said.Comment
			err = g.putWaiver(ctx, action, &before, rev, w, said.Comment)
		}
		if moved(err) && try < retries {
			continue
		}
		if err != nil {
			return nil, gatehouse.E(gatehouse.KindOf(err), "%s waiver %q: %w", doing, id, err)
		}
		return w, nil
	}
}

// putWaiver writes a waiver and its event.
func (g *Gate) putWaiver(ctx context.Context, action string, before *gatehouse.Waiver, rev store.Seq, w *gatehouse.Waiver, reason string) error {
	a, err := waiverAct(action, before, rev, w, reason)
	if err != nil {
		return err
	}
	return g.commit(ctx, a)
}

func waiverAct(action string, before *gatehouse.Waiver, rev store.Seq, w *gatehouse.Waiver, reason string) (audit.Act, error) {
	team, name, _, _ := gatehouse.ParseVersionRef(w.API, "")
	a := audit.Act{Action: action, Object: "Waiver " + w.ID, Team: team, Reason: reason}
	var err error
	if before != nil {
		if a.Before, err = jsonx.Marshal(before); err != nil {
			return a, err
		}
	}
	a.After, err = jsonx.Marshal(w)
	a.Writes = []store.Write{{
		Key: waiverKey(w.ID), Kind: string(gatehouse.KindWaiver), Value: a.After, Expect: rev,
		Index: map[string]string{
			"of": team + "/" + name, "team": team, "state": w.State, "control": w.Control, "framework": w.Framework, "environment": w.Environment,
			"expires": stamped(w.Expires), "asked": stamped(w.Asked),
		},
	}}
	return a, err
}

// Waivers lists waivers, the newest first. Where holds any of of ("team/name"),
// team, state, control, framework and environment.
func (g *Gate) Waivers(ctx context.Context, where map[string]string, limit int, after string) ([]gatehouse.Waiver, string, error) {
	page, err := g.db.List(ctx, store.Query{Kind: string(gatehouse.KindWaiver), Where: where, Sort: "asked", Desc: true, Limit: limit, After: after})
	if err != nil {
		return nil, "", err
	}
	all := make([]gatehouse.Waiver, 0, len(page.Records))
	for _, r := range page.Records {
		w, err := read[gatehouse.Waiver](r)
		if err != nil {
			return nil, "", err
		}
		all = append(all, *w)
	}
	return all, page.Next, nil
}

// Gone ends the waivers of an API that is deleted: another one by its name asks
// for its own.
func (g *Gate) Gone(ctx context.Context, team, name string) (acts []audit.Act, err error) {
	now := g.now()
	for _, state := range []string{gatehouse.Approved, gatehouse.Requested} {
		q := store.Query{Kind: string(gatehouse.KindWaiver), Where: map[string]string{"of": team + "/" + name, "state": state}}
		err := each(ctx, g.db, q, func(r store.Record) error {
			w, err := read[gatehouse.Waiver](r)
			if err != nil {
				return err
			}
			before := *w
			w.State, w.Expires = gatehouse.Expired, now
			a, err := waiverAct("waiver.expire", &before, r.Rev, w, "the API was deleted")
			acts = append(acts, a)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return acts, nil
}

// SweepWaivers ends waivers whose time is over, and announces ends that are
// near, once each. Every process runs it.
func (g *Gate) SweepWaivers(ctx context.Context) error {
	now := g.now()
	for _, state := range []string{gatehouse.Approved, gatehouse.Requested} {
		q := store.Query{Kind: string(gatehouse.KindWaiver), Where: map[string]string{"state": state}, Sort: "expires", Limit: 200}
		page, err := g.db.List(ctx, q)
		if err != nil {
			return err
		}
		for {
			for _, r := range page.Records {
				w, err := read[gatehouse.Waiver](r)
				if err != nil {
					return err
				}
				if w.Expires.After(now.Add(waiverWarnings[0])) {
					page.Next = "" // those that come end later still
					break
				}
				if err := g.sweepWaiver(ctx, w, r.Rev, now); err != nil && !moved(err) {
					return err
				}
			}
			if page.Next == "" {
				break
			}
			if q.After = page.Next; q.After != "" {
				if page, err = g.db.List(ctx, q); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (g *Gate) sweepWaiver(ctx context.Context, w *gatehouse.Waiver, rev store.Seq, now time.Time) error {
	before := *w
	if !now.Before(w.Expires) {
		w.State = gatehouse.Expired
		return g.putWaiver(ctx, "waiver.expire", &before, rev, w, "its time is over")
	}
	if w.State != gatehouse.Approved {
		return nil
	}
	near := time.Time{}
	for _, d := range warnings(waiverWarnings, w.Expires.Sub(w.Decided)) {
		// The last of the warnings that is due; those before it are past.
		if at := w.Expires.Add(-d); !now.Before(at) && w.Warned.Before(at) && w.Decided.Before(at) {
			near = at
		}
	}
	if near.IsZero() {
		return nil
	}
	w.Warned = now
	return g.putWaiver(ctx, "waiver.warn", &before, rev, w, fmt.Sprintf("waiver of control %s for %s ends %s; obey the control, or ask again", w.Control, w.API, w.Expires.Format(time.RFC3339)))
}
