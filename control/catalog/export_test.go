package catalog

import (
	"context"
	"fmt"
)

// Routes are those that a catalog has followed, and as one on the same store
// reads them now.
func Routes(ctx context.Context, c *Catalog) (followed, anew map[string]string, err error) {
	again := New(c.trail)
	if err := again.sync(ctx, c.routes.rev); err != nil {
		return nil, nil, err
	}
	return c.routes.texts(), again.routes.texts(), nil
}

func (r *routes) texts() map[string]string {
	all := map[string]string{}
	for c, owner := range r.by {
		all[fmt.Sprint(c)] = owner
	}
	return all
}
