package gate

import (
	"context"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/control/access"
	"gatehouse/control/audit"
	"gatehouse/jsonx"
	"gatehouse/store"
)

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
