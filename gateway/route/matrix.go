package route

import (
	"slices"
	"strings"

	"gatehouse/policy"
)

// Matrix tells whether every semicolon of a normalized path stands in the value
// of one of the parameters names, written as RFC 6570 §3.2.7 has it: ";id=5",
// ";ids=3,4,5", ";from=a;to=b". So a server that cuts a segment at its semicolon
// reads what the definition says there may be, and nothing else.
func Matrix(path string, params []policy.Param, names []string) bool {
	left := strings.Count(path, ";")
	for i := range params {
		if p := &params[i]; slices.Contains(names, p.Name) && matrix(p.Value) {
			left -= strings.Count(p.Value, ";")
		}
	}
	return left == 0 && !strings.Contains(path, "%3B")
}

// matrix tells whether value is one or more of ";name" and ";name=text".
func matrix(value string) bool {
	rest, found := strings.CutPrefix(value, ";")
	for more := true; found && more; {
		var pair string
		pair, rest, more = strings.Cut(rest, ";")
		name, _, _ := strings.Cut(pair, "=")
		found = name != "" && strings.Trim(name, ".") != "" && !strings.Contains(pair, "/")
	}
	return found
}
