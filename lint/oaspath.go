package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var pathVariable = regexp.MustCompile(`\{;?\??[a-zA-Z0-9_-]+\*?\}`)

// pathParams holds the path parameters that are declared somewhere.
type pathParams struct {
	names []string
	at    map[string][]string
}

func oasPathParam(c *call, v *value, _ any) error {
	if !v.is(object) {
		return nil
	}
	same := make(map[string]string)
	for i, path := range v.keys {
		item := c.follow(v.items[i])
		if !item.container() {
			continue
		}
		form := pathVariable.ReplaceAllString(path, "%")
		if before, twice := same[form]; twice {
			if err := c.tell([]string{"paths", path}, fmt.Sprintf("paths %q and %q are the same but for the names of parameters", before, path)); err != nil {
				return err
			}
		} else {
			same[form] = path
		}
		if err := c.pathItem(path, item); err != nil {
			return err
		}
	}
	return nil
}

func (c *call) pathItem(path string, item *value) error {
	var used []string
	for _, m := range pathVariable.FindAllString(path, -1) {
		name := strings.Trim(m, "{}?*;")
		if slices.Contains(used, name) {
			if err := c.tell([]string{"paths", path}, fmt.Sprintf("path %q has the parameter %q more than once", path, name)); err != nil {
				return err
			}
			continue
		}
		used = append(used, name)
	}
	above := pathParams{at: make(map[string][]string)}
	if err := c.declared(item, &above, "paths", path); err != nil {
		return err
	}
	for i, method := range item.keys {
		op := c.follow(item.items[i])
		if !isMethod(method) || !op.container() {
			continue
		}
		own := pathParams{at: make(map[string][]string)}
		if err := c.declared(op, &own, "paths", path, method); err != nil {
			return err
		}
		if err := c.paramsMeet(path, method, used, above, own); err != nil {
			return err
		}
	}
	return nil
}

// declared gathers the path parameters of a path item or operation.
func (c *call) declared(holder *value, into *pathParams, base ...string) error {
	params := c.get(holder, "parameters")
	if !params.is(list) {
		return nil
	}
	for i, p := range params.items {
		p = c.follow(p)
		in, name := c.get(p, "in"), c.get(p, "name")
		if !in.is(text) || in.str != "path" || name == nil {
			continue
		}
		at := append(slices.Clone(base), "parameters", strconv.Itoa(i))
		if r := c.get(p, "required"); !r.is(boolean) || !r.truth {
			if err := c.tell(at, fmt.Sprintf("path parameter %q must be \"required: true\"", name.plain())); err != nil {
				return err
			}
		}
		n := name.plain()
		if _, twice := into.at[n]; twice {
			if err := c.tell(at, fmt.Sprintf("path parameter %q is declared twice", n)); err != nil {
				return err
			}
			continue
		}
		into.names = append(into.names, n)
		into.at[n] = at
	}
	return nil
}

func (c *call) paramsMeet(path, method string, used []string, above, own pathParams) error {
	for _, n := range append(slices.Clone(above.names), own.names...) {
		at := own.at[n]
		if at == nil {
			at = above.at[n]
		}
		if slices.Contains(used, n) {
			continue
		}
		if err := c.tell(at, fmt.Sprintf("parameter %q does not stand in path %q", n, path)); err != nil {
			return err
		}
	}
	for _, n := range used {
		if above.at[n] != nil || own.at[n] != nil {
			continue
		}
		if err := c.tell([]string{"paths", path, method}, fmt.Sprintf("parameter %q of path %q is not declared", n, path)); err != nil {
			return err
		}
	}
	return nil
}

type serverRule struct{ substitute, needDefault bool }

func serverVariablesOptions(o options) (any, error) {
	if o.value == nil || o.is(null) {
		return serverRule{}, nil
	}
	if err := o.only("checkSubstitutions", "requireDefault"); err != nil {
		return nil, err
	}
	return serverRule{o.get("checkSubstitutions").truthy(), o.get("requireDefault").truthy()}, nil
}

var serverVariable = regexp.MustCompile(`\{(.+?)\}`)

// maxSubstitutions bounds how many URLs of one server are tried.
const maxSubstitutions = 1000

func serverVariables(c *call, v *value, opts any) error {
	r := opts.(serverRule)
	address, vars := c.get(v, "url"), c.get(v, "variables")
	if !address.is(text) || !c.goodVariables(vars) {
		return c.say("is not a server object")
	}
	var found []string
	for _, m := range serverVariable.FindAllStringSubmatch(address.str, -1) {
		found = append(found, m[1])
	}
	var known []string
	if vars != nil {
		known = vars.keys
	}
	for _, k := range known {
		if !slices.Contains(found, k) {
			if err := c.at(fmt.Sprintf("variable %q does not stand in the URL", k), "variables", k); err != nil {
				return err
			}
		}
	}
	if len(found) == 0 {
		return nil
	}
	var missing []string
	for _, f := range found {
		if !slices.Contains(known, f) {
			missing = append(missing, f)
		}
	}
	if len(missing) > 0 {
		if err := c.at("variables of the URL are not described: "+strings.Join(missing, ", "), "variables"); err != nil {
			return err
		}
	}
	if vars == nil {
		return nil
	}
	return c.serverValues(r, address.str, vars, found)
}

// goodVariables reports whether the variables of a server have their shape.
func (c *call) goodVariables(vars *value) bool {
	if vars == nil {
		return true
	}
	if !vars.is(object) {
		return false
	}
	for _, m := range vars.items {
		if m = c.follow(m); !m.is(object) {
			return false
		}
		for i, k := range m.keys {
			e := c.follow(m.items[i])
			switch {
			case strings.HasPrefix(k, "x-"):
			case k == "enum":
				if !e.is(list) || slices.ContainsFunc(e.items, func(s *value) bool { return !s.is(text) }) {
					return false
				}
			case k == "default" || k == "description" || k == "examples":
				if !e.is(text) {
					return false
				}
			default:
				return false
			}
		}
	}
	return true
}

func (c *call) serverValues(r serverRule, address string, vars *value, found []string) error {
	type choice struct {
		name   string
		values []string
	}
	var choices []choice
	for i, name := range vars.keys {
		if !slices.Contains(found, name) {
			continue
		}
		m := c.follow(vars.items[i])
		enum, standard := c.get(m, "enum"), c.get(m, "default")
		pick := choice{name: name}
		switch {
		case enum != nil:
			for _, e := range enum.items {
				pick.values = append(pick.values, e.str)
			}
			if standard != nil && !slices.Contains(pick.values, standard.str) {
				if err := c.at(fmt.Sprintf("the default of variable %q is not among its values", name), "variables", name, "default"); err != nil {
					return err
				}
			}
		case standard != nil:
			pick.values = []string{standard.str}
		}
		choices = append(choices, pick)
		if standard == nil && r.needDefault {
			if err := c.at(fmt.Sprintf("variable %q has no default", name), "variables", name); err != nil {
				return err
			}
		}
	}
	if !r.substitute || len(choices) == 0 {
		return nil
	}
	urls := []string{address}
	for _, p := range choices {
		var next []string
		for _, u := range urls {
			for _, value := range p.values {
				if len(next) < maxSubstitutions {
					next = append(next, strings.ReplaceAll(u, "{"+p.name+"}", escapeValue(value)))
				}
			}
		}
		urls = next
	}
	var bad []string
	for _, u := range urls {
		if !isWebURL(u) && len(bad) < 5 {
			bad = append(bad, u)
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return c.at("with values put in, these are no URLs: "+strings.Join(bad, ", "), "variables")
}

func escapeValue(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "%", "%25"), " ", "%20")
}

// isWebURL reports whether a text is an absolute URL, with a host where its
// scheme asks for one, as the URL standard of browsers has it.
func isWebURL(s string) bool {
	scheme := uriScheme.FindString(s)
	if scheme == "" {
		return false
	}
	switch strings.ToLower(scheme) {
	case "http:", "https:", "ws:", "wss:", "ftp:":
	default:
		return true
	}
	host := strings.TrimLeft(s[len(scheme):], "/\\")
	if i := strings.IndexAny(host, "/\\?#"); i >= 0 {
		host = host[:i]
	}
	host = host[strings.LastIndexByte(host, '@')+1:]
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		if n, err := strconv.Atoi(host[i+1:]); host[i+1:] != "" && (err != nil || n < 0 || n > 65535) {
			return false
		}
		host = host[:i]
	}
	return host != "" && !strings.ContainsAny(host, " <>^|%")
}
