// Package server is the management API: it binds every route of adminapi to
// the room that does the work.
//
// For each request it finds out who asks, whether they may, does it, and sees
// to it that refusals and failures are on record too. It turns errors into
// problems (RFC 9457) in one place. It decides nothing about APIs or
// subscriptions; the rooms do.
package server

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"gatehouse/adminapi"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// An Authority proves callers and decides what they may do.
type Authority interface {
	// Authenticate returns the subject that a token or session proves and how
	// ("token:tok_…"), or an error of kind Unauthenticated.
	Authenticate(ctx context.Context, secret string) (subject, authentication string, err error)
	// Authorize returns nil when the subject may do action on the object, such
	// as "API/payments/orders", "team/payments" or "organization", else an
	// error of kind Denied that says what is missing.
	Authorize(ctx context.Context, subject, action, on string) error
}

// Options are what a server is made of.
type Options struct {
	DB        store.DB
	Trail     *audit.Trail
	Authority Authority
	Log       *slog.Logger
	Version   string // of the program, for the OpenAPI document
	// TrustedOrigins may send cross-origin requests with a session cookie.
	TrustedOrigins []string
	// Alone: no other process writes to DB.
	Alone bool
	// Strangers keeps what callers without proof are refused, within bounds;
	// whoever runs the server flushes it. Nil: one of its own.
	Strangers *audit.Strangers
	// Rest ends when whoever waits for news is to be answered at once, because
	// the process stops. Nil: never.
	Rest context.Context
}

// A Server answers the management API.
type Server struct {
	Options

	mux   *http.ServeMux
	api   huma.API
	bound map[string]bool

	process  string   // names this process among those of the database
	underWay sync.Map // slots of requests with an Idempotency-Key, while they run here
}

// New makes a server without routes; the Bind functions of this package add
// them, room by room.
func New(o Options) *Server {
	if o.Rest == nil {
		o.Rest = context.Background()
	}
	if o.Strangers == nil {
		o.Strangers = &audit.Strangers{Trail: o.Trail}
	}
	s := &Server{Options: o, mux: http.NewServeMux(), bound: map[string]bool{}, process: processName(o.DB)}
	s.api = newAPI(s.mux, o.Version)
	s.api.UseMiddleware(s.begin)
	return s
}

// API is the huma API, for the OpenAPI document.
func (s *Server) API() huma.API { return s.api }

// Missing names the routes of the table that nothing is bound to.
func (s *Server) Missing() []string {
	var ids []string
	for _, r := range adminapi.Routes {
		if id := r.Describe().ID; !s.bound[id] {
			ids = append(ids, id)
		}
	}
	return ids
}

// bind ties a route to the function that carries it out.
func bind[I, O any](s *Server, r adminapi.Route[I, O], do func(context.Context, *I) (*O, error)) {
	o := r.Operation
	if o.ID == "" || o.Action == "" {
		panic(fmt.Sprintf("route %q has no id or no action", o.Pattern))
	}
	if s.bound[o.ID] {
		panic(fmt.Sprintf("route %q is bound twice", o.ID))
	}
	s.bound[o.ID] = true
	huma.Register(s.api, s.operation(o), func(ctx context.Context, in *I) (*O, error) {
		out, err := do(ctx, in)
		if err != nil {
			return nil, s.fail(ctx, err)
		}
		return out, nil
	})
	if conditionalGet(o) {
		s.api.OpenAPI().Paths[o.Path()].Get.Responses["304"] = &huma.Response{Description: "The caller has this state."}
	}
}

// conditionalGet tells whether the answer is one object with its ETag.
func conditionalGet(o adminapi.Operation) bool {
	return o.Kind != "" && o.Method() == http.MethodGet && strings.HasSuffix(o.Action, ".get")
}

func (s *Server) operation(o adminapi.Operation) huma.Operation {
	_, rest, _ := strings.Cut(o.Doc, "\n")
	op := huma.Operation{
		OperationID: o.ID, Method: o.Method(), Path: o.Path(), DefaultStatus: o.Status,
		Summary: o.Summary(), Description: strings.TrimSpace(rest),
		Tags: []string{noun(o.Action)}, MaxBodyBytes: o.MaxBody, BodyReadTimeout: bodyTime,
		RejectUnknownQueryParameters: true,
		Extensions:                   map[string]any{"x-gatehouse-action": o.Action},
		Middlewares:                  huma.Middlewares{s.admit(o)},
	}
	if o.Bound != "" {
		op.Description += "\n\nIt has no pages: " + o.Bound + "."
	}
	if sorted := listed(o); sorted != "" {
		op.Description += "\n\n" + sorted
	}
	if o.Repeatable() {
		op.Parameters = append(op.Parameters, idempotencyKey)
	}
	if conditionalGet(o) {
		op.Parameters = append(op.Parameters, ifNoneMatch)
	}
	if o.Stream {
		op.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{"application/jsonl": {}}}}
	}
	if o.Kind != "" && o.Changes() && o.Method() != http.MethodDelete {
		// The document is read strictly by package gatehouse, with better
		// errors than a schema gives; the schema is for readers.
		op.SkipValidateBody = true
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: s.documentSchema(o.Kind)}}}
	}
	if o.Public {
		op.Security = []map[string][]string{}
	}
	return op
}

// ifNoneMatch is the header that spares a body the caller has.
var ifNoneMatch = &huma.Param{
	Name: "If-None-Match", In: "header", Schema: &huma.Schema{Type: huma.TypeString},
	Description: "ETags the caller has; when the object's is among them the answer is 304 without a body.",
}

// idempotencyKey is the header that makes a repeated POST safe.
var idempotencyKey = &huma.Param{
	Name: "Idempotency-Key", In: "header", Schema: &huma.Schema{Type: huma.TypeString, MaxLength: new(maxKey)},
	Description: "Text of the caller's choice. The same key with the same request within 24 hours is carried out once and gets the first answer again, or is told that it was carried out where that answer showed a secret or was lost; with another request it is refused. While the first is under way the answer is 409 with Retry-After; one that was killed runs again, at the latest a minute after it began.",
}

// listed says what the lists of a kind filter and sort by.
func listed(o adminapi.Operation) string {
	if o.Kind == "" || !strings.HasSuffix(o.Action, ".list") {
		return ""
	}
	return "Filter and sort by " + strings.Join(catalog.Fields(o.Kind), ", ") + "; filter also by label:KEY."
}

func noun(action string) string { n, _, _ := strings.Cut(action, "."); return n }

func newAPI(mux *http.ServeMux, version string) huma.API {
	c := huma.DefaultConfig("Gatehouse management API", version)
	c.Components.Schemas = registry()
	c.Formats = maps.Clone(c.Formats) // huma's own are shared
	for name, f := range c.Formats {
		f.Unmarshal = unmarshal
		c.Formats[name] = f
	}
	c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", nil
	c.Info.Description = "Everything the console, the portal and the command line do goes through these operations, and each leaves an event in the audit trail."
	c.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", Description: "A token of a user or service account."},
	}
	c.Security = []map[string][]string{{"token": {}}}
	return humago.New(mux, c)
}

// unmarshal reads a body whose text is kept as it was sent.
func unmarshal(data []byte, v any) error {
	if err := jsonx.CheckText(data); err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

// Allow asks whether the caller may do action on an object; handlers of routes
// that name several objects call it for each.
func (s *Server) allow(ctx context.Context, action, on string) error {
	return s.Authority.Authorize(ctx, audit.From(ctx).Actor, action, on)
}

// askOn is allow for a handler that finds out what the request is about: a
// refusal is put on record as of that object.
func (s *Server) askOn(ctx context.Context, action, on string) error {
	if st := stateOf(ctx); st != nil {
		st.object, st.team = objectOf(on)
	}
	return s.allow(ctx, action, on)
}
