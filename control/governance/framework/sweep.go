package framework

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// warnings are how long before the last day of a version in force its end is
// announced, the longest first.
var warnings = []time.Duration{30 * 24 * time.Hour, 7 * 24 * time.Hour, 24 * time.Hour}

// Sweep adopts what an earlier program stored, and puts on record that the
// validity of a version in force is about to end or has ended. Every process
// runs it; each thing happens once.
func (d *Desk) Sweep(ctx context.Context) error {
	if err := d.Adopt(ctx); err != nil {
		return err
	}
	q := store.Query{Kind: string(gatehouse.KindFrameworkState), Limit: 500}
	for {
		page, err := d.db.List(ctx, q)
		if err != nil {
			return err
		}
		for _, r := range page.Records {
			var s gatehouse.FrameworkState
			if err := json.Unmarshal(r.Value, &s); err != nil {
				return gatehouse.E(gatehouse.Internal, "reading %q: %w", r.Key, err)
			}
			if s.InForce == "" || !s.Versions[s.InForce].Ended.IsZero() {
				continue
			}
			if err := d.valid(ctx, s.Framework, s.InForce); err != nil && !gatehouse.Is(err, gatehouse.Conflict) {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		q.After = page.Next
	}
}

// valid announces the end of a version's validity, and its coming. Policies of
// the version stay mandatory after it: no rule falls away because a date
// passed. Attestations do not outlast it.
func (d *Desk) valid(ctx context.Context, name, version string) error {
	s, err := d.Standing(ctx, name)
	if err != nil || s.InForce != version {
		return err
	}
	v := s.Versions[version]
	text, err := d.Text(ctx, v.Hash)
	if err != nil {
		return err
	}
	end, ok := EndOf(&text.Version)
	if !ok {
		return nil
	}
	before, err := jsonx.Marshal(v)
	if err != nil {
		return err
	}
	now := d.now()
	action, reason := "", ""
	if !now.Before(end) {
		v.Ended, action, reason = now, "framework.expire", "its last day was "+text.Version.ValidUntil
	}
	for _, w := range warnings {
		if at := end.Add(-w); action == "" && !now.Before(at) && v.Warned.Before(at) {
			v.Warned, action = now, "framework.warn"
			reason = fmt.Sprintf("its last day is %s: put a version in force that is valid longer", text.Version.ValidUntil)
		}
	}
	if action == "" {
		return nil
	}
	s.Versions[version] = v
	w, err := s.Write()
	if err != nil {
		return err
	}
	after, err := jsonx.Marshal(v)
	if err != nil {
		return err
	}
	_, err = d.trail.Commit(ctx, audit.Act{Action: action, Object: Subject(name, version), Before: before, After: after, Reason: reason, Writes: []store.Write{w}})
	return err
}

// EndOf is when the validity of a version ends: the moment after its last day,
// UTC.
func EndOf(v *gatehouse.FrameworkVersion) (time.Time, bool) {
	day, err := time.Parse(time.DateOnly, v.ValidUntil)
	if v.ValidUntil == "" || err != nil {
		return time.Time{}, false
	}
	return day.AddDate(0, 0, 1), true
}
