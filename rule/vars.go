package rule

import (
	"cmp"
	"net/url"
	"time"

	"gatehouse"
	"gatehouse/expr"
	"gatehouse/policy"
)

// Types of what expressions ask about. Every field is always there: what a
// document leaves out has its default, or is empty.
var (
	locationType = expr.Object("location", map[string]*expr.Type{
		"cloud": expr.String, "region": expr.String, "jurisdiction": expr.String, "network": expr.String,
	})
	useType = expr.Object("policy", map[string]*expr.Type{"name": expr.String, "config": expr.Any, "from": expr.String})
	apiType = expr.Object("api", map[string]*expr.Type{
		"team": expr.String, "name": expr.String, "title": expr.String, "summary": expr.String, "framework": expr.String, "audience": expr.String,
		"labels": expr.Map(expr.String), "versions": expr.List(expr.String),
		"data":    expr.Object("data", map[string]*expr.Type{"classification": expr.String, "personal": expr.Bool, "jurisdictions": expr.List(expr.String)}),
		"support": expr.Object("support", map[string]*expr.Type{"contact": expr.String, "hours": expr.String, "docs": expr.String}),
	})
	versionType = expr.Object("version", map[string]*expr.Type{
		"name": expr.String, "lifecycle": expr.String, "path": expr.String, "hosts": expr.List(expr.String), "access": expr.String,
		"backend": expr.String, "definition": expr.String, "allowUndefined": expr.Bool, "policies": expr.List(useType),
		"deprecation": expr.Object("deprecation", map[string]*expr.Type{"since": expr.String, "sunset": expr.String, "successor": expr.String}),
	})
	operationType = expr.Object("operation", map[string]*expr.Type{
		"id": expr.String, "method": expr.String, "path": expr.String, "summary": expr.String, "policies": expr.List(useType),
	})
	environmentType = expr.Object("environment", map[string]*expr.Type{
		"name": expr.String, "title": expr.String, "stage": expr.String, "hosts": expr.List(expr.String), "jurisdiction": expr.String,
		"keyHeader": expr.String, "policies": expr.List(useType),
		"release": expr.Object("release", map[string]*expr.Type{"mode": expr.String, "after": expr.List(expr.String)}),
	})
	gatewayType = expr.Object("gateway", map[string]*expr.Type{
		"name": expr.String, "title": expr.String, "runtime": expr.String, "url": expr.String, "location": locationType,
	})
	backendType = expr.Object("backend", map[string]*expr.Type{
		"name": expr.String, "timeout": expr.Number, "connect": expr.Number, "protocol": expr.String, "maxConnections": expr.Int,
		"passHost": expr.Bool, "passKey": expr.Bool, "passToken": expr.Bool, "insecure": expr.Bool, "retries": expr.Int, "health": expr.String,
		"targets": expr.List(expr.Object("target", map[string]*expr.Type{
			"url": expr.String, "scheme": expr.String, "host": expr.String, "weight": expr.Int, "location": locationType,
		})),
	})
	frameworkType = expr.Object("framework", map[string]*expr.Type{"name": expr.String, "version": expr.String})
)

// Variables are what an expression may ask about when it is asked once
// ("version"), or for each operation or gateway.
func Variables(each string) expr.Vars {
	v := expr.Vars{
		"api": apiType, "version": versionType, "operations": expr.List(operationType), "environment": environmentType,
		"gateways": expr.List(gatewayType), "backend": backendType, "framework": frameworkType,
	}
	switch each {
	case "operation":
		v["operation"] = operationType
	case "gateway":
		v["gateway"] = gatewayType
	}
	return v
}

type fields = map[string]any

// values are the subject as expressions see it.
func (s *Subject) values() (map[string]any, error) {
	v, err := s.view("values", func() (any, error) {
		version, err := s.versionValue()
		if err != nil {
			return nil, err
		}
		env, err := s.environmentValue()
		if err != nil {
			return nil, err
		}
		operations := []any{}
		for i := range s.Operations {
			o := &s.Operations[i]
			chain, err := chainValue(o.Chain)
			if err != nil {
				return nil, err
			}
			operations = append(operations, fields{"id": o.ID, "method": o.Method, "path": o.Path, "summary": o.Summary, "policies": chain})
		}
		gateways := []any{}
		for _, g := range s.Gateways {
			gateways = append(gateways, fields{
				"name": g.Name, "title": g.Title, "runtime": cmp.Or(g.Runtime, "gatehouse"), "url": g.URL, "location": locationValue(g.Location),
			})
		}
		return fields{
			"api": s.apiValue(), "version": version, "operations": operations, "environment": env, "gateways": gateways,
			"backend": s.backendValue(), "framework": fields{"name": s.FrameworkName, "version": s.FrameworkVersion},
		}, nil
	})
	if err != nil {
		return nil, err
	}
	return v.(fields), nil
}

func (s *Subject) apiValue() fields {
	d, api := s.data(), s.API
	if api == nil {
		api = new(gatehouse.API)
	}
	support := gatehouse.Support{}
	if api.Support != nil {
		support = *api.Support
	}
	labels, versions := fields{}, []any{}
	for k, v := range s.Labels {
		labels[k] = v
	}
	for _, v := range api.Versions {
		versions = append(versions, v.Name)
	}
	return fields{
		"team": s.Form.Team, "name": s.Form.Name, "title": api.Title, "summary": api.Summary, "framework": s.Form.Framework, "audience": s.audience(),
		"labels": labels, "versions": versions,
		"data":    fields{"classification": d.Classification, "personal": d.Personal, "jurisdictions": anys(d.Jurisdictions)},
		"support": fields{"contact": support.Contact, "hours": support.Hours, "docs": support.Docs},
	}
}

func access(v *gatehouse.Version) string { return cmp.Or(v.Access, "subscription") }

func (s *Subject) versionValue() (fields, error) {
	v := &s.Form.Version
	d := gatehouse.Deprecation{}
	if v.Deprecation != nil {
		d = *v.Deprecation
	}
	policies, err := chainValue(s.bound(v.Policies, "api"))
	return fields{
		"name": v.Name, "lifecycle": cmp.Or(v.Lifecycle, "published"), "path": v.Path, "hosts": anys(v.Hosts), "access": access(v),
		"backend": v.Backend, "definition": v.Definition, "allowUndefined": v.AllowUndefined, "policies": policies,
		"deprecation": fields{"since": d.Since, "sunset": d.Sunset, "successor": d.Successor},
	}, err
}

func (s *Subject) environmentValue() (fields, error) {
	e := s.Environment
	r := gatehouse.ReleaseRule{}
	if e.Release != nil {
		r = *e.Release
	}
	if r.Mode == "" {
		if r.Mode = "manual"; e.Stage == "dev" {
			r.Mode = "automatic"
		}
	}
	policies, err := chainValue(s.bound(e.Policies, "environment "+s.EnvironmentName))
	return fields{
		"name": s.EnvironmentName, "title": e.Title, "stage": e.Stage, "hosts": anys(e.Hosts), "jurisdiction": e.Jurisdiction,
		"keyHeader": cmp.Or(e.KeyHeader, "X-API-Key"), "policies": policies, "release": fields{"mode": r.Mode, "after": anys(r.After)},
	}, err
}

// backendValue has durations in seconds.
func (s *Subject) backendValue() fields {
	e := s.Backend
	if e == nil {
		e = new(gatehouse.BackendEnvironment)
	}
	seconds := func(d, otherwise time.Duration) float64 { return cmp.Or(d, otherwise).Seconds() }
	retries, health := int64(0), ""
	if e.Retries != nil {
		retries = int64(e.Retries.Attempts)
	}
	if e.Health != nil {
		health = e.Health.Path
	}
	targets := []any{}
	for _, t := range e.Targets {
		u, err := url.Parse(t.URL)
		if err != nil {
			u = new(url.URL)
		}
		targets = append(targets, fields{
			"url": t.URL, "scheme": u.Scheme, "host": u.Hostname(), "weight": int64(cmp.Or(t.Weight, 1)), "location": locationValue(t.Location),
		})
	}
	return fields{
		"name": s.BackendName, "timeout": seconds(e.Timeout.Std(), 30*time.Second), "connect": seconds(e.Connect.Std(), 5*time.Second),
		"protocol": cmp.Or(e.Protocol, "http1"), "maxConnections": int64(cmp.Or(e.MaxConnections, 1024)), "passHost": e.PassHost, "passKey": e.PassKey,
		"passToken": e.PassToken, "insecure": e.TLS != nil && e.TLS.Insecure, "retries": retries, "health": health, "targets": targets,
	}
}

func locationValue(l *gatehouse.Location) fields {
	if l == nil {
		l = new(gatehouse.Location)
	}
	return fields{"cloud": l.Cloud, "region": l.Region, "jurisdiction": l.Jurisdiction, "network": l.Network}
}

// bound are policies as they are written, with the environment's variables in
// their place. Secrets stay names: no expression sees one.
func (s *Subject) bound(uses []gatehouse.PolicyUse, from string) (chain []policy.Use) {
	for _, u := range uses {
		config, _ := u.Resolve(s.Environment.Variables)
		chain = append(chain, policy.Use{Name: u.Name, Config: config, From: from})
	}
	return chain
}

func chainValue(chain []policy.Use) ([]any, error) {
	all := []any{}
	for _, u := range chain {
		config := any(fields{})
		if u.Name == gatehouse.PolicySetUse {
			var err error
			if config, err = expr.FromJSON(u.Config); err != nil {
				return nil, err
			}
		} else if v, err := effective(u.Name, u.Config); err == nil {
			config = v
		}
		all = append(all, fields{"name": u.Name, "config": config, "from": u.From})
	}
	return all, nil
}

func anys(list []string) []any {
	all := make([]any, len(list))
	for i, v := range list {
		all[i] = v
	}
	return all
}
