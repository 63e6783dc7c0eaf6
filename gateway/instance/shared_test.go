package instance

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatehouse/link"
	"gatehouse/policy"
)

func TestMain(m *testing.M) {
	// The client of Valkey sleeps once more after it was closed.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/valkey-io/valkey-go.(*call).DelayDo.func1"))
}

func TestValkeyAddressIsRead(t *testing.T) {
	_, err := newShared(&Options{Valkey: "http://127.0.0.1:1"}, new(link.Client))
	if err == nil || !strings.Contains(err.Error(), "--valkey") {
		t.Errorf("got %v, want an error that names --valkey", err)
	}
}

// A gateway starts without its Valkey, and keeps to its part of shared limits.
func TestValkeyAway(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close() // nobody listens there
	s, err := newShared(&Options{Valkey: "redis://" + l.Addr().String(), Log: slog.New(slog.NewTextHandler(io.Discard, nil))}, new(link.Client))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { s.run(ctx, "dev") })
	b := policy.Budget{Limit: 2, Calendar: "month", Shared: true}
	for i, want := range []bool{true, true, false} {
		if st := s.limits.Take("s", "k", b, 1, time.Now()); st.Allowed != want {
			t.Errorf("request %d: got %+v, want allowed %v", i, st, want)
		}
	}
	cancel()
	wg.Wait()
}
