package h1

import (
	"encoding/binary"
	"syscall"
)

// States of tcp(7), the first byte of struct tcp_info.
const (
	tcpClose     = 7
	tcpCloseWait = 8
)

// gone tells whether the other end has closed. Over TLS it says so before it does,
// and its word lies unread before the end; the socket's state tells all the same.
func gone(fd int, tls bool) bool {
	if !tls {
		return left(fd)
	}
	v, err := syscall.GetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_INFO)
	if err != nil {
		return left(fd)
	}
	state := binary.NativeEndian.AppendUint32(nil, uint32(v))[0]
	return state == tcpClose || state == tcpCloseWait
}
