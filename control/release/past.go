package release

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/control/catalog"
	"gatehouse/store"
)

// A Past is a state of a release, and since when it was so.
type Past struct {
	gatehouse.Release
	Changed   time.Time
	Seq       store.Seq
	Withdrawn bool // the version was taken out
}

// Past are the states of a version's release into an environment, the
// newest first, at most limit of them and, unless before is 0, only what came
// before that number; more tells whether there are others. The steps of one
// canary are told as one, under the number of the last.
func (d *Desk) Past(ctx context.Context, ref catalog.Ref, env string, limit int, before store.Seq) (all []Past, more bool, err error) {
	for change, err := range d.db.History(ctx, keyOf(env, ref)) {
		if gatehouse.Is(err, gatehouse.NotFound) {
			break
		}
		if err != nil {
			return nil, false, err
		}
		p := Past{Changed: change.Time, Seq: change.Seq, Withdrawn: change.Deleted}
		if change.Deleted {
			p.Release = gatehouse.Release{Environment: env, API: ref.API(), Version: ref.Version}
		} else if err := json.Unmarshal(change.Value, &p.Release); err != nil {
			return nil, false, gatehouse.E(gatehouse.Internal, "reading the history of release %q: %w", ref, err)
		}
		if n := len(all); n > 0 && sameCanary(&all[n-1].Release, &p.Release) {
			all[n-1] = p
			continue
		}
		if before > 0 && p.Seq >= before {
			break
		}
		if all = append(all, p); len(all) > 2*limit+2 {
			all = slices.Delete(all, 0, len(all)-limit-2)
		}
	}
	if n := len(all); n > 0 && before > 0 && all[n-1].Seq >= before {
		all = all[:n-1] // a canary that was told, with the steps it has taken since
	}
	if more = len(all) > limit; more {
		all = all[len(all)-limit:]
	}
	slices.Reverse(all)
	return all, more, nil
}

func sameCanary(a, b *gatehouse.Release) bool {
	return a.Canary != nil && b.Canary != nil && a.Canary.Revision == b.Canary.Revision && a.Canary.Started.Equal(b.Canary.Started)
}
