package rule

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/expr"
	"gatehouse/policy"
	"gatehouse/policy/all"
)

// A policyCheck looks for a policy in the chain of every operation it selects.
type policyCheck struct {
	*gatehouse.PolicyCheck
	condition *expr.Program // nil: being there is enough
}

// configured is what a condition on a policy may ask about.
var configured = expr.Vars{"config": expr.Any}

func newPolicy(c *gatehouse.PolicyCheck) (check, []gatehouse.Fault) {
	p := &policyCheck{PolicyCheck: c}
	if _, ok := all.Find(c.Name); !ok {
		hint := ""
		if near := gatehouse.Nearest(c.Name, all.Names()); near != "" {
			hint = fmt.Sprintf("; did you mean %q?", near)
		}
		return nil, []gatehouse.Fault{{Pointer: "/check/policy/name", Detail: fmt.Sprintf("%q is not a policy%s", c.Name, hint)}}
	}
	if c.Condition != "" {
		var err error
		if p.condition, err = expr.Compile(c.Condition, configured); err != nil {
			return nil, []gatehouse.Fault{expressionFault("/check/policy/condition", err)}
		}
	}
	return p, nil
}

// expressionFault says where in its text an expression is wrong.
func expressionFault(pointer string, err error) gatehouse.Fault {
	detail := err.Error()
	if e, ok := errors.AsType[*expr.Error](err); ok && e.Line > 0 {
		detail = fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
	}
	return gatehouse.Fault{Pointer: pointer, Detail: detail}
}

// used is one use of the policy, with its configuration as a gateway reads it.
type used struct {
	From   string          `json:"from"`
	Config json.RawMessage `json:"config,omitempty"`
}

// uses are the uses of the policy in a chain.
func (c *policyCheck) uses(chain []policy.Use) []used {
	var found []used
	for _, u := range chain {
		if u.Name == c.Name {
			found = append(found, used{u.From, u.Config})
		}
	}
	return found
}

func (c *policyCheck) inputs(s *Subject) (any, error) {
	type input struct {
		Operation string `json:"operation"`
		Method    string `json:"method"`
		Path      string `json:"path"`
		Uses      []used `json:"uses"`
	}
	in := []input{}
	for i := range s.Operations {
		if o := &s.Operations[i]; selected(c.Operations, o) {
			in = append(in, input{o.ID, o.Method, o.Path, c.uses(o.Chain)})
		}
	}
	return in, nil
}

func (c *policyCheck) judge(s *Subject, v *Verdict) error {
	for i := range s.Operations {
		o := &s.Operations[i]
		if !selected(c.Operations, o) {
			continue
		}
		uses := c.uses(o.Chain)
		meets, why, from := "", "", ""
		for _, u := range uses {
			ok, reason := c.satisfies(u)
			if ok {
				meets = u.From
				break
			}
			why, from = reason, u.From
		}
		if (meets == "") == c.Forbid {
			continue
		}
		f := s.at(o)
		f.Field = s.field("policies")
		switch {
		case c.Forbid && c.Condition != "":
			f.Detail = fmt.Sprintf("policy %q stands in the chain (%s) with %s", c.Name, meets, c.Condition)
		case c.Forbid:
			f.Detail = fmt.Sprintf("policy %q stands in the chain (%s)", c.Name, meets)
		case len(uses) == 0:
			f.Detail = fmt.Sprintf("policy %q is not in the chain", c.Name)
		default:
			f.Detail = fmt.Sprintf("policy %q is in the chain (%s), but %s", c.Name, from, why)
		}
		f.Remedy = cmp.Or(c.Message, c.remedy(o))
		v.add(f)
	}
	return nil
}

// satisfies reports whether a use meets the condition, and why not.
func (c *policyCheck) satisfies(u used) (bool, string) {
	if c.condition == nil {
		return true, ""
	}
	config, err := effective(c.Name, u.Config)
	if err != nil {
		return false, err.Error()
	}
	ok, err := c.condition.Eval(map[string]any{"config": config})
	switch {
	case err != nil:
		return false, err.Error()
	case !ok:
		return false, fmt.Sprintf("%s does not hold for its configuration", c.Condition)
	}
	return true, ""
}

// effective is a configuration with defaults filled in, sizes in bytes and
// periods in seconds.
func effective(name string, raw json.RawMessage) (any, error) {
	kind, ok := all.Find(name)
	if !ok {
		return nil, fmt.Errorf("policy %q is not known here", name)
	}
	config, err := kind.Decode(raw)
	if err != nil {
		return nil, err
	}
	v, err := quantities(reflect.ValueOf(config))
	if err != nil || v != nil {
		return v, err
	}
	return map[string]any{}, nil
}

func (c *policyCheck) remedy(o *Operation) string {
	where := fmt.Sprintf("the operation %q, the version or a policy set it includes", o.ID)
	if o.ID == "*" {
		where = "the version or a policy set it includes"
	}
	switch {
	case c.Forbid:
		return fmt.Sprintf("take %q out of the policies of %s", c.Name, where)
	case c.Condition != "":
		return fmt.Sprintf("add %q with a configuration for which %s holds to the policies of %s", c.Name, c.Condition, where)
	}
	return fmt.Sprintf("add %q to the policies of %s", c.Name, where)
}

// selected reports whether a selector picks an operation. One that stands for
// every request is picked unless only named ones are meant.
func selected(s *gatehouse.OperationSelector, o *Operation) bool {
	if s == nil {
		return true
	}
	named := func(list []string) bool {
		return slices.Contains(list, o.ID) || slices.Contains(list, o.Method+" "+o.Path)
	}
	switch {
	case named(s.Except):
		return false
	case o.ID == "*":
		return len(s.IDs) == 0
	case len(s.IDs) > 0 && !named(s.IDs), len(s.Methods) > 0 && !slices.Contains(s.Methods, o.Method):
		return false
	}
	return len(s.Paths) == 0 || slices.ContainsFunc(s.Paths, func(p string) bool { return wild(p, o.Path) })
}

// wild matches "*" with any text.
func wild(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return path.Clean(pattern) == path.Clean(text)
	}
	if !strings.HasPrefix(text, parts[0]) {
		return false
	}
	text = text[len(parts[0]):]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(text, p)
		if i < 0 {
			return false
		}
		text = text[i+len(p):]
	}
	return strings.HasSuffix(text, parts[len(parts)-1])
}
