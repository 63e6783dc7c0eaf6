package release

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/control/governance/gate"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// A timing is what the plan does to one scheduled release.
type timing struct {
	key            string
	was, next      *gatehouse.ReleaseSchedule
	rev            store.Seq
	action, reason string
}

// ScheduleKey is where the scheduled release of a version into an environment
// lies.
func ScheduleKey(env, api, version string) string {
	return string(gatehouse.KindReleaseSchedule) + "/" + env + "/" + api + "/" + version
}

func (t *timing) act() (audit.Act, error) {
	a := audit.Act{Action: t.action, Object: "Release " + t.next.Environment + " " + t.next.API + "@" + t.next.Version, Reason: t.reason}
	a.Team, _ = gatehouse.ParseRef(t.next.API, "")
	var err error
	if t.was != nil {
		if a.Before, err = jsonx.Marshal(t.was); err != nil {
			return a, err
		}
	}
	if a.After, err = jsonx.Marshal(t.next); err != nil {
		return a, err
	}
	a.Writes = []store.Write{{Key: t.key, Kind: string(gatehouse.KindReleaseSchedule), Value: a.After, Expect: t.rev, Index: map[string]string{
		"environment": t.next.Environment, "team": a.Team, "api": t.next.API, "version": t.next.Version, "state": t.next.State, "at": store.Moment(t.next.At),
	}}}
	return a, nil
}

// scheduled reads the scheduled release at key; nil when there never was one.
func (p *plan) scheduled(ctx context.Context, key string) (*gatehouse.ReleaseSchedule, store.Seq, error) {
	rec, ok, err := p.Record(ctx, key)
	if err != nil || !ok {
		return nil, store.Absent, err
	}
	s := new(gatehouse.ReleaseSchedule)
	if err := json.Unmarshal(rec.Value, s); err != nil {
		return nil, 0, gatehouse.E(gatehouse.Internal, "reading %q: %w", key, err)
	}
	return s, rec.Rev, nil
}

// schedule puts the release off to its time.
func (m *move) schedule(ctx context.Context, rev *gatehouse.Revision, terms Terms) error {
	key := ScheduleKey(m.env, m.ref.API(), m.ref.Version)
	was, seq, err := m.p.scheduled(ctx, key)
	if err != nil {
		return err
	}
	if was != nil && was.State == gatehouse.ScheduleWaiting {
		return gatehouse.E(gatehouse.Conflict, "revision %.12s is scheduled there for %s already: \"gatehouse release cancel\" takes that back first", was.Revision, was.At.Format(time.RFC3339))
	}
	if err := m.p.admit(ctx, m.env, m.at(rev.Hash), gate.Aside); err != nil {
		return err
	}
	next := &gatehouse.ReleaseSchedule{
		Environment: m.env, API: m.ref.API(), Version: m.ref.Version, Revision: rev.Hash, Canary: terms.Canary, At: terms.At.UTC(),
		State: gatehouse.ScheduleWaiting, By: m.p.Actor, Made: m.p.Now, Note: terms.Note, Override: terms.Override, Approved: terms.approved, ApprovedBy: terms.by,
	}
	m.p.schedules[key] = &timing{key: key, was: was, rev: seq, next: next, action: "release.schedule"}
	m.out.Schedule = next
	return nil
}

// afterFreeze schedules what an automatic environment would take now for the
// time when it thaws. What a person scheduled there stays.
func (p *plan) afterFreeze(ctx context.Context, e *gatehouse.Environment, env string, ref catalog.Ref) error {
	thaw, ok := e.Thaw(p.Now)
	if !ok {
		return nil // it never does; the next change asks again
	}
	key := ScheduleKey(env, ref.API(), ref.Version)
	was, seq, err := p.scheduled(ctx, key)
	if err != nil || was != nil && was.Open() && (was.By != "system" || was.State == gatehouse.ScheduleWaiting && was.Revision == ref.Revision && was.At.Equal(thaw)) {
		return err
	}
	p.schedules[key] = &timing{key: key, was: was, rev: seq, action: "release.schedule", reason: "the environment is frozen", next: &gatehouse.ReleaseSchedule{
		Environment: env, API: ref.API(), Version: ref.Version, Revision: ref.Revision, At: thaw.UTC(), State: gatehouse.ScheduleWaiting, By: "system", Made: p.Now,
		Note: "the newest revision, once the freeze is over",
	}}
	return nil
}

// Cancel takes a scheduled release back.
func (d *Desk) Cancel(ctx context.Context, ref catalog.Ref, env, reason string) (Released, error) {
	return d.move(ctx, "cancelling", ref, env, func(m *move) error {
		return m.endSchedule(ctx, "release.cancel", gatehouse.ScheduleCancelled, reason)
	})
}

func (m *move) endSchedule(ctx context.Context, action, state, reason string) error {
	key := ScheduleKey(m.env, m.ref.API(), m.ref.Version)
	was, seq, err := m.p.scheduled(ctx, key)
	if err != nil {
		return err
	}
	if was == nil || !was.Open() {
		return gatehouse.E(gatehouse.Conflict, "no release is scheduled there")
	}
	next := *was
	next.State, next.Ended, next.EndedBy, next.Reason = state, m.p.Now, m.p.Actor, reason
	m.p.schedules[key] = &timing{key: key, was: was, rev: seq, next: &next, action: action, reason: reason}
	m.out.Schedule = &next
	return nil
}

// Due are the scheduled releases whose time has come by now, the first first.
func (d *Desk) Due(ctx context.Context, now time.Time) (due []gatehouse.ReleaseSchedule, err error) {
	page, err := d.db.List(ctx, store.Query{Kind: string(gatehouse.KindReleaseSchedule), Where: map[string]string{"state": gatehouse.ScheduleWaiting}, Sort: "at", Limit: pageOf})
	if err != nil {
		return nil, err
	}
	for _, rec := range page.Records {
		var s gatehouse.ReleaseSchedule
		if err := json.Unmarshal(rec.Value, &s); err != nil {
			return due, gatehouse.E(gatehouse.Internal, "reading %q: %w", rec.Key, err)
		}
		if !s.At.After(now) {
			due = append(due, s)
		}
	}
	return due, nil
}

// CarryOut does a scheduled release whose time has come, once: whoever comes
// second finds it done. What the rules no longer let in is skipped, and the
// record says why. may tells whether who scheduled it still may.
func (d *Desk) CarryOut(ctx context.Context, s gatehouse.ReleaseSchedule, may func() error) (Released, error) {
	team, name := gatehouse.ParseRef(s.API, "")
	ref := catalog.Ref{Team: team, Name: name, Version: s.Version}
	due := func(m *move) (bool, error) { return m.stands(ctx, &s) }
	out, err := d.move(ctx, "releasing", ref, s.Environment, func(m *move) error {
		if ok, err := due(m); !ok {
			return err
		}
		if err := may(); err != nil {
			return err
		}
		m.p.Actor = s.By
		of := ref
		of.Revision = s.Revision
		again := m.asksMore(&s)
		if err := m.want(ctx, "release.create", of, Terms{Note: s.Note, Canary: s.Canary, Override: s.Override, approved: s.Approved && again == ""}); err != nil {
			return err
		}
		return m.endSchedule(ctx, "release.due", gatehouse.ScheduleDone, again)
	})
	switch gatehouse.KindOf(err) {
	case gatehouse.Conflict, gatehouse.Denied, gatehouse.Invalid, gatehouse.NotFound:
	default:
		return out, err
	}
	reason := err.Error()
	return d.skip(ctx, ref, s.Environment, due, reason)
}

// asksMore says why the approvals of a scheduled release do not do any more; ""
// when they do. Which persons gave it is not on record of one that an earlier
// program scheduled: it counts as one.
func (m *move) asksMore(s *gatehouse.ReleaseSchedule) string {
	if !s.Approved || m.rule.ReleaseMode() != "approved" {
		return ""
	}
	rule, given := m.approvals(), max(1, len(s.ApprovedBy))
	if rule.Role != "" && len(s.ApprovedBy) > 0 {
		given = 0
		for _, who := range s.ApprovedBy {
			if m.d.Holds != nil && m.d.Holds(who, rule.Role, "API/"+m.ref.API()) {
				given++
			}
		}
	}
	if given >= m.needed() {
		return ""
	}
	return fmt.Sprintf("it waits for approval again: the environment asks for %d by now, and %d of those that were given %s", m.needed(), given, plural(given, "counts", "count"))
}

// skip puts on record why a scheduled release did not happen. The environment
// may be gone, so that no move could be made there.
func (d *Desk) skip(ctx context.Context, ref catalog.Ref, env string, due func(*move) (bool, error), reason string) (Released, error) {
	var out Released
	seq, err := d.catalog.Decide(ctx, func(cp *catalog.Plan) error {
		out = Released{}
		p := d.in(cp)
		m := &move{d: d, p: p, ref: ref, env: env, out: &out}
		if ok, err := due(m); !ok {
			return err
		}
		if err := m.endSchedule(ctx, "release.skip", gatehouse.ScheduleSkipped, reason); err != nil {
			return err
		}
		return p.end(nil)
	})
	out.Seq = seq
	return out, err
}

// A ScheduleFilter narrows a list of scheduled releases; "" takes all.
type ScheduleFilter struct{ Team, API, Version, Environment, State string }

// Schedules lists scheduled releases by their time, and the cursor of the next page.
func (d *Desk) Schedules(ctx context.Context, f ScheduleFilter, limit int, after string) (all []gatehouse.ReleaseSchedule, next string, err error) {
	q := store.Query{Kind: string(gatehouse.KindReleaseSchedule), Where: map[string]string{}, Sort: "at", Limit: limit, After: after}
	for name, value := range map[string]string{"team": f.Team, "api": f.API, "version": f.Version, "environment": f.Environment, "state": f.State} {
		if value != "" {
			q.Where[name] = value
		}
	}
	page, err := d.db.List(ctx, q)
	if err != nil {
		return nil, "", err
	}
	all = make([]gatehouse.ReleaseSchedule, len(page.Records))
	for i, rec := range page.Records {
		if err := json.Unmarshal(rec.Value, &all[i]); err != nil {
			return nil, "", gatehouse.E(gatehouse.Internal, "reading %q: %w", rec.Key, err)
		}
	}
	return all, page.Next, nil
}
