package catalog

import (
	"slices"

	"gatehouse"
)

// Told is the view as it is told to those who find what they may call, and have no
// role on it: what it is, and where and how it is called. How that is done stays
// with its team: backends, policies, labels, state. Of plans it holds those that
// may finds, by their audience.
func (v *View) Told(may func(audience string) bool) (*View, error) {
	o := &gatehouse.Object{APIVersion: v.Object.APIVersion, Kind: v.Object.Kind, Metadata: gatehouse.Metadata{Team: v.Object.Metadata.Team, Name: v.Object.Metadata.Name}}
	switch s := v.Object.Spec.(type) {
	case *gatehouse.Product:
		o.Spec = toldProduct(s, may)
	case *gatehouse.API:
		o.Spec = toldAPI(s)
	default:
		return nil, gatehouse.E(gatehouse.Internal, "telling %s: it is for no audience", v.Object.Ref())
	}
	out := &View{Object: o, Rev: v.Rev, Time: v.Time}
	var err error
	out.Text, err = o.Canonical()
	return out, err
}

func toldProduct(s *gatehouse.Product, may func(audience string) bool) *gatehouse.Product {
	p := *s
	p.Plans = slices.DeleteFunc(slices.Clone(s.Plans), func(plan gatehouse.Plan) bool { return plan.Audience != "" && !may(plan.Audience) })
	for i := range p.Plans {
		p.Plans[i].Policies = nil
	}
	return &p
}

func toldAPI(s *gatehouse.API) *gatehouse.API {
	a := &gatehouse.API{Title: s.Title, Summary: s.Summary, Audience: s.Audience, Data: s.Data, Support: s.Support, SLA: s.SLA}
	for _, v := range s.Versions {
		if v.Served() {
			a.Versions = append(a.Versions, gatehouse.Version{
				Name: v.Name, Lifecycle: v.Lifecycle, Deprecation: v.Deprecation, Path: v.Path, Hosts: v.Hosts, Access: v.Access,
			})
		}
	}
	return a
}
