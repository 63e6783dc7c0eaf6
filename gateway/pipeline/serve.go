package pipeline

import (
	"fmt"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"gatehouse/gateway/head"
	"gatehouse/gateway/route"
	"gatehouse/gateway/telemetry"
	"gatehouse/policy"
)

// A Server serves calls on the table in force.
type Server struct {
	// Trusted are the proxies whose account of the way of a request is believed.
	Trusted []netip.Prefix
	Rules   route.Rules
	// MaxBody bounds request bodies that no policy bounds; zero is no bound.
	MaxBody int64
	Meter   *telemetry.Meter
	Access  *telemetry.Log // nil for none
	Log     func(format string, args ...any)

	table    atomic.Pointer[Table]
	inFlight atomic.Int64
	panics   atomic.Int64
}

// Table is the table in force, nil before the first.
func (s *Server) Table() *Table { return s.table.Load() }

// Swap puts a table in force for calls that begin from now on.
func (s *Server) Swap(t *Table) { s.table.Store(t) }

// InFlight is how many calls are in work.
func (s *Server) InFlight() int64 { return s.inFlight.Load() }

// Panics is how many calls ended in a fault of the program's.
func (s *Server) Panics() int64 { return s.panics.Load() }

// nowhere counts calls that no API was found for.
var nowhere = &telemetry.Route{}

// Serve answers the call, whatever comes, and counts it once.
func (s *Server) Serve(c *Call) {
	s.inFlight.Add(1)
	c.id = newID()
	defer s.end(c)
	c.Caller, c.TLS = c.Peer.Addr, c.Peer.TLS
	d := c.Fault
	if d == nil {
		d = s.prepare(c)
	}
	if d == nil {
		d = s.enter(c)
	}
	if d != nil {
		c.refuse(d)
	}
}

// end takes account of the call, also of one that panicked.
func (s *Server) end(c *Call) {
	if r := recover(); r != nil {
		s.failed(c, r)
	}
	now := time.Now()
	sample := telemetry.Sample{Route: nowhere, Caller: c.caller, Status: c.status, Denied: c.denied,
		Duration: now.Sub(c.Now), Backend: c.backend, BytesIn: c.body.n.Load(), BytesOut: c.out}
	if c.op != nil {
		sample.Route = &c.op.Route
	}
	if c.lane < 0 {
		c.lane = s.Meter.Lane()
	}
	s.Meter.Add(c.lane, &sample)
	s.Access.Add(&telemetry.Line{Time: c.Now, ID: c.id, Caller: c.Caller, Proto: c.Proto, Method: c.Method, Host: c.Host, Path: c.Path,
		API: sample.Route.API, Operation: sample.Route.Operation, Subscription: c.Subscription, Status: c.status, Denied: c.denied,
		Target: c.target, Reason: c.reason, Aborted: c.aborted, BytesIn: sample.BytesIn, BytesOut: c.out, Duration: sample.Duration, Backend: c.backend})
	if c.api != nil {
		c.api.Done()
	}
	s.inFlight.Add(-1)
}

// failed ends a call in which something panicked: with 500 when nothing has
// been said yet, else by cutting the answer.
func (s *Server) failed(c *Call, r any) {
	s.panics.Add(1)
	s.Log("request %s to %q: panic: %v\n%s", c.id, c.API, r, debug.Stack())
	defer func() {
		if recover() != nil { // the writer itself is at fault
			c.abort()
		}
	}()
	if c.started {
		c.abort()
		return
	}
	c.entered = c.entered[:0] // the halves have lost the ground they stand on
	c.refuse(internal())
}

func internal() *policy.Denial {
	return policy.Deny(http.StatusInternalServerError, "internal", "the gateway could not process the request; its log says more under the request id")
}

// prepare puts the head in order.
func (s *Server) prepare(c *Call) *policy.Denial {
	if c.table = s.table.Load(); c.table != nil {
		c.table.Credentials.Expect(c.Header.Get(c.table.keyHeader()))
	}
	ok := false
	if c.Host, ok = head.Host(c.Authority); !ok && (c.Authority != "" || c.Proto != "HTTP/1.0") {
		return policy.Deny(http.StatusBadRequest, "host-malformed", "the host is missing or not a name or address with a port")
	}
	if c.Peer.Name != "" && c.Host != c.Peer.Name {
		// RFC 9110 §15.5.20: what one certificate vouches for is not asked
		// under another's name.
		return policy.Deny(http.StatusMisdirectedRequest, "misdirected", "the connection was made for another host")
	}
	c.Caller = c.Peer.Caller(c.Header, s.Trusted)
	if d := s.path(c); d != nil {
		return d
	}
	if c.table == nil {
		d := policy.Deny(http.StatusServiceUnavailable, "not-ready", "the gateway has no configuration yet")
		d.Header.Add("Retry-After", "1")
		return d
	}
	key := c.table.keyHeader()
	upgrade := head.Clean(&c.Header, key)
	head.Strip(&c.Header, key, c.Peer.Trusted)
	if head.Hops(c.Header) > head.MaxHops {
		return policy.Deny(http.StatusLoopDetected, "loop", "the request has come by gateways too often")
	}
	if c.Source != nil {
		c.body.from, c.body.limit = c.Source, s.MaxBody
		c.Body = &policy.Body{Reader: &c.body, Length: c.Length, Limit: s.MaxBody}
		if late, ok := c.Source.(policy.Trailers); ok && c.Length < 0 {
			c.body.late, c.body.key = late, key
			c.Body.Trailers, c.Body.Announced = &c.body, head.Announced(c.Announced, key)
		}
	}
	// Only WebSocket is passed on, and only where its handshake can be (RFC
	// 6455 §4.1): a switch to h2c would let a second request pass unseen.
	if c.Method == "GET" && c.Proto == "HTTP/1.1" && c.Source == nil && policy.EqualName(upgrade, "websocket") {
		c.Header.Add("Upgrade", "websocket")
	}
	return nil
}

// path brings the path to its normal form. A semicolon is let through as far as
// match, which knows whether a parameter is written with it.
func (s *Server) path(c *Call) *policy.Denial {
	var err error
	c.Path, err = route.Normalize(c.Target, s.Rules)
	if err == route.ErrSemicolon {
		rules := s.Rules
		rules.Semicolon, c.semicolon = true, true
		c.Path, err = route.Normalize(c.Target, rules)
	}
	if err != nil {
		return malformed(err)
	}
	return nil
}

func malformed(err error) *policy.Denial {
	return policy.Deny(http.StatusBadRequest, "path-malformed", err.Error())
}

// enter finds what the call is for and takes it there.
func (s *Server) enter(c *Call) *policy.Denial {
	for {
		api, base := c.table.Index.Find(c.Host, c.Path)
		if api == nil && c.semicolon {
			return malformed(route.ErrSemicolon)
		}
		if api == nil {
			return policy.Deny(http.StatusNotFound, "api-unknown", "no API answers under this host and path")
		}
		if c.table.Canaries != nil {
			api = c.side(api)
		}
		if api.hold() {
			c.api = api
			c.Upstream = c.Path[base:]
			break
		}
		c.table = s.table.Load() // the API went while the call came; look again
	}
	c.API, c.op = c.api.ID, &c.api.undefined
	if c.api.shut.Load() {
		return policy.Deny(http.StatusServiceUnavailable, "gate-refused", "the API is set aside: it has not passed the gate that this environment demands")
	}
	c.PassToken = c.api.passToken
	d := c.match()
	if d == nil {
		d = c.admit()
	}
	if d == nil {
		d = s.proxy(c)
	}
	return d
}

// match finds the operation.
func (c *Call) match() *policy.Denial {
	path := c.Upstream
	if path == "" {
		path = "/" // the base path itself is the definition's root
	}
	if c.Method == "CONNECT" {
		return c.wrongMethod(path)
	}
	method := c.Method
	preflight := method == "OPTIONS" && c.Header.Count("Access-Control-Request-Method") > 0
	op, params := c.api.tree.Match(method, path, c.Params[:0])
	if op < 0 && method == "HEAD" {
		op, params = c.api.tree.Match("GET", path, c.Params[:0])
	}
	if op < 0 && preflight {
		// A preflight asks about an operation; its policies answer.
		op, params = c.api.tree.Match(c.Header.Get("Access-Control-Request-Method"), path, c.Params[:0])
	}
	c.Params = params
	switch {
	case c.semicolon && (op < 0 || !route.Matrix(c.Path, params, c.api.matrix[op])):
		return malformed(route.ErrSemicolon)
	case op >= 0:
		c.op = &c.api.ops[op]
		c.Operation = c.op.Route.Operation
		return nil
	case method == "TRACE": // it shows what it carries to whoever asks; only a definition may want that
		return c.wrongMethod(path)
	case c.api.any:
		return nil
	case method == "OPTIONS":
		return nil // admit answers it
	}
	return c.wrongMethod(path)
}

// wrongMethod is 405, or 404 when the path has no operation at all.
func (c *Call) wrongMethod(path string) *policy.Denial {
	allow := c.allow(path)
	if allow == "" && !c.api.any {
		return policy.Deny(http.StatusNotFound, "operation-unknown", "the API has no operation under this path")
	}
	if allow == "" {
		allow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" // all but what leads elsewhere
	}
	d := policy.Deny(http.StatusMethodNotAllowed, "method-not-allowed", fmt.Sprintf("the operation does not have the method %s", c.Method))
	d.Header.Add("Allow", allow)
	return d
}

// allow lists the methods of path, with those the gateway answers for it.
func (c *Call) allow(path string) string {
	methods := c.api.tree.Allow(path)
	if len(methods) == 0 {
		return ""
	}
	list := strings.Join(methods, ", ")
	for _, own := range []struct{ name, with string }{{"HEAD", "GET"}, {"OPTIONS", ""}} {
		if !slices.Contains(methods, own.name) && (own.with == "" || slices.Contains(methods, own.with)) {
			list += ", " + own.name
		}
	}
	return list
}
