package apikey

import (
	"net/url"
	"strings"
)

// cutQuery takes every parameter of the name out of a raw query. It returns the
// first one's value, the other parameters as they were sent, and how many there
// were. A name is compared decoded, so that "api%5Fkey" is not let through to
// the backend; pairs that do not decode are left alone.
func cutQuery(query, name string) (value, rest string, n int) {
	if !strings.Contains(query, name) && !strings.ContainsAny(query, "%+") {
		return "", query, 0
	}
	kept := make([]string, 0, 8)
	for pair := range strings.SplitSeq(query, "&") {
		k, v, _ := strings.Cut(pair, "=")
		if decoded, err := url.QueryUnescape(k); err != nil || decoded != name {
			kept = append(kept, pair)
			continue
		}
		if n++; n == 1 {
			if value, _ = url.QueryUnescape(v); value == "" {
				value = v // not decodable, so no key; whoever looks it up says so
			}
		}
	}
	if n == 0 {
		return "", query, 0
	}
	return value, strings.Join(kept, "&"), n
}
