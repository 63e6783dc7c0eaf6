package jwt

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzObject holds readObject to encoding/json, read token by token.
func FuzzObject(f *testing.F) {
	for _, s := range []string{claims(""), `{}`, `{"a":[1,-0,0.5e-3,true,false,null,{"b":"\u00e9\ud83d\n"}]}`, ` {"a" : "b" } `, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`,
		`{"a":01}`, `{"a":1.}`, `{"a":[1,]}`, `{"a":1,}`, `{,}`, `{"a"}`, `{"a":}`, `[1]`, `{}{}`, `{"a":"\x"}`, "{\"a\":\"\n\"}", `{"a":-}`, `{"a":nul}`, `{"a":"`, `{"a":"\`, "\ufeff{}",
		strings.Repeat(`{"a":`, 21) + "1" + strings.Repeat("}", 21), strings.Repeat(`{"a":`, 20) + "1" + strings.Repeat("}", 20), `{"a":[` + strings.Repeat("1,", 1997) + `1]}`, `{"a":[` + strings.Repeat("1,", 1998) + `1]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := readObject(data)
		want, wantErr := slowObject(data)
		if (err == nil) != (wantErr == nil) || err == nil && !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %v, %v; encoding/json: %v, %v", data, got, err, want, wantErr)
		}
	})
}

func slowObject(data []byte) (map[string]any, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("are not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	r := slowReader{dec: dec, left: maxMembers}
	v, err := r.value(0)
	if err != nil {
		return nil, err
	}
	m, ok := v.(map[string]any)
	if _, err := dec.Token(); !ok || !errors.Is(err, io.EOF) {
		return nil, errors.New("are not one JSON object")
	}
	return m, nil
}

// A slowReader reads JSON within bounds; left is how many values it may still meet.
type slowReader struct {
	dec  *json.Decoder
	left int
}

func (r *slowReader) value(depth int) (any, error) {
	t, err := r.dec.Token()
	if err != nil {
		return nil, errJSON
	}
	if r.left--; r.left < 0 || depth > maxDepth {
		return nil, errMany
	}
	switch t {
	case json.Delim('{'):
		return r.object(depth)
	case json.Delim('['):
		list := []any{}
		for r.dec.More() {
			v, err := r.value(depth + 1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := r.dec.Token()
		return list, err
	}
	return t, nil
}

func (r *slowReader) object(depth int) (map[string]any, error) {
	m := map[string]any{}
	for r.dec.More() {
		t, err := r.dec.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return nil, errJSON
		}
		if _, twice := m[name]; twice {
			return nil, errTwice
		}
		if m[name], err = r.value(depth + 1); err != nil {
			return nil, err
		}
	}
	_, err := r.dec.Token()
	if err != nil {
		return nil, errJSON
	}
	return m, nil
}
