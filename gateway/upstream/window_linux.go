package upstream

import "syscall"

// bufLock is SO_BUF_LOCK (Linux 5.14), which package syscall does not name.
const bufLock = 72

// narrow fixes the size of a socket's receive buffer (socket(7)), which ends its
// growing by itself. A system that does not allow as much as window keeps what
// it does by itself.
func narrow(fd uintptr) {
	s := int(fd)
	_ = syscall.SetsockoptInt(s, syscall.SOL_SOCKET, syscall.SO_RCVBUF, window)
	if n, err := syscall.GetsockoptInt(s, syscall.SOL_SOCKET, syscall.SO_RCVBUF); err == nil && n < window {
		_ = syscall.SetsockoptInt(s, syscall.SOL_SOCKET, bufLock, 0)
	}
}
