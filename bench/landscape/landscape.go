// Package landscape measures an installation with 10,000 APIs of 10 operations
// each: what the gateway takes, how soon a change of one of them and a revoked
// key hold, what requests notice of it, and how it starts alone.
//
// Control plane and gateway are processes of their own; load and backend are in
// the measuring process, on the same cores. Every API is behind a product, so
// that a request needs a key, a live subscription and a plan's limit.
package landscape

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"gatehouse/adminapi"
	"gatehouse/bench/estate"
	"gatehouse/bench/load"
	"gatehouse/bench/process"
	"gatehouse/bench/site"
	"gatehouse/client"
)

// A size is how much is done.
type size struct {
	apis, bundle    int // APIs, and how many come in one bundle
	parked          int
	changes         int
	requests        int64 // at least, during changes
	rate, conn      int   // of the load during changes
	calm            time.Duration
	revoked, starts int
	settle          time.Duration // before memory is read
}

var (
	full  = size{10_000, 1000, 2000, 200, 100_000, 2000, 8, 15 * time.Second, 100, 5, 5 * time.Second}
	short = size{1000, 500, 200, 20, 2000, 1000, 8, 3 * time.Second, 10, 2, 3 * time.Second}
)

// A measurement is one run.
type measurement struct {
	size
	site *site.Site
	api  *client.Client
	keys []string // of each team's subscription

	empty, parkedFrom, parkedTo process.Memory
	applied                     time.Duration // all bundles
	cpuFew, cpuAll              time.Duration // of the gateway, for 10,000 requests
	rest                        rest
	change                      changed
	resync                      resynced
	revoke                      []time.Duration
	start                       started
}

// A rest is memory while nothing changes.
type rest struct {
	process.Memory
	heap int64
}

// Measure runs everything and returns a table.
func Measure(ctx context.Context, quick bool) (text string, err error) {
	m := &measurement{size: full}
	if quick {
		m.size = short
	}
	if m.site, err = site.New(); err != nil {
		return "", err
	}
	defer m.site.Close()
	for _, step := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"beginning with nothing", m.begin}, {"parking connections", m.park}, {"filling", m.fill}, {"resting", m.atRest},
		{"changing", m.changing}, {"changing all at once", m.changeAll}, {"revoking", m.revoking}, {"starting alone", m.starting},
	} {
		if err := step.run(ctx); err != nil {
			return "", fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return m.table(), nil
}

// begin starts an installation with no API.
func (m *measurement) begin(context.Context) error {
	if err := m.site.StartControl(true); err != nil {
		return err
	}
	if err := m.site.Platform(); err != nil {
		return err
	}
	if err := m.site.Join(); err != nil {
		return err
	}
	time.Sleep(m.settle)
	var err error
	if m.empty, err = m.site.Gateway.Memory(); err != nil {
		return err
	}
	m.api, err = m.site.Client()
	return err
}

// park opens connections, each of which makes one request and stays.
func (m *measurement) park(context.Context) (err error) {
	if m.parkedFrom, err = m.site.Gateway.Memory(); err != nil {
		return err
	}
	for range m.parked {
		c, err := load.Dial(m.site.Traffic)
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := c.Get("/nothing", "", ""); err != nil {
			return err
		}
	}
	time.Sleep(m.settle)
	m.parkedTo, err = m.site.Gateway.Memory()
	return err
}

// fill applies all APIs in bundles, and gives each team's application a key.
func (m *measurement) fill(ctx context.Context) error {
	for from := 0; from < m.apis; from += m.bundle {
		dir := filepath.Join(m.site.Dir, fmt.Sprint("bundle", from))
		if err := estate.Write(dir, from, from+m.bundle, m.site.Backend); err != nil {
			return err
		}
		_, took, err := m.site.CLI(0, "apply", "-f", dir, "--wait", "0")
		if err != nil {
			return err
		}
		m.applied += took
		for i := from; i < from+m.bundle; i += estate.PerTeam {
			key, err := m.subscribe(ctx, i, "caller")
			if err != nil {
				return err
			}
			m.keys = append(m.keys, key)
		}
		if from == 0 {
			if err := m.caughtUp(ctx); err != nil {
				return err
			}
			if m.cpuFew, err = m.cost(); err != nil {
				return err
			}
		}
	}
	if err := m.caughtUp(ctx); err != nil {
		return err
	}
	var err error
	m.cpuAll, err = m.cost()
	return err
}

// subscribe makes an application of the i-th API's team, and its key.
func (m *measurement) subscribe(ctx context.Context, i int, app string) (key string, err error) {
	var in adminapi.SubscribeRequest
	in.Body.Product, in.Body.Plan, in.Body.Environment, in.Body.Key = estate.Team(i)+"/everything", "gold", "dev", true
	in.Body.Application = estate.Team(i) + "/" + app
	out, err := m.api.Subscribe(ctx, in)
	if err != nil {
		return "", err
	}
	return out.Body.Key, nil
}

// caughtUp waits until the gateway runs all changes so far.
func (m *measurement) caughtUp(ctx context.Context) error {
	out, err := m.api.GetRollout(ctx, adminapi.RolloutRequest{Wait: 60})
	if err != nil {
		return err
	}
	if r := out.Body; r.Instances != 1 || r.Applied != 1 || len(r.Refused) > 0 {
		return fmt.Errorf("the gateway does not run all: %+v", r)
	}
	return nil
}

// call is the n-th request of a load over the first apis APIs, all over them.
func (m *measurement) call(apis int) func(n int) (path, key string) {
	return func(n int) (path, key string) {
		i := n * 7919 % apis
		return estate.Path(i) + "/orders/5f3c9a/lines", m.keys[i/estate.PerTeam]
	}
}

// cost is the gateway's CPU time for 10,000 requests to the first bundle's APIs,
// the same ones whatever there is beside them.
func (m *measurement) cost() (time.Duration, error) {
	l := load.Load{Addr: m.site.Traffic, Conn: m.conn, Next: m.call(m.bundle)}
	warm := l.Start()
	time.Sleep(m.settle)
	warm.Stop()
	before, r := m.site.Gateway.CPU(), l.Start()
	time.Sleep(5 * time.Second)
	samples, failed := r.Stop()
	if len(failed) > 0 || len(samples) == 0 {
		return 0, fmt.Errorf("%d requests failed, %.500s", len(failed), strings.Join(failed, "; "))
	}
	return (m.site.Gateway.CPU() - before) * 10_000 / time.Duration(len(samples)), nil
}

// atRest reads memory while nothing changes and nobody calls.
func (m *measurement) atRest(context.Context) (err error) {
	m.rest, err = m.memory()
	return err
}

func (m *measurement) memory() (r rest, err error) {
	time.Sleep(m.settle)
	if r.Memory, err = m.site.Gateway.Memory(); err != nil {
		return r, err
	}
	r.heap, err = process.Heap(m.site.Ops)
	return r, err
}
