package adminapi

import "gatehouse"

// The routes of the trail.
var (
	QueryAudit = Route[QueryAuditRequest, AuditEvents]{Operation{
		ID: "queryAudit", Pattern: "GET /v1/audit/events", Action: "audit.query", // on the team that is asked for, else on the organization
		Doc: "List audit events, oldest first unless newest is asked for\n\nWith team, the permission on that team is enough.",
	}}
	TailAudit = Route[TailAuditRequest, AuditEvents]{Operation{
		ID: "tailAudit", Pattern: "GET /v1/audit/tail", Action: "audit.tail", // as audit.query
		Doc: "Wait for events after a number\n\nWith team, the permission on that team is enough. The answer comes as soon as there is one, or empty when the wait is over; next is where to go on from.",
	}}
	VerifyAudit = Route[VerifyAuditRequest, AuditVerification]{Operation{
		ID: "verifyAudit", Pattern: "GET /v1/audit/verify", Action: "audit.verify", On: "organization",
		Doc: "Verify the chain of events and name the first that does not hold",
	}}
	ExportAudit = Route[ExportAuditRequest, AuditExport]{Operation{
		ID: "exportAudit", Pattern: "GET /v1/audit/export", Action: "audit.export", Stream: true, // as audit.query
		Doc: `Export events as JSON lines in canonical form

With team, the permission on that team is enough; such an export does not verify, since events of others lie between. Each answer has at most limit events; X-Gatehouse-Next is what after must be for those that follow, and absent at the end.
Answers put one behind the other verify offline.`,
	}}
)

// Requests of the trail.
type (
	// EventSelection says which events are wanted; empty fields ask nothing.
	EventSelection struct {
		Actor   string `query:"actor" doc:"user:alice@example.com, service:ci, system."`
		Action  string `query:"action" doc:"api.put; a * at the end matches any rest."`
		Object  string `query:"object" doc:"API payments/orders; a * at the end matches any rest."`
		Team    string `query:"team"`
		Outcome string `query:"outcome" enum:"allowed,refused,failed"`
		Text    string `query:"text" doc:"Looked for anywhere in the event, without regard to case."`
	}
	// EventSpan bounds them in time.
	EventSpan struct {
		From string `query:"from" doc:"Events at or after this moment, RFC 3339."`
		To   string `query:"to" doc:"Events before this moment, RFC 3339."`
	}
	QueryAuditRequest struct {
		EventSelection
		EventSpan
		After  int64 `query:"after" minimum:"0" doc:"Events beyond this number, in the order asked for."`
		Limit  int   `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many at most."`
		Newest bool  `query:"newest" doc:"Newest first."`
	}
	TailAuditRequest struct {
		EventSelection
		After int64 `query:"after" minimum:"0" doc:"Events beyond this number; 0 from the first."`
		Now   bool  `query:"now" doc:"Only what comes from now on, whatever after says."`
		Limit int   `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many at most."`
		Wait  int   `query:"wait" minimum:"0" maximum:"60" default:"25" doc:"Seconds to wait at most."`
	}
	VerifyAuditRequest struct {
		From int64 `query:"from" minimum:"0" doc:"Number of the first event; default 1."`
		To   int64 `query:"to" minimum:"0" doc:"Number of the last event; default the last there is."`
	}
	ExportAuditRequest struct {
		EventSelection
		EventSpan
		After int64 `query:"after" minimum:"0" doc:"Events beyond this number."`
		Limit int   `query:"limit" minimum:"1" maximum:"10000" default:"5000" doc:"How many at most."`
	}
)

// Answers of the trail.
type (
	AuditEvents struct {
		Body struct {
			Items []*gatehouse.Event `json:"items"`
			Next  int64              `json:"next,omitempty" doc:"What after must be for the next page; absent at the end."`
		}
	}
	AuditVerification struct {
		Body struct {
			OK     bool   `json:"ok"`
			Events int64  `json:"events" doc:"Events that are in order."`
			First  int64  `json:"first,omitempty"`
			Last   int64  `json:"last,omitempty"`
			Hash   string `json:"hash,omitempty" doc:"Of the last event: kept elsewhere, it shows later whether anything before it changed."`
			// Broken is the number of the first event that does not hold.
			Broken int64  `json:"broken,omitempty"`
			Detail string `json:"detail,omitempty"`
		}
	}
	AuditExport struct {
		ContentType string `header:"Content-Type"`
		Next        string `header:"X-Gatehouse-Next"`
		Body        []byte
	}
)
