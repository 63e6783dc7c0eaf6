package cors

import (
	"net/http"
	"slices"
	"strings"

	"gatehouse/policy"
)

// rules are a Config, prepared.
type rules struct {
	origins               origins
	methods, headers      []string
	allow, expose, maxAge string
	cookies               bool
}

const varyPreflight = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"

func (r *rules) request(x *policy.Exchange) *policy.Denial {
	if !preflight(x) {
		return nil
	}
	if x.Header.Count("Origin") > 1 || x.Header.Count("Access-Control-Request-Method") > 1 {
		return policy.Deny(http.StatusBadRequest, "preflight-malformed", "the preflight has a field twice")
	}
	if !r.origins.match(x.Header.Get("Origin")) {
		return refuse("the page's origin may not call this API")
	}
	// Methods are case-sensitive (RFC 9110 §9.1), header names are not.
	if !slices.Contains(r.methods, x.Header.Get("Access-Control-Request-Method")) {
		return refuse("pages of other origins may not use this method")
	}
	asked, ok := r.asked(x.Header)
	if !ok {
		return refuse("pages of other origins may not send one of these headers")
	}
	d := &policy.Denial{Status: http.StatusNoContent, Answer: true}
	d.Header.Add("Access-Control-Allow-Methods", r.allow)
	if asked != "" {
		d.Header.Add("Access-Control-Allow-Headers", asked)
	}
	if r.maxAge != "0" {
		d.Header.Add("Access-Control-Max-Age", r.maxAge)
	}
	return d // answer adds the origin and Vary
}

func refuse(detail string) *policy.Denial {
	return policy.Deny(http.StatusForbidden, "cross-origin-refused", detail)
}

// asked is the list of headers to allow: those listed, or those asked for.
func (r *rules) asked(h policy.Header) (string, bool) {
	var names []string
	for _, line := range h.Values("Access-Control-Request-Headers") {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.Trim(name, " \t"); name == "" {
				continue
			}
			if len(names) == maxNames || len(name) > 100 || !policy.IsToken(name) {
				return "", false
			}
			names = append(names, name)
		}
	}
	if len(r.headers) == 0 {
		return strings.Join(names, ", "), true
	}
	for _, name := range names {
		if !slices.ContainsFunc(r.headers, func(h string) bool { return policy.EqualName(h, name) }) {
			return "", false
		}
	}
	return strings.Join(r.headers, ", "), true
}

// theirs are the fields that this policy alone writes.
var theirs = []string{
	"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Expose-Headers",
	"Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Access-Control-Max-Age",
}

// answer writes the fields of the way back. Of a preflight's own answer it keeps
// what request wrote.
func (r *rules) answer(x *policy.Exchange) {
	h := &x.Response.Header
	asked := preflight(x)
	for _, name := range theirs {
		if !asked || x.Response.Denial == nil {
			h.Del(name)
		}
	}
	origin := x.Header.Get("Origin")
	if asked {
		vary(h, varyPreflight)
	} else if !r.origins.any {
		vary(h, "Origin")
	}
	if origin == "" || x.Header.Count("Origin") > 1 || !r.origins.match(origin) {
		return
	}
	if r.origins.any {
		origin = "*"
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if r.cookies {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	if r.expose != "" && !asked {
		h.Set("Access-Control-Expose-Headers", r.expose)
	}
}

// vary adds a line unless the answer varies by all that it names already.
func vary(h *policy.Header, names string) {
	for _, line := range h.Values("Vary") {
		if line == "*" || strings.EqualFold(line, names) {
			return
		}
	}
	h.Add("Vary", names)
}
