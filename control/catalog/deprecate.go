package catalog

import (
	"context"
	"encoding/json"
	"fmt"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// maxNotices bounds how many applications one change tells one by one.
const maxNotices = 1000

// A notice tells the owner of an application that a version it may use goes.
type notice struct {
	Application string `json:"application"`
	API         string `json:"api"`
	Version     string `json:"version"`
	Since       string `json:"since,omitempty"`
	Sunset      string `json:"sunset,omitempty"`
	Successor   string `json:"successor,omitempty"`
}

// deprecate puts on record, for every application with a subscription, that a
// version became deprecated or that its dates changed: what tells owners
// follows the trail.
func (p *Plan) deprecate(ctx context.Context) error {
	for _, it := range p.apis() {
		if !it.changed {
			continue
		}
		for i, v := range it.object.Spec.(*gatehouse.API).Versions {
			was := it.wasVersion(v.Name)
			if v.Lifecycle != "deprecated" || was != nil && was.Lifecycle == "deprecated" && sameDeprecation(was.Deprecation, v.Deprecation) {
				continue
			}
			if err := p.tell(ctx, it, &it.object.Spec.(*gatehouse.API).Versions[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func sameDeprecation(a, b *gatehouse.Deprecation) bool {
	return a == b || a != nil && b != nil && *a == *b
}

func (p *Plan) tell(ctx context.Context, it *item, v *gatehouse.Version) error {
	apps, err := p.subscribed(ctx, it.object.Metadata, v.Name)
	if err != nil {
		return err
	}
	n := notice{API: it.ref, Version: v.Name}
	if d := v.Deprecation; d != nil {
		n.Since, n.Sunset, n.Successor = d.Since, d.Sunset, d.Successor
	}
	reason := fmt.Sprintf("%s@%s is deprecated", n.API, n.Version)
	if n.Sunset != "" {
		reason += ", and goes on " + n.Sunset
	}
	if n.Successor != "" {
		reason += "; use " + n.Successor
	}
	for i, app := range apps {
		if i == maxNotices {
			p.notices = append(p.notices, audit.Act{Action: "api.deprecate", Object: "API " + it.ref, Team: it.object.Metadata.Team,
				Reason: fmt.Sprintf("%s; %d more applications were not told one by one", reason, len(apps)-i)})
			break
		}
		n.Application = app
		text, err := jsonx.Marshal(&n)
		if err != nil {
			return err
		}
		team, _ := gatehouse.ParseRef(app, "")
		p.notices = append(p.notices, audit.Act{Action: "api.deprecate", Object: "Application " + app, Team: team, After: text, Reason: reason})
	}
	return nil
}

// subscribed are the applications with a subscription, not ended, to a product
// that has the version.
func (p *Plan) subscribed(ctx context.Context, api gatehouse.Metadata, version string) ([]string, error) {
	products, err := p.List(ctx, store.Query{Kind: string(gatehouse.KindProduct), Where: map[string]string{"ref:" + gatehouse.Key(gatehouse.KindAPI, api.Team, api.Name): "1"}})
	if err != nil {
		return nil, err
	}
	apps := map[string]bool{}
	for _, rec := range products {
		k, err := p.object(ctx, rec.Key)
		if err != nil {
			return nil, err
		}
		if !bundles(k.object, api, version) {
			continue
		}
		q := store.Query{Kind: string(gatehouse.KindSubscription), Where: map[string]string{"product": k.object.Metadata.Ref()}, Limit: batchOfKeys}
		for {
			page, err := p.db.List(ctx, q)
			if err != nil {
				return nil, err
			}
			for _, rec := range page.Records {
				if app, err := livingApplication(rec); err != nil {
					return nil, err
				} else if app != "" {
					apps[app] = true
				}
			}
			if page.Next == "" {
				break
			}
			q.After = page.Next
		}
	}
	return sorted(apps), nil
}

// bundles tells whether a product has a version of an API.
func bundles(product *gatehouse.Object, api gatehouse.Metadata, version string) bool {
	for _, ref := range product.Spec.(*gatehouse.Product).APIs {
		team, name, v, _ := gatehouse.ParseVersionRef(ref, product.Metadata.Team)
		if team == api.Team && name == api.Name && (v == "" || v == version) {
			return true
		}
	}
	return false
}

// livingApplication is the application of a subscription that has not ended, "" for
// one that has.
func livingApplication(rec store.Record) (string, error) {
	k, err := keptOf(rec)
	if err != nil {
		return "", err
	}
	var status gatehouse.SubscriptionStatus
	if err := json.Unmarshal(k.stored.Status, &status); err != nil {
		return "", gatehouse.E(gatehouse.Internal, "reading %q: %w", rec.Key, err)
	}
	switch status.State {
	case gatehouse.Requested, gatehouse.Approved, gatehouse.Suspended:
		return qualify(k.object.Spec.(*gatehouse.Subscription).Application, k.object.Metadata.Team), nil
	}
	return "", nil
}
