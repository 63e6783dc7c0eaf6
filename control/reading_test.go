package control_test

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/control"
	"gatehouse/store/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// TestReadingWhileChanging reads lists of all kinds and the trail, with filters,
// as several people with several requests at a time, whose tokens are looked at
// anew all the while, as changes go on: no answer is a fault of Gatehouse's own,
// and none is refused that was allowed before.
func TestReadingWhileChanging(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			var later atomic.Int64 // of the clock: it goes fast, so that proofs grow old
			o := control.Options{Data: t.TempDir(), Log: slog.New(slog.DiscardHandler), Version: "test",
				Now: func() time.Time { return time.Now().Add(time.Duration(later.Add(int64(100 * time.Millisecond)))) }}
			if engine == "postgres" {
				o.Database = pgtest.URL(t)
			}
			c, err := control.Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			admin, err := c.Guard.RenewAdmin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			s := &site{t, c, c.Handler(), admin}
			town(s)
			tokens := []string{admin, s.token("ann", "auditor", "organization"), s.token("ann2", "auditor", "organization")}

			paths := []string{"/v1/audit/events?newest=true&limit=20", "/v1/audit/events?outcome=refused", "/v1/audit/events?action=api.*&text=ONE", "/v1/audit/events?team=a&after=3&limit=2",
				"/v1/audit/events?actor=user:admin&from=2026-01-01T00:00:00Z", "/v1/teams/-/apis?sort=-name", "/v1/teams/-/subscriptions?filter=state=approved", "/v1/catalog", "/v1/waiting", "/v1/teams/a/apis/one"}
			var readers, writer sync.WaitGroup
			done := make(chan struct{})
			writer.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-done:
						return
					default:
					}
					path, body := "/v1/teams/a/applications/one", fmt.Sprintf(`{"apiVersion":"gatehouse/v1","kind":"Application","metadata":{"team":"a","name":"one"},"spec":{"title":"%d"}}`, i)
					if a := s.do(call{token: admin, method: "PUT", path: path, body: body}); a.status != 200 {
						t.Errorf("PUT %s: %d %s", path, a.status, a.body)
					}
				}
			})
			for n := range 6 {
				readers.Go(func() {
					for i := range 60 {
						path := paths[(i+n)%len(paths)]
						if a := s.do(call{token: tokens[n%len(tokens)], method: "GET", path: path}); a.status != 200 {
							t.Errorf("GET %s: %d %s", path, a.status, a.body)
						}
					}
				})
			}
			readers.Wait()
			close(done)
			writer.Wait()
		})
	}
}
