package rewrite

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"gatehouse/policy"
	"gatehouse/policy/template"
)

// maxParameters bounds how many parameters a use changes.
const maxParameters = 100

func (q Query) empty() bool { return len(q.Remove)+len(q.Set) == 0 }

// query is Query, compiled.
type query struct {
	gone []string // removed and set
	set  []parameter
}

type parameter struct {
	name  string // escaped
	value template.Template
}

func compileQuery(q Query, params *params) (query, error) {
	var out query
	if n := len(q.Remove) + len(q.Set); n > maxParameters {
		return out, fmt.Errorf("query: %d changes are more than %d", n, maxParameters)
	}
	for i, name := range q.Remove {
		if name == "" {
			return out, fmt.Errorf("query.remove[%d]: is empty; a parameter's name would do", i)
		}
		out.gone = append(out.gone, name)
	}
	for _, name := range slices.Sorted(maps.Keys(q.Set)) {
		if name == "" {
			return out, errors.New("query.set: has an empty name; a parameter's name would do")
		}
		t, err := parse(q.Set[name], params)
		switch {
		case err != nil:
			return out, fmt.Errorf("query.set.%s: %w", name, err)
		case len(q.Set[name]) > maxPath:
			return out, fmt.Errorf("query.set.%s: %d bytes are more than %d", name, len(q.Set[name]), maxPath)
		case t.References():
			return out, fmt.Errorf("query.set.%s: a reference to a secret has no place in a URL; a header set by \"headers\" would do", name)
		}
		if t, err = t.Escape(url.QueryEscape); err != nil {
			return out, fmt.Errorf("query.set.%s: %w", name, err)
		}
		out.gone = append(out.gone, name)
		out.set = append(out.set, parameter{url.QueryEscape(name), t})
	}
	return out, nil
}

func (q *query) apply(x *policy.Exchange) {
	if len(q.gone) > 0 && x.Query != "" {
		x.Query = without(x.Query, q.gone)
	}
	for i := range q.set {
		pair := q.set[i].name + "=" + q.set[i].value.Text(x, reescape)
		if x.Query == "" {
			x.Query = pair
		} else {
			x.Query += "&" + pair
		}
	}
}

// reescape turns a path's escapes into a query's.
func reescape(v string) string {
	if plain, err := url.PathUnescape(v); err == nil {
		v = plain
	}
	return url.QueryEscape(v)
}

// without drops the parameters of these names; others stay as they were sent.
func without(raw string, names []string) string {
	kept := make([]string, 0, 8)
	for pair := range strings.SplitSeq(raw, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(name); err == nil && slices.Contains(names, plain) {
			continue
		}
		kept = append(kept, pair)
	}
	return strings.Join(kept, "&")
}
