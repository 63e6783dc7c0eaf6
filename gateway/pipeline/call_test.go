package pipeline

import (
	"io"
	"strings"
	"testing"
)

// A transport of HTTP/2 may turn to a request's body only after its answer has come
// and the call is over. It must find neither nothing nor the next call's body.
func TestBodyThatIsReadLate(t *testing.T) {
	for range 64 {
		c := NewCall()
		c.Source = strings.NewReader("mine")
		c.body.from = c.Source
		late := &c.body
		c.Free()
		next := NewCall()
		next.body.from = strings.NewReader("another's")
		if got, err := io.ReadAll(late); string(got) != "mine" || err != nil {
			t.Fatalf("got %q, %v", got, err)
		}
		next.Free()
	}
}
