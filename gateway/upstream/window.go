package upstream

import (
	"net/netip"
	"syscall"
)

// window is how many bytes of an answer may wait in the kernel: enough for
// 320 Mbit/s from a backend 100 ms away. Left alone, systems with large buffers
// take tens of megabytes on a connection that was fast once, and fill them also
// for a caller that has stopped reading.
const window = 4 << 20

// control is what happens to a socket before it connects: guard looks at where it
// goes, and what may wait in it is bounded.
func control(deny func(netip.Addr) bool) func(network, address string, c syscall.RawConn) error {
	check := guard(deny)
	return func(network, address string, c syscall.RawConn) error {
		if err := check(network, address, c); err != nil {
			return err
		}
		return c.Control(narrow)
	}
}
