package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"gatehouse/jsonx"
)

// Decode reads and checks a configuration of kind k strictly. An error begins
// with the policy's name and the field at fault, as the user wrote it:
// `rate-limit: per: "1x" is not a duration …`.
func (k Kind) Decode(config json.RawMessage) (Config, error) {
	c := k.New()
	if len(config) > 0 && string(config) != "null" {
		if err := jsonx.Decode(config, c); err != nil {
			return nil, fmt.Errorf("%s: %w", k.Name, k.locate(config, err))
		}
	}
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", k.Name, err)
	}
	return c, nil
}

// locate says err, of decoding config, in the words of files rather than Go's,
// with the field it is about.
func (k Kind) locate(config json.RawMessage, err error) error {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if t.Field == "" {
			return fmt.Errorf("%s where a map of fields belongs", article(t.Value))
		}
		return fmt.Errorf("%s: %s where %s belongs", t.Field, article(t.Value), goType(t.Type))
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return fmt.Errorf("unknown field %s; it has %s", name, strings.Join(fields(reflect.TypeOf(k.New())), ", "))
	}
	var m map[string]json.RawMessage
	if json.Unmarshal(config, &m) != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(m)) { // a type's own complaint does not say where it stood
		var one bytes.Buffer
		fmt.Fprintf(&one, "{%q:%s}", name, m[name])
		if e := jsonx.Decode(one.Bytes(), k.New()); e != nil && e.Error() == err.Error() {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return err
}

// fields are the names of a struct's fields in files.
func fields(t reflect.Type) []string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var names []string
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}

// article names a JSON value as encoding/json calls it: "number 1.5", "string".
func article(value string) string {
	switch value, _, _ = strings.Cut(value, " "); value {
	case "array":
		return "a list stands"
	case "object":
		return "a map stands"
	case "string":
		return "text stands"
	case "bool":
		return "true or false stands"
	}
	return "a " + value + " stands"
}

// goType says what files call a Go type.
func goType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "text"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "a map"
	case reflect.Float32, reflect.Float64:
		return "a number"
	}
	return "a whole number"
}
