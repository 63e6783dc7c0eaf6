package server

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"gatehouse"
	"gatehouse/jsonx"
)

// registry knows how the words' own forms look in JSON: durations are text, a
// policy is a map with one key.
func registry() huma.Registry {
	r := huma.NewMapRegistry("#/components/schemas/", schemaName)
	r.RegisterTypeAlias(reflect.TypeFor[jsonx.Duration](), reflect.TypeFor[string]())
	r.RegisterTypeAlias(reflect.TypeFor[gatehouse.PolicyUse](), reflect.TypeFor[map[string]any]())
	return r
}

// schemaName names a type in the document. Words of gateways and of
// attestations may be those of files too (Health, Control), so theirs say whose
// they are.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.PkgPath() {
	case "gatehouse/report":
		return "Gateway" + name
	case "gatehouse/attest":
		return "Attested" + name
	}
	return name
}

// documentSchema describes a document of one kind.
func (s *Server) documentSchema(kind gatehouse.Kind) *huma.Schema {
	r := s.api.OpenAPI().Components.Schemas
	name := string(kind) + "Document"
	if _, ok := r.Map()[name]; !ok {
		info, _ := gatehouse.Info(string(kind))
		r.Map()[name] = &huma.Schema{
			Type: huma.TypeObject, Required: []string{"apiVersion", "kind", "metadata", "spec"}, AdditionalProperties: false,
			Properties: map[string]*huma.Schema{
				"apiVersion": {Type: huma.TypeString, Enum: []any{gatehouse.APIVersion}},
				"kind":       {Type: huma.TypeString, Enum: []any{string(kind)}},
				"metadata":   r.Schema(reflect.TypeFor[gatehouse.Metadata](), true, ""),
				"spec":       r.Schema(reflect.TypeOf(info.New()).Elem(), true, string(kind)+"Spec"),
			},
		}
	}
	return &huma.Schema{Ref: "#/components/schemas/" + name}
}
