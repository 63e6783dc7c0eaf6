package link

import (
	"net/http"
	"testing"
)

// TestHost holds that where an instance comes from is told without the port of
// one connection, also when it is a pipe's.
func TestHost(t *testing.T) {
	for address, want := range map[string]string{"192.0.2.7:40196": "192.0.2.7", "[2001:db8::7]:40196": "2001:db8::7", "pipe": "pipe"} {
		if got := host(&http.Request{RemoteAddr: address}); got != want {
			t.Errorf("%s: got %q, want %q", address, got, want)
		}
	}
}
