package compile

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/snapshot"
)

// operations joins the definition's operations with what the version attaches
// to them. An attachment finds its operation by operationId or by method and
// path; one that finds none is an error, never dropped. A version without a
// definition has the operations that its attachments name.
func operations(in *Inputs, own chain) ([]snapshot.Operation, error) {
	form := &in.Revision.Form
	out := make([]snapshot.Operation, 0, len(in.Operations))
	byName := make(map[string]int, 2*len(in.Operations))
	for i, o := range in.Operations {
		out = append(out, snapshot.Operation{ID: o.ID, Method: o.Method, Path: o.Path, Matrix: o.Matrix, Examples: o.Examples})
		byName[o.Method+" "+o.Path] = i
	}
	for i, o := range in.Operations { // an operationId goes before a method and path that read alike
		byName[o.ID] = i
	}
	attached := form.Version.Operations
	for _, name := range slices.Sorted(maps.Keys(attached)) {
		at, ok := byName[name]
		if !ok && form.Version.Definition == "" {
			method, path, named := strings.Cut(name, " ")
			if ok = named && strings.HasPrefix(path, "/"); ok {
				at = len(out)
				out = append(out, snapshot.Operation{ID: name, Method: strings.ToUpper(method), Path: path})
			}
		}
		if !ok {
			return nil, fmt.Errorf("policies are attached to operation %q, which the definition does not have", name)
		}
		steps, err := own.expand(attached[name].Policies, form.Team, "operation "+name)
		if err != nil {
			return nil, err
		}
		out[at].Policies = append(out[at].Policies, steps...)
	}
	return out, nil
}

// backend binds the version's backend in the environment. None is needed where
// every request is mocked.
func backend(in *Inputs, mocked bool) (snapshot.Backend, error) {
	form := &in.Revision.Form
	if form.Version.Backend == "" {
		if mocked {
			return snapshot.Backend{}, nil
		}
		return snapshot.Backend{}, fmt.Errorf("version %q names no backend, and not all of its operations are mocked", form.Version.Name)
	}
	ref := qualify(form.Version.Backend, form.Team)
	if in.Backend == nil {
		return snapshot.Backend{}, fmt.Errorf("backend %q does not exist", ref)
	}
	e, ok := in.Backend.Environments[in.EnvironmentName]
	switch {
	case !ok:
		return snapshot.Backend{}, fmt.Errorf("backend %q has no targets in environment %q", ref, in.EnvironmentName)
	case len(e.Targets) == 0:
		return snapshot.Backend{}, fmt.Errorf("backend %q lists no target in environment %q", ref, in.EnvironmentName)
	case e.TLS != nil && e.TLS.Insecure && in.Environment.Stage != "dev":
		return snapshot.Backend{}, fmt.Errorf("backend %q skips verification of certificates, which only environments of stage dev may", ref)
	}
	return target(ref, &e), nil
}

func target(ref string, e *gatehouse.BackendEnvironment) snapshot.Backend {
	b := snapshot.Backend{
		Name: ref, Timeout: e.Timeout, Connect: e.Connect, PassHost: e.PassHost, PassKey: e.PassKey, PassToken: e.PassToken,
		HTTP2: e.Protocol == "http2", MaxConnections: e.MaxConnections,
	}
	for _, t := range e.Targets {
		s := snapshot.Target{URL: t.URL, Weight: t.Weight}
		if t.Location != nil {
			s.Cloud, s.Region = t.Location.Cloud, t.Location.Region
		}
		b.Targets = append(b.Targets, s)
	}
	if r := e.Retries; r != nil {
		b.Retries = snapshot.Retries{Attempts: r.Attempts, On: r.On}
	}
	if h := e.Health; h != nil {
		b.Health = snapshot.Health{Path: h.Path, Interval: h.Interval, Timeout: h.Timeout, Healthy: h.Healthy, Unhealthy: h.Unhealthy, Statuses: h.Statuses}
	}
	if t := e.TLS; t != nil {
		b.TLS = snapshot.TLS{CA: t.CA, ServerName: t.ServerName, Cert: t.Cert, Key: t.Key, Insecure: t.Insecure}
	}
	return b
}
