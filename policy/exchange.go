package policy

import (
	"context"
	"io"
	"net/netip"
	"time"
)

// An Exchange is one request on its way through the gateway and the response
// on its way back. It belongs to one goroutine at a time and to a policy only
// while the policy's step runs; nothing of it may be kept.
type Exchange struct {
	// Context ends when the caller has left; a step that waits for anything ends
	// its wait with it.
	Context context.Context
	// Caller is the address the gateway trusts, never a header at its word.
	Caller netip.Addr
	TLS    bool
	Proto  string // "HTTP/1.1", "HTTP/2.0"
	Now    time.Time

	Method string
	Host   string // without port, lower case
	// Path is normalized once, before routing: unreserved characters
	// decoded, dot segments gone, everything else percent-encoded as sent.
	// It is the one form that routing, policies, logs and backend see.
	Path  string
	Query string // raw, without "?"
	// Header is the request's, without hop-by-hop fields.
	Header Header
	Body   *Body

	API       string // "payments/orders@v1"
	Operation string // operationId or "GET /things"; empty when undefined
	// Params are the path parameters in order of the template.
	Params []Param
	// Upstream is the path that goes to the backend, relative to its URL:
	// the part of Path behind the API's base path. rewrite may change it.
	Upstream string
	// Timeout bounds the backend's answer when above zero.
	Timeout time.Duration

	// Key is the caller's key when an early step took it from a place of its
	// own; empty, the pipeline takes it from the environment's header. The
	// pipeline clears it once the caller is identified.
	Key string
	// PassToken is true when the backend is to see the caller's token; a step
	// that verifies a token takes its field out otherwise, and leaves the
	// token in Token for later steps that ask more of it. It is never logged.
	PassToken bool
	Token     string

	// Who calls. All are empty until the caller is identified.
	Subscription string // "billing/invoices-commerce"
	Application  string // "billing/invoices"
	Product      string // "payments/commerce"
	Plan         string // "gold"
	Subject      string // the token's subject
	// Claims are the verified token's, numbers as json.Number. They are shared
	// with other exchanges that carry the same token and must not be changed.
	Claims map[string]any

	// Reply holds fields that a request half already knows for the answer,
	// such as RateLimit; the response half of the same policy moves them to
	// Response.Header and leaves Reply empty.
	Reply Header

	// Early takes what the backend says before its answer; nil when nobody does.
	Early Early

	// Response is set once there is one; response halves may change it.
	Response Response
}

// An Early takes interim answers (RFC 9110 §15.2), such as 103 Early Hints. The
// fields are the backend's and are not kept; it is called by one goroutine at a
// time, never after the answer itself has begun.
type Early interface{ Interim(status int, h Header) }

// A Param is one path parameter of the operation's template, still encoded.
type Param struct{ Name, Value string }

// A Response is what goes back to the caller.
type Response struct {
	Status int // zero until there is an answer
	Header Header
	// Denial is set when the gateway answered, not the backend.
	Denial *Denial
}

// A Body is a request body that streams. Policies that need the bytes ask for
// them within a limit; the others let it pass unread.
type Body struct {
	Reader io.Reader
	Length int64 // as announced; -1 when unknown
	// Limit stops the body when more bytes than this have passed; zero is no
	// limit of a policy's. The engine answers 413.
	Limit int64
	// Trailers gives what stands behind the content; nil when there cannot be
	// any. Announced names fields that are said to come there.
	Trailers  Trailers
	Announced []string
}

// Trailers tells the fields behind a body's content (RFC 9110 §6.5). Whoever reads
// the body to its end may ask once, right then.
type Trailers interface{ Trailer() Header }

// Denial ends a request. The engine writes it as application/problem+json
// (RFC 9457) with a Proxy-Status field (RFC 9209).
type Denial struct {
	Status int
	// Type is the stable last part of the problem's type, such as
	// "rate-limit-exceeded"; the engine adds "https://gatehouse.dev/problems/"
	Type   string
	Detail string // one sentence for the caller, no secrets
	Policy string // set by the pipeline
	Header Header // further fields, such as Retry-After
	// Answer set makes this an ordinary answer (a preflight, a mock), not an
	// error: Status, Header and Body go out as they are.
	Answer      bool
	Body        []byte
	ContentType string
}

// Deny makes a denial. The type is the status's own when the policy names none.
func Deny(status int, problem, detail string) *Denial {
	return &Denial{Status: status, Type: problem, Detail: detail}
}

// Code is the denial's status, or zero for none, so that tests read plainly.
func (d *Denial) Code() int {
	if d == nil {
		return 0
	}
	return d.Status
}
