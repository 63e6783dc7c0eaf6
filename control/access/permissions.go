package access

import (
	"regexp"
	"slices"
	"strings"

	"gatehouse"
)

// Permissions is a compiled list of patterns over actions "noun.verb": "api.put"
// is one action, "api.*" all on APIs, "*.get" all reading of one object, "*"
// everything; "export" is an action without a verb. The zero value permits nothing. It is never changed once made.
type Permissions struct {
	patterns []string
	all      bool
	exact    map[string]bool // "api.put"
	nouns    map[string]bool // "api" of "api.*"
	verbs    map[string]bool // "get" of "*.get"
}

var patternForm = regexp.MustCompile(`^(\*|[a-z][a-z-]*|(\*|[a-z][a-z-]*)\.(\*|[a-z][a-z-]*))$`)

// CompilePermissions reads patterns; one that is none of the forms above is an
// error that names it.
func CompilePermissions(patterns []string) (Permissions, error) {
	p := Permissions{exact: map[string]bool{}, nouns: map[string]bool{}, verbs: map[string]bool{}}
	for i, pattern := range patterns {
		if !patternForm.MatchString(pattern) {
			return Permissions{}, gatehouse.E(gatehouse.Invalid,
				`permissions[%d]: %q is not a permission: "api.put", "api.*", "*.get" or "*"`, i, pattern)
		}
		p.patterns = append(p.patterns, pattern)
		noun, verb, _ := strings.Cut(pattern, ".")
		switch {
		case noun == "*" && (verb == "*" || verb == ""):
			p.all = true
		case noun == "*":
			p.verbs[verb] = true
		case verb == "*":
			p.nouns[noun] = true
		default:
			p.exact[pattern] = true
		}
	}
	return p, nil
}

// Patterns are what it was compiled from.
func (p Permissions) Patterns() []string { return slices.Clone(p.patterns) }

// Allow reports whether the action is permitted.
func (p Permissions) Allow(action string) bool {
	if p.all {
		return true
	}
	if p.exact[action] {
		return true
	}
	noun, verb, ok := strings.Cut(action, ".")
	return ok && noun != "" && verb != "" && (p.nouns[noun] || p.verbs[verb])
}

// Covers reports whether every action that pattern permits is permitted here.
// A pattern is covered by one as wide, not by several that make it up.
func (p Permissions) Covers(pattern string) bool {
	if p.all {
		return true
	}
	noun, verb, _ := strings.Cut(pattern, ".")
	switch {
	case noun == "*" && (verb == "*" || verb == ""):
		return false
	case noun == "*":
		return p.verbs[verb]
	case verb == "*":
		return p.nouns[noun]
	}
	return p.Allow(pattern)
}
