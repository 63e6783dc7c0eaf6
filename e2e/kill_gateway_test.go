package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/adminapi"
)

// flush is how often the gateways of these tests roll their counts up.
const flush = 150 * time.Millisecond

// A strike is one kill of the gateway and what there was of calls in its round.
type strike struct {
	path    string
	at      time.Time
	quiet   bool // no call was under way, and the last flush was over
	answers []answered
}

// rounded is an API with an operation for each round, so that each round is
// counted by itself.
func (s *site) rounded(n int) {
	s.t.Helper()
	var paths strings.Builder
	for i := range n {
		fmt.Fprintf(&paths, "  /r%d: {get: {operationId: r%[1]d, responses: {\"200\": {description: ok}}}}\n", i)
	}
	s.folder(map[string]string{
		"api.yaml":            strings.Replace(s.open("rounds", ""), "access: open", "access: open, definition: ./rounds.openapi.yaml", 1),
		"rounds.openapi.yaml": "openapi: 3.0.3\ninfo: {title: Rounds, version: 1.0.0}\npaths:\n" + paths.String(),
	})
}

// TestKillGateway kills the gateway at random moments under traffic, also while
// the control plane is away or dies with it. It serves again from its disk
// alone, and every call answered before the last flush is counted, once.
func TestKillGateway(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(*seed, 2))
	n := rounds(15, 100)
	s := newSite(t)
	s.control("control")
	s.apply(s.platform())
	s.rounded(n)
	s.gateway("edge", "--report-interval", flush.String())
	s.inStep(1)
	var strikes []strike
	var slowest time.Duration
	for round := range n {
		x := strike{path: fmt.Sprintf("/r%d", round), quiet: round%3 == 2}
		transport := new(http.Transport)
		l := callers(t.Context(), 4, time.Millisecond, transport, func() string { return s.at["edge"] + "/rounds" + x.path })
		_ = wait(t.Context(), 3*flush+time.Duration(random.IntN(300))*time.Millisecond)
		away := round%3 == 1
		switch {
		case x.quiet:
			x.answers = l.end()
			_ = wait(t.Context(), 3*flush)
		case away: // within a moment of each other, so that batches are cut under way
			s.kill("control")
			_ = wait(t.Context(), time.Duration(random.IntN(int(2*flush))))
		}
		x.at = time.Now()
		s.kill("edge")
		if !x.quiet {
			x.answers = l.end()
		}
		transport.CloseIdleConnections()
		strikes = append(strikes, x)

		begin := time.Now()
		s.again("edge")
		if a := one(http.DefaultClient, s.at["edge"]+"/pets", "again"); a.status != http.StatusOK {
			t.Fatalf("round %d, control plane away: %v: after the kill the gateway answers %d, %v", round, away, a.status, a.err)
		}
		slowest = max(slowest, time.Since(begin))
		if away {
			s.again("control")
		}
	}
	s.eventually("all counts are taken", func() error {
		waiting, err := filepath.Glob(filepath.Join(s.data("edge"), "spool", "*.batch"))
		if err == nil && len(waiting) > 0 {
			err = fmt.Errorf("%d batches wait", len(waiting))
		}
		return err
	})
	lag, calls, lost := s.settle(strikes)
	if slowest > 10*time.Second {
		t.Errorf("serving again took %s", slowest)
	}
	t.Logf("%d kills, %d calls answered; %d of the last moments lost, at most %s before the kill, flush every %s; serving from disk within %s", n, calls, lost, lag, flush, slowest)
}

// settle compares what is counted of each round with what its clients were
// answered and its backend saw.
func (s *site) settle(strikes []strike) (lag time.Duration, calls, lost int64) {
	s.t.Helper()
	q := adminapi.UsageRequest{By: []string{"operation", "class"}, API: "pets/rounds@v1", Class: "2"}
	counted, err := s.counted(q, func(r adminapi.UsageRow) string { return "/" + r.Operation })
	if err != nil {
		s.t.Fatal(err)
	}
	for _, x := range strikes {
		var good []time.Time
		for _, a := range x.answers {
			if a.status == http.StatusOK {
				good = append(good, a.at)
			}
			if a.status > 0 && a.status != http.StatusOK || a.status < 0 {
				s.t.Errorf("%s: a call was answered %d, %v", x.path, a.status, a.err)
			}
		}
		slices.SortFunc(good, time.Time.Compare)
		got, answers, reached := counted[x.path], int64(len(good)), s.pets.of(x.path)
		calls += answers
		switch {
		case answers == 0:
			s.t.Errorf("%s: no call was answered", x.path)
		case x.quiet && got != answers:
			s.t.Errorf("%s: %d calls were answered and flushed, %d are counted", x.path, answers, got)
		case got > reached:
			s.t.Errorf("%s: %d calls reached the backend, %d are counted", x.path, reached, got)
		case got < answers:
			lost += answers - got
			first := x.at.Sub(good[got]) // the first that is not counted came that long before the kill
			lag = max(lag, first)
			if first > flush+time.Second {
				s.t.Errorf("%s: %d of %d calls are counted, although the first that is not was answered %s before the kill", x.path, got, answers, first)
			}
		}
	}
	return lag, calls, lost
}

// TestKillControlCounts kills the control plane again and again while counts come up from
// a gateway that nothing happens to: each call is counted, once.
func TestKillControlCounts(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(*seed, 3))
	s := newSite(t)
	s.control("control")
	s.apply(s.platform())
	s.gateway("edge", "--report-interval", "20ms") // most of the time a batch is on its way
	s.inStep(1)
	l := callers(t.Context(), 2, time.Millisecond, new(http.Transport), func() string { return s.at["edge"] + "/pets" })
	n := rounds(15, 100)
	for range n {
		_ = wait(t.Context(), time.Duration(random.IntN(150))*time.Millisecond)
		s.kill("control")
		s.again("control")
	}
	answers := l.end()
	for _, a := range answers {
		if a.status != http.StatusOK {
			t.Fatalf("without the control plane a call was answered %d, %v", a.status, a.err)
		}
	}
	s.eventually("each call is counted once", func() error { return s.exactly("pets/pets@v1", len(answers)) })
	s.verify()
	t.Logf("%d kills of the control plane, %d calls, each counted once", n, len(answers))
}
