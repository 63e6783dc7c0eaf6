package adminapi

import (
	"time"

	"gatehouse"
)

// diffRoutes is the route of differences.
var diffRoutes = []Described{Diff}

// Diff compares two revisions.
var Diff = Route[DiffRequest, DiffAnswer]{Operation{
	ID: "diff", Pattern: "GET " + versionPath + "/diff", Action: "release.diff", On: versionOn,
	Doc: `Compare two revisions or versions, and tell who is affected

Changes of the definition carry the ids of the checks that found them. Affected are the applications that called, in the days before, what is removed or broken.`,
}}

// A DiffRequest names two sides. Each is a revision, the newest when none is
// named, or the one that is live in an environment.
type DiffRequest struct {
	VersionPath
	Revision      string `query:"revision" doc:"Hash of the first side, or its beginning."`
	Environment   string `query:"environment" doc:"The first side is what is live here; calls are counted here alone."`
	To            string `query:"to" doc:"The second side, TEAM/NAME@VERSION, with #REVISION if need be; left out, the newest revision of the same version."`
	ToEnvironment string `query:"toEnvironment" doc:"The second side is what is live here."`
	Days          int    `query:"days" minimum:"1" maximum:"366" default:"30" doc:"How many days of calls are looked at."`
}

// A DiffAnswer is what changes, and for whom.
type DiffAnswer struct{ Body DiffBody }

// A DiffBody is what changes, and for whom.
type DiffBody struct {
	From DiffSide `json:"from"`
	To   DiffSide `json:"to"`
	Same bool     `json:"same"`
	// Breaking is set when some change of level error is among them.
	Breaking bool `json:"breaking"`
	// Definition is what the definitions say otherwise, the gravest first, and
	// Omitted how many more there are. NotCompared is why they were not.
	Definition  []DiffChange `json:"definition"`
	Omitted     int          `json:"omitted,omitempty"`
	NotCompared string       `json:"notCompared,omitempty"`
	// Gatehouse is what is said otherwise beside the definition: path, access,
	// policies.
	Gatehouse []DiffChange          `json:"gatehouse"`
	Removed   []gatehouse.Operation `json:"removed,omitempty"`
	Added     []gatehouse.Operation `json:"added,omitempty"`
	Since     time.Time             `json:"since"` // from when on calls were looked at
	Affected  []DiffAffected        `json:"affected"`
}

// A DiffSide is one of the two, as it was compared.
type DiffSide struct {
	API         string `json:"api"` // "payments/orders"
	Version     string `json:"version"`
	Revision    string `json:"revision"`
	Environment string `json:"environment,omitempty"`
}

// A DiffChange is one change.
type DiffChange struct {
	ID          string `json:"id"`
	Level       string `json:"level"` // error, warn or info
	Operation   string `json:"operation,omitempty"`
	OperationID string `json:"operationId,omitempty"`
	Path        string `json:"path,omitempty"`
	Text        string `json:"text"`
	Comment     string `json:"comment,omitempty"`
}

// A DiffAffected is an application that called what is removed or broken.
type DiffAffected struct {
	Application string    `json:"application"` // "" are callers without one
	Team        string    `json:"team,omitempty"`
	Operations  []string  `json:"operations"`
	Requests    int64     `json:"requests"`
	Last        time.Time `json:"last"` // the hour in which it last did
}
