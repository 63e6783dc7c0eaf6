package compile

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/policy"
	"gatehouse/snapshot"
)

// Inputs are all the records that one API chunk is made of.
type Inputs struct {
	EnvironmentName string
	Environment     *gatehouse.Environment
	Revision        *gatehouse.Revision
	Operations      []gatehouse.Operation     // of the definition
	Backend         *gatehouse.Backend        // nil when there is none
	Framework       *gatehouse.Framework      // nil when there is none
	Standing        *gatehouse.FrameworkState // of that framework; nil when nothing is on record
	Text            *gatehouse.FrameworkText  // of the version in force, as it was approved; nil when there is none
	// Set finds policy sets that framework and environment include; those of
	// the version are in its revision.
	Set func(ref string) ([]gatehouse.PolicyUse, bool)
	// PathOf is the public path of another version that is live in the
	// environment, "" for none: where a deprecated version's successor is.
	PathOf func(id string) string
}

// API compiles one API version. It returns nil for a version that is not to be
// served: retired, or still in design.
func API(in *Inputs) (*snapshot.API, error) {
	form := &in.Revision.Form
	v := &form.Version
	if v.Lifecycle == "retired" || v.Lifecycle == "design" {
		return nil, nil
	}
	a := &snapshot.API{
		Team: form.Team, Name: form.Name, Version: v.Name, Revision: in.Revision.Hash,
		Hosts: hosts(v.Hosts), Path: strings.TrimRight(v.Path, "/"), Access: v.Access, Lifecycle: v.Lifecycle,
		Any: v.AllowUndefined || v.Definition == "",
	}
	if a.Access == "" {
		a.Access = "subscription"
	}
	if a.Lifecycle == "" {
		a.Lifecycle = "published"
	}
	if err := deprecation(a, in); err != nil {
		return nil, err
	}
	var err error
	if a.Mandatory, err = (chain{in.Set, in.Environment.Variables}).mandatory(in); err != nil {
		return nil, err
	}
	own := chain{func(ref string) ([]gatehouse.PolicyUse, bool) {
		uses, ok := form.PolicySets[ref]
		return uses, ok
	}, in.Environment.Variables}
	if a.Policies, err = own.expand(v.Policies, form.Team, "api"); err != nil {
		return nil, err
	}
	if a.Operations, err = operations(in, own); err != nil {
		return nil, err
	}
	mocked := examples(a)
	a.Backend, err = backend(in, mocked)
	return a, err
}

// deprecation fills the Deprecation and Sunset fields and the successor's link.
// A version that is deprecated without a date is so since its revision.
func deprecation(a *snapshot.API, in *Inputs) error {
	d := in.Revision.Form.Version.Deprecation
	if a.Lifecycle != "deprecated" {
		return nil
	}
	a.Deprecated = in.Revision.Created.Unix()
	if d == nil {
		return nil
	}
	var err error
	if d.Since != "" {
		if a.Deprecated, err = date(d.Since); err != nil {
			return fmt.Errorf("deprecation: since: %w", err)
		}
	}
	if d.Sunset != "" {
		if a.Sunset, err = date(d.Sunset); err != nil {
			return fmt.Errorf("deprecation: sunset: %w", err)
		}
	}
	a.Successor = d.Successor
	if id, ok := successor(&in.Revision.Form); ok {
		a.Successor = in.PathOf(id)
	}
	return nil
}

// successor is the "team/name@version" that follows a deprecated version;
// false when it names none or a URL.
func successor(form *gatehouse.RevisionForm) (string, bool) {
	d := form.Version.Deprecation
	switch {
	case form.Version.Lifecycle != "deprecated", d == nil, d.Successor == "", strings.Contains(d.Successor, "://"):
		return "", false
	case !strings.Contains(d.Successor, "@"):
		return form.Team + "/" + form.Name + "@" + d.Successor, true
	}
	t, n, version, _ := gatehouse.ParseVersionRef(d.Successor, form.Team)
	return t + "/" + n + "@" + version, true
}

func date(text string) (int64, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a date such as \"2027-01-31\"", text)
	}
	return t.Unix(), nil
}

func hosts(list []string) []string {
	out := make([]string, 0, len(list))
	for _, h := range list {
		out = append(out, strings.ToLower(h))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// examples keeps examples only where a mock policy can use them and tells
// whether every request the API takes is mocked, so that it needs no backend.
func examples(a *snapshot.API) bool {
	all := mocks(a.Mandatory) || mocks(a.Policies)
	every := all || !a.Any && len(a.Operations) > 0
	for i := range a.Operations {
		if op := &a.Operations[i]; !all && !mocks(op.Policies) {
			op.Examples, every = nil, false
		}
	}
	return every
}

func mocks(steps []policy.Use) bool {
	return slices.ContainsFunc(steps, func(u policy.Use) bool { return u.Name == "mock" })
}
