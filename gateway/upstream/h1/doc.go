// Package h1 is the client half of HTTP/1.1 (RFC 9112): it puts one request on
// a connection and reads one answer from it, strictly.
//
// A request is written anew from its parts and an answer's head is read into
// fields; no byte of framing is ever passed on. Whatever two readers could
// take in two ways is refused: conflicting or repeated lengths, codings other
// than chunked, bare line ends, folding, control characters. A connection
// leaves in a state in which the next answer on it can only belong to the next
// request, or it is closed.
//
// This package knows one connection at a time. Package upstream dials, pools,
// balances and retries. Bodies stream through buffers of a fixed size that
// exist only while an exchange is in work.
package h1

import "time"

// Bounds on what a backend may send. They are above what servers in use send
// and low enough that a thousand hostile answers fit in memory.
const (
	// MaxHeadBytes bounds one head, status line and all.
	MaxHeadBytes = 64 << 10
	// MaxFields bounds the field lines of a head or trailer section.
	MaxFields = 500
	// MaxInterim bounds the 1xx answers before the final one.
	MaxInterim = 32
	// MaxTrailerBytes bounds a trailer section.
	MaxTrailerBytes = 16 << 10
	// MaxChunkLine bounds a chunk's size line with its extensions, which
	// are read over and never passed on.
	MaxChunkLine = 256
	// MaxChunkOverhead bounds chunk extensions over a whole body to this many
	// bytes and one for each byte of content.
	MaxChunkOverhead = 16 << 10
)

const (
	smallBuffer = 8 << 10  // one head and a small body in one read
	largeBuffer = 32 << 10 // streaming bodies
)

// Timing bounds the waits of one exchange. Zero means no bound.
type Timing struct {
	// Head is how long the final answer's head may take, counted from the
	// end of the request.
	Head time.Duration
	// Idle is how long the peer may go without taking or giving a byte of a body.
	Idle time.Duration
	// Continue is how long to wait for "100 Continue" before the body is sent
	// unasked (RFC 9110 §10.1.1).
	Continue time.Duration
}
