package fleet_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"testing"
	"time"

	"gatehouse/link"
	"gatehouse/store/memory"
)

// Instances hear how many they are, and know it when they start without the
// control plane.
func TestInstancesHearHowManyTheyAre(t *testing.T) {
	db, dir := memory.New(), t.TempDir()
	seed(t, db)
	p := startPlane(t, db, dir)
	folder, first := t.TempDir(), newTable()
	g := startGateway(t, folder, token(t, p, "local"), "one", first, p.pipe.Dial, nil)
	first.until(t, "the first configuration", func() bool { return first.has("api", "a/x@v1") })
	second := newTable()
	startGateway(t, t.TempDir(), token(t, p, "local"), "two", second, p.pipe.Dial, nil)
	second.until(t, "the second's configuration", func() bool { return second.has("api", "a/x@v1") })
	waitFor(t, "both are counted", func() bool {
		api(t, db, "news", int(time.Now().UnixNano()%1000)) // polls are answered
		return g.Client.Instances() == 2
	})
	g.stop()
	again := &link.Runner{Client: &link.Client{URL: "https://control", Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no route to host")
	}}, Dir: folder, Swap: newTable().swap, Interval: time.Hour, Log: slog.New(slog.DiscardHandler)}
	if err := again.Start(t.Context(), "", "one"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	again.Run(ctx)
	if n := again.Client.Instances(); n != 2 {
		t.Errorf("started alone: %d instances, want 2", n)
	}
}
