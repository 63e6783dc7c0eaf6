package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"gatehouse"
	"gatehouse/jsonx"
)

// Bounds of what one event tells of a change.
const (
	// MaxDifferences in one event; more are told as differences of the larger
	// parts they lie in.
	MaxDifferences = 200
	// MaxShown is how many bytes of JSON one value may take; a larger one is
	// shortened to its beginning, length and hash.
	MaxShown = 4096
	// maxWhole is the same for an object that is new or gone, in one piece.
	maxWhole = 32 << 10
)

// Diff is the difference from before to after, path by path, in the order of
// the paths. What is new or gone altogether is one difference with path "".
// Secrets are masked on both sides: that one changed shows, what it was does
// not. Of a stored object the document itself is compared, and the server's
// own part at "/status", "/files" and "/set".
func Diff(before, after json.RawMessage) []gatehouse.Difference {
	if bytes.Equal(before, after) {
		return nil
	}
	a, okA := tree(before)
	b, okB := tree(after)
	d := differ{}
	switch {
	case !okA && !okB:
	case !okA || !okB:
		d.add("", a, b, okA, okB, "", false, maxWhole)
	default:
		for depth := 100; ; depth = min(depth-1, 8) {
			d = differ{depth: depth}
			d.walk("", a, b, "", false, 0)
			if len(d.found) <= MaxDifferences || depth == 0 {
				break
			}
		}
	}
	return d.found
}

// tree decodes what an act changed; a stored object is unwrapped. ok is false
// where there is nothing.
func tree(raw json.RawMessage) (any, bool) {
	if len(raw) == 0 {
		return nil, false
	}
	var v any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if jsonx.CheckDepth(raw) != nil || dec.Decode(&v) != nil {
		// No room writes such; if one did, its text may hold anything.
		sum := sha256.Sum256(raw)
		return fmt.Sprintf("unreadable: %d bytes with the SHA-256 %x", len(raw), sum), true
	}
	m, ok := v.(map[string]any)
	if !ok {
		return v, true
	}
	object, ok := m["object"].(map[string]any)
	if !ok || object["kind"] == nil || object["apiVersion"] == nil {
		return v, true
	}
	for k, part := range m {
		if _, taken := object[k]; k != "object" && !taken {
			object[k] = part
		}
	}
	return object, true
}

// A differ collects differences; below depth it tells them as one.
type differ struct {
	depth int
	found []gatehouse.Difference
}

func (d *differ) walk(path string, a, b any, field string, secret bool, level int) {
	if len(d.found) > MaxDifferences && d.depth > 0 {
		return // will be told in larger parts
	}
	if level < d.depth {
		switch a := a.(type) {
		case map[string]any:
			if b, ok := b.(map[string]any); ok {
				d.objects(path, a, b, field, secret, level)
				return
			}
		case []any:
			if b, ok := b.([]any); ok {
				d.lists(path, a, b, field, secret, level)
				return
			}
		}
	}
	if !equal(a, b) {
		d.add(path, a, b, true, true, field, secret, MaxShown)
	}
}

func (d *differ) objects(path string, a, b map[string]any, field string, secret bool, level int) {
	keys := make([]string, 0, len(a)+len(b))
	for k := range a {
		keys = append(keys, k)
	}
	for k := range b {
		if _, both := a[k]; !both {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		va, inA := a[k]
		vb, inB := b[k]
		at, hidden := path+jsonx.Pointer(k), secret || inA && holds(a, field, k) || inB && holds(b, field, k)
		if inA && inB {
			d.walk(at, va, vb, k, hidden, level+1)
		} else {
			d.add(at, va, vb, inA, inB, k, hidden, MaxShown)
		}
	}
}

func (d *differ) lists(path string, a, b []any, field string, secret bool, level int) {
	for i := range max(len(a), len(b)) {
		at := path + "/" + strconv.Itoa(i)
		switch {
		case i >= len(a):
			d.add(at, nil, b[i], false, true, field, secret, MaxShown)
		case i >= len(b):
			d.add(at, a[i], nil, true, false, field, secret, MaxShown)
		default:
			d.walk(at, a[i], b[i], field, secret, level+1)
		}
	}
}

func (d *differ) add(path string, a, b any, inA, inB bool, field string, secret bool, limit int) {
	diff := gatehouse.Difference{Path: path}
	if inA {
		diff.Before = show(a, field, secret, limit)
	}
	if inB {
		diff.After = show(b, field, secret, limit)
	}
	d.found = append(d.found, diff)
}

// show is a value as an event holds it: masked, then shortened, so that not
// even a hash tells of a secret.
func show(v any, field string, secret bool, limit int) json.RawMessage {
	text, err := jsonx.Marshal(mask(v, field, secret))
	if err != nil {
		text, _ = jsonx.Marshal("unreadable: " + err.Error())
	}
	if len(text) > limit {
		text, _ = jsonx.Marshal(shorten(text, 500))
	}
	return text
}

// shorten tells of a text longer than begin its beginning, its length in bytes and its hash.
func shorten(text []byte, begin int) any {
	sum := sha256.Sum256(text)
	for begin > 0 && !utf8.RuneStart(text[begin]) {
		begin--
	}
	return map[string]any{"beginning": string(text[:begin]), "length": json.Number(strconv.Itoa(len(text))), "sha256": hex.EncodeToString(sum[:])}
}

func equal(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k, v := range a {
			w, in := b[k]
			if !in || !equal(v, w) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equal)
	}
	return a == b
}
