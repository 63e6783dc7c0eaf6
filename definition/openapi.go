package definition

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"gatehouse"
	"gatehouse/yamlx"
)

// maxOperations bounds how many operations one definition has.
const maxOperations = 50_000

// openapi reads one OpenAPI document.
type openapi struct {
	*sources
	main     loc
	v2       bool
	produces []string // of 2.0, for all operations
	ids      map[string]loc
	routes   map[string]route // by method and shape
	shapes   map[string]route // by shape alone
	ops      []gatehouse.Operation
	budget   int                  // steps left for generated examples
	steps    int                  // left for what aliases and references repeat
	checked  map[*yamlx.Node]bool // for keys that stand twice
	names    map[string]loc       // of operations, whether an operationId or a route
}

// route is who took a method and shape first.
type route struct {
	path, id string
	at       loc
	split    string
}

func readOpenAPI(s *sources, main loc, version string) *Definition {
	r := &openapi{
		sources: s, main: main, v2: version == "2.0", ids: make(map[string]loc), routes: make(map[string]route),
		shapes: make(map[string]route), budget: 5_000_000, steps: 5_000_000, checked: make(map[*yamlx.Node]bool), names: make(map[string]loc),
	}
	s.checkRefs(main.file)
	d := &Definition{Format: OpenAPI, FormatVersion: version}
	r.once(main, "the definition")
	r.once(loc{main.file, s.get(main.node, "components")}, "components")
	r.info(d)
	if len(s.faults) >= maxFaults {
		return d
	}
	if r.v2 {
		r.produces = r.texts(s.get(main.node, "produces"))
	}
	paths := s.get(main.node, "paths")
	switch {
	case paths == nil || paths.Kind == yaml.ScalarNode && yamlx.Text(paths) == "":
		s.fault(main, "has no paths, so there is nothing to serve")
	case !yamlx.IsMap(paths):
		s.fault(loc{main.file, paths}, "paths is not a map from paths to operations")
	default:
		r.paths(paths)
		if len(r.ops) == 0 && len(s.faults) == 0 {
			s.fault(loc{main.file, paths}, "paths has no operation, so there is nothing to serve")
		}
	}
	d.Operations, d.Notes = r.ops, s.notes
	return d
}

func (r *openapi) info(d *Definition) {
	info := r.get(r.main.node, "info")
	if info == nil {
		r.note(r.main, "info is missing")
	} else if !yamlx.IsMap(info) {
		r.fault(loc{r.main.file, info}, "info is not a map with title and version")
	}
	d.Title, d.Version = yamlx.Text(r.get(info, "title")), yamlx.Text(r.get(info, "version"))
	if d.Summary = yamlx.Text(r.get(info, "summary")); d.Summary == "" {
		d.Summary = firstSentence(yamlx.Text(r.get(info, "description")))
	}
	if servers := yamlx.Follow(r.get(r.main.node, "servers")); yamlx.IsList(servers) {
		for _, e := range servers.Content[:min(len(servers.Content), 100)] {
			if u := yamlx.Text(r.get(e, "url")); u != "" {
				d.Servers = append(d.Servers, u)
			}
		}
	}
	if host := yamlx.Text(r.get(r.main.node, "host")); r.v2 && host != "" {
		schemes := r.texts(r.get(r.main.node, "schemes"))
		if len(schemes) == 0 {
			schemes = []string{"https"}
		}
		d.Servers = append(d.Servers, schemes[0]+"://"+host+yamlx.Text(r.get(r.main.node, "basePath")))
	}
}

// firstSentence is what a summary takes of a description.
func firstSentence(text string) string {
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	if s, _, ok := strings.Cut(text, ". "); ok {
		text = s + "."
	}
	if len(text) > 300 {
		cut := 297
		for cut > 0 && text[cut]&0xC0 == 0x80 {
			cut--
		}
		text = text[:cut] + "..."
	}
	return text
}

func (r *openapi) texts(n *yamlx.Node) []string {
	if n = yamlx.Follow(n); !yamlx.IsList(n) {
		return nil
	}
	var out []string
	for _, e := range n.Content {
		out = append(out, yamlx.Text(e))
	}
	return out
}

func (r *openapi) paths(paths *yamlx.Node) {
	seen := make(map[string]*yamlx.Node, len(paths.Content)/2)
	for i := 0; i+1 < len(paths.Content); i += 2 {
		k := paths.Content[i]
		key, ok := yamlx.Key(k)
		at := loc{r.main.file, k}
		switch {
		case !ok:
			r.fault(at, "a path is text; this key is a list or map")
			continue
		case strings.HasPrefix(key, "x-") || key == "<<" && k.Style == 0:
			continue
		case len(r.ops) >= maxOperations || r.steps < 0:
			return // told
		}
		if before, twice := seen[key]; twice {
			r.fault(at, "path %q stands twice, first on line %d", key, before.Line)
			continue
		}
		seen[key] = k
		t, err := parseTemplate(key)
		if err != nil {
			r.fault(at, "%s", err)
			continue
		}
		item, err := r.resolve(loc{r.main.file, paths.Content[i+1]})
		if err == nil { // else told with its reference
			r.pathItem(at, key, t, item)
		}
	}
}

var methods2 = []string{"get", "put", "post", "delete", "options", "head", "patch"}

// otherFields are what a path item has besides methods.
var otherFields = map[string]bool{"summary": true, "description": true, "servers": true, "parameters": true, "$ref": true, "additionalOperations": true}

func (r *openapi) pathItem(at loc, key string, t template, item loc) {
	if item.node.Kind == yaml.ScalarNode && (item.node.Value == "" || item.node.Value == "null") {
		return // a path without operations
	}
	if !yamlx.IsMap(item.node) {
		r.fault(item, "path %q is not a map of operations", key)
		return
	}
	pairs := yamlx.Pairs(item.node)
	if !r.spend(at, len(pairs)) {
		return
	}
	r.once(item, "path "+strconv.Quote(key))
	seen := make(map[string]bool, 8)
	for i := 0; i+1 < len(pairs); i += 2 {
		k, v := pairs[i], pairs[i+1]
		name := yamlx.Text(k)
		method := ""
		switch lower := strings.ToLower(name); {
		case otherFields[name] || strings.HasPrefix(lower, "x-"):
		case slices.Contains(methods2, name), name == "trace" && !r.v2, name == "query" && !r.v2:
			method = strings.ToUpper(name)
		case slices.Contains(methods2, lower) || lower == "trace":
			r.fault(loc{item.file, k}, "%q under path %q: methods are written in lower case, %q", name, key, lower)
		default:
			r.note(loc{item.file, k}, "%q under path %q is no method and is not read", name, key)
		}
		if method != "" && !seen[method] { // else told
			seen[method] = true
			r.operation(at, t, method, loc{item.file, k}, loc{item.file, yamlx.Follow(v)}, item)
		}
	}
	more := r.get(item.node, "additionalOperations") // OpenAPI 3.2
	for i := 0; yamlx.IsMap(more) && i+1 < len(more.Content); i += 2 {
		k := more.Content[i]
		if !token(k.Value) {
			r.fault(loc{item.file, k}, "%q is not a method", k.Value)
			continue
		}
		r.operation(at, t, k.Value, loc{item.file, k}, loc{item.file, yamlx.Follow(more.Content[i+1])}, item)
	}
}
