// Package adminapi is the contract of the management API: one table of routes
// with their request and response types.
//
// An operation is said once, here. From its line come the mux entry and the
// permission asked (control/server), the action in the audit trail, the
// OpenAPI document and the clients. The package decides and does nothing, and
// names no room of control: the CLI links it too.
//
// Request types say where each field travels: `path:"team"`, `query:"limit"`,
// `header:"If-Match"`, a field Body for JSON. Response types have a Body and
// may have header fields such as `header:"ETag"`.
package adminapi

import (
	"reflect"
	"strings"

	"gatehouse"
)

// An Operation describes one route.
type Operation struct {
	// ID names it in OpenAPI and in the clients: "approveSubscription".
	ID string
	// Pattern is method and path: "POST /v1/subscriptions/{name}/approve".
	Pattern string
	// Action is the permission asked and the name in the audit trail:
	// "subscription.approve".
	Action string
	// On is the object acted on, with path parameters in braces:
	// "API/{team}/{name}", "team/{team}", "organization". Empty: the handler
	// asks for each object it touches, because the request names several.
	On string
	// Doc is a line, without a full stop, and paragraphs after a blank line.
	Doc string
	// Status of success; 0 is 200, or 204 without a body.
	Status int
	// MaxBody in bytes; 0 is 1 MiB.
	MaxBody int64
	// Public needs no credentials (joining by a code, the document itself).
	Public bool
	// Secret answers show a secret, once; they are never kept.
	Secret bool
	// Kind, when set, is the kind of document that the body is; it is read
	// strictly by package gatehouse rather than by the schema.
	Kind gatehouse.Kind
	// Stream answers with JSON lines rather than one JSON value.
	Stream bool
	// Bound says why a list that has no pages cannot grow out of hand.
	Bound string
}

// Method is the operation's HTTP method.
func (o Operation) Method() string { m, _, _ := strings.Cut(o.Pattern, " "); return m }

// Path is the operation's path template.
func (o Operation) Path() string { _, p, _ := strings.Cut(o.Pattern, " "); return p }

// Changes tells whether the operation may change anything.
func (o Operation) Changes() bool { return o.Method() != "GET" && o.Method() != "HEAD" }

// Repeatable tells whether an Idempotency-Key makes repeating it safe. One that
// anyone may call takes none: strangers leave nothing behind.
func (o Operation) Repeatable() bool { return o.Method() == "POST" && !o.Public }

// Summary is the first line of Doc.
func (o Operation) Summary() string { s, _, _ := strings.Cut(o.Doc, "\n"); return s }

// A Route is an operation with its request and response types.
type Route[I, O any] struct{ Operation }

// Describe returns the operation.
func (r Route[I, O]) Describe() Operation { return r.Operation }

// Types returns the request and response types.
func (r Route[I, O]) Types() (in, out reflect.Type) {
	return reflect.TypeFor[I](), reflect.TypeFor[O]()
}

// A Described is a route of any types, as the list holds it.
type Described interface {
	Describe() Operation
	Types() (in, out reflect.Type)
}

// Empty is a request without parameters or a response without a body.
type Empty struct{}

// Paged asks for one page of a list.
type Paged struct {
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many at most."`
	After string `query:"after" maxLength:"20000" doc:"Cursor from the page before."`
}

// A PageRequest asks for one page of a list that filters and sorts.
type PageRequest struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many at most."`
	After  string `query:"after" doc:"Cursor from the page before."`
	Filter string `query:"filter" doc:"Conditions joined by commas, such as state=approved."`
	Sort   string `query:"sort" doc:"Field to sort by; a leading - turns it round."`
	Prefix string `query:"prefix" maxLength:"200" doc:"Only those whose name begins so: TEAM/NAME of what teams own."`
}
