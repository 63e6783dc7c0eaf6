// Package traffic measures what a request costs in the gateway, in CPU time,
// beside nginx doing the same work in the same round.
//
// One core belongs to the proxy under test, another to wrk and the backend.
// Each round runs every proxy in turn, so that what else the machine does
// falls on all alike; a figure is the median over rounds of the ratio to
// nginx. "plain" passes requests on; "apim" asks for an API key among 10,000,
// keeps a limit for each consumer, writes an access log and counts.
package traffic

import "time"

const (
	consumers = 10_000
	rounds    = 3
	duration  = 3 * time.Second
)

// connections at which it is measured.
var connections = []int{32, 256}
