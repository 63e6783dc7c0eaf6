package expr

import (
	"bytes"
	"encoding/json"
	"fmt"

	"gatehouse/jsonx"
)

// Value is v as conditions see it: what its JSON says, with whole numbers as
// integers.
func Value(v any) (any, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return FromJSON(text)
}

// FromJSON is the value of a JSON text.
func FromJSON(text []byte) (any, error) {
	if err := jsonx.CheckDepth(text); err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return numbers(v)
}

func numbers(v any) (any, error) {
	var err error
	switch t := v.(type) {
	case json.Number:
		if i, err := t.Int64(); err == nil {
			return i, nil
		}
		f, err := t.Float64()
		if err != nil {
			return nil, fmt.Errorf("%q is not a number that can be compared", t.String())
		}
		return f, nil
	case []any:
		for i := range t {
			if t[i], err = numbers(t[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for k := range t {
			if t[k], err = numbers(t[k]); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}
