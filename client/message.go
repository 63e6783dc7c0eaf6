package client

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"gatehouse/adminapi"
	"gatehouse/jsonx"
)

// A message is a request as it goes out.
type message struct {
	target string
	header http.Header
	body   []byte
}

// encode reads where each field travels from the tags that the server reads
// too: path, query, header, and the fields Body and RawBody.
func encode(o adminapi.Operation, in any) (message, error) {
	m := message{target: o.Path(), header: http.Header{}}
	query := url.Values{}
	var err error
	walk(reflect.ValueOf(in).Elem(), func(f reflect.StructField, v reflect.Value) {
		switch {
		case f.Tag.Get("path") != "":
			text := fmt.Sprint(v.Interface())
			if text == "" && err == nil {
				err = fmt.Errorf("%s: the request names no %s", o.ID, f.Tag.Get("path"))
			}
			m.target = strings.ReplaceAll(m.target, "{"+f.Tag.Get("path")+"}", url.PathEscape(text))
		case f.Tag.Get("query") != "" && !v.IsZero():
			name, _, _ := strings.Cut(f.Tag.Get("query"), ",")
			query.Set(name, text(v))
		case f.Tag.Get("header") != "" && !v.IsZero():
			m.header.Set(f.Tag.Get("header"), text(v))
		case f.Name == "RawBody":
			m.body = v.Bytes()
		case f.Name == "Body" && v.Kind() == reflect.Pointer && v.IsNil():
		case f.Name == "Body" && m.body == nil:
			if raw, ok := v.Interface().(json.RawMessage); ok {
				m.body = raw
			} else if body, e := jsonx.Marshal(v.Interface()); e != nil {
				err = e
			} else {
				m.body = body
			}
		}
	})
	if len(query) > 0 {
		m.target += "?" + query.Encode()
	}
	return m, err
}

// text writes a parameter as huma reads it: lists joined by commas, times by
// RFC 3339.
func text(v reflect.Value) string {
	if v.Kind() == reflect.Slice {
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = fmt.Sprint(v.Index(i).Interface())
		}
		return strings.Join(parts, ",")
	}
	if t, ok := v.Interface().(interface{ MarshalText() ([]byte, error) }); ok {
		if b, err := t.MarshalText(); err == nil {
			return string(b)
		}
	}
	return fmt.Sprint(v.Interface())
}

// decode fills the response type: header fields and the body.
func decode(resp *http.Response, out any) error {
	var err error
	walk(reflect.ValueOf(out).Elem(), func(f reflect.StructField, v reflect.Value) {
		switch {
		case f.Tag.Get("header") != "":
			if v.Kind() == reflect.String {
				v.SetString(resp.Header.Get(f.Tag.Get("header")))
			}
		case f.Name == "Body":
			var data []byte
			if data, err = io.ReadAll(io.LimitReader(resp.Body, MaxAnswer)); err != nil {
				return
			}
			if raw, ok := v.Addr().Interface().(*[]byte); ok {
				*raw = data
			} else if len(data) > 0 {
				err = json.Unmarshal(data, v.Addr().Interface())
			}
		}
	})
	return err
}

// walk visits the fields of a struct, those of embedded structs included.
func walk(v reflect.Value, visit func(reflect.StructField, reflect.Value)) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		switch {
		case f.Anonymous && v.Field(i).Kind() == reflect.Struct:
			walk(v.Field(i), visit)
		case f.IsExported():
			visit(f, v.Field(i))
		}
	}
}
