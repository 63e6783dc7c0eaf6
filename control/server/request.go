package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/audit"
)

const (
	// bodyTime is how long a request body may take to arrive.
	bodyTime = 60 * time.Second
	// SessionCookie carries a console session.
	SessionCookie = "gatehouse_session"
)

// A state travels with one request: what it asks for and whether its outcome
// is on record.
type state struct {
	op       adminapi.Operation
	object   string
	team     string
	recorded bool
	secure   bool // the caller came by TLS
	// refuse lets huma's own refusals pass through Server.fail.
	refuse func(context.Context, error) *adminapi.Problem
}

type stateKey struct{}

func stateOf(ctx context.Context) *state {
	st, _ := ctx.Value(stateKey{}).(*state)
	return st
}

// Handler is the whole management API with what guards every request.
func (s *Server) Handler() http.Handler {
	cross := http.NewCrossOriginProtection()
	for _, origin := range s.TrustedOrigins {
		if err := cross.AddTrustedOrigin(origin); err != nil {
			s.Log.Warn("trusted origin is not one", "origin", origin, "error", err)
		}
	}
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, r, s.foreign(r))
	}))
	s.mux.HandleFunc("/", s.nothing)
	return s.recovering(s.hostile(cross.Handler(unchanged(s.mux))))
}

// foreign refuses a change that a page of another origin asks for, on record.
func (s *Server) foreign(r *http.Request) error {
	req := caller(r)
	ctx := audit.WithRequest(r.Context(), req)
	err := gatehouse.E(gatehouse.Denied, "a page of another origin (%q) may change nothing here", r.Header.Get("Origin"))
	if e := s.Strangers.Record(ctx, "access.cross-origin", "organization", "", gatehouse.Refused, err); e != nil {
		s.Log.Error("recording a refusal", "request", req.ID, "error", e)
	}
	p := s.problem(ctx, err)
	p.Instance = req.ID
	return p
}

// nothing answers what no route is for: 405 where the path has others.
func (s *Server) nothing(w http.ResponseWriter, r *http.Request) {
	var allow []string
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = m
		if _, pattern := s.mux.Handler(other); pattern != "/" && pattern != "" {
			allow = append(allow, m)
		}
	}
	if len(allow) == 0 {
		writeProblem(w, r, gatehouse.E(gatehouse.NotFound, "there is no operation %q %q; /openapi.json lists them", r.Method, r.URL.Path))
		return
	}
	w.Header().Set("Allow", strings.Join(allow, ", "))
	writeProblem(w, r, &adminapi.Problem{
		Type: adminapi.ProblemType + string(gatehouse.Invalid), Title: http.StatusText(http.StatusMethodNotAllowed), Status: http.StatusMethodNotAllowed,
		Detail: fmt.Sprintf("%q is not for %q: it takes %s", r.Method, r.URL.Path, strings.Join(allow, ", ")),
	})
}

func (s *Server) recovering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil {
				if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(p)
				}
				s.Log.Error("request panicked", "method", r.Method, "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
				writeProblem(w, r, gatehouse.E(gatehouse.Internal, "the request met a fault of Gatehouse"))
			}
		}()
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		h.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}

// begin finds out who asks.
func (s *Server) begin(ctx huma.Context, next func(huma.Context)) {
	r, _ := humago.Unwrap(ctx)
	req := caller(r)
	ctx.SetHeader("X-Request-Id", req.ID)
	next(huma.WithContext(ctx, audit.WithRequest(ctx.Context(), req)))
}

// anonymous is the actor of whom nothing is known.
const anonymous = "anonymous"

// caller is what is known of who asks before they have proved anything.
func caller(r *http.Request) audit.Request {
	return audit.Request{Actor: anonymous, Authentication: "none", Address: address(r), ID: uuid.Must(uuid.NewV7()).String()}
}

// admit proves the caller and asks whether the operation is theirs to do.
func (s *Server) admit(o adminapi.Operation) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		st := &state{op: o, refuse: s.fail}
		st.secure = secure(ctx)
		on := expand(o.On, ctx.Param)
		st.object, st.team = objectOf(on)
		ctx = huma.WithValue(ctx, stateKey{}, st)
		if !o.Public {
			req := audit.From(ctx.Context())
			var err error
			if req.Actor, req.Authentication, err = s.Authority.Authenticate(ctx.Context(), credential(ctx)); err != nil {
				ctx.SetHeader("WWW-Authenticate", `Bearer realm="gatehouse"`)
				s.refuse(ctx, err)
				return
			}
			ctx = huma.WithContext(ctx, audit.WithRequest(ctx.Context(), req))
			if on != "" {
				if err := s.Authority.Authorize(ctx.Context(), req.Actor, o.Action, on); err != nil {
					s.refuse(ctx, err)
					return
				}
			}
		}
		if err := s.readable(ctx); err != nil {
			s.refuse(ctx, err)
			return
		}
		if key := ctx.Header("Idempotency-Key"); key != "" && o.Repeatable() {
			s.once(ctx, key, next)
			return
		}
		next(ctx)
	}
}

func (s *Server) refuse(ctx huma.Context, err error) {
	r, w := humago.Unwrap(ctx)
	writeProblem(w, r.WithContext(ctx.Context()), s.fail(ctx.Context(), err))
}

// readable refuses a query that cannot be meant as it is.
func (s *Server) readable(ctx huma.Context) error {
	if err := repeated(ctx); err != nil {
		return err
	}
	return s.namesEnvironment(ctx)
}

// repeated refuses a query parameter that is given twice: which of them counts
// would be a guess.
func repeated(ctx huma.Context) error {
	u := ctx.URL()
	for name, values := range u.Query() {
		if len(values) > 1 {
			return gatehouse.InvalidFaults([]gatehouse.Fault{{Object: "query " + name, Detail: "given more than once; values of a list are joined by commas"}})
		}
	}
	return nil
}

// credential is the bearer token, or the session of the console's cookie; none
// where it is said twice.
func credential(ctx huma.Context) string {
	if r, _ := humago.Unwrap(ctx); len(r.Header.Values("Authorization")) > 1 || len(r.CookiesNamed(SessionCookie)) > 1 {
		return ""
	}
	if scheme, token, ok := strings.Cut(ctx.Header("Authorization"), " "); ok && strings.EqualFold(scheme, "bearer") {
		return strings.TrimSpace(token)
	}
	if c, err := huma.ReadCookie(ctx, SessionCookie); err == nil {
		return c.Value
	}
	return ""
}

func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// expand fills the path parameters into a template such as "API/{team}/{name}".
func expand(template string, param func(string) string) string {
	parts := strings.Split(template, "/")
	for i, p := range parts {
		if name, ok := strings.CutPrefix(p, "{"); ok {
			parts[i] = param(strings.TrimSuffix(name, "}"))
		}
	}
	return strings.Join(parts, "/")
}

// objectOf turns "API/payments/orders" into how the trail names it, with the
// owning team.
func objectOf(on string) (object, team string) {
	kind, rest, ok := strings.Cut(on, "/")
	if !ok {
		return on, ""
	}
	if kind == "team" {
		return "Team " + rest, rest
	}
	if t, _, owned := strings.Cut(rest, "/"); owned {
		team = t
	}
	return kind + " " + rest, team
}
