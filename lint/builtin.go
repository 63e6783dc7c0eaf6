package lint

import (
	_ "embed"
	"maps"
	"slices"
)

//go:embed rulesets/oas.yaml
var oasRules []byte

// builtins are the rulesets that others may extend by name.
var builtins = map[string][]byte{"spectral:oas": oasRules}

func builtinNames() []string { return slices.Sorted(maps.Keys(builtins)) }

// Recommended is a ruleset that extends a built-in one as it is.
func Recommended(name string) (*Ruleset, error) {
	return Parse(name+" (recommended)", []byte("extends: "+name), nil)
}
