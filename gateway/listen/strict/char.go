package strict

// Bytes of a token (RFC 9110 §5.6.2), of a field's value (§5.5) and of a request
// target, as bits.
const (
	inToken = 1 << iota
	inValue
	inTarget
)

var class = func() (t [256]uint8) {
	for c := 0x21; c < 256; c++ {
		if c == 0x7f {
			continue
		}
		t[c] |= inValue | inTarget
	}
	t[' '] |= inValue
	t['\t'] |= inValue
	for _, c := range []byte("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
		t[c] |= inToken
	}
	return t
}()

func all(b []byte, bit uint8) bool {
	for _, c := range b {
		if class[c]&bit == 0 {
			return false
		}
	}
	return true
}

func allOf(s string, bit uint8) bool {
	for i := 0; i < len(s); i++ {
		if class[s[i]]&bit == 0 {
			return false
		}
	}
	return true
}

// Token tells whether s is a token (RFC 9110 §5.6.2).
func Token(s string) bool { return s != "" && allOf(s, inToken) }

// Value tells whether s may stand as a field's value (RFC 9110 §5.5).
func Value(s string) bool { return allOf(s, inValue) }
