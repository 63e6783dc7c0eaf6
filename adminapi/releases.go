package adminapi

import (
	"time"

	"gatehouse"
)

// A VersionPath names one API version.
type VersionPath struct {
	Team    string `path:"team"`
	Name    string `path:"name"`
	Version string `path:"version"`
}

const (
	versionPath = "/v1/teams/{team}/apis/{name}/versions/{version}"
	versionOn   = "API/{team}/{name}"
)

// The routes of revisions and releases.
var (
	ListRevisions = Route[ListRevisionsRequest, Revisions]{Operation{
		ID: "listRevisions", Pattern: "GET " + versionPath + "/revisions", Action: "revision.list", On: versionOn,
		Doc: "List the revisions of an API version, newest first",
	}}
	GetRevision = Route[GetRevisionRequest, RevisionAnswer]{Operation{
		ID: "getRevision", Pattern: "GET " + versionPath + "/revisions/{revision}", Action: "revision.get", On: versionOn,
		Doc: "Read one revision by its hash or the hash's beginning",
	}}
	Release = Route[ReleaseRequest, ReleaseAnswer]{Operation{
		ID: "release", Pattern: "POST " + versionPath + "/release", Action: "release.create", On: versionOn,
		Doc: `Release a revision into an environment

Where the environment asks for approval the release waits for it. Releasing what is live changes nothing.`,
	}}
	Promote = Route[PromoteRequest, ReleaseAnswer]{Operation{
		ID: "promote", Pattern: "POST " + versionPath + "/promote", Action: "release.promote", On: versionOn,
		Doc: `Release into one environment the revision that is live in another

The revision moves; the backend is that of the target environment, bound by name.`,
	}}
	Rollback = Route[RollbackRequest, ReleaseAnswer]{Operation{
		ID: "rollback", Pattern: "POST " + versionPath + "/rollback", Action: "release.rollback", On: versionOn,
		Doc: "Release the revision that was live before",
	}}
	Withdraw = Route[WithdrawRequest, Empty]{Operation{
		ID: "withdraw", Pattern: "POST " + versionPath + "/withdraw", Action: "release.withdraw", On: versionOn, Status: 204,
		Doc: "Take an API version out of an environment\n\nWhile it has traffic there it stays, unless force says why not.",
	}}
	ApproveRelease = Route[DecideReleaseRequest, ReleaseAnswer]{Operation{
		ID: "approveRelease", Pattern: "POST " + versionPath + "/approve", Action: "release.approve", On: versionOn,
		Doc: "Let a requested release through\n\nWho asked for it cannot approve it.",
	}}
	RejectRelease = Route[DecideReleaseRequest, ReleaseAnswer]{Operation{
		ID: "rejectRelease", Pattern: "POST " + versionPath + "/reject", Action: "release.reject", On: versionOn,
		Doc: "Turn a requested release down",
	}}
	GetStatus = Route[StatusRequest, StatusAnswer]{Operation{
		ID: "getStatus", Pattern: "GET " + versionPath + "/status", Action: "release.get", On: versionOn,
		Doc: "Tell where an API version runs, instance by instance",
	}}
	Explain = Route[ExplainRequest, ExplainAnswer]{Operation{
		ID: "explain", Pattern: "GET " + versionPath + "/explain", Action: "api.explain", On: versionOn,
		Doc: "Show the steps each request goes through, in order, and where each comes from",
	}}
	GetCatalog = Route[CatalogRequest, CatalogAnswer]{Operation{
		ID: "getCatalog", Pattern: "GET /v1/catalog", Action: "catalog.get",
		Doc: `List everything that is exposed

One entry for each API version, environment and gateway, with what each instance really runs, now or at a past moment. The gateways of one release stand on one page, which may be longer than limit for it.`,
	}}
)

// Requests of revisions and releases.
type (
	ListRevisionsRequest struct {
		VersionPath
		Paged
	}
	GetRevisionRequest struct {
		VersionPath
		Revision string `path:"revision"`
	}
	ReleaseRequest struct {
		VersionPath
		Body struct {
			Environment string `json:"environment"`
			Revision    string `json:"revision,omitempty" doc:"Hash or its beginning; left out, the newest."`
			ReleaseTerms
		}
	}
	PromoteRequest struct {
		VersionPath
		Body struct {
			From string `json:"from"`
			To   string `json:"to"`
			ReleaseTerms
		}
	}
	// ReleaseTerms say how a revision is to come in.
	ReleaseTerms struct {
		Note     string                `json:"note,omitempty" maxLength:"4000" doc:"What is new: the release notes."`
		At       time.Time             `json:"at,omitzero" doc:"When; left out, at once."`
		Canary   *gatehouse.CanaryPlan `json:"canary,omitempty" doc:"In steps; left out, whole."`
		Override string                `json:"override,omitempty" maxLength:"2000" doc:"Why a freeze does not hold for it. Needs the permission release.override."`
	}
	RollbackRequest struct {
		VersionPath
		Body struct {
			Environment string `json:"environment"`
			Note        string `json:"note,omitempty" maxLength:"4000"`
		}
	}
	WithdrawRequest struct {
		VersionPath
		Body struct {
			Environment string `json:"environment"`
			Note        string `json:"note,omitempty" maxLength:"4000"`
			Force       string `json:"force,omitempty" maxLength:"2000" doc:"Why it goes although it has traffic."`
		}
	}
	DecideReleaseRequest struct {
		VersionPath
		Body struct {
			Environment string `json:"environment"`
			Reason      string `json:"reason,omitempty" maxLength:"4000"`
			Revision    string `json:"revision,omitempty" doc:"That was read, by its hash or the hash's beginning; another one that waits by now is not decided on."`
			Hash        string `json:"hash,omitempty" doc:"Of the request that was read, as the list of releases has it; another one that waits by now is not decided on."`
		}
	}
	StatusRequest struct {
		VersionPath
		Environment string `query:"environment"`
		Paged
	}
	ExplainRequest struct {
		VersionPath
		Environment string `query:"environment" required:"true"`
		Operation   string `query:"operation" doc:"Only this operation."`
		Product     string `query:"product" doc:"With the steps of this product's plan."`
		Plan        string `query:"plan"`
	}
	CatalogRequest struct {
		AsOf        string `query:"asOf" doc:"A past moment, RFC 3339."`
		Environment string `query:"environment"`
		Team        string `query:"team"`
		Paged
	}
)

// Answers about revisions and releases.
type (
	Revisions struct {
		Body struct {
			Items []RevisionItem `json:"items"`
			Next  string         `json:"next,omitempty"`
		}
	}
	RevisionItem struct {
		Hash      string    `json:"hash"`
		Created   time.Time `json:"created"`
		CreatedBy string    `json:"createdBy"`
		// Environments in which the revision is wanted now.
		Environments []string `json:"environments,omitempty"`
	}
	RevisionAnswer struct{ Body gatehouse.Revision }
	ReleaseAnswer  struct{ Body ReleaseBody }
	ReleaseBody    struct {
		gatehouse.Release
		// Seq is the number of the change; gateways that acknowledge a serial
		// of at least this run it. 0 when nothing changed.
		Seq int64 `json:"seq,omitempty"`
		// Schedule is set when it is to happen later.
		Schedule *gatehouse.ReleaseSchedule `json:"schedule,omitempty"`
		// Approvals given so far, and how many persons have to give theirs, while
		// it waits.
		Approvals []gatehouse.Decision `json:"approvals,omitempty"`
		Needed    int                  `json:"needed,omitempty"`
		// Hash of what waits for approval; who decides sends it along.
		Hash string `json:"hash,omitempty"`
		// NotPlaced are gateways that do not get it, and why.
		NotPlaced []string `json:"notPlaced,omitempty"`
	}
	StatusAnswer struct {
		Body struct {
			Items []CatalogEntry `json:"items"`
			Next  string         `json:"next,omitempty"`
		}
	}
	ExplainAnswer struct {
		Body struct {
			Operations []ExplainedOperation `json:"operations"`
		}
	}
	ExplainedOperation struct {
		Operation string          `json:"operation"`
		Method    string          `json:"method,omitempty"`
		Path      string          `json:"path,omitempty"`
		Steps     []ExplainedStep `json:"steps"`
	}
	ExplainedStep struct {
		Policy string `json:"policy"`
		From   string `json:"from"`
		Config any    `json:"config,omitempty"`
	}
	CatalogAnswer struct {
		Body struct {
			AsOf  time.Time      `json:"asOf"`
			Items []CatalogEntry `json:"items"`
			Next  string         `json:"next,omitempty"`
		}
	}
)

// A CatalogEntry is one API version exposed by one gateway.
type CatalogEntry struct {
	API         string              `json:"api"` // "payments/orders"
	Version     string              `json:"version"`
	Title       string              `json:"title,omitempty"`
	Team        string              `json:"team"`
	Environment string              `json:"environment"`
	Stage       string              `json:"stage,omitempty"`
	Gateway     string              `json:"gateway,omitempty"` // empty: no gateway runs the environment
	Location    *gatehouse.Location `json:"location,omitempty"`
	Audience    string              `json:"audience"`
	Access      string              `json:"access"`
	Lifecycle   string              `json:"lifecycle"`
	Framework   string              `json:"framework,omitempty"`
	Hosts       []string            `json:"hosts,omitempty"`
	Path        string              `json:"path"`
	Revision    string              `json:"revision"` // that is wanted
	Proposed    string              `json:"proposed,omitempty"`
	Since       time.Time           `json:"since"` // of the release
	By          string              `json:"by,omitempty"`
	Note        string              `json:"note,omitempty"`   // release notes
	Canary      *gatehouse.Canary   `json:"canary,omitempty"` // what is on its way beside it
	// State over all instances: live, pending, refused, no-gateway, or not-placed
	// where its data may not be.
	State     string            `json:"state"`
	Reason    string            `json:"reason,omitempty"` // why it is not placed
	Instances []CatalogInstance `json:"instances,omitempty"`
	// Gate is what the compliance gate says: passed, waived, notice, refused,
	// falls-short where it only reports, or not-asked; GateUntil when a waiver or
	// notice ends, GateReason the first thing that is not obeyed.
	Gate       string    `json:"gate,omitempty"`
	GateUntil  time.Time `json:"gateUntil,omitzero"`
	GateReason string    `json:"gateReason,omitempty"`
}

// A CatalogInstance is what one instance really runs.
type CatalogInstance struct {
	Instance string    `json:"instance"`
	Revision string    `json:"revision,omitempty"` // empty: none
	State    string    `json:"state"`              // live, pending, refused, not-placed
	Reason   string    `json:"reason,omitempty"`
	Warning  string    `json:"warning,omitempty"` // live, but an environment that enforces the gate would refuse it
	Serial   int64     `json:"serial,omitempty"`
	Time     time.Time `json:"time,omitzero"` // of its last acknowledgement
}
