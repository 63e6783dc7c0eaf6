package exposure

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/store"
)

// maxStints bounds how many past times of one revision in one environment are
// looked at, the latest first.
const maxStints = 20

// A Run is what an environment saw of one revision of an API version.
type Run struct {
	// Live is set when an instance of a gateway runs it or ran it. Where no gateway
	// stood, there was none to run it, and its release is all that can be asked.
	Live bool
	// Coming is set when it is not, and is wanted there now.
	Coming bool
	// Why it is not live, to be said after the environment's name.
	Why string
}

// RanIn looks at what instances of an environment's gateways acknowledged of a
// revision, now and at the end of each time in which it was wanted before.
func RanIn(ctx context.Context, db store.DB, environment, api, version, revision string) (Run, error) {
	stints, err := stintsOf(ctx, db, "Release/"+environment+"/"+api+"/"+version, revision)
	if err != nil {
		return Run{}, err
	}
	if len(stints) == 0 {
		return Run{Why: "it was not released there"}, nil
	}
	team, name, _ := strings.Cut(api, "/")
	var r Run
	for _, at := range stints {
		p := &past{db: db, at: at, stood: map[moment]map[string]string{}}
		all, err := p.entries(ctx, Selection{Environment: environment, Team: team, API: name, Version: version})
		if err != nil {
			return Run{}, err
		}
		if slices.ContainsFunc(all, func(e Entry) bool { return e.ran(revision) }) {
			return Run{Live: true}, nil
		}
		if r.Why == "" {
			r.Coming, r.Why = at == 0, idle(all)
		}
	}
	return r, nil
}

func (e *Entry) ran(revision string) bool {
	return e.State == StateNoGateway || slices.ContainsFunc(e.Instances, func(i Instance) bool {
		return i.State == StateLive && i.Revision == revision
	})
}

// idle says why no instance runs what is released.
func idle(all []Entry) string {
	var why []string
	for _, e := range all {
		switch {
		case len(e.Instances) == 0:
			why = append(why, fmt.Sprintf("no instance of gateway %q has joined", e.Gateway))
		case e.Instances[0].Reason != "":
			why = append(why, fmt.Sprintf("gateway %q: %s", e.Gateway, e.Instances[0].Reason))
		default:
			why = append(why, fmt.Sprintf("gateway %q, instance %q, took its last change %s", e.Gateway, e.Instances[0].Instance, e.Instances[0].Time.UTC().Format(time.RFC3339)))
		}
	}
	return strings.Join(why[:min(len(why), 3)], "; ")
}

// stintsOf are the last moments of the times in which a revision was wanted, the
// latest first; 0 is now.
func stintsOf(ctx context.Context, db store.DB, key, revision string) (all []store.Seq, err error) {
	wanted := false
	for change, err := range db.History(ctx, key) {
		if gatehouse.Is(err, gatehouse.NotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		var rel gatehouse.Release
		if !change.Deleted {
			if err := json.Unmarshal(change.Value, &rel); err != nil {
				return nil, gatehouse.E(gatehouse.Internal, "reading %q: %w", key, err)
			}
		}
		is := rel.Revision == revision
		if wanted && !is {
			all = append(all, change.Seq-1)
		}
		wanted = is
	}
	if wanted {
		all = append(all, 0)
	}
	slices.Reverse(all)
	return all[:min(len(all), maxStints)], nil
}
