package route

import "strings"

// Rules say which of the forms that programs read in different ways are let
// through. The zero value lets none through (SAFETY: what is ambiguous is
// refused, never guessed).
type Rules struct {
	// Semicolon lets ";" pass within a segment. Some servers cut a segment
	// there (Servlet path parameters), so that "/admin;x" is "/admin" to
	// them; segments such as "..;" are refused in any case.
	Semicolon bool
	// EmptySegments lets "//" pass, as a segment without a name.
	EmptySegments bool
}

// A PathError is why a path was refused; its text is fit for the caller.
type PathError string

func (e PathError) Error() string { return string(e) }

// What Normalize refuses.
const (
	ErrRelative  = PathError("path does not begin with a slash")
	ErrEscape    = PathError("path has an escape that is not % and two hexadecimal digits")
	ErrByte      = PathError("path has a byte that no path may have")
	ErrEncoded   = PathError("path has an encoded slash, backslash or control character")
	ErrDouble    = PathError("path is encoded twice")
	ErrOverlong  = PathError("path has an overlong UTF-8 form of an ASCII character")
	ErrSemicolon = PathError("path has a semicolon")
	ErrEmpty     = PathError("path has an empty segment")
	ErrAbove     = PathError("path climbs above the root")
)

// Normalize brings the path of a request target to the one form that is
// routed, shown to policies, logged and forwarded: unreserved characters
// decoded (RFC 3986 §6.2.2.2), escapes in upper case (§6.2.2.1), characters
// that must be escaped escaped, dot segments removed (§5.2.4). What two
// programs may read in two ways is refused with a PathError.
//
// The result is a fixed point: normalizing it again changes nothing. A path
// that is in the form already is returned as it is, without allocation.
func Normalize(raw string, rules Rules) (string, error) {
	if raw == "" || raw[0] != '/' {
		return "", ErrRelative
	}
	if settled(raw) {
		return raw, nil
	}
	path, err := decode(raw, rules)
	if err != nil {
		return "", err
	}
	if err := checkEscapes(path); err != nil {
		return "", err
	}
	return removeDots(path, rules)
}

// settled tells whether path has nothing that Normalize would look at twice.
func settled(path string) bool {
	for i := 0; i < len(path); i++ {
		c := path[i]
		if class[c] != plain {
			return false
		}
		if c == '/' && i+1 < len(path) && (path[i+1] == '/' || path[i+1] == '.') {
			return false
		}
	}
	return true
}

// What a byte of a path is to decode.
const (
	never  = iota // controls, space, backslash, "#", "?"
	plain         // stands for itself
	escape        // must be written as an escape
	percent
	semicolon
)

var class = func() (t [256]uint8) {
	for c := 0x80; c < 256; c++ {
		t[c] = escape
	}
	for _, c := range []byte("\"<>^`{|}[]") {
		t[c] = escape
	}
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,=:@/") {
		t[c] = plain
	}
	t['%'], t[';'] = percent, semicolon
	return t
}()

const upperHex = "0123456789ABCDEF"

func decode(raw string, rules Rules) (string, error) {
	out := make([]byte, 0, len(raw)+16)
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch class[c] {
		case plain:
			out = append(out, c)
		case escape:
			out = append(out, '%', upperHex[c>>4], upperHex[c&15])
		case semicolon:
			if !rules.Semicolon {
				return "", ErrSemicolon
			}
			out = append(out, c)
		case percent:
			v, ok := unhex(raw, i+1)
			if !ok {
				return "", ErrEscape
			}
			i += 2
			switch {
			case v == '/' || v == '\\' || v < 0x20 || v == 0x7f:
				return "", ErrEncoded
			case v == ';' && !rules.Semicolon:
				return "", ErrSemicolon
			case unreserved(v):
				out = append(out, v)
			default:
				out = append(out, '%', upperHex[v>>4], upperHex[v&15])
			}
		default:
			return "", ErrByte
		}
	}
	return string(out), nil
}

// checkEscapes refuses escapes that turn into something else when a server
// behind decodes once more, or reads overlong UTF-8.
func checkEscapes(path string) error {
	for i := strings.IndexByte(path, '%'); i >= 0 && i < len(path); i++ {
		if path[i] != '%' {
			continue
		}
		v, _ := unhex(path, i+1)
		switch {
		case v == '%':
			if w, ok := unhex(path, i+3); ok && hidden(w) {
				return ErrDouble
			}
		case v == 0xC0 || v == 0xC1:
			if continues(path, i+3, 0x80, 0xBF) {
				return ErrOverlong
			}
		case v == 0xE0:
			if continues(path, i+3, 0x80, 0x9F) {
				return ErrOverlong
			}
		case v == 0xF0:
			if continues(path, i+3, 0x80, 0x8F) {
				return ErrOverlong
			}
		}
	}
	return nil
}

// hidden tells what may not be found under a second layer of encoding.
func hidden(c byte) bool {
	return c < 0x20 || c == 0x7f || c == '.' || c == '/' || c == '\\' || c == ';' || c == '%'
}

func continues(path string, at int, low, high byte) bool {
	if at >= len(path) || path[at] != '%' {
		return false
	}
	v, ok := unhex(path, at+1)
	return ok && v >= low && v <= high
}

// removeDots resolves "." and ".." and refuses what the rules refuse. The path
// begins with a slash.
func removeDots(path string, rules Rules) (string, error) {
	out := make([]byte, 0, len(path))
	for rest := path; rest != ""; {
		seg := rest[1:]
		end := strings.IndexByte(seg, '/')
		last := end < 0
		if last {
			end = len(seg)
		}
		seg, rest = seg[:end], rest[1+end:]
		if name, _, cut := strings.Cut(seg, ";"); cut && (name == "." || name == "..") {
			return "", ErrSemicolon
		}
		switch seg {
		case "":
			if !last && !rules.EmptySegments {
				return "", ErrEmpty
			}
			out = append(out, '/')
		case ".":
			if last {
				out = append(out, '/')
			}
		case "..":
			if len(out) == 0 {
				return "", ErrAbove
			}
			out = out[:strings.LastIndexByte(string(out), '/')]
			if last {
				out = append(out, '/')
			}
		default:
			out = append(out, '/')
			out = append(out, seg...)
		}
	}
	if len(out) == 0 {
		return "/", nil
	}
	return string(out), nil
}

func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}

func unhex(s string, at int) (byte, bool) {
	if at+1 >= len(s) {
		return 0, false
	}
	h, l := hexDigit(s[at]), hexDigit(s[at+1])
	return h<<4 | l&15, h < 16 && l < 16
}

func hexDigit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}
