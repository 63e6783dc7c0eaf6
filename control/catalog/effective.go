package catalog

import (
	"cmp"
	"time"

	"gatehouse"
	"gatehouse/jsonx"
)

// Effective is the view with what the document leaves out filled in: the
// defaults that the kinds' fields document. What was sent stays as it is.
func (v *View) Effective() (*View, error) {
	o := new(gatehouse.Object)
	if err := o.UnmarshalJSON(v.Text); err != nil {
		return nil, gatehouse.E(gatehouse.Internal, "reading %s: %w", v.Object.Ref(), err)
	}
	switch s := o.Spec.(type) {
	case *gatehouse.API:
		s.Audience = cmp.Or(s.Audience, "internal")
		for i := range s.Versions {
			s.Versions[i].Lifecycle = cmp.Or(s.Versions[i].Lifecycle, "published")
			s.Versions[i].Access = cmp.Or(s.Versions[i].Access, "subscription")
		}
	case *gatehouse.Backend:
		for name, e := range s.Environments {
			fillBackend(&e)
			s.Environments[name] = e
		}
	case *gatehouse.Product:
		fillProduct(s)
	case *gatehouse.Environment:
		s.KeyHeader = cmp.Or(s.KeyHeader, "X-API-Key")
		rule := gatehouse.ReleaseRule{Mode: mode(s)}
		if s.Release != nil {
			rule.After = s.Release.After
		}
		s.Release = &rule
	case *gatehouse.Gateway:
		s.Runtime = cmp.Or(s.Runtime, "gatehouse")
	case *gatehouse.Framework:
		for i := range s.Versions {
			s.Versions[i].State = cmp.Or(s.Versions[i].State, "draft")
			for j := range s.Versions[i].Controls {
				s.Versions[i].Controls[j].Level = cmp.Or(s.Versions[i].Controls[j].Level, "required")
			}
		}
	}
	out := *v
	out.Object = o
	var err error
	out.Text, err = o.Canonical()
	return &out, err
}

func fillBackend(e *gatehouse.BackendEnvironment) {
	e.Timeout = cmp.Or(e.Timeout, jsonx.Duration(30*time.Second))
	e.Connect = cmp.Or(e.Connect, jsonx.Duration(5*time.Second))
	e.Protocol = cmp.Or(e.Protocol, "http1")
	e.MaxConnections = cmp.Or(e.MaxConnections, 1024)
	for i := range e.Targets {
		e.Targets[i].Weight = cmp.Or(e.Targets[i].Weight, 1)
	}
	if h := e.Health; h != nil {
		h.Interval = cmp.Or(h.Interval, jsonx.Duration(10*time.Second))
		h.Timeout = cmp.Or(h.Timeout, jsonx.Duration(2*time.Second))
		h.Healthy, h.Unhealthy = cmp.Or(h.Healthy, 2), cmp.Or(h.Unhealthy, 3)
	}
}

func fillProduct(s *gatehouse.Product) {
	s.Audience = cmp.Or(s.Audience, "internal")
	for i := range s.Plans {
		p := &s.Plans[i]
		p.Approval, p.Audience = cmp.Or(p.Approval, "manual"), cmp.Or(p.Audience, s.Audience)
		if p.RateLimit != nil {
			p.RateLimit.Burst, p.RateLimit.Scope = cmp.Or(p.RateLimit.Burst, p.RateLimit.Requests), cmp.Or(p.RateLimit.Scope, "gateway")
		}
		if p.Quota != nil {
			p.Quota.Scope = cmp.Or(p.Quota.Scope, "environment")
		}
	}
}
