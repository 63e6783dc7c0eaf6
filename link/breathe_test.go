package link

import (
	"runtime"
	"sync/atomic"
	"testing"
)

// On one processor, taking a change among ten thousand lets others run in between:
// no piece of it goes through more than a few hundred entries.
func TestChangeLetsOthersRun(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	c := newChanging(t, 10_000)
	next := c.next()
	var turns atomic.Int64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				turns.Add(1)
				runtime.Gosched()
			}
		}
	}()
	runtime.Gosched()
	before := turns.Load()
	u, err := prove(next, c.current, c.id)
	if err != nil {
		t.Fatal(err)
	}
	lacks := c.disk.Lacks(u.Manifest.Entries)
	got := turns.Load() - before
	close(stop)
	<-stopped
	// The entries are merged, looked through for order, summed, compared to what is on disk.
	if want := int64(4*10_000/256 - 10); got < want || len(lacks) != 1 {
		t.Errorf("others had %d turns while the change was taken, want %d", got, want)
	}
}
