package settings

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// Listen listens on an address that a flag gave; what is who comes there, such as
// "traffic".
func Listen(what, flag, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("listening for %s: %s is in use by another program; stop it, or name another address with %s", what, address, flag)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("listening for %s: this user may not listen on %s; name a port from 1024 on with %s", what, address, flag)
	case err != nil:
		return nil, fmt.Errorf("listening for %s (%s): %w", what, flag, err)
	}
	return l, nil
}
