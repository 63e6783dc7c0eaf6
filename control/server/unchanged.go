package server

import (
	"net/http"
	"strings"
)

// unchanged answers 304 without a body where the caller has the state that a GET
// would give it (RFC 9110 §13.1.2, §15.4.5).
func unchanged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tags := r.Header.Values("If-None-Match")
		if len(tags) == 0 || r.Method != http.MethodGet {
			next.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(&conditional{ResponseWriter: w, tags: strings.Join(tags, ",")}, r)
	})
}

// A conditional writer keeps a body back that the caller has.
type conditional struct {
	http.ResponseWriter
	tags    string
	decided bool
	same    bool
}

func (c *conditional) WriteHeader(status int) {
	if c.decided {
		return
	}
	h := c.Header()
	c.decided, c.same = true, status == http.StatusOK && h.Get("ETag") != "" && matches(c.tags, h.Get("ETag"))
	if c.same {
		status = http.StatusNotModified
		h.Del("Content-Type")
		h.Del("Content-Length")
	}
	c.ResponseWriter.WriteHeader(status)
}

func (c *conditional) Write(p []byte) (int, error) {
	if !c.decided {
		c.WriteHeader(http.StatusOK)
	}
	if c.same {
		return len(p), nil
	}
	return c.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (c *conditional) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// matches compares weakly, as If-None-Match does (RFC 9110 §8.8.3.2).
func matches(tags, have string) bool {
	for tag := range strings.SplitSeq(tags, ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || strings.TrimPrefix(tag, "W/") == strings.TrimPrefix(have, "W/") {
			return true
		}
	}
	return false
}
