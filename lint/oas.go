package lint

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func (c *call) oas3() bool { return c.d.formats&oas3 != 0 }

func oasDiscriminator(c *call, v *value, _ any) error {
	d := c.get(v, "discriminator")
	if !v.is(object) || !d.is(text) {
		return nil
	}
	if p := c.get(v, "properties"); !p.container() || !p.has(d.str) {
		if err := c.at("the property of the discriminator must be one of this schema", "properties"); err != nil {
			return err
		}
	}
	r := c.get(v, "required")
	if !r.is(list) || !slices.ContainsFunc(r.items, func(e *value) bool { return e.is(text) && e.str == d.str }) {
		return c.at("the property of the discriminator must be required", "required")
	}
	return nil
}

var formMedia = regexp.MustCompile(`application/x-www-form-urlencoded|multipart/form-data`)

func oasOpFormDataConsumeCheck(c *call, v *value, _ any) error {
	params, consumes := c.get(v, "parameters"), c.get(v, "consumes")
	if !v.is(object) || !params.is(list) || !consumes.is(list) {
		return nil
	}
	form := slices.ContainsFunc(params.items, func(p *value) bool {
		in := c.get(c.follow(p), "in")
		return in.is(text) && in.str == "formData"
	})
	if !form || slices.ContainsFunc(consumes.items, func(m *value) bool { return m.is(text) && formMedia.MatchString(m.str) }) {
		return nil
	}
	return c.say("an operation with form data consumes application/x-www-form-urlencoded or multipart/form-data")
}

// operations calls f for each operation of a paths object.
func (c *call) operations(paths *value, f func(path, method string, op *value) error) error {
	if !paths.is(object) {
		return nil
	}
	for i, path := range paths.keys {
		item := c.follow(paths.items[i])
		if !item.is(object) {
			continue
		}
		for j, method := range item.keys {
			op := c.follow(item.items[j])
			if !isMethod(method) || !op.is(object) {
				continue
			}
			if err := f(path, method, op); err != nil {
				return err
			}
		}
	}
	return nil
}

func oasOpIDUnique(c *call, v *value, _ any) error {
	seen := make(map[string]string)
	return c.operations(v, func(path, method string, op *value) error {
		id := c.get(op, "operationId")
		if id == nil || id.container() {
			return nil
		}
		key := strconv.Itoa(int(id.kind)) + id.plain()
		if before, twice := seen[key]; twice {
			return c.tell([]string{"paths", path, method, "operationId"}, "operationId "+id.show()+" stands at "+before+" already")
		}
		seen[key] = strings.ToUpper(method) + " " + path
		return nil
	})
}

func oasOpParams(c *call, v *value, _ any) error {
	if !v.is(list) || len(v.items) < 2 {
		return nil
	}
	seen := make(map[string]bool)
	var body, form []int
	for i, p := range v.items {
		p = c.follow(p)
		if !p.container() || p.has("$ref") {
			continue
		}
		in, name := c.get(p, "in"), c.get(p, "name")
		key := in.plain() + "-" + name.plain()
		if seen[key] {
			if err := c.at("a parameter of this name and place stands before", strconv.Itoa(i)); err != nil {
				return err
			}
		}
		seen[key] = true
		if in.is(text) && in.str == "body" {
			body = append(body, i)
		} else if in.is(text) && in.str == "formData" {
			form = append(form, i)
		}
	}
	if len(body) > 0 && len(form) > 0 {
		if err := c.say("an operation has a body or form data, not both"); err != nil {
			return err
		}
	}
	for _, i := range body[min(1, len(body)):] {
		if err := c.at("an operation has one body", strconv.Itoa(i)); err != nil {
			return err
		}
	}
	return nil
}

func oasOpSuccessResponse(c *call, v *value, _ any) error {
	if !v.is(object) {
		return nil
	}
	for _, code := range v.keys {
		if c.oas3() && (code == "2XX" || code == "3XX") {
			return nil
		}
		if n := jsText(code).toNumber(); n >= 200 && n < 400 {
			return nil
		}
	}
	return c.say("an operation has a response of 2xx or 3xx")
}

func oasTagDefined(c *call, v *value, _ any) error {
	if !v.is(object) {
		return nil
	}
	known := make(map[string]bool)
	if tags := c.get(v, "tags"); tags.is(list) {
		for _, t := range tags.items {
			if n := c.get(c.follow(t), "name"); n.is(text) {
				known[n.str] = true
			}
		}
	}
	return c.operations(c.get(v, "paths"), func(path, method string, op *value) error {
		tags := c.get(op, "tags")
		if !tags.is(list) {
			return nil
		}
		for i, t := range tags.items {
			if t = c.follow(t); t.is(text) && known[t.str] {
				continue
			}
			if err := c.tell([]string{"paths", path, method, "tags", strconv.Itoa(i)}, "tag "+t.show()+" is not among the tags of the document"); err != nil {
				return err
			}
		}
		return nil
	})
}

func oasVersionOptions(o options) (any, error) {
	if err := o.only("oasVersion"); err != nil {
		return nil, err
	}
	v := o.get("oasVersion")
	if !v.is(number) || v.num != 2 && v.num != 3 {
		return nil, o.fault(v.or(o.value), "option \"oasVersion\" is 2 or 3")
	}
	return int(v.num), nil
}

func oasSecurityDefined(c *call, v *value, opts any) error {
	if !v.is(object) {
		return nil
	}
	for _, scopes := range v.items {
		if scopes = c.follow(scopes); !scopes.is(list) || slices.ContainsFunc(scopes.items, func(s *value) bool { return !s.is(text) }) {
			return nil
		}
	}
	where, defs := "securityDefinitions", c.d.root.get("securityDefinitions")
	if opts.(int) == 3 {
		where, defs = "components.securitySchemes", c.d.root.get("components").get("securitySchemes")
	}
	for i, name := range v.keys {
		scheme := defs.get(name)
		if scheme == nil {
			if err := c.at("security scheme "+strconv.Quote(name)+" is not among "+where, name); err != nil {
				return err
			}
			continue
		}
		for j, scope := range c.follow(v.items[i]).items {
			if scopeKnown(scheme, scope.str) {
				continue
			}
			if err := c.at("scope "+scope.show()+" is not among those of "+strconv.Quote(name), name, strconv.Itoa(j)); err != nil {
				return err
			}
		}
	}
	return nil
}

func scopeKnown(scheme *value, scope string) bool {
	if s := scheme.get("scopes"); s.is(object) && s.has(scope) {
		return true
	}
	flows := scheme.get("flows")
	if !flows.is(object) {
		return false
	}
	return slices.ContainsFunc(flows.items, func(f *value) bool {
		s := f.get("scopes")
		return s.is(object) && s.has(scope)
	})
}

func oasUnusedComponent(c *call, v *value, _ any) error {
	components := v.get("components")
	for _, kind := range []string{"schemas", "responses", "parameters", "examples", "requestBodies", "headers", "links", "callbacks"} {
		if m := components.get(kind); m.is(object) {
			if err := c.unreferencedIn(m, "#/components/"+kind); err != nil {
				return err
			}
		}
	}
	return nil
}

func refSiblings(c *call, _ *value, _ any) error {
	if len(c.path) == 0 {
		return nil
	}
	above := c.path[:len(c.path)-1]
	holder := c.d.lookup(above)
	if !holder.is(object) || len(holder.keys) == 1 {
		return nil
	}
	for _, k := range holder.keys {
		if k == "$ref" {
			continue
		}
		if err := c.tell(append(slices.Clone(above), k), "nothing may stand beside $ref"); err != nil {
			return err
		}
	}
	return nil
}

func uniquenessTags(c *call, v *value, _ any) error {
	if !v.is(list) {
		return nil
	}
	names := make([]string, len(v.items))
	for i, t := range v.items {
		n := c.get(c.follow(t), "name")
		if !n.is(text) {
			return nil
		}
		names[i] = n.str
	}
	for i, n := range names {
		if slices.Index(names, n) == i {
			continue
		}
		if err := c.at("tag "+strconv.Quote(n)+" stands twice", strconv.Itoa(i), "name"); err != nil {
			return err
		}
	}
	return nil
}
