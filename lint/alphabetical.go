package lint

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

func alphabeticalOptions(o options) (any, error) {
	if o.value == nil || o.is(null) {
		return "", nil
	}
	if err := o.only("keyedBy"); err != nil {
		return nil, err
	}
	v := o.get("keyedBy")
	if v != nil && !v.is(text) {
		return nil, o.fault(v, "option \"keyedBy\" is the name of a key")
	}
	if v == nil {
		return "", nil
	}
	return v.str, nil
}

func alphabetical(c *call, v *value, opts any) error {
	if !v.container() {
		return nil
	}
	keyed := opts.(string)
	items := make([]js, 0, len(v.items))
	switch {
	case v.kind == object && keyed == "":
		for _, k := range v.keys {
			items = append(items, jsText(k))
		}
	case v.kind == object: // its keys are text, which has no keys
		items = append(items, undefined, undefined)[:min(2, len(v.keys))]
	default:
		for _, e := range v.items {
			items = append(items, fromValue(c.follow(e)))
		}
	}
	if len(items) < 2 {
		return nil
	}
	if keyed != "" {
		for i, e := range items {
			if e.kind != jsValue {
				return c.say(theProperty + "must hold objects")
			}
			items[i] = fromValue(c.get(e.v, keyed))
		}
	}
	if slices.ContainsFunc(items, func(e js) bool { return e.kind != jsString && e.kind != jsNumber }) {
		return c.say(theProperty + "must hold text or numbers only")
	}
	for i := 0; i+1 < len(items); i++ {
		if compareLoose(items[i], items[i+1]) <= 0 {
			continue
		}
		if keyed != "" {
			return c.say(theProperty+"must be in alphabetical order of %q", keyed)
		}
		at := strconv.Itoa(i)
		if v.kind == object {
			at = items[i].s
		}
		return c.at(strconv.Quote(items[i].text())+" must stand behind "+strconv.Quote(items[i+1].text()), at)
	}
	return nil
}

// compareLoose compares as people read: numbers by size, text by letter.
func compareLoose(a, b js) int {
	x, y := a.toNumber(), b.toNumber()
	if (a.kind == jsNumber || math.IsNaN(x)) && (b.kind == jsNumber || !math.IsNaN(y)) {
		if d := x - y; !math.IsNaN(d) {
			return int(math.Max(-1, math.Min(1, math.Trunc(d))))
		}
		return 0
	}
	if a.kind != jsString || b.kind != jsString {
		return 0
	}
	return compareText(a.s, b.s)
}

// compareText orders as the root collation of Unicode does: signs, digits,
// letters; by letter first, and lower case before upper where all else is
// equal. Letters beyond ASCII come behind, by their number.
func compareText(a, b string) int {
	weigh := func(s string) []int32 {
		w := make([]int32, 0, len(s))
		for _, r := range s {
			if r < 128 {
				w = append(w, int32(weights[r]))
			} else {
				w = append(w, unicode.ToLower(r))
			}
		}
		return w
	}
	return cmp.Or(slices.Compare(weigh(a), weigh(b)), -strings.Compare(a, b))
}

// weights are the primary weights of letters.
var weights = func() (w [128]byte) {
	n := byte(1)
	for _, c := range " _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789" {
		w[c] = n
		n++
	}
	for c := byte('a'); c <= 'z'; c++ {
		w[c], w[c-32] = n, n
		n++
	}
	return w
}()
