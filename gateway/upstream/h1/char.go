package h1

// Classes of bytes (RFC 9110 §5.6.2 and §5.5, RFC 9112 §3 and §4).
const (
	classToken  = 1 << iota // tchar
	classValue              // SP, HTAB, VCHAR, obs-text
	classTarget             // what a request target may hold once normalized
)

var class = func() (t [256]uint8) {
	for c := range 256 {
		switch {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
			t[c] = classToken
		}
		if c == '\t' || c >= ' ' && c != 0x7f {
			t[c] |= classValue
		}
		if c > ' ' && c < 0x7f && c != '#' {
			t[c] |= classTarget
		}
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		t[c] |= classToken
	}
	return t
}()

func all(s string, want uint8) bool {
	for i := 0; i < len(s); i++ {
		if class[s[i]]&want == 0 {
			return false
		}
	}
	return true
}

func token(s string) bool { return s != "" && all(s, classToken) }

// trim removes optional whitespace (RFC 9110 §5.6.3) at both ends.
func trim(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// eachItem calls f with each item of a comma list; empty items are skipped.
func eachItem(list string, f func(item string)) {
	for start, i := 0, 0; i <= len(list); i++ {
		if i == len(list) || list[i] == ',' {
			if item := trim(list[start:i]); item != "" {
				f(item)
			}
			start = i + 1
		}
	}
}
