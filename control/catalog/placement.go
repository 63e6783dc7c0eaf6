package catalog

import (
	"context"
	"fmt"
	"strings"

	"gatehouse"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// A stray is a target of a backend that personal data may not be sent to.
type stray struct {
	target int
	text   string // why, from the API's side
	known  bool   // where it lies is said
}

// strays are the targets of a backend in an environment that lie outside of the
// jurisdictions that an API's personal data may not leave. A target that says
// nothing lies where its environment does; where that says nothing either, it
// is outside.
func strays(api string, data *gatehouse.Data, backend, env string, e *gatehouse.Environment, b gatehouse.BackendEnvironment) (all []stray) {
	if data == nil || !data.Personal || len(data.Jurisdictions) == 0 {
		return nil
	}
	for i, t := range b.Targets {
		lies := ""
		if t.Location != nil {
			lies = t.Location.Jurisdiction
		}
		if lies == "" && e != nil {
			lies = e.Jurisdiction
		}
		if gatehouse.MayPass(data.Jurisdictions, lies) {
			continue
		}
		where := fmt.Sprintf("lies in %s (Backend %s environments.%s.targets[%d].location.jurisdiction)", lies, backend, env, i)
		if lies == "" {
			where = fmt.Sprintf("lies nobody says where: set location.jurisdiction of Backend %s environments.%s.targets[%d], or jurisdiction of Environment %s", backend, env, i, env)
		}
		all = append(all, stray{i, fmt.Sprintf("personal data may not leave %s (API %s data.jurisdictions), and target %q %s", strings.Join(data.Jurisdictions, ", "), api, t.URL, where), lies != ""})
	}
	return all
}

// placement refuses APIs and backends that would send personal data out of its
// jurisdictions: wherever a target says so, and where an environment takes
// revisions by itself also where nothing is said.
func (p *Plan) placement(ctx context.Context) error {
	looked := map[string]bool{}
	for _, it := range p.order {
		switch s := specOf2(it).(type) {
		case *gatehouse.API:
			if !it.changed {
				continue
			}
			for _, v := range s.Versions {
				if v.Backend == "" || !v.Served() {
					continue
				}
				if err := p.placeOn(ctx, it.object, "Backend/"+qualify(v.Backend, it.object.Metadata.Team), looked); err != nil {
					return err
				}
			}
		case *gatehouse.Backend:
			if !it.changed {
				continue
			}
			users, err := p.List(ctx, store.Query{Kind: string(gatehouse.KindAPI), Where: map[string]string{"ref:" + it.key: "1"}})
			if err != nil {
				return err
			}
			for _, rec := range users {
				o, err := p.After(ctx, rec.Key)
				if err != nil {
					return err
				}
				if o == nil {
					continue
				}
				if err := p.placeOn(ctx, o, it.key, looked); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func specOf2(it *item) gatehouse.Spec {
	if it.deleted() {
		return nil
	}
	return it.object.Spec
}

// placeOn reports what is astray between an API and a backend, once.
func (p *Plan) placeOn(ctx context.Context, api *gatehouse.Object, key string, looked map[string]bool) error {
	if pair := api.Key() + " " + key; looked[pair] {
		return nil
	} else {
		looked[pair] = true
	}
	o, err := p.After(ctx, key)
	if err != nil || o == nil {
		return err
	}
	b := o.Spec.(*gatehouse.Backend)
	for _, env := range sorted(b.Environments) {
		e := p.Environments[env]
		for _, s := range strays(api.Metadata.Ref(), api.Spec.(*gatehouse.API).Data, o.Metadata.Ref(), env, e, b.Environments[env]) {
			if !s.known && (e == nil || mode(e) != "automatic") {
				continue
			}
			p.Fault(api.Ref(), "/spec/data/jurisdictions", s.text)
			p.Fault(o.Ref(), jsonx.Pointer("spec", "environments", env, "targets", itoa(s.target)), s.text)
		}
	}
	return nil
}
