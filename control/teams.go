package control

import (
	"context"

	"gatehouse"
	"gatehouse/control/support"
)

// shownRequests bounds how many support requests a team's page counts.
const shownRequests = 500

// teamSupport are the support requests that a team asked or is asked, and that
// are not over.
func (c *Control) teamSupport(ctx context.Context, team string) ([]gatehouse.SupportRequest, error) {
	list, _, err := c.Support.List(ctx, support.Selection{Team: team, Open: true, Limit: shownRequests}, func(*support.Request) bool { return true })
	all := make([]gatehouse.SupportRequest, 0, len(list))
	for _, r := range list {
		all = append(all, r.SupportRequest)
	}
	return all, err
}
