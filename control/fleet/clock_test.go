package fleet_test

import (
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/control/audit"
	"gatehouse/control/fleet"
	"gatehouse/link"
	"gatehouse/store/memory"
)

// A clock that is a day wrong, or put right again, on the side of the control plane
// or, what comes to the same, of the gateway, cuts nobody off.
func TestClockOfADay(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name         string
		first, later time.Duration // how wrong the control plane's clock is
	}{
		{"back", 0, -day},
		{"ahead", 0, day},
		{"ahead, and put right", day, 0},
		{"back, and put right", -day, 0},
		{"ahead, and then back", day, -day / 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			db := memory.New()
			seed(t, db)
			var off atomic.Int64
			off.Store(int64(tt.first))
			now := func() time.Time { return time.Now().Add(time.Duration(off.Load())) }
			f, err := fleet.Open(t.Context(), fleet.Options{DB: db, Trail: &audit.Trail{DB: db, Now: now}, Log: slog.New(slog.DiscardHandler), Dir: t.TempDir(), Now: now})
			if err != nil {
				t.Fatal(err)
			}
			pipe := link.NewPipe()
			server := &http.Server{Handler: link.NewServer(f, f.Log), TLSConfig: f.TLSConfig(nil), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
			ended := make(chan struct{})
			go func() { defer close(ended); _ = server.ServeTLS(pipe, "", "") }()
			defer func() { server.Close(); pipe.Close(); <-ended }()
			text, _, err := f.CreateJoinToken(t.Context(), "local", 0)
			if err != nil {
				t.Fatal(err)
			}
			c := &link.Client{URL: "https://control", Dial: pipe.Dial}
			defer c.Close()
			id, err := c.Join(t.Context(), text, "one")
			if err != nil {
				t.Fatalf("joining: %v", err)
			}
			c.Use(id)
			if _, err := c.Leases(t.Context(), nil); err != nil {
				t.Errorf("at first: %v", err)
			}
			off.Store(int64(tt.later))
			c.Use(id) // another connection
			if _, err := c.Leases(t.Context(), nil); err != nil {
				t.Errorf("later: %v", err)
			}
			if id, err = c.Renew(t.Context()); err != nil {
				t.Fatalf("renewing: %v", err)
			}
			c.Use(id)
			if _, err := c.Leases(t.Context(), nil); err != nil {
				t.Errorf("with the next certificate: %v", err)
			}
		})
	}
}
