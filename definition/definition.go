// Package definition reads API definitions: OpenAPI 2.0 to 3.2, GraphQL
// schemas, protobuf files and AsyncAPI. It says which operations a definition
// has, what they may answer, and what is wrong with the file.
//
// It reads what it is given and nothing else: no file, no network. Everything
// is bounded, because definitions come from strangers. It works on nodes that
// know their line, not on a model of the whole specification: a gateway needs
// operations, references and examples, and files that are odd elsewhere must
// still be served. Whether a definition obeys rules of style is for the gate.
package definition

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"

	"gatehouse"
	"gatehouse/yamlx"
)

// Formats of definitions.
const (
	OpenAPI  = "openapi"
	GraphQL  = "graphql"
	Protobuf = "protobuf"
	AsyncAPI = "asyncapi"
)

// maxFaults bounds what is told of one definition.
const maxFaults = 100

// A Definition is what was read.
type Definition struct {
	Format        string // one of the formats
	FormatVersion string // "3.1.0"; "" where the format has none
	Title         string
	Version       string // of the API, info.version
	Summary       string
	Servers       []string // URLs as written, "" left out
	// Operations in the order of the file. None (AsyncAPI over other than
	// HTTP): everything under the version's path is passed.
	Operations []gatehouse.Operation
	// Notes are oddities that do not keep the definition from being served.
	Notes []gatehouse.Fault
}

// Find is the operation that an attachment names, by id or "POST /orders".
func (d *Definition) Find(name string) (gatehouse.Operation, bool) {
	for _, o := range d.Operations {
		if o.ID == name || o.Method+" "+o.Path == name {
			return o, true
		}
	}
	return gatehouse.Operation{}, false
}

// Read reads the definition at main, a key of files. References lead to other
// keys, relative to the file they stand in ("schemas/pet.yaml",
// "../common.yaml"); a URL or an absolute path is followed only if it is a key.
// An error is of kind [gatehouse.Invalid] and has all faults with their places.
func Read(main string, files map[string][]byte) (*Definition, error) {
	main = path.Clean(main)
	data, ok := files[main]
	if !ok {
		return nil, gatehouse.InvalidFaults([]gatehouse.Fault{{File: main, Detail: "definition is missing"}})
	}
	s := newSources(files)
	var d *Definition
	switch sniff(main, data) {
	case GraphQL:
		d = readGraphQL(s, main, data)
	case Protobuf:
		d = readProto(s, main)
	default:
		d = readYAML(s, main)
	}
	if len(s.faults) > 0 {
		return nil, gatehouse.InvalidFaults(s.faults)
	}
	return d, nil
}

var (
	protoHead   = regexp.MustCompile(`(?m)^\s*(syntax|edition)\s*=\s*["']`)
	graphqlHead = regexp.MustCompile(`(?m)^\s*(extend\s+)?(schema|type|interface|union|enum|input|scalar|directive)\b[^:]*[{@=]?`)
	yamlHead    = regexp.MustCompile(`(?m)^\s*["']?(openapi|swagger|swaggerVersion|asyncapi)["']?\s*:`)
)

// sniff tells the format by the file's name, else by its text.
func sniff(name string, data []byte) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".graphql", ".graphqls", ".gql":
		return GraphQL
	case ".proto":
		return Protobuf
	case ".yaml", ".yml", ".json":
		return OpenAPI
	}
	head := data[:min(len(data), 64<<10)]
	switch {
	case yamlHead.Match(head):
		return OpenAPI
	case protoHead.Match(head):
		return Protobuf
	case graphqlHead.Match(head):
		return GraphQL
	}
	return OpenAPI
}

// readYAML reads the formats that are YAML or JSON.
func readYAML(s *sources, main string) *Definition {
	if text := bytes.TrimLeft(s.files[main], "\xef\xbb\xbf \t\r\n"); len(text) > 0 && text[0] == '<' {
		s.faults = append(s.faults, gatehouse.Fault{File: main, Line: 1, Column: 1, Detail: "is HTML or XML, not a definition: was a page saved in its place?"})
		return nil
	}
	root := s.file(main)
	if root == nil {
		return nil
	}
	at := loc{main, root}
	if !yamlx.IsMap(root) {
		s.fault(at, "is not a definition: a map that begins with openapi, swagger or asyncapi")
		return nil
	}
	swagger, openapi, async := s.get(root, "swagger"), s.get(root, "openapi"), s.get(root, "asyncapi")
	switch {
	case swagger != nil:
		if v := yamlx.Text(swagger); v != "2.0" && v != "2" {
			s.fault(loc{main, swagger}, "swagger %q is not read: 2.0 is, and openapi 3.0 to 3.2", v)
			return nil
		}
		return readOpenAPI(s, at, "2.0")
	case openapi != nil:
		v := yamlx.Text(openapi)
		if !openapiVersions.MatchString(v) {
			s.fault(loc{main, openapi}, "openapi %q is not read: 3.0, 3.1 and 3.2 are, such as \"3.1.0\"", v)
			return nil
		}
		return readOpenAPI(s, at, v)
	case async != nil:
		return readAsyncAPI(s, at, yamlx.Text(async))
	case s.get(root, "swaggerVersion") != nil:
		s.fault(at, "is Swagger %s, which is not read: convert it to 2.0 or OpenAPI 3", yamlx.Text(s.get(root, "swaggerVersion")))
	default:
		s.fault(at, "is not a definition: neither openapi, swagger nor asyncapi stands in it")
	}
	return nil
}

var openapiVersions = regexp.MustCompile(`^3\.[012](\.[0-9]+)?(-[A-Za-z0-9.]+)?$`)

// sources are the files a definition is made of, read when they are asked for.
type sources struct {
	files  map[string][]byte
	roots  map[string]*yamlx.Node // nil: unreadable
	index  map[*yamlx.Node]map[string]*yamlx.Node
	refs   map[string]target // resolved references, by file and text
	ids    map[string]map[string]*yamlx.Node
	faults []gatehouse.Fault
	notes  []gatehouse.Fault
}

func newSources(files map[string][]byte) *sources {
	return &sources{
		files: files, roots: make(map[string]*yamlx.Node), index: make(map[*yamlx.Node]map[string]*yamlx.Node),
		refs: make(map[string]target), ids: make(map[string]map[string]*yamlx.Node),
	}
}

// loc is a node and the file it stands in.
type loc struct {
	file string
	node *yamlx.Node
}

func (s *sources) fault(at loc, format string, args ...any) {
	if len(s.faults) < maxFaults {
		s.faults = append(s.faults, faultAt(at, format, args...))
	}
}

func (s *sources) note(at loc, format string, args ...any) {
	if len(s.notes) < maxFaults {
		s.notes = append(s.notes, faultAt(at, format, args...))
	}
}

func faultAt(at loc, format string, args ...any) gatehouse.Fault {
	return gatehouse.Fault{
		File: at.file, Line: max(1, at.node.Line), Column: max(1, at.node.Column), Detail: fmt.Sprintf(format, args...),
	}
}

// file is the root of a file, or nil after its fault was told.
func (s *sources) file(name string) *yamlx.Node {
	root, read := s.roots[name]
	if read {
		return root
	}
	docs, err := yamlx.Parse(s.files[name])
	e, _ := errors.AsType[*yamlx.Error](err)
	switch {
	case e != nil:
		s.faults = append(s.faults, gatehouse.Fault{File: name, Line: e.Line, Column: e.Column, Detail: e.Text})
	case len(docs) == 0:
		s.faults = append(s.faults, gatehouse.Fault{File: name, Line: 1, Column: 1, Detail: "is empty"})
	case len(docs) > 1:
		s.fault(loc{name, docs[1]}, "a second document begins here; a definition is one")
	default:
		if e, _ = errors.AsType[*yamlx.Error](yamlx.CheckMerges(docs[0])); e == nil {
			root = docs[0]
		} else {
			s.faults = append(s.faults, gatehouse.Fault{File: name, Line: e.Line, Column: e.Column, Detail: e.Text})
		}
	}
	s.roots[name] = root
	return root
}

// get is the value of a key; large maps are indexed once, so that many
// references into one stay cheap.
func (s *sources) get(n *yamlx.Node, key string) *yamlx.Node {
	if n = yamlx.Follow(n); !yamlx.IsMap(n) || len(n.Content) < 32 {
		return yamlx.Get(n, key)
	}
	m, ok := s.index[n]
	if !ok {
		m = make(map[string]*yamlx.Node, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			if k, ok := yamlx.Key(n.Content[i]); ok && m[k] == nil {
				m[k] = yamlx.Follow(n.Content[i+1])
			}
		}
		s.index[n] = m
	}
	if v := m[key]; v != nil {
		return v
	}
	if m["<<"] != nil {
		return yamlx.Get(n, key)
	}
	return nil
}
