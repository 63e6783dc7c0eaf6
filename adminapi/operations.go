package adminapi

import "gatehouse"

// operationRoutes tell application owners what they can call.
var operationRoutes = []Described{ListOperations}

// ListOperations is the reference of an API version.
var ListOperations = Route[ListOperationsRequest, OperationsAnswer]{Operation{
	ID: "listOperations", Pattern: "GET " + versionPath + "/operations", Action: "api.get", On: versionOn,
	Doc: `List what an API version offers to its callers

The operations of the revision that is live in an environment, else of the newest, with the examples their definition gives; and the definition itself when it is asked for.`,
}}

// A ListOperationsRequest names a version, and where it is called.
type ListOperationsRequest struct {
	VersionPath
	Environment string `query:"environment" doc:"As it is live here; left out, as it was applied last."`
	Definition  bool   `query:"definition" doc:"With the definition's text."`
}

// An OperationsAnswer is what can be called.
type OperationsAnswer struct {
	Body struct {
		Revision   string                `json:"revision"`
		Path       string                `json:"path"`
		Access     string                `json:"access"` // subscription, token or open
		Lifecycle  string                `json:"lifecycle"`
		Operations []gatehouse.Operation `json:"operations"`
		// Definition is the main file as it was applied, File its path as written.
		File       string `json:"file,omitempty"`
		Definition string `json:"definition,omitempty"`
	}
}
