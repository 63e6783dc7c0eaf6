package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"gatehouse"
	"gatehouse/jsonx"
)

// Compare is what changed from one state of a document to the next, field by
// field, in the order of the paths. Items of lists that have a name, an id or a
// url are compared with the one of the same name, so that a new first version
// does not make all others look changed; the path has the index in after, or in
// before for what is gone. Either may be empty: an object that is new or gone.
func Compare(before, after json.RawMessage) []gatehouse.Difference {
	a, b := parse(before), parse(after)
	var out []gatehouse.Difference
	compare(&out, nil, a, b)
	return out
}

func parse(raw json.RawMessage) any {
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil
	}
	v, err := jsonx.Tree(raw)
	if err != nil {
		return string(raw) // shown as it is; what is stored was checked
	}
	return v
}

func compare(out *[]gatehouse.Difference, path []string, a, b any) {
	am, aMap := a.(map[string]any)
	bm, bMap := b.(map[string]any)
	al, aList := a.([]any)
	bl, bList := b.([]any)
	switch {
	case aMap && bMap:
		keys := maps.Clone(am)
		maps.Copy(keys, bm)
		for _, k := range slices.Sorted(maps.Keys(keys)) {
			compare(out, append(slices.Clone(path), k), am[k], bm[k])
		}
	case aList && bList:
		compareLists(out, path, al, bl)
	case !equal(a, b):
		*out = append(*out, gatehouse.Difference{Path: jsonx.Pointer(path...), Before: text(a), After: text(b)})
	}
}

func compareLists(out *[]gatehouse.Difference, path []string, a, b []any) {
	key := identity(a, b)
	if key == "" {
		for i := range max(len(a), len(b)) {
			compare(out, append(slices.Clone(path), strconv.Itoa(i)), item(a, i), item(b, i))
		}
		return
	}
	left := make(map[any]int, len(a))
	for i, e := range a {
		left[e.(map[string]any)[key]] = i
	}
	for j, e := range b {
		var was any
		id := e.(map[string]any)[key]
		if i, ok := left[id]; ok {
			was = a[i]
			delete(left, id)
		}
		compare(out, append(slices.Clone(path), strconv.Itoa(j)), was, e)
	}
	for _, i := range slices.Sorted(maps.Values(left)) {
		compare(out, append(slices.Clone(path), strconv.Itoa(i)), a[i], nil)
	}
}

// identity is the key by which all items of both lists can be told apart.
func identity(a, b []any) string {
	for _, key := range []string{"name", "id", "url"} {
		if distinct(a, key) && distinct(b, key) && len(a)+len(b) > 0 {
			return key
		}
	}
	return ""
}

func distinct(list []any, key string) bool {
	seen := make(map[string]bool, len(list))
	for _, e := range list {
		m, _ := e.(map[string]any)
		id, ok := m[key].(string)
		if !ok || seen[id] {
			return false
		}
		seen[id] = true
	}
	return true
}

func item(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}

func equal(a, b any) bool { return bytes.Equal(text(a), text(b)) }

func text(v any) json.RawMessage {
	if v == nil {
		return nil
	}
	raw, err := jsonx.Canonical(v)
	if err != nil {
		return json.RawMessage(strconv.Quote(fmt.Sprint(v)))
	}
	return raw
}

// Line is a difference as "gatehouse plan" prints it:
// `spec.versions[0].path: "/a" → "/b"`.
func Line(d gatehouse.Difference) string {
	where := gatehouse.Field(d.Path)
	switch {
	case d.Before == nil:
		return fmt.Sprintf("+ %s: %s", where, d.After)
	case d.After == nil:
		return fmt.Sprintf("- %s: %s", where, d.Before)
	}
	return fmt.Sprintf("~ %s: %s → %s", where, d.Before, d.After)
}
