package adminapi

import (
	"time"

	"gatehouse"
)

var supportRoutes = []Described{OpenSupport, ListSupport, GetSupport, GetSupportAttachment, ReplySupport, AssignSupport, CloseSupport, ReopenSupport}

// maxSupportBody holds a comment with its files in base64.
const maxSupportBody = 8 << 20

// The routes of support. Permission is asked on the team of either side.
var (
	OpenSupport = Route[OpenSupportRequest, SupportAnswer]{Operation{
		ID: "openSupport", Pattern: "POST /v1/support", Action: "support.open", Status: 201, MaxBody: maxSupportBody,
		Doc: `Ask the owner of an API, or the provider team, for help

What is promised, and the hours in which its clocks run, are fixed with it: by the best plan under which the team uses the API, else by the API, else by the helping team.`,
	}}
	ListSupport = Route[ListSupportRequest, SupportList]{Operation{
		ID: "listSupport", Pattern: "GET /v1/support", Action: "support.list",
		Doc: "List support requests that the caller may see, newest first",
	}}
	GetSupport = Route[SupportRef, SupportAnswer]{Operation{
		ID: "getSupport", Pattern: "GET /v1/support/{id}", Action: "support.get",
		Doc: "Show a support request with what was said and how its clocks stand",
	}}
	GetSupportAttachment = Route[SupportAttachmentRef, SupportFile]{Operation{
		ID: "getSupportAttachment", Pattern: "GET /v1/support/{id}/attachments/{hash}", Action: "support.get",
		Doc: "Read a file of a support request",
	}}
	ReplySupport = Route[ReplySupportRequest, SupportAnswer]{Operation{
		ID: "replySupport", Pattern: "POST /v1/support/{id}/reply", Action: "support.reply", MaxBody: maxSupportBody,
		Doc: `Say something on a support request

An answer of the helping side may wait for the asking side, which lets the clocks stand, or resolve it. What the asking side says lets it go on.`,
	}}
	AssignSupport = Route[AssignSupportRequest, SupportAnswer]{Operation{
		ID: "assignSupport", Pattern: "POST /v1/support/{id}/assign", Action: "support.assign",
		Doc: "Name who of the helping side takes a support request up",
	}}
	CloseSupport  = moveSupport("close", "End a support request; either side may")
	ReopenSupport = moveSupport("reopen", "Let a support request that is over go on, within 30 days")
)

func moveSupport(verb, doc string) Route[MoveSupportRequest, SupportAnswer] {
	return Route[MoveSupportRequest, SupportAnswer]{Operation{ID: verb + "Support", Pattern: "POST /v1/support/{id}/" + verb, Action: "support." + verb, Doc: doc}}
}

// Requests of support.
type (
	OpenSupportRequest struct {
		Body struct {
			Team        string          `json:"team" doc:"Who asks."`
			Application string          `json:"application,omitempty" doc:"team/name, of the asking team."`
			API         string          `json:"api,omitempty" doc:"team/name or team/name@version; or provider."`
			Provider    bool            `json:"provider,omitempty" doc:"It is for the provider team."`
			Category    string          `json:"category" doc:"question, incident, access, change, onboarding or other."`
			Severity    string          `json:"severity,omitempty" doc:"low, medium (the default), high or critical."`
			Title       string          `json:"title"`
			Text        string          `json:"text"`
			Attachments []SupportUpload `json:"attachments,omitempty"`
		}
	}
	SupportUpload struct {
		Name    string `json:"name"`
		Content []byte `json:"content" doc:"Base64; 1 MiB at most."`
	}
	ListSupportRequest struct {
		Team     string `query:"team" doc:"On either side."`
		From     string `query:"from" doc:"The asking team."`
		To       string `query:"to" doc:"The helping team."`
		API      string `query:"api" doc:"team/name"`
		Assignee string `query:"assignee"`
		State    string `query:"state" enum:"open,acknowledged,answered,waiting,resolved,closed"`
		Open     bool   `query:"open" doc:"Only what is not over."`
		Limit    int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"How many at most."`
		After    string `query:"after" doc:"Cursor from the page before."`
	}
	SupportRef struct {
		ID string `path:"id" doc:"sup-17"`
	}
	SupportAttachmentRef struct {
		SupportRef
		Hash string `path:"hash" doc:"SHA-256, hexadecimal."`
	}
	ReplySupportRequest struct {
		SupportRef
		Body struct {
			Text        string          `json:"text"`
			Attachments []SupportUpload `json:"attachments,omitempty"`
			Wait        bool            `json:"wait,omitempty" doc:"Wait for the asking side; clocks stand."`
			Resolve     bool            `json:"resolve,omitempty" doc:"It is solved."`
			As          string          `json:"as,omitempty" enum:"asking,helping" doc:"Which side it is said for, where the caller is of both; default: asking for who opened it, else helping."`
		}
	}
	AssignSupportRequest struct {
		SupportRef
		Body struct {
			Assignee string `json:"assignee" doc:"user:NAME or group:NAME."`
		}
	}
	MoveSupportRequest struct {
		SupportRef
		Body *struct {
			Reason string `json:"reason,omitempty" maxLength:"2000"`
		}
	}
)

// Answers of support.
type (
	SupportAnswer struct {
		Body SupportItem
	}
	SupportList struct {
		Body struct {
			Items []SupportItem `json:"items"`
			Next  string        `json:"next,omitempty"`
		}
	}
	// A SupportItem is a request as it stands.
	SupportItem struct {
		ID            string            `json:"id"`
		From          string            `json:"from"`
		Application   string            `json:"application,omitempty"`
		To            string            `json:"to,omitempty"`
		Provider      bool              `json:"provider,omitempty"`
		API           string            `json:"api,omitempty"`
		Category      string            `json:"category"`
		Severity      string            `json:"severity"`
		Title         string            `json:"title"`
		State         string            `json:"state"`
		OpenedBy      string            `json:"openedBy"`
		Opened        time.Time         `json:"opened"`
		Since         time.Time         `json:"since"`
		By            string            `json:"by"`
		Assignee      string            `json:"assignee,omitempty"`
		Reopened      int               `json:"reopened,omitempty"`
		Hours         string            `json:"hours,omitempty"`
		Promise       string            `json:"promise,omitempty"`
		FirstResponse *SupportClockItem `json:"firstResponse,omitempty"`
		Resolution    *SupportClockItem `json:"resolution,omitempty"`
		// Comments are there when one request is asked for.
		Comments []gatehouse.SupportComment `json:"comments,omitempty"`
	}
	SupportClockItem struct {
		State string    `json:"state"` // running, standing, met or missed
		Limit string    `json:"limit"`
		Used  string    `json:"used"`
		Due   time.Time `json:"due,omitzero"` // when the limit is used up, while it runs
	}
	SupportFile struct {
		Body struct {
			gatehouse.SupportAttachment
			Content []byte `json:"content"`
		}
	}
)
