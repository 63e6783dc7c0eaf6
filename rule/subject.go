package rule

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/policy"
)

// A Subject is a revision of an API version in an environment, with all that
// controls may ask about. It is asked by one goroutine at a time.
type Subject struct {
	Revision string
	Form     *gatehouse.RevisionForm
	API      *gatehouse.API    // the document as it is, for what no revision holds
	Labels   map[string]string // of the API

	EnvironmentName string
	Environment     *gatehouse.Environment
	Gateways        []Gateway // of the environment, by name
	// Backend in the environment; nil when the version has none there.
	BackendName string
	Backend     *gatehouse.BackendEnvironment

	FrameworkName    string
	FrameworkVersion string

	// Operations with the chain each request goes through. A version without a
	// definition has those that its policies name, and one with ID "*" for all
	// others.
	Operations []Operation

	// Published is the last published revision that a change is compared with;
	// nil when nothing is published yet.
	Published *gatehouse.RevisionForm

	// Read gets the content of a definition's file by its SHA-256.
	Read func(hash string) ([]byte, error)

	files  map[string][]byte
	places map[string]Place
	views  map[string]any
}

// A Gateway is a gateway with its name.
type Gateway struct {
	Name string
	*gatehouse.Gateway
}

// An Operation is one operation with its effective chain.
type Operation struct {
	ID, Method, Path, Summary string
	Chain                     []policy.Use
}

// Title is how the operation is called where people read it.
func (o *Operation) Title() string {
	if o.ID == "*" {
		return "every request"
	}
	return o.ID
}

func (s *Subject) audience() string { return cmp.Or(s.Form.Audience, "internal") }

func (s *Subject) classification() string {
	if s.Form.Data == nil {
		return ""
	}
	return s.Form.Data.Classification
}

func (s *Subject) data() gatehouse.Data {
	if s.Form.Data == nil {
		return gatehouse.Data{}
	}
	return *s.Form.Data
}

// api is "payments/orders", and object how documents name it.
func (s *Subject) api() string    { return s.Form.Team + "/" + s.Form.Name }
func (s *Subject) object() string { return "API " + s.api() }

// field is a place in the API's document below the version, in the version's
// order there.
func (s *Subject) field(rest string) string {
	i := 0
	if s.API != nil {
		i = max(0, slices.IndexFunc(s.API.Versions, func(v gatehouse.Version) bool { return v.Name == s.Form.Version.Name }))
	}
	return strings.TrimSuffix(fmt.Sprintf("spec.versions[%d].%s", i, rest), ".")
}

// main is the path of the definition's main file, "" without one.
func (s *Subject) main() string {
	if s.Form.Version.Definition == "" {
		return ""
	}
	return path.Clean(s.Form.Version.Definition)
}

// contents are the definition's files by path.
func (s *Subject) contents() (map[string][]byte, error) {
	if s.files == nil {
		files, err := read(s.Form, s.Read)
		if err != nil {
			return nil, err
		}
		s.files = files
	}
	return s.files, nil
}

func read(form *gatehouse.RevisionForm, get func(string) ([]byte, error)) (map[string][]byte, error) {
	files := make(map[string][]byte, len(form.Files))
	for _, name := range slices.Sorted(maps.Keys(form.Files)) {
		data, err := get(form.Files[name])
		if err != nil {
			return nil, fmt.Errorf("reading %q of revision: %w", name, err)
		}
		files[path.Clean(name)] = data
	}
	return files, nil
}

// sums are the hashes of a definition's files by path.
func sums(form *gatehouse.RevisionForm) map[string]string {
	all := make(map[string]string, len(form.Files))
	for name, sum := range form.Files {
		all[path.Clean(name)] = sum
	}
	return all
}

// at places a finding about an operation: in the definition where it has one,
// and in the API's document.
func (s *Subject) at(o *Operation) gatehouse.GateFinding {
	f := gatehouse.GateFinding{Object: s.object()}
	if o == nil {
		return f
	}
	f.Operation = o.Title()
	if p, ok := s.place(o.Method, o.Path); ok {
		f.File, f.Line, f.Column = p.File, p.Line, p.Column
	}
	return f
}

// views made of a subject are shared by its controls.
func (s *Subject) view(name string, make func() (any, error)) (any, error) {
	if v, ok := s.views[name]; ok {
		return v, nil
	}
	v, err := make()
	if err != nil {
		return nil, err
	}
	if s.views == nil {
		s.views = map[string]any{}
	}
	s.views[name] = v
	return v, nil
}
