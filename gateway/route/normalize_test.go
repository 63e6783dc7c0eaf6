package route

import (
	"errors"
	"strings"
	"testing"
)

func TestNormalize(t *testing.T) {
	tests := []struct {
		name, raw, want string
		rules           Rules
		err             error
	}{
		{name: "settled", raw: "/orders/v1/a-b_c~d.e", want: "/orders/v1/a-b_c~d.e"},
		{name: "root", raw: "/", want: "/"},
		{name: "slash at the end stays", raw: "/a/", want: "/a/"},
		{name: "unreserved decoded", raw: "/%61%2D%7E", want: "/a-~"},
		{name: "escapes in upper case", raw: "/%c3%a9", want: "/%C3%A9"},
		{name: "raw UTF-8 escaped", raw: "/é", want: "/%C3%A9"},
		{name: "braces escaped", raw: "/{a|b}", want: "/%7Ba%7Cb%7D"},
		{name: "space escaped stays", raw: "/a%20b", want: "/a%20b"},
		{name: "reserved kept escaped", raw: "/a%3Ab", want: "/a%3Ab"},
		{name: "dot", raw: "/a/./b", want: "/a/b"},
		{name: "dot at the end", raw: "/a/.", want: "/a/"},
		{name: "dot dot", raw: "/a/../b", want: "/b"},
		{name: "dot dot at the end", raw: "/a/b/..", want: "/a/"},
		{name: "dot dot to the root", raw: "/a/..", want: "/"},
		{name: "encoded dots are dots", raw: "/a/%2e%2E/b", want: "/b"},
		{name: "half encoded dots", raw: "/a/.%2e/b", want: "/b"},
		{name: "three dots are a name", raw: "/a/.../b", want: "/a/.../b"},
		{name: "hidden file is a name", raw: "/.well-known/x", want: "/.well-known/x"},
		{name: "percent sign", raw: "/100%25", want: "/100%25"},
		{name: "percent sign before text", raw: "/100%25zz", want: "/100%25zz"},
		{name: "semicolon by rule", raw: "/a;v=1/b", want: "/a;v=1/b", rules: Rules{Semicolon: true}},
		{name: "empty segment by rule", raw: "/a//b", want: "/a//b", rules: Rules{EmptySegments: true}},

		{name: "empty", raw: "", err: ErrRelative},
		{name: "relative", raw: "a", err: ErrRelative},
		{name: "above the root", raw: "/../a", err: ErrAbove},
		{name: "above the root encoded", raw: "/a/%2e%2e/%2e%2e/b", err: ErrAbove},
		{name: "encoded slash", raw: "/a%2fb", err: ErrEncoded},
		{name: "encoded slash in dots", raw: "/a/..%2fb", err: ErrEncoded},
		{name: "encoded backslash", raw: "/a%5Cb", err: ErrEncoded},
		{name: "backslash", raw: `/a\..\b`, err: ErrByte},
		{name: "encoded NUL", raw: "/a%00", err: ErrEncoded},
		{name: "encoded newline", raw: "/a%0d%0aX: y", err: ErrEncoded},
		{name: "encoded DEL", raw: "/%7f", err: ErrEncoded},
		{name: "space", raw: "/a b", err: ErrByte},
		{name: "fragment", raw: "/a#b", err: ErrByte},
		{name: "control", raw: "/a\x01", err: ErrByte},
		{name: "bad escape", raw: "/%zz", err: ErrEscape},
		{name: "cut escape", raw: "/%4", err: ErrEscape},
		{name: "unicode escape", raw: "/%u002e", err: ErrEscape},
		{name: "twice encoded dots", raw: "/a/%252e%252e/b", err: ErrDouble},
		{name: "twice encoded slash", raw: "/a%252fb", err: ErrDouble},
		{name: "twice encoded in pieces", raw: "/a/%25%32%65/b", err: ErrDouble},
		{name: "three times encoded", raw: "/a/%25252e", err: ErrDouble},
		{name: "overlong slash", raw: "/a%c0%afb", err: ErrOverlong},
		{name: "overlong dot in three bytes", raw: "/%e0%80%ae", err: ErrOverlong},
		{name: "overlong slash in four bytes", raw: "/%f0%80%80%af", err: ErrOverlong},
		{name: "four bytes of their own", raw: "/%f0%9f%98%80", want: "/%F0%9F%98%80"},
		{name: "semicolon", raw: "/a;b", err: ErrSemicolon},
		{name: "encoded semicolon", raw: "/a%3bb", err: ErrSemicolon},
		{name: "dots with semicolon", raw: "/a/..;/b", err: ErrSemicolon},
		{name: "dots with semicolon, by rule still", raw: "/a/..;x/b", err: ErrSemicolon, rules: Rules{Semicolon: true}},
		{name: "double slash", raw: "/a//b", err: ErrEmpty},
		{name: "double slash in front", raw: "//host/a", err: ErrEmpty},
		{name: "dot makes a double slash", raw: "/a/.//b", err: ErrEmpty},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Normalize(tt.raw, tt.rules)
			if !errors.Is(err, tt.err) || got != tt.want {
				t.Errorf("Normalize(%q): got %q, %v, want %q, %v", tt.raw, got, err, tt.want, tt.err)
			}
		})
	}
}

func FuzzNormalize(f *testing.F) {
	for _, s := range []string{"/", "/a/../b", "/%2e%2e/", "/a%252e", "/..;/a", "//", "/a/./", "/é{}", "/%25%32%65", "/%c0%ae", "/a//..//b"} {
		f.Add(s, false, false)
		f.Add(s, true, true)
	}
	f.Fuzz(func(t *testing.T, raw string, semicolon, empty bool) {
		rules := Rules{Semicolon: semicolon, EmptySegments: empty}
		got, err := Normalize(raw, rules)
		if err != nil {
			if got != "" {
				t.Fatalf("Normalize(%q): a path %q beside the error %v", raw, got, err)
			}
			return
		}
		again, err := Normalize(got, rules)
		if err != nil || again != got {
			t.Fatalf("Normalize(%q) = %q, and again %q, %v", raw, got, again, err)
		}
		if got == "" || got[0] != '/' {
			t.Fatalf("Normalize(%q) = %q, which is relative", raw, got)
		}
		for i := 0; i < len(got); i++ {
			if c := got[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\\#?\"<>", c) >= 0 {
				t.Fatalf("Normalize(%q) = %q, with byte %#x", raw, got, c)
			}
		}
		for _, seg := range strings.Split(got[1:], "/") {
			if seg == "." || seg == ".." {
				t.Fatalf("Normalize(%q) = %q, with a dot segment", raw, got)
			}
		}
		for _, bad := range []string{"%2F", "%5C", "%00", "%2E", "%252E", "%252e"} {
			if strings.Contains(got, bad) {
				t.Fatalf("Normalize(%q) = %q, with %s", raw, got, bad)
			}
		}
		if !empty && strings.Contains(got, "//") {
			t.Fatalf("Normalize(%q) = %q, with an empty segment", raw, got)
		}
	})
}
