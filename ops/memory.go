package ops

import (
	"io/fs"
	"math"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
)

// share of a container's memory that Go's runtime may take: stacks of threads,
// pages of files and what a collection has not reached yet need the rest.
const share = 0.9

// BoundMemory tells Go's runtime how much memory its container has, unless
// GOMEMLIMIT does: it then collects in time instead of being killed, and the
// gateway sheds load before that (package listen). It returns the bound, 0 when
// there is none to be found. How often is collected otherwise, GOGC, stays what it
// is: 100 keeps ten thousand APIs within 100 MB, which 200 would not.
func BoundMemory(getenv func(string) string, root fs.FS) int64 {
	if getenv("GOMEMLIMIT") != "" {
		return 0
	}
	most := containerMemory(root)
	if most == 0 {
		return 0
	}
	bound := int64(float64(most) * share)
	debug.SetMemoryLimit(bound)
	return bound
}

// containerMemory is the least bound of the control groups that the process is in,
// of version 2 or 1 (cgroups(7)); 0 when there is none.
func containerMemory(root fs.FS) int64 {
	least := int64(math.MaxInt64)
	text, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, group, ok := strings.Cut(rest, ":")
		dir, file := "sys/fs/cgroup", "memory.max"
		switch {
		case !ok:
			continue
		case controllers != "" && controllers != "memory":
			continue
		case controllers == "memory":
			dir, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		}
		// Within a container the path may be that of the host: the top is looked
		// at in any case.
		for group = path.Clean("/" + group); ; group = path.Dir(group) {
			if n := bytesIn(root, path.Join(dir, group, file)); n > 0 {
				least = min(least, n)
			}
			if group == "/" {
				break
			}
		}
	}
	// Version 1 says "none" with a number next to 2^63.
	if least >= 1<<60 {
		return 0
	}
	return least
}

// bytesIn is the number in a file; 0 when there is none, as for "max".
func bytesIn(root fs.FS, name string) int64 {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
