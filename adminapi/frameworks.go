package adminapi

import (
	"time"

	"gatehouse"
)

const (
	frameworkPath = "/v1/frameworks/{name}/versions"
	frameworkOn   = "Framework/{name}"
)

// The routes of framework versions. Their documents are objects like others;
// where a version stands is moved here.
var (
	ListFrameworkVersions = Route[ListFrameworkVersionsRequest, FrameworkVersions]{Operation{
		ID: "listFrameworkVersions", Pattern: "GET " + frameworkPath, Action: "framework.list", On: frameworkOn,
		Doc: "List where each version of a framework stands\n\nThe name - is for those of all frameworks.",
	}}
	GetFrameworkVersion = Route[FrameworkRef, FrameworkVersionAnswer]{Operation{
		ID: "getFrameworkVersion", Pattern: "GET " + frameworkPath + "/{version}", Action: "framework.get", On: frameworkOn,
		Doc: "Read one version with its text and every decision on it\n\nWhat was submitted is answered word for word, as it was then.",
	}}
	SubmitFramework = moveFramework("submit", `Offer a draft for approval

From then on its text is fixed; what has to change is a new version.`)
	ApproveFramework = Route[DecideFrameworkRequest, FrameworkMoved]{Operation{
		ID: "approveFramework", Pattern: "POST " + frameworkPath + "/{version}/approve", Action: "framework.approve", On: frameworkOn,
		Doc: `Approve a submitted version

A person decides once on a text, and nobody on what they wrote or submitted. With the last approval that is needed the version can be put in force.`,
	}}
	RejectFramework = Route[DecideFrameworkRequest, FrameworkMoved]{Operation{
		ID: "rejectFramework", Pattern: "POST " + frameworkPath + "/{version}/reject", Action: "framework.reject", On: frameworkOn,
		Doc: "Send a submitted version back to its authors, with a reason\n\nIt is a draft again; the same text is not submitted twice.",
	}}
	EnforceFramework = moveFramework("enforce", `Put an approved version in force

The version before is superseded. Approvals are counted again: one by somebody who may not approve any more does not count.`)
	WithdrawFramework = moveFramework("withdraw", `End a version for good, with a reason

One that was in force binds nobody from then on, and what was attested by it is refused by gateways where they demand the gate.`)
	CommentFramework = Route[CommentFrameworkRequest, FrameworkCommentAnswer]{Operation{
		ID: "commentFramework", Pattern: "POST " + frameworkPath + "/{version}/comments", Action: "framework.comment", On: frameworkOn, Status: 201,
		Doc: "Say something on a version",
	}}
	GetFrameworkDocument = Route[GetFrameworkDocumentRequest, FrameworkDocument]{Operation{
		ID: "getFrameworkDocument", Pattern: "GET " + frameworkPath + "/{version}/document", Action: "framework.get", On: frameworkOn, Stream: true,
		Doc: `Read the service description, for people

It is written from the version's text and what is live: environments, gateways, policies, plans, contacts and teams, as far as the caller may see them. With approved it is the one that was approved, word for word.`,
	}}
	ListFrameworkComments = Route[ListFrameworkCommentsRequest, FrameworkComments]{Operation{
		ID: "listFrameworkComments", Pattern: "GET " + frameworkPath + "/{version}/comments", Action: "framework.get", On: frameworkOn,
		Doc: "List what was said on a version, oldest first",
	}}
)

func moveFramework(verb, doc string) Route[MoveFrameworkRequest, FrameworkMoved] {
	return Route[MoveFrameworkRequest, FrameworkMoved]{Operation{
		ID: verb + "Framework", Pattern: "POST " + frameworkPath + "/{version}/" + verb, Action: "framework." + verb, On: frameworkOn, Doc: doc,
	}}
}

var frameworkRoutes = []Described{
	ListFrameworkVersions, GetFrameworkVersion, SubmitFramework, ApproveFramework, RejectFramework, EnforceFramework, WithdrawFramework,
	CommentFramework, ListFrameworkComments, GetFrameworkDocument,
}

// ListFrameworkVersionsRequest asks for the versions of one framework, or of all.
type ListFrameworkVersionsRequest struct {
	OrgRef
	Paged
}

// A FrameworkRef names one version of a framework.
type FrameworkRef struct {
	Name    string `path:"name"`
	Version string `path:"version"`
}

// Requests about framework versions.
type (
	MoveFrameworkRequest struct {
		FrameworkRef
		Body *struct {
			Reason string `json:"reason,omitempty" maxLength:"4000" doc:"Why, for the record; withdrawing needs one."`
		}
	}
	DecideFrameworkRequest struct {
		FrameworkRef
		Body *DecideFrameworkBody
	}
	DecideFrameworkBody struct {
		Comment  string   `json:"comment,omitempty" maxLength:"4000" doc:"Why; rejecting needs it."`
		Evidence []string `json:"evidence,omitempty" maxItems:"50" doc:"SHA-256 of files uploaded as evidence."`
		Hash     string   `json:"hash,omitempty" doc:"Of the text that was read; another one that waits by now is not decided on."`
	}
	CommentFrameworkRequest struct {
		FrameworkRef
		Body struct {
			Text string `json:"text" minLength:"1" maxLength:"10000"`
		}
	}
	GetFrameworkDocumentRequest struct {
		FrameworkRef
		Format   string `query:"format" enum:"markdown,html" default:"markdown" doc:"markdown or html."`
		Approved bool   `query:"approved" doc:"As it was approved, rather than as it is now."`
	}
	ListFrameworkCommentsRequest struct {
		FrameworkRef
		Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many at most."`
		After string `query:"after" doc:"Cursor from the page before."`
	}
)

// Answers about framework versions.
type (
	FrameworkVersions struct {
		Body struct {
			Items []FrameworkVersionItem `json:"items"`
			Next  string                 `json:"next,omitempty"`
		}
	}
	FrameworkVersionItem struct {
		Framework  string    `json:"framework"`
		Version    string    `json:"version"`
		Title      string    `json:"title,omitempty"`
		State      string    `json:"state"`
		Since      time.Time `json:"since,omitzero"`
		By         string    `json:"by,omitempty"`
		Reason     string    `json:"reason,omitempty"`
		ValidFrom  string    `json:"validFrom,omitempty"`
		ValidUntil string    `json:"validUntil,omitempty"`
		Ended      time.Time `json:"ended,omitzero"` // when its last day was over
		Hash       string    `json:"hash,omitempty"`
		Controls   int       `json:"controls"`
	}
	FrameworkVersionAnswer struct{ Body FrameworkVersionBody }
	FrameworkVersionBody   struct {
		Framework string `json:"framework"`
		Version   string `json:"version"`
		Title     string `json:"title,omitempty"`
		gatehouse.FrameworkVersionState
		Text      *gatehouse.FrameworkText `json:"text,omitempty"`
		Decisions []gatehouse.Decision     `json:"decisions"`
		// Counted are the persons whose approval counts now, Uncounted those
		// whose does not; only while the version waits.
		Counted   []string            `json:"counted,omitempty"`
		Uncounted []UncountedApproval `json:"uncounted,omitempty"`
	}
	UncountedApproval struct {
		By  string `json:"by"`
		Why string `json:"why"`
	}
	FrameworkMoved struct {
		Body struct {
			Framework string `json:"framework"`
			Version   string `json:"version"`
			gatehouse.FrameworkVersionState
			// Seq is the number of the change; gateways that acknowledge a serial
			// of at least this have it.
			Seq int64 `json:"seq"`
		}
	}
	FrameworkDocument struct {
		ContentType string `header:"Content-Type"`
		Policy      string `header:"Content-Security-Policy"`
		Body        []byte
	}
	FrameworkComment struct {
		ID   string    `json:"id"`
		By   string    `json:"by"`
		Time time.Time `json:"time"`
		Hash string    `json:"hash,omitempty"`
		Text string    `json:"text"`
	}
	FrameworkCommentAnswer struct{ Body FrameworkComment }
	FrameworkComments      struct {
		Body struct {
			Items []FrameworkComment `json:"items"`
			Next  string             `json:"next,omitempty"`
		}
	}
)
