package landscape

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gatehouse/adminapi"
	"gatehouse/bench/estate"
	"gatehouse/bench/load"
)

// resynced is what a change of every API at once costs.
type resynced struct {
	took    time.Duration // from the answer until a last API follows
	during  []time.Duration
	failed  []string
	peakRSS int64
}

const everywhere = `{"apiVersion":"gatehouse/v1","kind":"Environment","metadata":{"name":"dev"},
"spec":{"stage":"dev","policies":[{"headers":{"response":{"set":{"X-Everywhere":"yes"}}}}]}}`

// changeAll gives the environment a policy, which makes every API another, while
// requests come in.
func (m *measurement) changeAll(ctx context.Context) error {
	run := load.Load{Addr: m.site.Traffic, Rate: m.rate, Conn: m.conn, Next: m.call(m.apis)}.Start()
	time.Sleep(m.settle)
	rss, begin := m.watch(), time.Now()
	err := m.everywhere(ctx)
	end, sizes := time.Now(), rss()
	samples, failed := run.Stop()
	if err != nil {
		return err
	}
	m.resync.failed, m.resync.peakRSS = failed, sizes[len(sizes)-1]
	for _, s := range samples {
		if s.Due.Before(end) && s.Due.Add(s.Took).After(begin) {
			m.resync.during = append(m.resync.during, s.Took)
		}
	}
	return nil
}

func (m *measurement) everywhere(ctx context.Context) error {
	var in adminapi.ApplyRequest
	in.Body.Documents = []adminapi.ApplyDocument{{Object: json.RawMessage(everywhere)}}
	if _, err := m.api.Apply(ctx, in); err != nil {
		return err
	}
	answered := time.Now()
	probe, err := load.Dial(m.site.Traffic)
	if err != nil {
		return err
	}
	defer probe.Close()
	last := m.apis - 1
	for time.Since(answered) < time.Minute {
		a, err := probe.Get(estate.Path(last)+"/orders", m.keys[last/estate.PerTeam], "X-Everywhere")
		if err != nil {
			return err
		}
		if m.resync.took = time.Since(answered); a.Revision == "yes" {
			return nil
		}
		time.Sleep(2 * time.Millisecond)
	}
	return fmt.Errorf("it is not enforced after %v", m.resync.took)
}
