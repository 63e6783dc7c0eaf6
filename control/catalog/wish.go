package catalog

import (
	"context"
	"encoding/json"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// A Wish is what a plan does to one release.
type Wish struct {
	Key, Env, API, Version string
	Was                    *gatehouse.Release
	Rev                    store.Seq          // that Was is read at
	Next                   *gatehouse.Release // nil: withdrawn
	Action, Reason         string
}

// ReleaseKey is where the release of a version into an environment lies.
func ReleaseKey(env, team, name, version string) string {
	return "Release/" + env + "/" + team + "/" + name + "/" + version
}

// id is how the release is named: "prod payments/orders@v1".
func (w *Wish) id() string { return w.Env + " " + w.API + "@" + w.Version }

func (w *Wish) texts() (before, after json.RawMessage, err error) {
	if w.Was != nil {
		if before, err = jsonx.Marshal(w.Was); err != nil {
			return nil, nil, err
		}
	}
	if w.Next != nil {
		after, err = jsonx.Marshal(w.Next)
	}
	return before, after, err
}

func (w *Wish) act() (audit.Act, error) {
	before, after, err := w.texts()
	if err != nil {
		return audit.Act{}, err
	}
	team, _ := gatehouse.ParseRef(w.API, "")
	write := store.Write{Key: w.Key, Kind: string(gatehouse.KindRelease), Value: after, Expect: w.Rev}
	if w.Next != nil {
		write.Index = map[string]string{
			"environment": w.Env, "team": team, "api": w.API, "version": w.Version, "state": w.Next.State, "revision": w.Next.Revision,
		}
		if c := w.Next.Canary; c != nil {
			write.Index["canary"] = c.State
		}
	}
	return audit.Act{
		Action: w.Action, Object: "Release " + w.id(), Team: team, Before: before, After: after, Reason: w.Reason, Writes: []store.Write{write},
	}, nil
}

// Release reads a release as the store has it; nil when there is none.
func (r *reader) Release(ctx context.Context, key string) (*gatehouse.Release, store.Seq, error) {
	rec, ok, err := r.Record(ctx, key)
	if err != nil || !ok {
		return nil, store.Absent, err
	}
	var rel gatehouse.Release
	if err := json.Unmarshal(rec.Value, &rel); err != nil {
		return nil, 0, gatehouse.E(gatehouse.Internal, "reading %q: %w", key, err)
	}
	return &rel, rec.Rev, nil
}
