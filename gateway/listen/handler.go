package listen

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/listen/strict"
	"gatehouse/gateway/pipeline"
	"gatehouse/policy"
)

// A handler turns net/http's requests into calls.
type handler Server

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := (*Server)(h)
	c := r.Context().Value(peerKey{}).(*conn)
	call := pipeline.NewCall()
	out := writers.get()
	out.begin(s, w, r, c)
	call.Context, call.Peer, call.Writer = r.Context(), &c.peer, out
	call.Now = time.Now()
	call.Method, call.Proto = r.Method, r.Proto
	call.Fault = s.fault(c, r)
	if call.Fault == nil {
		fill(call, s, r, w, c)
		call.Fault = s.overload()
	} else {
		out.last = true
		if r.ProtoMajor == 1 {
			call.Method = "" // the marked request's is nobody's
		}
	}
	if call.Fault == nil && r.ProtoMajor == 1 && slices.ContainsFunc(r.Header["Upgrade"], websocket) {
		// What follows this request is no HTTP to the reader in front: unless
		// the protocol is switched, the connection ends here.
		out.last = true
	}
	s.to.Serve(call)
	aborted := out.aborted
	call.Free()
	writers.put(out)
	if aborted {
		panic(http.ErrAbortHandler)
	}
}

// websocket tells whether an Upgrade field may be the one that the reader in front
// went by.
func websocket(value string) bool { return policy.EqualName(value, "websocket") }

// fault is what is wrong with the message itself.
func (s *Server) fault(c *conn, r *http.Request) *policy.Denial {
	if r.ProtoMajor == 1 {
		if r.Header[mark] != nil {
			return c.fault.Load()
		}
		return nil
	}
	// net/http has checked the fields (RFC 9113 §8.2, §8.3); what it lets by is
	// a Host field beside :authority, and a method that is no token.
	if hosts := r.Header["Host"]; len(hosts) > 1 || len(hosts) == 1 && !strings.EqualFold(hosts[0], r.Host) {
		return policy.Deny(http.StatusBadRequest, "message-malformed", ":authority and Host name two hosts")
	}
	if len(r.Method) > 32 || !strict.Token(r.Method) || r.Method == "CONNECT" {
		return policy.Deny(http.StatusBadRequest, "message-malformed", "the method is not one that is served")
	}
	return nil
}

// overload is 503 when there is more to do than the bounds allow.
func (s *Server) overload() *policy.Denial {
	if s.to.InFlight() < s.o.MaxRequests && s.o.Memory() != Refusing {
		return nil
	}
	d := policy.Deny(http.StatusServiceUnavailable, "overloaded", "the gateway has as much to do as it may; try again")
	d.Header.Add("Retry-After", "1")
	return d
}

// fill copies what the request says into the call.
func fill(call *pipeline.Call, s *Server, r *http.Request, w http.ResponseWriter, c *conn) {
	target := r.RequestURI
	call.Authority = r.Host
	if target != "" && target[0] != '/' && target != "*" {
		if _, rest, ok := strict.Absolute(target); ok {
			if target = rest; target == "" || target[0] == '?' {
				target = "/" + target
			}
		}
	}
	call.Target, call.Query, _ = strings.Cut(target, "?")
	for name, values := range r.Header {
		for _, v := range values {
			call.Header = append(call.Header, policy.Field{Name: name, Value: v})
		}
	}
	if r.ContentLength != 0 {
		b := &body{r: r.Body, of: r, w: w, conn: c}
		for name := range r.Trailer {
			call.Announced = append(call.Announced, name)
		}
		slices.Sort(call.Announced)
		// A call of gRPC may say nothing for long; that the backend then
		// answers at some time is for package upstream to see to.
		if r.ProtoMajor == 2 && !strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
			b.pace = &pace{timeout: s.o.BodyTimeout, enough: s.o.BodyPace}
		}
		call.Source, call.Length = b, r.ContentLength
		call.Writer.(*writer).body = b
	}
}
