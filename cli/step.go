package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/adminapi"
)

// stepTime is how long commands wait for gateways to take a change.
const stepTime = 10 * time.Second

// maxNotes is how many refusals are told one by one.
const maxNotes = 10

// A concern tells whether what a gateway says of an API, "payments/orders@v1", has
// to do with what was done. What others got wrong is not told to whoever rotates a
// key; "gatehouse gateways list" has all of it.
type concern func(api string) bool

// noAPI is the concern of what changes no API.
func noAPI(string) bool { return false }

// ofVersion is the concern of a release.
func ofVersion(ref string) concern { return func(api string) bool { return api == ref } }

// concernOf is what an apply names or makes anew; where something changes that
// any API may use, all.
func concernOf(out *adminapi.ApplyResult) concern {
	named := map[string]bool{}
	for _, r := range out.Results {
		ref := r.Ref[strings.LastIndexByte(r.Ref, ' ')+1:] // a release's is "dev payments/orders@v1"
		ref, _, _ = strings.Cut(ref, "#")
		switch r.Kind {
		case gatehouse.KindAPI, gatehouse.KindRevision, gatehouse.KindRelease:
			named[ref] = true
		case gatehouse.KindBackend, gatehouse.KindEnvironment, gatehouse.KindGateway, gatehouse.KindFramework, gatehouse.KindConnector:
			if r.Action != "unchanged" {
				return func(string) bool { return true }
			}
		}
	}
	return func(api string) bool {
		name, _, _ := strings.Cut(api, "@")
		return named[name] || named[api]
	}
}

// inStep waits until the connected gateways run the change, and says so.
func (a *App) inStep(ctx context.Context, seq int64, wait time.Duration, of concern) error {
	if seq == 0 || wait == 0 {
		return nil
	}
	api, err := a.connect()
	if err != nil {
		return err
	}
	start := time.Now()
	out, err := api.GetRollout(ctx, adminapi.RolloutRequest{Seq: seq, Wait: int(min(max(wait, time.Second), time.Minute) / time.Second)})
	if err != nil {
		return err
	}
	r := out.Body
	r.Refused = slices.DeleteFunc(r.Refused, func(x adminapi.RolloutRefusal) bool { return x.API != "" && !of(x.API) })
	for i, x := range r.Refused {
		if i == maxNotes {
			a.note("and %d more; \"gatehouse gateways list\" tells all", len(r.Refused)-i)
			break
		}
		a.note("%s sets %s aside: %s", x.Instance, x.API, x.Reason)
	}
	switch {
	case r.Instances == 0:
		a.note("no gateway is connected; it goes live when one is")
	case r.Applied == r.Instances && len(r.Refused) > 0:
		a.note("applied on %d of %d gateway instances in %s, but for what they set aside", r.Applied, r.Instances, time.Since(start).Round(time.Millisecond))
	case r.Applied == r.Instances:
		a.note("applied on %d of %d gateway instances in %s", r.Applied, r.Instances, time.Since(start).Round(time.Millisecond))
	default:
		a.note("applied on %d of %d gateway instances after %s; \"gatehouse gateways list\" tells more", r.Applied, r.Instances, time.Since(start).Round(time.Millisecond))
	}
	return nil
}
