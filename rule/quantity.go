package rule

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"time"

	"gatehouse/expr"
	"gatehouse/jsonx"
)

// quantities is a policy's configuration as conditions see it: what its JSON
// says, except that what files write as text and programs count is a number
// here, so that it can be compared. Sizes are in bytes, periods in seconds.
func quantities(v reflect.Value) (any, error) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil, nil
		}
		return quantities(v.Elem())
	}
	if d, ok := v.Interface().(jsonx.Duration); ok {
		return time.Duration(d).Seconds(), nil
	}
	if writesItself(v) {
		if v.CanInt() {
			return v.Int(), nil
		}
		return expr.Value(v.Interface())
	}
	switch v.Kind() {
	case reflect.Struct:
		return fieldsOf(v)
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
			return expr.Value(v.Interface())
		}
		list := make([]any, v.Len())
		for i := range list {
			var err error
			if list[i], err = quantities(v.Index(i)); err != nil {
				return nil, err
			}
		}
		return list, nil
	case reflect.Map:
		out := make(map[string]any, v.Len())
		for it := v.MapRange(); it.Next(); {
			value, err := quantities(it.Value())
			if err != nil {
				return nil, err
			}
			out[it.Key().String()] = value
		}
		return out, nil
	}
	return expr.Value(v.Interface())
}

// fieldsOf is a struct by its fields' names in JSON; what omitempty leaves out
// is left out here too.
func fieldsOf(v reflect.Value) (map[string]any, error) {
	out := map[string]any{}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" {
			continue
		}
		if f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct {
			inner, err := fieldsOf(v.Field(i))
			if err != nil {
				return nil, err
			}
			for k, value := range inner {
				out[k] = value
			}
			continue
		}
		if strings.Contains(options, "omit") && empty(v.Field(i)) {
			continue
		}
		if name == "" {
			name = f.Name
		}
		value, err := quantities(v.Field(i))
		if err != nil {
			return nil, err
		}
		out[name] = value
	}
	return out, nil
}

func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.String, reflect.Array:
		return v.Len() == 0
	}
	return v.IsZero()
}

func writesItself(v reflect.Value) bool {
	if v.CanAddr() {
		v = v.Addr()
	}
	switch v.Interface().(type) {
	case json.Marshaler, encoding.TextMarshaler:
		return true
	}
	return false
}
