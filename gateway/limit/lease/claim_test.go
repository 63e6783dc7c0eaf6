package lease

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/gateway/limit"
	"gatehouse/link"
)

// alone runs one instance on the ledger until the returned function is called.
func alone(t *testing.T, asks Leaser) (*Book, func()) {
	t.Helper()
	time.Sleep(time.Until(time.Now().Truncate(time.Minute).Add(time.Minute)))
	b := New(Options{Leaser: asks, Local: limit.New(limit.Options{}), Instances: func() int { return 1 }, Log: t.Logf})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { b.Run(ctx) })
	return b, func() { cancel(); wg.Wait() }
}

func (l *ledger) counts(t *testing.T, when string, used, most int64) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	held := int64(0)
	for _, n := range l.held {
		held += n
	}
	if l.used+held < used || l.used+held > most {
		t.Errorf("%s: %d counted as used and %d held, want %d to %d together", when, l.used, held, used, most)
	}
}

// Few requests bind few tokens, however long they go on.
func TestTrickleHoardsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{delay: 20 * time.Millisecond}
		b, stop := alone(t, peer{l, 0})
		passed := int64(0)
		for range 60 { // one each 400 ms
			if st, _ := b.Take("s", "k", minute, 1, time.Now()); st.Allowed {
				passed++
			}
			time.Sleep(400 * time.Millisecond)
		}
		if passed != 60 {
			t.Errorf("%d of 60 requests passed", passed)
		}
		l.counts(t, "after 60 requests", 60, 64)
		time.Sleep(2 * time.Second)
		l.counts(t, "when it is idle", 60, 60)
		for range 5 { // and when it ends in the midst of it
			b.Take("s", "k", minute, 1, time.Now())
			time.Sleep(30 * time.Millisecond)
		}
		stop()
		l.counts(t, "at the end", 65, 65)
	})
}

// A lossy peer says that a question failed, having heard it or not.
type lossy struct {
	peer
	hear bool
	lost atomic.Pointer[error] // what to say; nil: the answer
}

func (p *lossy) Leases(ctx context.Context, asked []link.Lease) ([]link.Grant, error) {
	lost := p.lost.Load()
	if lost != nil && !p.hear {
		return nil, *lost
	}
	g, err := p.peer.Leases(ctx, asked)
	if lost != nil {
		return nil, *lost
	}
	return g, err
}

// What went back in a question that may have been heard is not claimed again; of
// one that was not, all is.
func TestLostQuestions(t *testing.T) {
	tests := []struct {
		name string
		err  error
		hear bool
		used int64 // at the end, of one request
		most int64
	}{
		{"refused", link.Errorf(503, "the store is closed"), false, 1, 1},
		{"heard, the answer lost", errors.New("connection reset"), true, 1, 20},
		{"not heard, and nobody knows", errors.New("connection reset"), false, 1, 20},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := &ledger{delay: 20 * time.Millisecond}
				p := &lossy{peer: peer{l, 0}, hear: tt.hear}
				b, stop := alone(t, p)
				b.Take("s", "k", minute, 1, time.Now())
				time.Sleep(100 * time.Millisecond)
				for range 5 { // refused ones make it want more
					b.Take("s", "k", minute, 10_000, time.Now())
				}
				time.Sleep(600 * time.Millisecond)
				p.lost.Store(&tt.err)
				time.Sleep(3 * time.Second)
				p.lost.Store(nil)
				time.Sleep(3 * time.Second)
				stop()
				l.counts(t, "at the end", tt.used, tt.most)
			})
		})
	}
}
