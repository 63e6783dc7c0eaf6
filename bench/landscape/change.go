package landscape

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"gatehouse/adminapi"
	"gatehouse/bench/estate"
	"gatehouse/bench/load"
	"gatehouse/bench/process"
	"gatehouse/bundle"
)

// changed is what single changes cost.
type changed struct {
	answer, enforced    []time.Duration // of the apply itself; from its answer to the gateway's new behaviour
	samples             int
	failed              []string
	calm, during        []time.Duration // answers without changes, and due while one was on its way
	calmLeast, calmMost int64           // resident memory without changes
	calmRSS, peakRSS    int64           // its median then, and the most during changes
}

// A span is the time from the sending of a change until it held.
type span struct{ from, to time.Time }

// changing changes one API after the other while requests come in.
func (m *measurement) changing(ctx context.Context) error {
	c := &m.change
	run := load.Load{Addr: m.site.Traffic, Rate: m.rate, Conn: m.conn, Next: m.call(m.apis)}.Start()
	rss := m.watch()
	time.Sleep(m.calm)
	quiet := rss()
	calmEnd := time.Now()
	rss = m.watch()
	process.Profile(m.site.Ops, "gateway-changes", 30*time.Second)
	process.Profile(m.site.ControlOps, "control-changes", 30*time.Second)
	spans, err := m.changes(ctx, run)
	busy := rss()
	samples, failed := run.Stop()
	process.Heaps(m.site.Ops, "gateway-changed")
	if err != nil {
		return err
	}
	c.samples, c.failed = len(samples), append(c.failed, failed...)
	c.calmRSS, c.peakRSS = quiet[len(quiet)/2], busy[len(busy)-1]
	c.calmLeast, c.calmMost = quiet[0], quiet[len(quiet)-1]
	warm := samples[0].Due.Add(m.calm / 5)
	for _, s := range samples {
		switch end := s.Due.Add(s.Took); {
		case s.Due.Before(warm):
		case end.Before(calmEnd):
			c.calm = append(c.calm, s.Took)
		case within(spans, s.Due, end):
			c.during = append(c.during, s.Took)
		}
	}
	return nil
}

// within tells whether a request and a change were on their way together.
func within(spans []span, from, to time.Time) bool {
	i, _ := slices.BinarySearchFunc(spans, from, func(s span, t time.Time) int { return s.to.Compare(t) })
	return i < len(spans) && spans[i].from.Before(to)
}

// watch samples the gateway's resident size until it is called again: sorted.
func (m *measurement) watch() func() []int64 {
	stop, done := make(chan struct{}), make(chan []int64)
	go func() {
		var all []int64
		for t := time.NewTicker(10 * time.Millisecond); ; {
			all = append(all, m.site.Gateway.RSS())
			select {
			case <-t.C:
			case <-stop:
				t.Stop()
				slices.Sort(all)
				done <- all
				return
			}
		}
	}()
	return func() []int64 { close(stop); return <-done }
}

// changes makes the changes, a quarter of a second apart, and goes on until
// there were enough requests.
func (m *measurement) changes(ctx context.Context, run *load.Run) ([]span, error) {
	probe, err := load.Dial(m.site.Traffic)
	if err != nil {
		return nil, err
	}
	defer probe.Close()
	var spans []span
	before := run.Done()
	for n := 1; n <= m.size.changes || run.Done()-before < m.requests; n++ {
		begin := time.Now()
		i := n * 4813 % m.apis
		s, err := m.changeOne(ctx, probe, i, strconv.Itoa(n))
		if err != nil {
			return nil, fmt.Errorf("change %d, of %s: %w", n, estate.API(i), err)
		}
		spans = append(spans, s)
		time.Sleep(time.Until(begin.Add(250 * time.Millisecond)))
	}
	return spans, nil
}

// changeOne applies another revision of the i-th API, and calls it until it
// answers with that.
func (m *measurement) changeOne(ctx context.Context, probe *load.Conn, i int, revision string) (s span, err error) {
	in, err := m.bundleOf(i, revision)
	if err != nil {
		return s, err
	}
	s.from = time.Now()
	if _, err := m.api.Apply(ctx, in); err != nil {
		return s, err
	}
	answered := time.Now()
	path, key := estate.Path(i)+"/orders", m.keys[i/estate.PerTeam]
	for {
		a, err := probe.Get(path, key, estate.RevisionField)
		if err != nil {
			return s, err
		}
		if a.Status != 200 {
			m.change.failed = append(m.change.failed, fmt.Sprintf("%s: status %d", path, a.Status))
		}
		s.to = time.Now()
		if a.Revision == revision {
			break
		}
		if s.to.Sub(answered) > 30*time.Second {
			return s, errors.New("it is not enforced after 30 s")
		}
		time.Sleep(time.Millisecond)
	}
	m.change.answer = append(m.change.answer, answered.Sub(s.from))
	m.change.enforced = append(m.change.enforced, s.to.Sub(answered))
	return s, nil
}

// bundleOf is the API alone, with its definition, read as the command line does.
func (m *measurement) bundleOf(i int, revision string) (in adminapi.ApplyRequest, err error) {
	dir := filepath.Join(m.site.Dir, fmt.Sprint("bundle", i/m.bundle*m.bundle), estate.Team(i))
	file := filepath.Join(dir, estate.API(i)+".yaml")
	if err := os.WriteFile(file, []byte(estate.APIDocument(i, revision)), 0o600); err != nil {
		return in, err
	}
	b, err := bundle.Read([]string{file}, bundle.Options{})
	if err != nil {
		return in, err
	}
	in.Body.Files = b.Files
	for _, d := range b.Documents {
		in.Body.Documents = append(in.Body.Documents, adminapi.ApplyDocument{Object: d.Object, File: d.File, Files: d.Files})
	}
	return in, nil
}
