package ops

import (
	"math"
	"runtime/debug"
	"testing"
	"testing/fstest"
)

func TestBoundMemory(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	tests := []struct {
		name   string
		limit  string // GOMEMLIMIT
		system fstest.MapFS
		want   int64
	}{
		{"no control groups", "", fstest.MapFS{}, 0},
		{"version 2, in a container", "", fstest.MapFS{"proc/self/cgroup": file("0::/\n"), "sys/fs/cgroup/memory.max": file("1000000000\n")}, 900_000_000},
		{"version 2, no bound", "", fstest.MapFS{"proc/self/cgroup": file("0::/a\n"), "sys/fs/cgroup/a/memory.max": file("max\n")}, 0},
		{"version 2, a group above bounds", "", fstest.MapFS{"proc/self/cgroup": file("0::/a/b.service\n"),
			"sys/fs/cgroup/a/memory.max": file("500000000\n"), "sys/fs/cgroup/a/b.service/memory.max": file("max\n")}, 450_000_000},
		{"the host's path, which is not here", "", fstest.MapFS{"proc/self/cgroup": file("0::/kubepods/x\n"), "sys/fs/cgroup/memory.max": file("1000000000\n")}, 900_000_000},
		{"version 1", "", fstest.MapFS{"proc/self/cgroup": file("5:cpu,cpuacct:/\n4:memory:/x\n"), "sys/fs/cgroup/memory/x/memory.limit_in_bytes": file("1000000000\n")}, 900_000_000},
		{"version 1, no bound", "", fstest.MapFS{"proc/self/cgroup": file("4:memory:/\n"), "sys/fs/cgroup/memory/memory.limit_in_bytes": file("9223372036854771712\n")}, 0},
		{"nonsense", "", fstest.MapFS{"proc/self/cgroup": file("x\n0::\n::\n"), "sys/fs/cgroup/memory.max": file("much\n")}, 0},
		{"said by hand", "2GiB", fstest.MapFS{"proc/self/cgroup": file("0::/\n"), "sys/fs/cgroup/memory.max": file("1000000000\n")}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			debug.SetMemoryLimit(math.MaxInt64)
			got := BoundMemory(func(string) string { return tt.limit }, tt.system)
			want := tt.want
			if want == 0 {
				want = math.MaxInt64
			}
			if set := debug.SetMemoryLimit(-1); got != tt.want || set != want {
				t.Errorf("got %d and set %d, want %d", got, set, tt.want)
			}
		})
	}
}
