package pipeline

import (
	"errors"
	"io"
	"sync/atomic"

	"gatehouse/gateway/head"
	"gatehouse/policy"
)

// errTooLarge ends a body that has passed its limit.
var errTooLarge = errors.New("the body is larger than its limit")

// A body counts a request's body while it streams and stops it at its limit.
// It may be read by another goroutine than the call's.
type body struct {
	from  io.Reader
	limit int64 // zero is none
	n     atomic.Int64
	over  atomic.Bool
	ended atomic.Bool // an error, the end included, was seen
	used  atomic.Bool

	late policy.Trailers // nil when nothing can stand behind the content
	key  string          // the header that carries keys
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	b.used.Store(true)
	if b.over.Load() {
		return 0, errTooLarge
	}
	n, err := b.from.Read(p)
	if total := b.n.Add(int64(n)); b.limit > 0 && total > b.limit {
		b.over.Store(true)
		return 0, errTooLarge
	}
	if err != nil && (b.late == nil || err != io.EOF) {
		b.ended.Store(true)
	}
	return n, err
}

// Trailer implements policy.Trailers. What the gateway reads or says itself, or
// must be known before the content (RFC 9110 §6.5.1), does not go along.
func (b *body) Trailer() policy.Header {
	if b.late == nil || b.ended.Load() {
		return nil
	}
	h := b.late.Trailer()
	head.CleanTrailer(&h, b.key)
	b.ended.Store(true) // and nobody comes any more
	return h
}

// Abort cuts a pending Read short, when the engine's body can.
func (b *body) Abort() {
	if a, ok := b.from.(interface{ Abort() }); ok {
		a.Abort()
	}
}

// pending tells whether a reader may still come, or be at it: a transport of
// HTTP/2 may turn to the body only when its answer is there already.
func (b *body) pending() bool { return b.from != nil && !b.ended.Load() }

// open tells whether a reader may still be at it: reading began and has not
// come to an end.
func (b *body) open() bool { return b.used.Load() && !b.ended.Load() }
