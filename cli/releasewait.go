package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/client"
)

// awaitLive polls until every instance runs the release, one refuses it, or
// the time is up.
func (a *App) awaitLive(ctx context.Context, v adminapi.VersionPath, r adminapi.ReleaseBody, wait time.Duration) (took time.Duration, live, total int, err error) {
	api, err := a.connect()
	if err != nil {
		return 0, 0, 0, err
	}
	start := time.Now()
	for {
		out, err := api.GetStatusAll(ctx, adminapi.StatusRequest{VersionPath: v, Environment: r.Environment})
		if err != nil {
			return 0, 0, 0, err
		}
		live, total = 0, 0
		refused := false
		for _, e := range out.Body.Items {
			if e.Reason != "" {
				continue // it is not placed there, and nobody waits for that
			}
			for _, i := range e.Instances {
				total++
				switch {
				case i.State == "live" && i.Revision == r.Revision:
					live++
				case i.State == "refused":
					refused = true
				}
			}
		}
		took = time.Since(start)
		if live == total || refused || took >= wait {
			return took, live, total, nil
		}
		select {
		case <-ctx.Done():
			return took, live, total, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// behind names the instances that do not run a release, and why. It is an error
// unless all it names are out of reach and others of their gateways run it: an
// instance that is gone for good would fail every release. What is wished stays.
func (a *App) behind(ctx context.Context, v adminapi.VersionPath, r adminapi.ReleaseBody, what string) error {
	out, err := ask(a, ctx, (*client.Client).GetDelivery, adminapi.DeliveryRequest{VersionPath: v, Environment: r.Environment})
	if err != nil {
		return err
	}
	if out.Body.Aside != "" {
		return gatehouse.E(gatehouse.Conflict, "%s is refused in %s: %s", what, r.Environment, out.Body.Aside)
	}
	runs := map[string]bool{}
	for _, i := range out.Body.Instances {
		runs[i.Gateway] = runs[i.Gateway] || i.State == "live" || i.State == "not-placed"
	}
	var late []string
	fails := false
	for _, i := range out.Body.Instances {
		name := i.Gateway + "/" + i.Instance
		switch {
		case i.State == "live" || i.State == "not-placed":
			continue
		case i.State == "refused":
			return gatehouse.E(gatehouse.Conflict, "%s is refused in %s: %s: %s", what, r.Environment, name, i.Reason)
		}
		fails = fails || i.Connected || !runs[i.Gateway]
		late = append(late, name+" "+cmp.Or(i.Reason, "has not said yet that it runs it"))
	}
	switch {
	case len(late) == 0:
		return nil // it has come meanwhile
	case !fails:
		a.note("%s; others of the gateway run it", some(late))
		return nil
	}
	return gatehouse.E(gatehouse.Unavailable, "%s is wanted in %s and stays so, but does not run everywhere yet: %s", what, r.Environment, some(late))
}

// some joins what there may be many of.
func some(all []string) string {
	if n := len(all) - maxNotes; n > 0 {
		return fmt.Sprintf("%s; and %d more", strings.Join(all[:maxNotes], "; "), n)
	}
	return strings.Join(all, "; ")
}
