package definition

import (
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/yamlx"
)

// token: RFC 9110 §5.6.2, upper case, as methods are.
func token(s string) bool {
	return s != "" && len(s) <= 32 && strings.IndexFunc(s, func(c rune) bool { return !(c >= 'A' && c <= 'Z' || c == '-' || c == '_') }) < 0
}

func (r *openapi) operation(path loc, t template, method string, key, op, item loc) {
	switch {
	case !yamlx.IsMap(op.node):
		r.fault(key, "%s %s is not a map", method, t.path)
		return
	case len(r.ops) > maxOperations || r.steps < 0:
		return // told
	case len(r.ops) == maxOperations:
		r.fault(key, "is one operation more than %d, the most that are read of one definition", maxOperations)
		return
	}
	r.once(op, method+" "+t.path)
	id := yamlx.Text(r.get(op.node, "operationId"))
	if id == "" {
		id = method + " " + t.path + t.split
	} else if first, twice := r.ids[id]; !twice {
		r.ids[id] = loc{op.file, r.get(op.node, "operationId")}
	} else if at := (loc{op.file, r.get(op.node, "operationId")}); first != at {
		r.fault(at, "operationId %q stands twice, first at %s:%d", id, first.file, first.node.Line)
		return
	} else {
		id = method + " " + t.path + t.split // one operation reached by two paths, through a reference
	}
	if !r.claim(path, t, method, id) {
		return
	}
	if first, taken := r.names[id]; taken {
		r.fault(key, "%s %s is called %q, as is the operation at %s:%d; give one of them another operationId", method, t.path, id, first.file, first.node.Line)
		return
	}
	r.names[id] = key
	o := gatehouse.Operation{ID: id, Method: method, Path: t.path, Matrix: r.params(t, path, op, item), Summary: yamlx.Text(r.get(op.node, "summary"))}
	if o.Summary == "" {
		o.Summary = firstSentence(yamlx.Text(r.get(op.node, "description")))
	}
	o.Examples = r.examples(op)
	r.ops = append(r.ops, o)
}

// claim takes method and shape for an operation, or tells who has them.
func (r *openapi) claim(path loc, t template, method, id string) bool {
	if first, taken := r.shapes[t.shape]; !taken {
		r.shapes[t.shape] = route{t.path, id, path, t.split}
	} else if first.path != t.path && first.split == "" && t.split == "" {
		r.note(path, "paths %q and %q (line %d) differ by the names of parameters only", t.path, first.path, first.at.node.Line)
	}
	key := method + " " + t.shape
	first, taken := r.routes[key]
	switch {
	case !taken:
		r.routes[key] = route{t.path, id, path, t.split}
		return true
	case first.split != t.split:
		r.note(path, "operation %q is the same route as %q, %s %s: they differ by %q only, which routing does not look at", id, first.id, method, t.path, t.split+first.split)
	case first.at.node == path.node:
		r.fault(path, "path %q has the method %s twice", t.path, method)
	default:
		r.fault(path, "paths %q and %q (line %d) collide: both take %s requests of the same form", t.path, first.path, first.at.node.Line, method)
	}
	return false
}

// params returns the parameters of the template that the operation declares to
// be of style "matrix". It notes those that the operation does not declare, which
// requests do not need.
func (r *openapi) params(t template, path, op, item loc) (matrix []string) {
	declared := make(map[string]bool)
	for _, holder := range []loc{op, item} {
		list := r.get(holder.node, "parameters")
		if !yamlx.IsList(list) || !r.spend(path, len(list.Content)) {
			continue
		}
		for _, e := range list.Content {
			p, err := r.resolve(loc{holder.file, e})
			if err != nil || yamlx.Text(r.get(p.node, "in")) != "path" {
				continue
			}
			name := yamlx.Text(r.get(p.node, "name"))
			if !declared[name] && yamlx.Text(r.get(p.node, "style")) == "matrix" && slices.Contains(t.params, name) {
				matrix = append(matrix, name)
			}
			declared[name] = true
		}
	}
	for _, p := range t.params {
		if !declared[p] && !declared[p+"+"] && !declared["*"+p] && !declared[p+"*"] && !strings.Contains(p, ".") {
			r.note(path, "parameter %q of path %q is not declared", p, t.path)
		}
	}
	return matrix
}

// spend takes n steps for what may be repeated by an alias or a reference; false
// after it has been too many.
func (r *openapi) spend(at loc, n int) bool {
	if r.steps < 0 {
		return false
	}
	if r.steps -= n + 1; r.steps < 0 {
		r.fault(at, "is too large: aliases and references repeat more than can be read")
	}
	return r.steps >= 0
}

// once reports keys that stand twice, so that nobody can tell which one holds.
func (r *openapi) once(at loc, what string) {
	n := yamlx.Follow(at.node)
	if !yamlx.IsMap(n) || r.checked[n] || !r.spend(at, len(n.Content)) {
		return
	}
	r.checked[n] = true
	seen := make(map[string]*yamlx.Node, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		key, ok := yamlx.Key(k)
		if first := seen[key]; ok && first != nil && first != k && key != "<<" && !strings.HasPrefix(key, "x-") {
			r.fault(loc{at.file, k}, "%q stands twice in %s, first on line %d", key, what, first.Line)
		}
		seen[key] = k
	}
}
