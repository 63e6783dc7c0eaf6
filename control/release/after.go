package release

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"gatehouse"
	"gatehouse/control/catalog"
	"gatehouse/control/exposure"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// A lack is the first environment in which a revision has to be live, or have
// been, before it may go on, and is not; the zero value when there is none.
type lack struct {
	In string
	exposure.Run
}

// before asks what an environment's rule says under after.
func (p *plan) before(ctx context.Context, e *gatehouse.Environment, ref catalog.Ref) (lack, error) {
	if e.Release == nil {
		return lack{}, nil
	}
	for _, env := range e.Release.After {
		run, err := exposure.RanIn(ctx, p.desk.db, env, ref.API(), ref.Version, ref.Revision)
		if err != nil {
			return lack{}, err
		}
		if run.Live {
			continue
		}
		// What this very plan wants there is as good as live where no gateway is, and
		// else on its way.
		now, err := p.wished(ctx, keyOf(env, ref))
		if err != nil {
			return lack{}, err
		}
		if run.Coming = now != nil && now.Revision == ref.Revision; run.Coming {
			gateways, err := p.Gateways(ctx, env)
			if err != nil {
				return lack{}, err
			}
			if len(gateways) == 0 {
				continue
			}
		}
		return lack{In: env, Run: run}, nil
	}
	return lack{}, nil
}

// await notes that an automatic environment takes the revision as soon as it is
// live where it has to be first. What a person scheduled there stays.
func (p *plan) await(ctx context.Context, env string, ref catalog.Ref, l lack) error {
	key := ScheduleKey(env, ref.API(), ref.Version)
	was, seq, err := p.scheduled(ctx, key)
	if err != nil || was != nil && was.Open() && (was.By != "system" || was.Revision == ref.Revision && was.State == gatehouse.ScheduleAwaiting) {
		return err
	}
	p.schedules[key] = &timing{key: key, was: was, rev: seq, action: "release.schedule", reason: fmt.Sprintf("it is not live in %q yet", l.In), next: &gatehouse.ReleaseSchedule{
		Environment: env, API: ref.API(), Version: ref.Version, Revision: ref.Revision, At: p.Now, State: gatehouse.ScheduleAwaiting, By: "system", Made: p.Now,
		Note: fmt.Sprintf("the newest revision, once it is live in %q", l.In),
	}}
	return nil
}

// standing tells apart two states of the gateways and what their instances
// acknowledged.
func (d *Desk) standing(ctx context.Context) (string, error) {
	var said []store.Seq
	for _, kind := range []gatehouse.Kind{gatehouse.KindGateway, gatehouse.KindInstance} {
		var newest, n store.Seq
		for q := (store.Query{Kind: string(kind), Limit: pageOf}); ; {
			page, err := d.db.List(ctx, q)
			if err != nil {
				return "", err
			}
			for _, rec := range page.Records {
				newest, n = max(newest, rec.Rev), n+1
			}
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		said = append(said, n, newest)
	}
	return fmt.Sprint(said), nil
}

// Awaiting are the releases that wait until their revision is live elsewhere.
func (d *Desk) Awaiting(ctx context.Context) (all []gatehouse.ReleaseSchedule, err error) {
	q := store.Query{Kind: string(gatehouse.KindReleaseSchedule), Where: map[string]string{"state": gatehouse.ScheduleAwaiting}, Limit: pageOf}
	for {
		page, err := d.db.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, rec := range page.Records {
			var s gatehouse.ReleaseSchedule
			if err := json.Unmarshal(rec.Value, &s); err != nil {
				return nil, gatehouse.E(gatehouse.Internal, "reading %q: %w", rec.Key, err)
			}
			all = append(all, s)
		}
		if q.After = page.Next; q.After == "" {
			return all, nil
		}
	}
}

// Arrive lets an automatic environment take what it awaited, if that is live
// where it has to be by now. What can never become so is skipped, and the record
// says why.
func (d *Desk) Arrive(ctx context.Context, s gatehouse.ReleaseSchedule) error {
	team, name := gatehouse.ParseRef(s.API, "")
	ref := catalog.Ref{Team: team, Name: name, Version: s.Version, Revision: s.Revision}
	_, err := d.move(ctx, "releasing", ref, s.Environment, func(m *move) error {
		if ok, err := m.stands(ctx, &s); !ok {
			return err
		}
		waits, err := m.p.before(ctx, m.rule, ref)
		switch {
		case err != nil || waits.Coming:
			return err
		case waits.In != "":
			return gatehouse.E(gatehouse.Conflict, "it is not wanted in %q any more, and was not live there: %s", waits.In, waits.Why)
		case m.rule.ReleaseMode() != "automatic":
			return gatehouse.E(gatehouse.Conflict, "the environment does not take revisions by itself any more")
		}
		rev, err := d.catalog.Revision(ctx, ref)
		if err != nil {
			return err
		}
		m.p.Actor = "system"
		taken, err := m.p.take(ctx, ref, &rev.Form, s.Environment)
		switch {
		case err != nil:
			return err
		case taken:
			return m.endSchedule(ctx, "release.due", gatehouse.ScheduleDone, "")
		case m.p.schedules[ScheduleKey(s.Environment, s.API, s.Version)] != nil:
			return nil // put off by a freeze
		case m.now != nil && m.now.Revision == s.Revision:
			return m.endSchedule(ctx, "release.due", gatehouse.ScheduleDone, "it was released meanwhile")
		}
		return gatehouse.E(gatehouse.Conflict, "the rules of the environment do not let it in now")
	})
	switch gatehouse.KindOf(err) {
	case gatehouse.Conflict, gatehouse.Denied, gatehouse.Invalid, gatehouse.NotFound:
	default:
		return err
	}
	_, err = d.skip(ctx, ref, s.Environment, func(m *move) (bool, error) { return m.stands(ctx, &s) }, err.Error())
	return err
}

// stands reports whether a schedule is still as it was read.
func (m *move) stands(ctx context.Context, s *gatehouse.ReleaseSchedule) (bool, error) {
	now, _, err := m.p.scheduled(ctx, ScheduleKey(s.Environment, s.API, s.Version))
	if err != nil || now == nil {
		return false, err
	}
	stored, err := jsonx.Marshal(now)
	if err != nil {
		return false, err
	}
	read, err := jsonx.Marshal(s)
	return bytes.Equal(stored, read), err
}
