package adminapi

import "gatehouse"

// teamRoutes are the routes of what a team works with and how it stands.
var teamRoutes = []Described{GetTeamPage, GetTeamChecklist, MakeKit, GetOverview}

// The routes of teams.
var (
	GetTeamPage = Route[TeamRef, TeamPageAnswer]{Operation{
		ID: "getTeamPage", Pattern: "GET /v1/teams/{team}/overview", Action: "team.get", On: "team/{team}",
		Doc: `Show how a team stands

Members, APIs, products, subscriptions, gate, waivers, usage against quotas, support, service levels, checklist and what happened lately. Roles of members and events are for who may see them; what is withheld is named.`,
	}}
	GetTeamChecklist = Route[TeamRef, ChecklistAnswer]{Operation{
		ID: "getTeamChecklist", Pattern: "GET /v1/teams/{team}/checklist", Action: "team.get", On: "team/{team}",
		Doc:   "Show what a team has done and what is left\n\nItems tick themselves from what is there.",
		Bound: "one item for each step onto the platform",
	}}
	GetOverview = Route[OverviewRequest, OverviewAnswer]{Operation{
		ID: "getOverview", Pattern: "GET /v1/overview", Action: "team.list",
		Doc: "Show how all teams stand, by name\n\nThose that the caller may see, page by page, with the sum over the page.",
	}}
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
	OverviewRequest struct {
		Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many at most."`
		After string `query:"after" doc:"Cursor from the page before."`
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
	TeamPageAnswer  struct{ Body gatehouse.TeamPage }
	ChecklistAnswer struct {
		Body struct {
			Team  string                    `json:"team"`
			Done  int                       `json:"done"`
			Total int                       `json:"total"`
			Items []gatehouse.ChecklistItem `json:"items"`
		}
	}
	OverviewAnswer struct {
		Body struct {
			Items []gatehouse.TeamRow  `json:"items"`
			Sum   gatehouse.TeamCounts `json:"sum" doc:"Over this page."`
			Next  string               `json:"next,omitempty"`
		}
	}
	KitAnswer struct {
		Body struct {
			ServiceAccount string `json:"serviceAccount" doc:"What the pipeline acts as."`
			Made           bool   `json:"made" doc:"The service account is new."`
			// Files by path below the kit's folder.
			Files map[string]string `json:"files"`
		}
	}
)
