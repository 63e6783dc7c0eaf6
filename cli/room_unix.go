//go:build linux || darwin || freebsd

package cli

import "syscall"

// room is how many bytes are left for us where dir lies.
func room(dir string) (uint64, bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return uint64(s.Bavail) * uint64(s.Bsize), true
}
