package gatehouse

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// shape walks value beside the type it must fit and reports unknown fields and
// wrong types. spec is the type that stands for the Spec interface.
func shape(c *Checker, t reflect.Type, value any, spec reflect.Type) {
	if value == nil || len(*c.faults) >= maxFaults { // null says that nothing was given
		return
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[Object]():
		shapeStruct(c, t, value, spec)
		return
	case t == reflect.TypeFor[Spec]():
		t = spec
	case t == reflect.TypeFor[json.RawMessage]():
		return
	case reflect.PointerTo(t).Implements(unmarshaler):
		shapeCustom(c, t, value)
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		shapeStruct(c, t, value, spec)
	case reflect.Slice:
		list, ok := value.([]any)
		if !ok {
			c.wrong(value, "a list")
			return
		}
		for i, e := range list {
			if e == nil {
				c.At(i).Errorf("item %d of the list is empty", i)
			}
			shape(c.At(i), t.Elem(), e, spec)
		}
	case reflect.Map:
		m, ok := value.(map[string]any)
		if !ok {
			c.wrong(value, "a map")
			return
		}
		for _, k := range sortedKeys(m) {
			shape(c.At(k), t.Elem(), m[k], spec)
		}
	default:
		shapeScalar(c, t, value)
	}
}

func shapeStruct(c *Checker, t reflect.Type, value any, spec reflect.Type) {
	m, ok := value.(map[string]any)
	if !ok {
		c.wrong(value, "a map")
		return
	}
	fields := make(map[string]reflect.Type, t.NumField())
	names := make([]string, 0, t.NumField())
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields[name], names = f.Type, append(names, name)
	}
	for _, k := range sortedKeys(m) {
		ft, known := fields[k]
		if !known {
			c.At(k).Errorf("unknown field %q%s", k, suggest(k, names))
			continue
		}
		shape(c.At(k), ft, m[k], spec)
	}
}

func shapeCustom(c *Checker, t reflect.Type, value any) {
	raw, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(raw, reflect.New(t).Interface())
	}
	if err != nil {
		c.Errorf("%s", err)
	}
}

func shapeScalar(c *Checker, t reflect.Type, value any) {
	switch t.Kind() {
	case reflect.String:
		if _, ok := value.(string); !ok {
			c.wrong(value, "text")
		}
	case reflect.Bool:
		if _, ok := value.(bool); !ok {
			c.wrong(value, "true or false")
		}
	case reflect.Int, reflect.Int64, reflect.Float64:
		n, ok := value.(json.Number)
		if !ok {
			c.wrong(value, "a number")
			return
		}
		if err := json.Unmarshal([]byte(n), reflect.New(t).Interface()); err != nil {
			c.Errorf("%s is not a whole number in range", n)
		}
	}
}

// wrong reports a value of another type than wanted, as it was written.
func (c *Checker) wrong(value any, want string) {
	switch v := value.(type) {
	case map[string]any:
		c.Errorf("is a map, not %s", want)
	case []any:
		c.Errorf("is a list, not %s", want)
	case string:
		c.Errorf("%q is text, not %s", clip(v), want)
	default:
		hint := ""
		if want == "text" {
			hint = fmt.Sprintf(": write \"%v\"", v)
		}
		c.Errorf("%v is not %s%s", v, want, hint)
	}
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:77] + "..."
	}
	return s
}
