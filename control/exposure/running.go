package exposure

import (
	"context"
	"encoding/json"

	"gatehouse"
	"gatehouse/store"
)

// runs fills in what each instance of the entry's gateway runs, and the state
// over all of them: refused if any refuses, live if all run what is wanted, not
// placed where they are not given it.
func (p *past) runs(ctx context.Context, k standing, e *Entry) error {
	e.State = StatePending
	if e.Reason != "" {
		e.State = StateNotPlaced
	}
	live := 0
	for _, i := range p.instances[e.Gateway] {
		one := Instance{Instance: i.Instance, State: StatePending, Serial: i.Ack.Serial, Time: i.Ack.Time}
		var err error
		switch {
		case i.Ack.Refused != "":
			one.State, one.Reason = StateRefused, i.Ack.Refused
		default:
			one.Revision, err = p.running(ctx, k, store.Seq(i.Ack.Serial))
		}
		if err != nil {
			return err
		}
		if r, ok := i.Ack.Refuses(k.API + "@" + k.Version); ok && (r.Revision == "" || r.Revision == one.Revision) {
			one.Revision, one.State, one.Reason = "", StateRefused, r.Reason
		}
		if e.Reason != "" && k.rev <= store.Seq(i.Ack.Serial) {
			one.Revision, one.State, one.Reason = "", StateNotPlaced, e.Reason
		}
		if one.State == StatePending && one.Revision != "" && one.Revision == k.Revision {
			one.State = StateLive
			live++
			if r, ok := i.Ack.Warns(k.API + "@" + k.Version); ok {
				one.Warning = r.Reason
			}
		}
		if r, ok := i.Ack.Refuses("canary " + k.API + "@" + k.Version); ok && k.Canary != nil && one.Reason == "" {
			one.Reason = "canary: " + r.Reason
		}
		if one.State == StateRefused {
			e.State = StateRefused
		}
		e.Instances = append(e.Instances, one)
	}
	if e.State == StatePending && live > 0 && live == len(e.Instances) {
		e.State = StateLive
	}
	return nil
}

// running is the revision wanted as of a serial: what an instance that
// acknowledged it was given.
func (p *past) running(ctx context.Context, k standing, serial store.Seq) (string, error) {
	if k.rev <= serial {
		return k.Revision, nil
	}
	if serial == 0 {
		return "", nil
	}
	stood, ok := p.stood[moment{k.Environment, serial}]
	if !ok {
		stood = map[string]string{}
		page, err := p.db.List(ctx, store.Query{Kind: string(gatehouse.KindRelease), Where: map[string]string{"environment": k.Environment}, AsOf: serial})
		if err != nil {
			return "", err
		}
		for _, rec := range page.Records {
			var rel gatehouse.Release
			if err := json.Unmarshal(rec.Value, &rel); err != nil {
				return "", gatehouse.E(gatehouse.Internal, "reading %q: %w", rec.Key, err)
			}
			stood[rec.Key] = rel.Revision
		}
		p.stood[moment{k.Environment, serial}] = stood
	}
	return stood[k.key], nil
}
