package gate

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/rule"
	"gatehouse/store"
)

// noticeWarnings are how long before it ends the end of a notice, or of a
// person's answer, is announced.
var noticeWarnings = []time.Duration{7 * 24 * time.Hour, 24 * time.Hour}

// warnings are those that fit into a term: what is too short for any of them is
// announced once, half-way.
func warnings(known []time.Duration, term time.Duration) (fit []time.Duration) {
	for _, d := range known {
		if d < term {
			fit = append(fit, d)
		}
	}
	if len(fit) == 0 {
		fit = []time.Duration{term / 2}
	}
	return fit
}

// noticeKey is where the notice of a control by a framework text is kept.
func noticeKey(hash, control string) string { return hash + "/" + control }

// textHash is that of the framework text that judges, "" for none.
func (b *bench) textHash() string {
	if b.judging == nil {
		return ""
	}
	return b.hash
}

// noticed is when the notice of a control ends, or ended, that the revision was
// given before. Where nothing is demanded none counts.
func (p *past) noticed(l *looking, control string) (time.Time, bool) {
	if p.own == nil || l.bench.mode != gatehouse.GateEnforce {
		return time.Time{}, false
	}
	until, ok := p.own.Notices[noticeKey(l.bench.textHash(), control)]
	return until, ok
}

// notices are those that the revision has been given by now. Those by framework
// texts that judge no more are let go.
func (r *ruling) notices() map[string]time.Time {
	given := map[string]time.Time{}
	if r.past.own != nil {
		given = maps.Clone(r.past.own.Notices)
	}
	hash := r.result.FrameworkHash
	maps.DeleteFunc(given, func(key string, _ time.Time) bool {
		return !strings.HasPrefix(key, hash+"/") && !strings.HasPrefix(key, "/")
	})
	if r.result.Mode != gatehouse.GateEnforce {
		return given
	}
	for _, c := range r.result.Controls {
		if c.Outcome != gatehouse.GateGrace {
			continue
		}
		if given == nil {
			given = map[string]time.Time{}
		}
		if _, ok := given[noticeKey(hash, c.ID)]; !ok {
			given[noticeKey(hash, c.ID)] = c.Until
		}
	}
	return given
}

// itself tells whether all that changed since what is live was last looked at is
// what the API's own team answers for: the API, its backend and its policy sets.
func (g *Gate) itself(ctx context.Context, l *looking, p *past) (bool, error) {
	since := store.Seq(p.live.Seq)
	own := []string{gatehouse.Key(gatehouse.KindAPI, l.Team, l.Name)}
	others := []string{gatehouse.Key(gatehouse.KindEnvironment, "", l.Environment)}
	sort := func(kind gatehouse.Kind, ref string) {
		team, name := gatehouse.ParseRef(ref, "")
		if key := gatehouse.Key(kind, team, name); team == l.Team {
			own = append(own, key)
		} else {
			others = append(others, key)
		}
	}
	if l.subject != nil && l.subject.BackendName != "" {
		sort(gatehouse.KindBackend, l.subject.BackendName)
	}
	for _, u := range l.env.Policies {
		if ref, ok := u.Set(); ok {
			sort(gatehouse.KindPolicySet, ref)
		}
	}
	changed := func(keys []string) (bool, error) {
		found, err := g.db.GetMany(ctx, keys)
		for _, rec := range found {
			if rec.Rev > since {
				return true, err
			}
		}
		return false, err
	}
	if mine, err := changed(own); err != nil || !mine {
		return false, err
	}
	if theirs, err := changed(others); err != nil || theirs {
		return false, err
	}
	moved := false
	err := each(ctx, g.db, store.Query{Kind: string(gatehouse.KindGateway), Where: map[string]string{"environment": l.Environment}}, func(r store.Record) error {
		moved = moved || r.Rev > since
		return nil
	})
	return !moved, err
}

// ending is when the first of what lets a result pass ends by itself: a notice,
// or a person's answer. Waivers announce their own end.
func ending(r *gatehouse.GateResult) (end time.Time, what gatehouse.GateControl) {
	if r == nil || !passes(r.Outcome) {
		return end, what
	}
	for _, c := range r.Controls {
		if c.Until.IsZero() || c.Outcome != gatehouse.GateGrace && c.Kind != "question" {
			continue
		}
		if end.IsZero() || c.Until.Before(end) {
			end, what = c.Until, c
		}
	}
	return end, what
}

// warn says when to announce the end of what lets the result pass, and whether
// to do so now. What was told when it began is not told again at once.
func (r *ruling) warn(now time.Time) {
	end, what := ending(r.result)
	if end.IsZero() {
		return
	}
	r.result.Warned, r.result.Told = now, now
	if was, _ := ending(r.past.live); r.result.Released && was.Equal(end) {
		before := r.past.live
		r.result.Warned = cmp.Or(before.Warned, before.Time) // a program of before told nothing
		r.result.Told = cmp.Or(before.Told, r.result.Warned)
	}
	for _, d := range warnings(noticeWarnings, end.Sub(r.result.Told)) {
		at := end.Add(-d)
		switch {
		case now.Before(at):
			if at.Before(r.result.Due) {
				r.result.Due = at
			}
		case r.result.Warned.Before(at):
			r.warns = fmt.Sprintf("control %s: %s ends %s; then %s is refused", what.ID, ended(what), end.Format(time.RFC3339), r.ID())
		}
	}
	if r.warns != "" {
		r.result.Warned = now
	}
}

// except turns a control that is not obeyed into an advice, a waived one or one
// on notice, where it is one.
func (g *Gate) except(ctx context.Context, l *looking, p *past, r *rule.Rule, c *gatehouse.GateControl, now time.Time) error {
	if !r.Required() {
		c.Outcome = gatehouse.GateAdvisory
		return nil
	}
	if w := p.waiver(l.bench.framework, r.ID, now); w != nil {
		c.Outcome, c.Waiver, c.Until = gatehouse.GateWaived, w.ID, w.Expires
		return nil
	}
	until, err := g.grace(ctx, l, p, c, r.Grace.Std(), now)
	if !until.IsZero() {
		c.Outcome, c.Until = gatehouse.GateGrace, until
	}
	return err
}

// ended says what of a control comes to an end.
func ended(c gatehouse.GateControl) string {
	if c.Outcome == gatehouse.GateGrace {
		return "its notice"
	}
	return "the answer to it"
}
