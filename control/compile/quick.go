package compile

import (
	"bytes"
	"strings"
	"time"
)

// A quick reads JSON as the store has it nearly always: objects of texts without
// escapes, and nothing between tokens. Most of the time of reading a million
// records went into encoding/json. What is not plain it gives up on (ok is
// false), and encoding/json has the word; a fuzz test holds that they agree.
type quick struct {
	rest  []byte
	depth int
	ok    bool
}

// maxPlain bounds how deep objects lie in each other.
const maxPlain = 16

// object calls field for each field, which takes the value. A name that fits one
// of names but for its case is not plain: encoding/json takes it for that one.
func (p *quick) object(field func(name []byte), names ...string) {
	if p.depth++; p.depth > maxPlain {
		p.ok = false
	}
	defer func() { p.depth-- }()
	if !p.expect('{') || p.take('}') {
		return
	}
	for p.ok {
		name := p.text()
		if !p.expect(':') {
			return
		}
		for _, n := range names {
			if len(n) == len(name) && n != string(name) && strings.EqualFold(n, string(name)) {
				p.ok = false
				return
			}
		}
		if field(name); p.take('}') {
			return
		}
		p.expect(',')
	}
}

func (p *quick) take(c byte) bool {
	if !p.ok || len(p.rest) == 0 || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *quick) expect(c byte) bool {
	p.ok = p.take(c)
	return p.ok
}

// text takes a string that stands for itself.
func (p *quick) text() []byte {
	if !p.expect('"') {
		return nil
	}
	end := bytes.IndexByte(p.rest, '"')
	if p.ok = end >= 0; !p.ok {
		return nil
	}
	text := p.rest[:end]
	for _, c := range text {
		if c < ' ' || c >= 0x7f || c == '\\' {
			p.ok = false
			return nil
		}
	}
	p.rest = p.rest[end+1:]
	return text
}

// time takes a moment.
func (p *quick) time() (t time.Time) {
	if text := p.text(); p.ok {
		p.ok = t.UnmarshalText(text) == nil
	}
	return t
}

// skip takes a value that nobody asked for.
func (p *quick) skip() {
	switch {
	case !p.ok || len(p.rest) == 0:
		p.ok = false
	case p.rest[0] == '"':
		p.text()
	case p.rest[0] == '{':
		p.object(func([]byte) { p.skip() })
	default:
		p.ok = false
	}
}

// end reports whether all was plain and nothing is left.
func (p *quick) end() bool { return p.ok && len(p.rest) == 0 }
