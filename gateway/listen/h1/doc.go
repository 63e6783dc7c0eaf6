// Package h1 is the fast lane: the server half of HTTP/1.1 for the requests that
// most are. One goroutine serves a connection; a head is read into a pooled
// buffer, validated by package strict and put straight into a pipeline.Call; head
// and content of a small answer leave in one write.
//
// It takes a request only when it is ordinary: HTTP/1.1, well formed, a path for
// a target, a head within [MaxHead], nothing asked of the connection but to close
// it. Everything else (a fault to be answered, HTTP/1.0, HTTP/2, Expect, Upgrade,
// announced trailers) is net/http's: [Lane.Serve] gives the connection up with the bytes
// that it has read and not used, for the rest of its life. So the lane answers
// nothing that the other lane would answer otherwise.
//
// A connection on which nothing is in work holds a goroutine and no buffer.
package h1

import "time"

const (
	// MaxHead bounds heads, in bytes; larger ones are not ordinary.
	MaxHead = 16 << 10
	// MaxRest is how much of a body that nobody asked for is read so that the
	// connection can be kept, in bytes. net/http has the same bound.
	MaxRest = 256 << 10
	// room for an answer's head and a small content
	outRoom = 8 << 10
)

// Deadlines that move with every request are set anew only when they are this
// far behind, or a part of the whole when that is less.
const slack = 5 * time.Second

func slackOf(d time.Duration) time.Duration { return min(slack, d/16) }
