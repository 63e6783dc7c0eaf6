package lint

import (
	"regexp"
	"strings"
)

// jsMethods are the methods an expression may call.
var jsMethods = map[string]func(x js, args []js) (js, bool){
	"match": func(x js, args []js) (js, bool) {
		re, ok := regexpOf(args)
		if !ok || x.isNullish() {
			return undefined, false
		}
		m := re.FindStringSubmatch(x.text())
		if m == nil {
			return js{kind: jsNull}, true
		}
		l := js{kind: jsList}
		for _, s := range m {
			l.list = append(l.list, jsText(s))
		}
		return l, true
	},
	"test": func(x js, args []js) (js, bool) {
		if x.kind != jsRegexp || len(args) == 0 {
			return undefined, false
		}
		return jsBoolean(x.re.MatchString(args[0].text())), true
	},
	"search": func(x js, args []js) (js, bool) {
		re, ok := regexpOf(args)
		if !ok || x.kind != jsString {
			return undefined, false
		}
		if at := re.FindStringIndex(x.s); at != nil {
			return jsNum(float64(utf16Length(x.s[:at[0]]))), true
		}
		return jsNum(-1), true
	},
	"includes":    func(x js, args []js) (js, bool) { i, ok := indexOf(x, args); return jsBoolean(i >= 0), ok },
	"indexOf":     func(x js, args []js) (js, bool) { i, ok := indexOf(x, args); return jsNum(float64(i)), ok },
	"startsWith":  onText(func(s string, args []js) js { return jsBoolean(strings.HasPrefix(s, first(args).text())) }),
	"endsWith":    onText(func(s string, args []js) js { return jsBoolean(strings.HasSuffix(s, first(args).text())) }),
	"toLowerCase": onText(func(s string, _ []js) js { return jsText(strings.ToLower(s)) }),
	"toUpperCase": onText(func(s string, _ []js) js { return jsText(strings.ToUpper(s)) }),
	"trim":        onText(func(s string, _ []js) js { return jsText(strings.TrimSpace(s)) }),
	"toString":    func(x js, _ []js) (js, bool) { return jsText(x.text()), !x.isNullish() },
	"slice":       onText(sliceText),
	"substring":   onText(sliceText),
	"hasOwnProperty": func(x js, args []js) (js, bool) {
		return jsBoolean(x.kind == jsValue && len(args) > 0 && x.v.has(args[0].text())), !x.isNullish()
	},
}

func first(args []js) js {
	if len(args) == 0 {
		return undefined
	}
	return args[0]
}

func onText(f func(s string, args []js) js) func(x js, args []js) (js, bool) {
	return func(x js, args []js) (js, bool) {
		if x.kind != jsString {
			return undefined, false
		}
		return f(x.s, args), true
	}
}

func sliceText(s string, args []js) js {
	r := []rune(s)
	at := func(i, otherwise int) int {
		if i >= len(args) || args[i].kind != jsNumber {
			return otherwise
		}
		n := int(max(-1e6, min(1e6, args[i].n)))
		if n < 0 {
			n += len(r)
		}
		return max(0, min(n, len(r)))
	}
	from, to := at(0, 0), at(1, len(r))
	if from >= to {
		return jsText("")
	}
	return jsText(string(r[from:to]))
}

func regexpOf(args []js) (*regexp.Regexp, bool) {
	switch x := first(args); x.kind {
	case jsRegexp:
		return x.re, true
	case jsString:
		re, err := compileRegexp(x.s, "")
		return re, err == nil
	}
	return nil, false
}

func indexOf(x js, args []js) (int, bool) {
	switch want := first(args); x.kind {
	case jsString:
		return strings.Index(x.s, want.text()), true
	case jsList:
		for i, e := range x.list {
			if strictEqual(e, want) {
				return i, true
			}
		}
		return -1, true
	case jsValue:
		if x.v.kind == list {
			for i, e := range x.v.items {
				if strictEqual(fromValue(e), want) {
					return i, true
				}
			}
			return -1, true
		}
	}
	return -1, false
}
