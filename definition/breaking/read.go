package breaking

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"path"
	"runtime/debug"
	"strings"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oasdiff/oasdiff/load"

	"gatehouse"
	"gatehouse/definition"
	"gatehouse/yamlx"
)

// read makes the library's model of a definition. Text is read by package
// yamlx alone, whose bounds hold; the library sees JSON.
func read(d Definition) (info *load.SpecInfo, err error) {
	defer func() {
		if p := recover(); p != nil {
			slog.Error("reading a definition panicked", "panic", p, "stack", string(debug.Stack()))
			info, err = nil, gatehouse.E(gatehouse.Invalid, "%s", unusual)
		}
	}()
	files, err := clean(d.Files)
	if err != nil {
		return nil, err
	}
	main := path.Clean(d.Main)
	known, err := definition.Read(main, files)
	if err != nil {
		return nil, err
	}
	if known.Format != definition.OpenAPI {
		return nil, gatehouse.E(gatehouse.Invalid, "it is %s; only OpenAPI definitions are compared", known.Format)
	}
	if len(known.Operations) > MaxOperations {
		return nil, gatehouse.E(gatehouse.Invalid, "it has %d operations; at most %d are compared", len(known.Operations), MaxOperations)
	}
	s := &side{files: files, json: map[string][]byte{}}
	var spec *openapi3.T
	if strings.HasPrefix(known.FormatVersion, "2") {
		spec, err = s.swagger(main)
	} else {
		spec, err = s.openapi(main)
	}
	if err != nil {
		return nil, gatehouse.E(gatehouse.Invalid, "%s", sentence(err.Error()))
	}
	if spec.Paths == nil {
		spec.Paths = openapi3.NewPaths()
	}
	return &load.SpecInfo{Url: main, Spec: spec}, nil
}

func clean(files map[string][]byte) (map[string][]byte, error) {
	out, size := make(map[string][]byte, len(files)), 0
	for name, data := range files {
		if size += len(data); size > MaxBytes {
			return nil, gatehouse.E(gatehouse.TooLarge, "its files have more than %d bytes together, which is the most that is compared", MaxBytes)
		}
		out[path.Clean(name)] = data
	}
	return out, nil
}

// A side is one definition while it is read.
type side struct {
	files map[string][]byte
	json  map[string][]byte
}

// text is a file as JSON.
func (s *side) text(name string) ([]byte, error) {
	if made, ok := s.json[name]; ok {
		return made, nil
	}
	data, ok := s.files[name]
	if !ok {
		return nil, fmt.Errorf("%q is referred to and not among the files; nothing is fetched", name)
	}
	docs, err := yamlx.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(docs) != 1 {
		return nil, fmt.Errorf("%s: %d documents; a definition is one", name, len(docs))
	}
	made, faults := yamlx.JSON(docs[0])
	if len(faults) > 0 {
		return nil, fmt.Errorf("%s: %w", name, faults[0])
	}
	made = texts(made)
	s.json[name] = made
	return made, nil
}

// texts quotes versions that were written as numbers, which is common.
func texts(data []byte) []byte {
	var root map[string]json.RawMessage
	if json.Unmarshal(data, &root) != nil {
		return data
	}
	quote := func(m map[string]json.RawMessage, key string) bool {
		v := m[key]
		if len(v) == 0 || v[0] == '"' || v[0] == '{' || v[0] == '[' || string(v) == "null" {
			return false
		}
		m[key], _ = json.Marshal(string(v))
		return true
	}
	changed := quote(root, "openapi")
	changed = quote(root, "swagger") || changed
	var info map[string]json.RawMessage
	if json.Unmarshal(root["info"], &info) == nil && (quote(info, "version") || quote(info, "title")) {
		root["info"], _ = json.Marshal(info)
		changed = true
	}
	if !changed {
		return data
	}
	data, _ = json.Marshal(root)
	return data
}

// loader follows references to the side's own files and to nothing else.
func (s *side) loader() *openapi3.Loader {
	l := openapi3.NewLoader()
	l.IsExternalRefsAllowed = true
	l.ReadFromURIFunc = func(_ *openapi3.Loader, at *url.URL) ([]byte, error) {
		if _, given := s.files[at.String()]; given { // a URL that was sent as a file's name
			return s.text(at.String())
		}
		if at.Scheme != "" || at.Host != "" {
			return nil, fmt.Errorf("refers to %q, which is not among the files; nothing is fetched", at.Redacted())
		}
		return s.text(path.Clean(at.Path))
	}
	return l
}

func (s *side) openapi(main string) (*openapi3.T, error) {
	data, err := s.text(main)
	if err != nil {
		return nil, err
	}
	return s.loader().LoadFromDataWithPath(data, &url.URL{Path: main})
}

// swagger converts Swagger 2.0. The conversion rewrites references within one
// file; across files it would leave some that lead nowhere.
func (s *side) swagger(main string) (*openapi3.T, error) {
	data, err := s.text(main)
	if err != nil {
		return nil, err
	}
	if other := leaves(data); other != "" {
		return nil, fmt.Errorf("it is Swagger 2.0 and refers to %q; Swagger 2.0 is compared when it is one file: bundle it, or convert it to OpenAPI 3", other)
	}
	var old openapi2.T
	if err := json.Unmarshal(data, &old); err != nil {
		return nil, err
	}
	return openapi2conv.ToV3WithLoader(&old, s.loader(), &url.URL{Path: main})
}

// leaves is the first reference that leads out of its file, "" when none does.
func leaves(data []byte) string {
	var root any
	if json.Unmarshal(data, &root) != nil {
		return ""
	}
	var walk func(v any) string
	walk = func(v any) string {
		switch v := v.(type) {
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok && !strings.HasPrefix(ref, "#") {
				return ref
			}
			for name, child := range v {
				if strings.HasPrefix(name, "x-") || name == "example" || name == "examples" {
					continue // values, not parts of the description
				}
				if found := walk(child); found != "" {
					return found
				}
			}
		case []any:
			for _, child := range v {
				if found := walk(child); found != "" {
					return found
				}
			}
		}
		return ""
	}
	return walk(root)
}
