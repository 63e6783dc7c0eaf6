package lint

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// compileRegexp compiles a regular expression of JavaScript for Go's engine,
// whose time grows with the text only. What that engine cannot do (looking
// ahead and behind, back references) is refused by name.
func compileRegexp(source, flags string) (*regexp.Regexp, error) {
	if len(source) > MaxPattern {
		return nil, fmt.Errorf("regular expression is %d letters long; at most %d are read", len(source), MaxPattern)
	}
	mode := ""
	for _, f := range flags {
		switch f {
		case 'i', 's', 'm':
			if !strings.ContainsRune(mode, f) {
				mode += string(f)
			}
		case 'g', 'u', 'y', 'v', 'd':
		default:
			return nil, fmt.Errorf("regular expression has the flag %q; g, i, m, s, u and y are known", string(f))
		}
	}
	t := translator{in: source}
	if err := t.run(); err != nil {
		return nil, fmt.Errorf("regular expression %q %w", source, err)
	}
	out := t.out.String()
	if mode != "" {
		out = "(?" + mode + ")" + out
	}
	re, err := regexp.Compile(out)
	if err != nil {
		if s := strings.TrimPrefix(err.Error(), "error parsing regexp: "); s != "" {
			return nil, fmt.Errorf("regular expression %q is not understood: %s", source, strings.ReplaceAll(s, "`", "\""))
		}
		return nil, err
	}
	return re, nil
}

// parseLiteral reads "/…/flags" or a bare expression, as the function pattern does.
func parseLiteral(s string) (*regexp.Regexp, error) {
	if len(s) > 2 && s[0] == '/' {
		if end := strings.LastIndexByte(s, '/'); end > 1 && strings.Trim(s[end+1:], "abcdefghijklmnopqrstuvwxyz") == "" {
			return compileRegexp(s[1:end], s[end+1:])
		}
	}
	return compileRegexp(s, "")
}

// jsSpace is what \s means in JavaScript, inside a class.
const jsSpace = `\s\x{0b}\x{a0}\x{feff}\p{Z}`

// translator rewrites what the two dialects write differently.
type translator struct {
	in   string
	i    int
	out  strings.Builder
	last int // where the last atom begins in out, -1 for none
	open []int
}

func (t *translator) run() error {
	t.last = -1
	for t.i < len(t.in) {
		if err := t.token(); err != nil {
			return err
		}
	}
	return nil
}

func (t *translator) token() error {
	switch c := t.in[t.i]; c {
	case '\\':
		t.last = t.out.Len()
		return t.escape(false)
	case '[':
		t.last = t.out.Len()
		return t.class()
	case '(':
		return t.group()
	case ')':
		if n := len(t.open); n > 0 {
			t.last, t.open = t.open[n-1], t.open[:n-1]
		}
		t.emit(")")
	case '{':
		return t.repeat()
	case '*', '+', '?':
		t.emit(t.in[t.i : t.i+1])
		if c != '?' && t.i < len(t.in) && t.in[t.i] == '+' {
			return fmt.Errorf("repeats a repeat at letter %d", t.i+1)
		}
	case '|', '^', '$':
		t.last = -1
		t.emit(t.in[t.i : t.i+1])
	default:
		t.last = t.out.Len()
		t.emit(t.in[t.i : t.i+1])
	}
	return nil
}

// emit writes s for the next letter of the source.
func (t *translator) emit(s string) {
	t.out.WriteString(s)
	t.i++
}

func (t *translator) group() error {
	rest := t.in[t.i:]
	for _, no := range []struct{ head, what string }{
		{"(?=", "looks ahead"}, {"(?!", "looks ahead"}, {"(?<=", "looks behind"}, {"(?<!", "looks behind"},
	} {
		if strings.HasPrefix(rest, no.head) {
			return fmt.Errorf("%s with %q, which would need more time than the text is long: use two rules, or \"match\" and \"notMatch\" together", no.what, no.head)
		}
	}
	t.open = append(t.open, t.out.Len())
	t.last = -1
	for _, head := range []string{"(?:", "(?<", "("} {
		if strings.HasPrefix(rest, head) {
			t.out.WriteString(head)
			t.i += len(head)
			break
		}
	}
	return nil
}

// repeat writes {n,m}; counts beyond what Go's engine takes at once are
// written as several.
func (t *translator) repeat() error {
	end := strings.IndexByte(t.in[t.i:], '}')
	low, high, ok := "", "", false
	if end > 0 {
		low, high, ok = strings.Cut(t.in[t.i+1:t.i+end], ",")
	}
	n, err := strconv.Atoi(low)
	if end < 0 || err != nil {
		t.last = t.out.Len()
		t.emit(`\{`) // no repeat: the letter itself
		return nil
	}
	m := n
	if ok && high != "" {
		if m, err = strconv.Atoi(high); err != nil {
			t.last = t.out.Len()
			t.emit(`\{`)
			return nil
		}
	} else if ok {
		m = -1
	}
	t.i += end + 1
	return t.count(n, m)
}

const (
	mostAtOnce = 1000
	mostRepeat = 100_000
)

func (t *translator) count(n, m int) error {
	if n <= mostAtOnce && m <= mostAtOnce {
		t.out.WriteString("{" + strconv.Itoa(n))
		if m < 0 {
			t.out.WriteString(",")
		} else if m != n {
			t.out.WriteString("," + strconv.Itoa(m))
		}
		t.out.WriteString("}")
		return nil
	}
	if t.last < 0 || n > mostRepeat || m > mostRepeat || m >= 0 && m < n {
		return fmt.Errorf("repeats %d to %d times; at most %d can be told", n, m, mostRepeat)
	}
	atom := t.out.String()[t.last:]
	if len(atom) > 20 {
		return fmt.Errorf("repeats a long part more than %d times", mostAtOnce)
	}
	head := t.out.String()[:t.last]
	t.out.Reset()
	t.out.WriteString(head)
	for left := n; left > 0; left -= mostAtOnce {
		fmt.Fprintf(&t.out, "%s{%d}", atom, min(left, mostAtOnce))
	}
	if m < 0 {
		t.out.WriteString(atom + "*")
	} else if rest := m - n; rest > 10*mostAtOnce { // nothing real is told apart by it
		t.out.WriteString(atom + "*")
	} else {
		for left := rest; left > 0; left -= mostAtOnce {
			fmt.Fprintf(&t.out, "%s{0,%d}", atom, min(left, mostAtOnce))
		}
	}
	return nil
}

func (t *translator) class() error {
	t.out.WriteByte('[')
	t.i++
	if strings.HasPrefix(t.in[t.i:], "^") {
		t.emit("^")
	}
	if strings.HasPrefix(t.in[t.i:], "]") { // [] matches nothing and [^] anything
		all := strings.HasSuffix(t.out.String(), "[^")
		s := strings.TrimSuffix(strings.TrimSuffix(t.out.String(), "^"), "[")
		t.out.Reset()
		t.out.WriteString(s)
		if all {
			t.emit(`(?s:.)`)
		} else {
			t.emit(`[^\x{0}-\x{10ffff}]`)
		}
		return nil
	}
	for t.i < len(t.in) {
		switch c := t.in[t.i]; c {
		case ']':
			t.emit("]")
			return nil
		case '\\':
			if err := t.escape(true); err != nil {
				return err
			}
		case '[':
			t.emit(`\[`)
		default:
			t.emit(t.in[t.i : t.i+1])
		}
	}
	return fmt.Errorf("has a \"[\" that nothing closes")
}

func (t *translator) escape(inClass bool) error {
	if t.i+1 >= len(t.in) {
		return fmt.Errorf("ends in a backslash")
	}
	c := t.in[t.i+1]
	hex := func(n int) bool {
		if t.i+2+n > len(t.in) {
			return false
		}
		u, err := strconv.ParseUint(t.in[t.i+2:t.i+2+n], 16, 32)
		if err != nil {
			return false
		}
		fmt.Fprintf(&t.out, `\x{%x}`, u)
		t.i += 2 + n
		return true
	}
	switch {
	case c == 'u' && strings.HasPrefix(t.in[t.i:], `\u{`):
		end := strings.IndexByte(t.in[t.i:], '}')
		if end < 0 {
			return fmt.Errorf("has a \"\\u{\" that nothing closes")
		}
		t.out.WriteString(`\x{` + t.in[t.i+3:t.i+end] + "}")
		t.i += end + 1
		return nil
	case c == 'u' && hex(4), c == 'x' && hex(2):
		return nil
	case c == 's' && inClass:
		t.out.WriteString(jsSpace)
	case c == 's':
		t.out.WriteString("[" + jsSpace + "]")
	case c == 'S' && !inClass:
		t.out.WriteString("[^" + jsSpace + "]")
	case c == '0':
		t.out.WriteString(`\x{0}`)
	case c >= '1' && c <= '9':
		return fmt.Errorf("refers back with \"\\%c\", which would need more time than the text is long", c)
	case c == 'k':
		return fmt.Errorf("refers back with \"\\k\", which would need more time than the text is long")
	case strings.IndexByte("dDwWbBnrtfvSpP", c) >= 0:
		if c == 'b' && inClass {
			t.out.WriteString(`\x{8}`)
		} else {
			t.out.WriteByte('\\')
			t.out.WriteByte(c)
		}
	case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
		t.out.WriteByte(c) // an escape that means the letter
	case c >= 0x80:
		t.i++ // a letter of more bytes, itself
		return nil
	default:
		t.out.WriteByte('\\')
		t.out.WriteByte(c)
	}
	t.i += 2
	return nil
}
