package server

import (
	"context"
	"encoding/json"
	"strings"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/access"
	"gatehouse/jsonx"
)

// builtInRoles lists the roles that every installation has, as documents.
func builtInRoles(context.Context, *adminapi.Empty) (*adminapi.Objects, error) {
	out := new(adminapi.Objects)
	out.Body.Items = make([]adminapi.ObjectBody, 0, len(access.BuiltInRoles))
	for _, r := range access.BuiltInRoles {
		body, err := builtIn(r)
		if err != nil {
			return nil, err
		}
		out.Body.Items = append(out.Body.Items, body)
	}
	return out, nil
}

// builtIn is a built-in role as a document; its status says that it is one.
func builtIn(r access.BuiltInRole) (adminapi.ObjectBody, error) {
	summary, _, _ := strings.Cut(r.Doc, "\n")
	spec, err := jsonx.Canonical(&gatehouse.Role{Title: r.Title, Summary: summary, Permissions: r.Permissions})
	return adminapi.ObjectBody{
		APIVersion: gatehouse.APIVersion, Kind: gatehouse.KindRole, Metadata: gatehouse.Metadata{Name: r.Name}, Spec: spec,
		Status: json.RawMessage(`{"builtIn":true}`),
	}, err
}
