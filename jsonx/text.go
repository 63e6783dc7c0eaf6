package jsonx

import (
	"bytes"
	"errors"
	"strconv"
	"unicode/utf8"
)

var (
	errUTF8      = errors.New("is not UTF-8 text")
	errSurrogate = errors.New(`holds half a character: "\\u" with a surrogate needs the other half`)
)

// CheckText refuses JSON whose text would not be kept as it was sent: bytes that
// are no UTF-8 (RFC 8259 §8.1), and escapes of half a surrogate pair (§8.2).
// The decoder would put U+FFFD in their place.
func CheckText(data []byte) error {
	if !utf8.Valid(data) {
		return errUTF8
	}
	for {
		i := bytes.IndexByte(data, '\\')
		if i < 0 || i+1 == len(data) {
			return nil
		}
		data = data[i:]
		first, ok := escape(data)
		if !ok {
			data = data[2:] // of two bytes, or a fault that the decoder tells
			continue
		}
		data = data[6:]
		switch first & 0xfc00 {
		case 0xdc00:
			return errSurrogate
		case 0xd800:
			if second, ok := escape(data); !ok || second&0xfc00 != 0xdc00 {
				return errSurrogate
			}
			data = data[6:]
		}
	}
}

// escape is the code unit that data begins with, written \uXXXX.
func escape(data []byte) (uint64, bool) {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(data[2:6]), 16, 16)
	return unit, err == nil
}
