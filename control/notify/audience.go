package notify

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/store"
)

// An audience is whom an event concerns. Receivers of the organization hear
// all; those of a team what happens to the team, and what is named here.
type audience struct {
	own      map[string]bool // teams that hear all of it
	touched  map[string]bool // teams that hear that it happened
	provider bool            // it belongs to no team
}

// foretold are actions on an API that its subscribers' teams hear of.
var foretold = map[string]bool{
	"api.deprecate": true, "api.undeprecate": true, "api.retire": true, "api.sunset": true,
	"version.deprecate": true, "version.retire": true, "release.breaking": true,
}

// maxTouched bounds the subscriptions of one API that are looked through.
const maxTouched = 20_000

// concerns tells whom an event concerns, as things stood in its batch.
func (n *Notify) concerns(ctx context.Context, e *gatehouse.Event) (a audience, err error) {
	a = audience{own: map[string]bool{}, touched: map[string]bool{}, provider: e.Team == ""}
	if e.Team != "" {
		a.own[e.Team] = true
	}
	kind, ref, _ := strings.Cut(e.Object, " ")
	switch {
	case kind == string(gatehouse.KindSubscription):
		err = n.sides(ctx, e, ref, a)
	case kind == string(gatehouse.KindSupportRequest):
		err = n.helpers(ctx, e, ref, &a)
	case kind == string(gatehouse.KindAPI) && foretold[e.Action]:
		err = n.subscribers(ctx, e, ref, a)
	}
	return a, err
}

// hears reports whether a receiver may be told, and whether of all of it.
func (a audience) hears(r *Receiver) (hears, whole bool) {
	switch {
	case r.Team == "":
		return true, true
	case a.own[r.Team] || r.Provider && a.provider:
		return true, true
	}
	return a.touched[r.Team], false
}

// stood reads a record as the event's batch left it, or found it.
func (n *Notify) stood(ctx context.Context, key string, seq int64) (store.Record, error) {
	rec, err := n.DB.GetAsOf(ctx, key, store.Seq(seq))
	if gatehouse.Is(err, gatehouse.NotFound) {
		return n.DB.GetAsOf(ctx, key, store.Seq(seq-1))
	}
	return rec, err
}

// sides adds the team whose product a subscription is for.
func (n *Notify) sides(ctx context.Context, e *gatehouse.Event, ref string, a audience) error {
	rec, err := n.stood(ctx, "Subscription/"+ref, e.Seq)
	if gatehouse.Is(err, gatehouse.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if s, team := subscription(&rec); s != nil {
		owner, _ := gatehouse.ParseRef(s.Product, team)
		a.own[owner] = true
	}
	return nil
}

func subscription(rec *store.Record) (*gatehouse.Subscription, string) {
	var s gatehouse.Stored
	var o gatehouse.Object
	if json.Unmarshal(rec.Value, &s) != nil || json.Unmarshal(s.Object, &o) != nil {
		return nil, ""
	}
	spec, _ := o.Spec.(*gatehouse.Subscription)
	return spec, o.Metadata.Team
}

// helpers adds both sides of a support request.
func (n *Notify) helpers(ctx context.Context, e *gatehouse.Event, ref string, a *audience) error {
	rec, err := n.stood(ctx, "SupportRequest/"+ref, e.Seq)
	if gatehouse.Is(err, gatehouse.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	var r gatehouse.SupportRequest
	if err := json.Unmarshal(rec.Value, &r); err != nil {
		return gatehouse.E(gatehouse.Internal, "reading %q: %w", rec.Key, err)
	}
	a.own[r.From], a.provider = true, a.provider || r.Provider
	if r.To != "" {
		a.own[r.To] = true
	}
	return nil
}

// subscribers adds the teams whose applications use the API. They learn that it
// happened; the difference stays with its owner.
func (n *Notify) subscribers(ctx context.Context, e *gatehouse.Event, ref string, a audience) error {
	api, _, _ := strings.Cut(ref, "@")
	at := store.Seq(e.Seq)
	products := map[string]bool{}
	for _, q := range []store.Query{{Kind: string(gatehouse.KindProduct), Where: map[string]string{"ref:API/" + api: "1"}, AsOf: at, Limit: 500}} {
		err := n.each(ctx, q, func(rec *store.Record) { products[strings.TrimPrefix(rec.Key, "Product/")] = true })
		if err != nil {
			return err
		}
	}
	left := maxTouched
	for _, p := range slices.Sorted(maps.Keys(products)) {
		for _, state := range []string{gatehouse.Approved, gatehouse.Suspended, gatehouse.Requested} {
			q := store.Query{Kind: string(gatehouse.KindSubscription), Where: map[string]string{"product": p, "state": state}, AsOf: at, Limit: 500}
			err := n.each(ctx, q, func(rec *store.Record) {
				if left--; left < 0 {
					return
				}
				if team, _, ok := strings.Cut(strings.TrimPrefix(rec.Key, "Subscription/"), "/"); ok && !a.own[team] {
					a.touched[team] = true
				}
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
