package adminapi

import (
	"encoding/json"

	"gatehouse"
)

// Apply does a bundle of documents, all or nothing.
var Apply = Route[ApplyRequest, ApplyAnswer]{Operation{
	ID: "apply", Pattern: "POST /v1/apply", Action: "apply", MaxBody: 512 << 20,
	Doc: `Apply a bundle of documents, all or nothing

Each object in it needs the permission that putting it alone would need. With dryRun the answer is the plan: what would change, and nothing does.`,
}}

// Export gives everything a caller may read as documents and files.
var Export = Route[ExportRequest, ExportAnswer]{Operation{
	ID: "export", Pattern: "GET /v1/export", Action: "export", // of the whole organization; of a team it gives what the caller may read
	Doc: `Export documents with the definitions they name

Of the whole organization it needs the permission there; with a team, whoever may read anything of that team gets what they may read.

Applying the answer to an empty server gives identical revisions.`,
	Bound: "at most 512 MiB of documents and definitions, all of one moment; who has more takes it team by team",
}}

// An ApplyRequest is a bundle.
type ApplyRequest struct{ Body ApplyBody }

// An ApplyBody is documents with the files they name.
type ApplyBody struct {
	Documents []ApplyDocument `json:"documents"`
	// Files are contents of definitions by their SHA-256 in hexadecimal. What
	// the server holds need not be sent again.
	Files map[string][]byte `json:"files,omitempty"`
	// Set names these files, for pruning.
	Set string `json:"set,omitempty"`
	// Prune deletes what the same set applied earlier and no longer holds.
	Prune     bool `json:"prune,omitempty"`
	YesDelete bool `json:"yesDelete,omitempty"` // delete protected objects too
	DryRun    bool `json:"dryRun,omitempty"`
	// Force is why versions go although they have traffic.
	Force string `json:"force,omitempty" maxLength:"2000"`
}

// An ApplyDocument is one document with the files its definitions are made of.
type ApplyDocument struct {
	Object json.RawMessage `json:"object"`
	// File it was read from, for messages.
	File string `json:"file,omitempty"`
	// Files are paths as written in the document, and those that the files
	// themselves refer to, each to the SHA-256 of its content.
	Files map[string]string `json:"files,omitempty"`
}

// An ApplyAnswer says what was done, or with dryRun would be.
type ApplyAnswer struct{ Body ApplyResult }

// An ApplyResult lists objects and what became of each.
type ApplyResult struct {
	Results []AppliedObject `json:"results"`
	// Held are revisions that an environment would take by itself, and that the
	// gate keeps out; what is live there stays.
	Held []HeldRelease `json:"held,omitempty"`
	// Seq is the number of the change; 0 when nothing changed.
	Seq int64 `json:"seq,omitempty"`
}

// A HeldRelease is a revision that the gate keeps out of an environment.
type HeldRelease struct {
	Release  string `json:"release"` // "prod payments/orders@v1"
	Revision string `json:"revision"`
	Reason   string `json:"reason"` // names the controls
}

// An AppliedObject is one object and what became of it.
type AppliedObject struct {
	Kind gatehouse.Kind `json:"kind"`
	Ref  string         `json:"ref"`
	// Action: create, update, unchanged, delete, release or withdraw.
	Action  string                 `json:"action"`
	Changes []gatehouse.Difference `json:"changes,omitempty"`
	// Note says more, such as the environment and revision of a release.
	Note string `json:"note,omitempty"`
}

// An ExportRequest narrows what is exported.
type ExportRequest struct {
	Team string `query:"team" doc:"Only this team's objects."`
	Kind string `query:"kind" doc:"Only objects of this kind."`
	AsOf string `query:"asOf" doc:"A past moment, RFC 3339."`
}

// An ExportAnswer is documents with the files they name, as Apply takes them.
type ExportAnswer struct{ Body ExportBody }

// An ExportBody is documents with the files they name.
type ExportBody struct {
	Documents []ApplyDocument   `json:"documents"`
	Files     map[string][]byte `json:"files,omitempty"`
}
