package lint

import (
	"regexp"
	"strconv"
	"strings"
)

// A formatSet holds formats by their place in formatNames.
type formatSet uint32

// formatNames are the formats rules may ask for, as Spectral writes them.
var formatNames = []string{
	"oas2", "oas3", "oas3_0", "oas3_1", "oas3_2",
	"aas2", "aas2_0", "aas2_1", "aas2_2", "aas2_3", "aas2_4", "aas2_5", "aas2_6", "aas3", "aas3_0", "aas3_1",
	"json_schema", "json_schema_loose", "json_schema_draft4", "json_schema_draft6", "json_schema_draft7", "json_schema_2019_09", "json_schema_2020_12",
	"arazzo1_0",
}

// formatAliases are other spellings in use.
var formatAliases = map[string]string{
	"asyncapi2": "aas2", "async-api-2": "aas2", "json_schema_draft_4": "json_schema_draft4", "json_schema_draft_6": "json_schema_draft6", "json_schema_draft_7": "json_schema_draft7",
	"json_schema_draft_2019_09": "json_schema_2019_09", "json_schema_draft_2020_12": "json_schema_2020_12",
}

// parseFormat reads the name of a format; "oas3.1" and "oas3-1" are "oas3_1".
func parseFormat(name string) (formatSet, bool) {
	n := strings.NewReplacer(".", "_", "-", "_").Replace(name)
	if a, ok := formatAliases[n]; ok {
		n = a
	} else if a, ok := formatAliases[name]; ok {
		n = a
	}
	for i, f := range formatNames {
		if f == n {
			return 1 << i, true
		}
	}
	return 0, false
}

func mustFormat(name string) formatSet {
	f, ok := parseFormat(name)
	if !ok {
		panic("lint: no format " + name)
	}
	return f
}

var (
	oas2   = mustFormat("oas2")
	oas3   = mustFormat("oas3")
	oas3_0 = mustFormat("oas3_0")
	oas3_1 = mustFormat("oas3_1")
	oas3_2 = mustFormat("oas3_2")
)

func (s formatSet) names() (names []string) {
	for i, n := range formatNames {
		if s&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return names
}

var (
	asyncVersion = regexp.MustCompile(`^([23])\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$`)
	schemaDraft  = regexp.MustCompile(`^https?://json-schema.org/(?:draft-0([467])|draft/(20(?:19-09|20-12)))/(?:hyper-)?schema#?$`)
)

// detect finds the formats of a document by the keys that its root has.
func detect(root *value) (s formatSet) {
	if !root.is(object) {
		return 0
	}
	if v := root.get("swagger"); v != nil && leadingInt(v.plain()) == 2 {
		s |= oas2
	}
	if v := root.get("openapi"); v != nil && leadingInt(v.plain()) == 3 {
		s |= oas3 | minor("oas3_", v.plain(), 3)
	}
	if v := root.get("asyncapi"); v != nil && asyncVersion.MatchString(v.plain()) {
		major := v.plain()[:1]
		s |= mustFormat("aas"+major) | minor("aas"+major+"_", v.plain(), int(major[0]-'0'))
	}
	if v := root.get("arazzo"); v != nil && strings.HasPrefix(v.plain(), "1.0") {
		s |= mustFormat("arazzo1_0")
	}
	return s | detectSchema(root)
}

// minor is the format of a minor version: "3.1", "3.1." or "3.1.7".
func minor(prefix, version string, major int) formatSet {
	parts := strings.Split(version, ".")
	if len(parts) < 2 || len(parts) > 3 || parts[0] != strconv.Itoa(major) {
		return 0
	}
	if len(parts) == 3 && strings.Trim(parts[2], "0123456789") != "" {
		return 0
	}
	f, _ := parseFormat(prefix + parts[1])
	return f
}

func detectSchema(root *value) (s formatSet) {
	if v := root.get("$schema"); v.is(text) && strings.Contains(v.str, "//json-schema.org/") {
		s |= mustFormat("json_schema")
		if d := draftOf(v.str); d != "" {
			f, _ := parseFormat("json_schema_" + strings.ReplaceAll(strings.Replace(d, "draft2", "2", 1), "-", "_"))
			s |= f
		}
	}
	loose := s != 0 || root.get("enum").is(list)
	if t := root.get("type"); t.is(text) {
		loose = loose || isJSONType(t.str)
	} else if t.is(list) {
		all := true
		for _, e := range t.items {
			all = all && e.is(text) && isJSONType(e.str)
		}
		loose = loose || all
	}
	for _, k := range []string{"allOf", "oneOf", "anyOf", "not", "if"} {
		loose = loose || root.get(k).container()
	}
	if loose {
		s |= mustFormat("json_schema_loose")
	}
	return s
}

// draftOf is the dialect that a "$schema" names: "draft7", "draft2020-12".
func draftOf(uri string) string {
	m := schemaDraft.FindStringSubmatch(uri)
	if m == nil {
		return ""
	}
	return "draft" + m[1] + m[2]
}

// leadingInt is the number a text begins with, -1 for none.
func leadingInt(s string) int {
	end := 0
	for end < len(s) && end < 9 && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(s[:end])
	if err != nil {
		return -1
	}
	return n
}
