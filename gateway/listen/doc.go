// Package listen is the door: it accepts connections, lets in only what is HTTP to
// the letter, and hands each request to package pipeline as a Call.
//
// A connection begins in the fast lane, package h1, which serves ordinary requests
// of HTTP/1.1 by itself. At the first request that is anything else the connection
// goes over to net/http for the rest of its life. There every message of HTTP/1
// passes a validating reader before net/http sees a byte of it; both lanes read with
// package strict. Where servers are lenient (bare line feeds, two framings at once, codings
// in HTTP/1.0, folded fields), requests are smuggled; here such a message is
// answered 400 and the connection closed. HTTP/2 and h2c are net/http's.
//
// Bounds of size and time are set here, for heads, bodies, answers and the number
// of connections. What a request means is for package pipeline.
package listen
