package adminapi

import "time"

// ImpactFramework tells what enforceFramework would find.
var ImpactFramework = Route[ImpactFrameworkRequest, FrameworkImpact]{Operation{
	ID: "impactFramework", Pattern: "GET " + frameworkPath + "/{version}/impact", Action: "framework.get", On: frameworkOn,
	Doc: `List what would fall short if a version came in force now

Everything released that the version would judge is evaluated as if it were in force, and nothing is written. A draft is taken as it reads now. Only APIs whose gate the caller may see are told of. Pages are short because each release is evaluated: go on until there is no next.`,
}}

var impactRoutes = []Described{ImpactFramework}

// Looking ahead to a framework version.
type (
	ImpactFrameworkRequest struct {
		FrameworkRef
		Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many releases are looked at, at most."`
		After string `query:"after" doc:"Cursor from the page before."`
	}
	FrameworkImpact struct {
		Body struct {
			Items  []ImpactItem `json:"items"`
			Looked int          `json:"looked"` // releases that the version would judge
			Next   string       `json:"next,omitempty"`
		}
	}
	// An ImpactItem is one released revision that would fall short.
	ImpactItem struct {
		Environment string          `json:"environment"`
		Mode        string          `json:"mode"` // of the environment's gate: enforce or report
		API         string          `json:"api"`
		Version     string          `json:"version"`
		Revision    string          `json:"revision"`
		Now         string          `json:"now,omitempty"`    // what the gate found of it last
		Outcome     string          `json:"outcome"`          // grace, waiting or failed
		Until       time.Time       `json:"until,omitzero"`   // when the first period of grace would end
		Reason      string          `json:"reason,omitempty"` // when no control says it
		Controls    []ImpactControl `json:"controls"`
	}
	ImpactControl struct {
		ID      string    `json:"id"`
		Outcome string    `json:"outcome"`
		Until   time.Time `json:"until,omitzero"` // of its grace
		Detail  string    `json:"detail,omitempty"`
		Remedy  string    `json:"remedy,omitempty"`
		More    int       `json:"more,omitempty"` // findings beside this one
	}
)
