package fleet_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"gatehouse/control/fleet"
	"gatehouse/link"
	"gatehouse/report"
	"gatehouse/store/memory"
)

// TestJudgedByTheClock: what a gateway sets aside by its clock alone is told while
// its poll waits, and what was told is what status says.
func TestJudgedByTheClock(t *testing.T) {
	db := memory.New()
	seed(t, db)
	p := startPlane(t, db, t.TempDir())
	var mu sync.Mutex
	var standing report.Standing
	judged := make(chan struct{}, 1)
	say := func(s report.Standing) {
		mu.Lock()
		standing = s
		mu.Unlock()
		judged <- struct{}{}
	}
	g := newTable()
	r := &link.Runner{
		Client: &link.Client{URL: "https://control", Dial: p.pipe.Dial, Program: "test"}, Dir: t.TempDir(), Swap: g.swap, Judged: judged,
		Standing: func() report.Standing { mu.Lock(); defer mu.Unlock(); return standing },
		Interval: time.Hour, Log: slog.New(slog.DiscardHandler),
	}
	if err := r.Start(t.Context(), token(t, p, "local"), "one"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { r.Run(ctx) })
	defer func() { cancel(); wg.Wait() }()
	state := func(want, reason, warning string) func() bool {
		return func() bool {
			s := p.Status("a/x@v1", "dev").Instances
			return len(s) == 1 && s[0].State == want && s[0].Reason == reason && s[0].Warning == warning
		}
	}
	waitFor(t, "live", state(fleet.Live, "", ""))
	aside := []report.Refusal{{API: "a/x@v1", Revision: "1", Reason: "attestation ended"}}
	say(report.Stand(aside, nil))
	waitFor(t, "told that it is set aside", state(fleet.Refused, "attestation ended", ""))
	say(report.Stand(nil, aside))
	waitFor(t, "told that it only would be", state(fleet.Live, "", "attestation ended"))
	say(report.Standing{})
	waitFor(t, "told that all is well", state(fleet.Live, "", ""))
	api(t, db, "x", 2)
	waitFor(t, "news come as before", func() bool { return p.Status("a/x@v1", "dev").Revision == "2" && state(fleet.Live, "", "")() })
}
