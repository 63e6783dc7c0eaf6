// Package upstream brings a request to a backend and its answer back.
//
// A [Set] keeps the live side of backends: connections, health, balance. A
// table of routes acquires the backends it names and releases them when it is
// drained; what did not change between two tables is one live [Backend], so no
// connection is cut and nothing is forgotten by a swap. Targets are kept by
// name, address and TLS, and outlive changes of weight, timeout or retries.
//
// [Backend.Do] picks a target, takes a connection of its pool, sends the
// request and returns once the answer's head is there; bodies stream both
// ways. What fails becomes a [Failure] with a status and an error type of
// RFC 9209, never an answer that could be taken for the backend's. HTTP/1.1 is
// package h1; HTTP/2 is net/http's transport.
//
// Targets that fail are left out for a while (passive) and those whose health
// path does not answer until it does (active). When all are out, requests are
// tried on them all the same: a gateway that refuses on the strength of a
// health path alone would turn a wrong path into an outage of its own making,
// and a backend that is truly down answers for itself, as 502 or 504.
//
// This package asks no policy and writes to no caller; packages pipeline and
// listen do.
package upstream
