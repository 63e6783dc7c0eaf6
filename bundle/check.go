package bundle

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/jsonx"
	"gatehouse/policy"
	"gatehouse/rule"
)

// A Lookup finds an object that is not in the bundle, nil when there is none.
type Lookup func(kind gatehouse.Kind, team, name string) (*gatehouse.Object, error)

// CheckOptions say what a bundle is checked against.
type CheckOptions struct {
	// Policies finds a policy by name; nil leaves configurations unread.
	Policies func(name string) (policy.Kind, bool)
	// PolicyNames are all names, to suggest one.
	PolicyNames []string
	// Actions are what a role can permit; nil: it is not known.
	Actions []string
	// Lookup finds what is stored already. Without it (no server), references
	// into the same team must be met by the bundle; whether an organization's
	// or another team's object exists cannot be known and is a note.
	Lookup Lookup
	// Strict makes notes on references faults: the bundle must be complete.
	Strict bool
	// Partial makes faults on references notes: the bundle is a part.
	Partial bool
	// Claims are the stored versions with a base path; nil: none are known.
	Claims func(path string) ([]Claim, error)
}

// Findings are what a check found. Notes keep nothing from being applied.
type Findings struct {
	Faults, Notes []gatehouse.Fault
	// Elsewhere are objects, "environment \"prod\"", that the files refer to and
	// only a server has, each once and sorted; one that looks misspelt is a note.
	Elsewhere []string
}

// Err is the faults as one error of kind gatehouse.Invalid, nil without any.
func (f Findings) Err() error { return gatehouse.InvalidFaults(clip(f.Faults)) }

// Check checks the documents of a decoded bundle against one another, their
// definitions, and what the options know. The error is one of Lookup or Claims;
// what is wrong with the bundle is in the findings.
func Check(b *Bundle, o CheckOptions) (Findings, error) {
	c := &checker{CheckOptions: o, bundle: b, own: make(map[string]*Document, len(b.Documents))}
	c.found.Faults = duplicates(b)
	for i := range b.Documents {
		if d := &b.Documents[i]; d.object != nil {
			c.own[d.object.Key()] = d
		}
	}
	for i := range b.Documents {
		if d := &b.Documents[i]; d.object != nil && c.err == nil {
			c.document(d)
		}
		if len(c.found.Faults) >= MaxFaults {
			break
		}
	}
	c.routes()
	c.found.Faults = clip(c.found.Faults)
	return c.found, c.err
}

type checker struct {
	CheckOptions
	bundle *Bundle
	own    map[string]*Document
	found  Findings
	err    error
}

func (c *checker) fault(d *Document, pointer []string, format string, args ...any) {
	c.found.Faults = append(c.found.Faults, d.fault(jsonx.Pointer(pointer...), format, args...))
}

// at is a pointer into the spec.
func at(parts ...any) []string {
	out := []string{"spec"}
	for _, p := range parts {
		out = append(out, fmt.Sprint(p))
	}
	return out
}

// find looks for an object in the bundle, then in the store.
func (c *checker) find(kind gatehouse.Kind, team, name string) (*gatehouse.Object, error) {
	if d, ok := c.own[gatehouse.Key(kind, team, name)]; ok {
		return d.object, nil
	}
	if c.Lookup == nil {
		return nil, nil
	}
	o, err := c.Lookup(kind, team, name)
	if err != nil {
		err = fmt.Errorf("looking up %s %q: %w", kind, gatehouse.Metadata{Team: team, Name: name}.Ref(), err)
	}
	return o, err
}

func (c *checker) document(d *Document) {
	c.tell(d, func(s Surroundings) ([]Finding, error) { return Inspect(d.object, s) })
	switch s := d.object.Spec.(type) {
	case *gatehouse.API:
		for i := range s.Versions {
			if v := &s.Versions[i]; v.Definition != "" {
				c.definition(d, i, v)
			}
		}
	case *gatehouse.Framework:
		for i := range s.Versions {
			c.controls(d, i, &s.Versions[i])
		}
	}
}

// tell takes in what an inspection finds.
func (c *checker) tell(d *Document, inspect func(Surroundings) ([]Finding, error)) {
	found, err := inspect(Surroundings{Find: c.find, Policies: c.Policies, PolicyNames: c.PolicyNames, Actions: c.Actions})
	for _, f := range found {
		if f.Dangling != nil {
			c.dangling(d, f.Dangling)
			continue
		}
		c.found.Faults = append(c.found.Faults, d.fault(f.Pointer, "%s", f.Detail))
	}
	c.err = cmp.Or(c.err, err)
}

func (c *checker) dangling(d *Document, r *Reference) {
	elsewhere := c.Lookup == nil && (r.Team == "" || r.Team != d.object.Metadata.Team)
	detail := fmt.Sprintf("%s %q does not exist", Noun(r.Kind), r.Text)
	if c.Lookup == nil {
		detail = fmt.Sprintf("%s %q is not in these files", Noun(r.Kind), r.Text)
	}
	near := c.near(r)
	if near != "" {
		detail += fmt.Sprintf("; did you mean %q?", near)
	}
	if elsewhere && !c.Strict && near == "" {
		name := fmt.Sprintf("%s %q", Noun(r.Kind), r.Text)
		if i, have := slices.BinarySearch(c.found.Elsewhere, name); !have && len(c.found.Elsewhere) < MaxFaults {
			c.found.Elsewhere = slices.Insert(c.found.Elsewhere, i, name)
		}
		return
	}
	f := d.fault(r.Pointer, "%s", detail)
	if c.Partial || elsewhere && !c.Strict {
		if len(c.found.Notes) < MaxFaults {
			c.found.Notes = append(c.found.Notes, f)
		}
		return
	}
	c.found.Faults = append(c.found.Faults, f)
}

// near is the bundle's object of the kind whose name is nearest.
func (c *checker) near(r *Reference) string {
	var names []string
	for _, key := range slices.Sorted(maps.Keys(c.own)) {
		if rest, ok := strings.CutPrefix(key, strings.TrimSuffix(gatehouse.Key(r.Kind, r.Team, "x"), "x")); ok {
			names = append(names, rest)
		}
	}
	return gatehouse.Nearest(r.Name, names)
}

// controls makes the controls of a version that may still change ready, as the
// gate does, and reports those that cannot be.
func (c *checker) controls(d *Document, version int, v *gatehouse.FrameworkVersion) {
	if v.State != "" && v.State != gatehouse.Draft {
		return
	}
	_, faults := rule.All(v, func(name string) ([]byte, error) {
		data, ok := c.bundle.Files[d.Files[path.Clean(name)]]
		if !ok {
			return nil, fmt.Errorf("file %q is missing", name)
		}
		return data, nil
	})
	for _, f := range faults {
		c.fault(d, append(at("versions", version), jsonx.PointerParts(f.Pointer)...), "%s", f.Detail)
	}
}

// Noun is how a kind reads in a sentence.
func Noun(k gatehouse.Kind) string {
	info, ok := gatehouse.Info(string(k))
	switch {
	case k == gatehouse.KindAPI:
		return "API"
	case !ok:
		return strings.ToLower(string(k))
	}
	return strings.ReplaceAll(strings.TrimSuffix(info.Plural, "s"), "-", " ")
}

func versionNames(a *gatehouse.API) []string {
	var names []string
	for _, v := range a.Versions {
		names = append(names, v.Name)
	}
	return names
}

// Choose is what follows an unknown word: the nearest known one, else all.
func Choose(word string, known []string) string {
	if near := gatehouse.Nearest(word, known); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	if len(known) == 0 || len(known) > 12 {
		return ""
	}
	quoted := make([]string, len(known))
	for i, k := range known {
		quoted[i] = fmt.Sprintf("%q", k)
	}
	return "; there is " + strings.Join(quoted, ", ")
}
