package gateway

import (
	"gatehouse/gateway/credential"
	"gatehouse/snapshot"
)

// Strike refuses keys and subscriptions that the table in force, and those to
// come, still have, until it is called again with a list that has them no more.
func (g *Gateway) Strike(s *snapshot.Strikes) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.struck = credential.Strike(s)
	if old := g.flow.Table(); old != nil {
		next := *old
		next.Struck = g.struck
		g.flow.Swap(&next)
	}
}
