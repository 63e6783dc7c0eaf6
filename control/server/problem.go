package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/audit"
	"gatehouse/jsonx"
)

// statuses is the one place where a kind of error becomes an HTTP status.
var statuses = map[gatehouse.ErrorKind]int{
	gatehouse.Invalid: http.StatusUnprocessableEntity, gatehouse.Unauthenticated: http.StatusUnauthorized,
	gatehouse.Denied: http.StatusForbidden, gatehouse.NotFound: http.StatusNotFound, gatehouse.Conflict: http.StatusConflict,
	gatehouse.Lost: http.StatusPreconditionFailed, gatehouse.TooLarge: http.StatusRequestEntityTooLarge,
	gatehouse.Unavailable: http.StatusServiceUnavailable, gatehouse.Full: http.StatusServiceUnavailable,
	gatehouse.Internal: http.StatusInternalServerError,
}

func init() {
	// huma's own refusals (a missing parameter, a body of the wrong shape) go
	// the same way as ours. The two variables are huma's only hook.
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		return fromHuma(status, msg, errs)
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, msg string, errs ...error) huma.StatusError {
		p := fromHuma(status, msg, errs)
		if ctx == nil {
			return p
		}
		if st := stateOf(ctx.Context()); st != nil && st.refuse != nil {
			return st.refuse(ctx.Context(), p)
		}
		return p
	}
}

// fromHuma turns "body.spec.path: expected string" into faults with pointers.
func fromHuma(status int, msg string, errs []error) *adminapi.Problem {
	status = unread(status, errs)
	kind := gatehouse.Invalid
	switch {
	case status == http.StatusRequestEntityTooLarge:
		kind = gatehouse.TooLarge
	case status >= 500:
		kind = gatehouse.Internal
	}
	p := &adminapi.Problem{Type: adminapi.ProblemType + string(kind), Title: http.StatusText(status), Status: status, Detail: plain(msg)}
	for _, err := range errs {
		f := gatehouse.Fault{Detail: err.Error()}
		if d, ok := errors.AsType[*huma.ErrorDetail](err); ok {
			f.Detail = plain(d.Message)
			if where, rest, _ := strings.Cut(d.Location, "."); where == "body" && rest != "" {
				f.Pointer = jsonx.Pointer(strings.FieldsFunc(rest, func(r rune) bool { return r == '.' || r == '[' || r == ']' })...)
			} else {
				f.Object = strings.Replace(d.Location, ".", " ", 1)
			}
		}
		p.Errors = append(p.Errors, f)
	}
	if len(p.Errors) > 0 {
		p.Detail = p.Errors[0].String()
	}
	return p
}

// plain says in our words what huma refuses in words that do not help.
func plain(message string) string {
	if kind, ok := strings.CutPrefix(message, "unknown content type: "); ok {
		return fmt.Sprintf("%q is not read here; send the body as application/json", kind)
	}
	if most, ok := strings.CutPrefix(message, "request body is too large limit="); ok {
		return "the body is larger than " + most + ", the most that this operation takes"
	}
	if message == "unexpected property" {
		return "there is no such field; /reference/ has those there are"
	}
	return message
}

// unread corrects the status of a body that could not be read at all. huma says
// 422 for it where the schema does not check the body; what is no JSON is 400
// and what claims to be something else is 415 (RFC 9110 §15.5.16).
func unread(status int, errs []error) int {
	for _, err := range errs {
		d, ok := errors.AsType[*huma.ErrorDetail](err)
		switch {
		case !ok || d.Location != "body":
		case strings.HasPrefix(d.Message, "unknown content type"):
			return http.StatusUnsupportedMediaType
		case strings.HasPrefix(d.Message, "invalid character"), strings.HasPrefix(d.Message, "unexpected end of JSON"), strings.HasPrefix(d.Message, "is not UTF-8"),
			strings.HasPrefix(d.Message, "holds half a character"):
			return http.StatusBadRequest
		}
	}
	return status
}

// problem turns any error into the answer. What happened inside is logged,
// with the id that the caller may quote, and not told.
func (s *Server) problem(ctx context.Context, err error) *adminapi.Problem {
	if p, ok := errors.AsType[*adminapi.Problem](err); ok {
		return p
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = gatehouse.E(gatehouse.Unavailable, "the caller went away before this was done")
	}
	kind := gatehouse.KindOf(err)
	id := audit.From(ctx).ID
	p := &adminapi.Problem{
		Type: adminapi.ProblemType + string(kind), Title: http.StatusText(statuses[kind]), Status: statuses[kind],
		Detail: err.Error(), Instance: id,
	}
	if e, ok := errors.AsType[*gatehouse.Error](err); ok {
		p.Errors = e.Faults
	}
	if kind == gatehouse.Full {
		p.Detail = "the database has no room left on its disk, and nothing was changed; make room, and it goes on by itself"
	}
	if kind == gatehouse.Unavailable && driversAccount(err) {
		s.Log.Error("the store is not to be had", "request", id, "error", err)
		p.Detail = "the database does not answer now; try again, or see Gatehouse's log"
	}
	if kind == gatehouse.Internal {
		s.Log.Error("request failed", "request", id, "error", err)
		p.Detail = "something went wrong inside Gatehouse; its log has more under this request's id"
	}
	return p
}

// driversAccount reports whether an error is told by a database's driver, with
// addresses and names of accounts: of the network, or with a state of SQL.
func driversAccount(err error) bool {
	_, network := errors.AsType[*net.OpError](err)
	_, state := errors.AsType[interface {
		error
		SQLState() string
	}](err)
	return network || state || strings.Contains(err.Error(), "\n")
}

// fail is where every error of an operation passes: refusals and failures of
// changes are put on record before they are answered, refused reads as well.
func (s *Server) fail(ctx context.Context, err error) *adminapi.Problem {
	p := s.problem(ctx, err)
	p.Instance = audit.From(ctx).ID
	st := stateOf(ctx)
	if st == nil || st.recorded || !recordable(st.op, p.Status) {
		return p
	}
	st.recorded = true
	outcome := gatehouse.Refused
	if p.Status >= 500 {
		outcome = gatehouse.Failed
	}
	record := s.Trail.Record
	if audit.From(ctx).Actor == anonymous {
		record = s.Strangers.Record
	}
	if e := record(ctx, st.op.Action, st.object, st.team, outcome, errors.New(p.Detail)); e != nil {
		s.Log.Error("recording a refusal", "request", p.Instance, "action", st.op.Action, "error", e)
		if p.Status < 500 {
			return s.problem(ctx, gatehouse.E(gatehouse.Unavailable, "the audit trail cannot take a record now, so nothing is decided: %w", e))
		}
	}
	return p
}

// recordable tells which errors are on record: all of what would change
// something, and reading that was not permitted.
func recordable(o adminapi.Operation, status int) bool {
	return o.Changes() || status == http.StatusUnauthorized || status == http.StatusForbidden
}

func writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	p, ok := errors.AsType[*adminapi.Problem](err)
	if !ok {
		kind := gatehouse.KindOf(err)
		p = &adminapi.Problem{Type: adminapi.ProblemType + string(kind), Title: http.StatusText(statuses[kind]), Status: statuses[kind], Detail: err.Error(), Instance: audit.From(r.Context()).ID}
	}
	w.Header().Set("Content-Type", "application/problem+json")
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // an error here means the caller has gone
}
