package server

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"gatehouse"
	"gatehouse/adminapi"
)

// hostile refuses requests that came to a plain loopback listener under a name
// that is not this machine's. A page whose name was made to resolve to
// 127.0.0.1 (DNS rebinding) is of the same origin to the browser, so that only
// the Host header gives it away. Names of TrustedOrigins may come: a proxy on
// this machine serves them.
func (s *Server) hostile(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil && atLoopback(r) && !loopback(r.Host) && !s.trusted(r.Host) {
			writeProblem(w, r, &adminapi.Problem{
				Type: adminapi.ProblemType + string(gatehouse.Denied), Title: http.StatusText(http.StatusMisdirectedRequest), Status: http.StatusMisdirectedRequest,
				Detail: "this listener is for callers on the same machine, as localhost or 127.0.0.1; a proxy's name is allowed with --admin-origin",
			})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// atLoopback reports whether the request came to an address of loopback.
func atLoopback(r *http.Request) bool {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if local == nil {
		return false
	}
	a, err := netip.ParseAddrPort(local.String())
	return err == nil && a.Addr().Unmap().IsLoopback()
}

// loopback reports whether a Host header names this machine to itself
// (RFC 6761 §6.3 for localhost).
func loopback(host string) bool {
	name := hostname(host)
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(name)
	return err == nil && a.Unmap().IsLoopback()
}

func (s *Server) trusted(host string) bool {
	return slices.ContainsFunc(s.TrustedOrigins, func(origin string) bool {
		u, err := url.Parse(origin)
		return err == nil && hostname(u.Host) == hostname(host)
	})
}

// hostname is a Host header without its port, in small letters.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

// secure reports whether the caller's side of the connection is TLS: here, or
// at a proxy in front, as the browser's own Origin header tells.
func secure(ctx huma.Context) bool {
	r, _ := humago.Unwrap(ctx)
	return r.TLS != nil || strings.HasPrefix(r.Header.Get("Origin"), "https://")
}
