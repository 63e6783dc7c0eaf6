package listen

import (
	"context"
	"math"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"time"
)

// Pressure is how close the process is to its bound on memory.
type Pressure int32

// At 95 % of the bound connections are not kept any more, at 99 % new work is
// refused.
const (
	Relaxed Pressure = iota
	Closing
	Refusing
)

// Watch looks at the memory in use until ctx ends and returns what tells of it.
// The bound is the runtime's (debug.SetMemoryLimit, GOMEMLIMIT); without one
// nothing is watched.
func Watch(ctx context.Context) func() Pressure {
	bound := debug.SetMemoryLimit(-1)
	if bound == math.MaxInt64 {
		return func() Pressure { return Relaxed }
	}
	var level atomic.Int32
	go func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			level.Store(int32(pressure(inUse(), bound)))
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() Pressure { return Pressure(level.Load()) }
}

// closing tells whether connections are not to be kept just now.
func (s *Server) closing() bool { return s.draining.Load() || s.o.Memory() != Relaxed }

func pressure(used, bound int64) Pressure {
	switch {
	case used >= bound/100*99:
		return Refusing
	case used >= bound/100*95:
		return Closing
	}
	return Relaxed
}

// inUse is what the runtime's bound is compared with.
func inUse() int64 {
	s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64() - s[1].Value.Uint64())
}
