package listen

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// Without a bound nothing is watched; with one, what is in use is seen against
// it, and seen again when it is not any more.
func TestWatch(t *testing.T) {
	unbounded := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(unbounded)
	if p := Watch(t.Context())(); p != Relaxed {
		t.Errorf("no bound: got %d", p)
	}
	held := make([]byte, 64<<20)
	debug.SetMemoryLimit(inUse() - 32<<20)
	full := Watch(t.Context())
	await(t, "refusing", func() bool { return full() == Refusing })
	runtime.KeepAlive(held)
	debug.SetMemoryLimit(unbounded)
	held = nil
	debug.FreeOSMemory()
	await(t, "relaxed", func() bool { return full() == Relaxed })
}

func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not %s within 10 s", what)
		}
	}
}
