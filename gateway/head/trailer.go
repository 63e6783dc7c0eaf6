package head

import (
	"slices"

	"gatehouse/policy"
)

// late tells whether a field may stand behind the content and be passed on: it
// frames and routes nothing, proves nobody, says nothing about the content itself
// (RFC 9110 §6.5.1), and speaks neither in the gateway's name nor of the way here.
func late(name, keyHeader string) bool {
	if hop(name) || ours(name) || forwarded(name) || same(name, keyHeader) || hasPrefix(name, "Content-") || hasPrefix(name, "If-") || hasPrefix(name, "Access-Control-") {
		return false
	}
	return !slices.ContainsFunc(early, func(e string) bool { return same(name, e) })
}

// early are fields that mean nothing, or mischief, behind the content.
var early = []string{
	"Accept", "Authorization", "Cache-Control", "Cookie", "Early-Data", "Expect", "Max-Forwards", "Origin", "Pragma", "Range", "Referer",
	"Traceparent", "Tracestate", "User-Agent", "Via",
}

// CleanTrailer removes from a request's trailer section what must not go on.
func CleanTrailer(h *policy.Header, keyHeader string) {
	drop(h, func(name string) bool { return !late(name, keyHeader) })
}

// Announced are those of the names that go on.
func Announced(names []string, keyHeader string) []string {
	return slices.DeleteFunc(names, func(name string) bool { return !late(name, keyHeader) })
}
