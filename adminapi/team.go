package adminapi

// teamRoutes are the routes of what a team works with and how it stands.
var teamRoutes = []Described{MakeKit}

// The routes of teams.
var (
	MakeKit = Route[KitRequest, KitAnswer]{Operation{
		ID: "makeKit", Pattern: "POST /v1/teams/{team}/kit", Action: "team.kit", On: "team/{team}",
		Doc: `Make a team's first repository

A sample API with its backend and product, recipes for four CI systems, and a README written for the team. The service account that the pipeline acts as is made when there is none; its token is not part of the kit.`,
	}}
)

// Requests about teams.
type (
	// A TeamRef names a team.
	TeamRef struct {
		Team string `path:"team" maxLength:"63"`
	}
	KitRequest struct {
		TeamRef
		Body struct {
			Address  string            `json:"address" maxLength:"500" doc:"URL of the management API as pipelines reach it."`
			Backends map[string]string `json:"backends,omitempty" doc:"Where requests to the sample API go, by environment."`
		}
	}
)

// Answers about teams.
type (
	KitAnswer struct {
		Body struct {
			ServiceAccount string `json:"serviceAccount" doc:"What the pipeline acts as."`
			Made           bool   `json:"made" doc:"The service account is new."`
			// Files by path below the kit's folder.
			Files map[string]string `json:"files"`
		}
	}
)
