package rule

import (
	"cmp"
	"fmt"
	"strings"
	"sync"

	"gatehouse"
	"gatehouse/expr"
)

// A celCheck asks an expression, once or for each operation or gateway.
type celCheck struct {
	*gatehouse.CELCheck
	program *expr.Program
}

func newCEL(c *gatehouse.CELCheck) (check, []gatehouse.Fault) {
	scope, err := scopeOf(c.Each)
	if err != nil {
		return nil, []gatehouse.Fault{{Pointer: "/check/cel", Detail: err.Error()}}
	}
	p, err := scope.Compile(c.Expression)
	if err != nil {
		f := expressionFault("/check/cel/expression", err)
		for _, one := range []string{"operation", "gateway"} {
			if c.Each != one && strings.Contains(f.Detail, "undeclared reference to '"+one+"'") {
				f.Detail += fmt.Sprintf("; with each: %s the expression is asked for each of them", one)
			}
		}
		return nil, []gatehouse.Fault{f}
	}
	return &celCheck{c, p}, nil
}

// scopes are the variables of each way of asking, declared once.
var scopes = map[string]func() (*expr.Scope, error){
	"version": sync.OnceValues(func() (*expr.Scope, error) { return expr.Declare(Variables("version")) }),
	"operation": sync.OnceValues(func() (*expr.Scope, error) {
		return expr.Declare(Variables("operation"))
	}),
	"gateway": sync.OnceValues(func() (*expr.Scope, error) { return expr.Declare(Variables("gateway")) }),
}

func scopeOf(each string) (*expr.Scope, error) {
	declare, ok := scopes[cmp.Or(each, "version")]
	if !ok {
		return nil, fmt.Errorf("%q is not what an expression can be asked for: version, operation or gateway", each)
	}
	return declare()
}

// asked is one asking: the values, and what it is asked about.
type asked struct {
	values    map[string]any
	operation *Operation
	gateway   string
}

func (c *celCheck) each(s *Subject) ([]asked, error) {
	base, err := s.values()
	if err != nil {
		return nil, err
	}
	with := func(name string, v any) map[string]any {
		all := make(map[string]any, len(base)+1)
		for k, b := range base {
			all[k] = b
		}
		all[name] = v
		return all
	}
	var list []asked
	switch c.Each {
	case "operation":
		views := base["operations"].([]any)
		for i := range s.Operations {
			list = append(list, asked{values: with("operation", views[i]), operation: &s.Operations[i]})
		}
	case "gateway":
		views := base["gateways"].([]any)
		for i := range s.Gateways {
			list = append(list, asked{values: with("gateway", views[i]), gateway: s.Gateways[i].Name})
		}
	default:
		list = []asked{{values: base}}
	}
	return list, nil
}

func (c *celCheck) inputs(s *Subject) (any, error) {
	list, err := c.each(s)
	if err != nil {
		return nil, err
	}
	in := []any{}
	for _, a := range list {
		one := map[string]any{}
		if a.operation != nil {
			one["of"] = a.operation.ID
		}
		if a.gateway != "" {
			one["of"] = a.gateway
		}
		for _, path := range c.program.Paths() {
			one[path] = expr.Pick(a.values, path)
		}
		in = append(in, one)
	}
	return in, nil
}

func (c *celCheck) judge(s *Subject, v *Verdict) error {
	list, err := c.each(s)
	if err != nil {
		return err
	}
	for _, a := range list {
		ok, err := c.program.Eval(a.values)
		if ok && err == nil {
			continue
		}
		f := s.at(a.operation)
		if a.gateway != "" {
			f.Object = "Gateway " + a.gateway
		}
		if f.Detail = fmt.Sprintf("%s does not hold", c.program); err != nil {
			f.Detail = err.Error()
		}
		if seen := c.seen(a.values); seen != "" {
			f.Detail += "; " + seen
		}
		f.Remedy = cmp.Or(c.Message, "change what it asks about so that it holds")
		v.add(f)
	}
	return nil
}

// seen tells the plain values the expression looked at, so that whoever reads
// that it does not hold sees why.
func (c *celCheck) seen(values map[string]any) string {
	var words []string
	for _, path := range c.program.Paths() {
		switch at := expr.Pick(values, path).(type) {
		case string:
			words = append(words, fmt.Sprintf("%s is %q", path, clip(at)))
		case bool, int64, float64:
			words = append(words, fmt.Sprintf("%s is %v", path, at))
		case []any:
			if len(at) == 0 {
				words = append(words, path+" is empty")
			}
		}
		if len(words) == 5 {
			break
		}
	}
	return strings.Join(words, ", ")
}

func clip(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "…"
	}
	return s
}
