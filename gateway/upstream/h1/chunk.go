package h1

import (
	"io"
	"strings"
)

// nextChunk reads a chunk's size line (RFC 9112 §7.1), or the trailer section
// behind the last chunk, and then returns io.EOF with left below zero.
func (r *Response) nextChunk() error {
	if r.conn != nil {
		r.conn.nc.SetReadDeadline(deadline(r.timing.Idle))
	}
	if r.inChunks {
		if end, err := r.rd.line(0); err != nil {
			return err
		} else if len(end) != 0 {
			return malformed("chunk is longer than its size")
		}
	}
	line, err := r.rd.line(MaxChunkLine)
	if err != nil {
		return err
	}
	size, digits, bad := parseChunkSize(line)
	if bad != nil {
		return bad
	}
	r.overhead += int64(len(line) - digits)
	r.content += size
	if r.overhead > MaxChunkOverhead+r.content {
		return malformed("body has more chunk extensions than content")
	}
	r.inChunks = true
	if r.left = size; size > 0 {
		return nil
	}
	if err := r.readTrailer(); err != nil {
		return err
	}
	r.left = -1
	return io.EOF
}

// parseChunkSize reads 1*HEXDIG and looks over extensions without reading
// them. Whitespace is taken only before an extension's semicolon, as RFC 9112
// §7.1.1 has it.
func parseChunkSize(line []byte) (size int64, digits int, err *Error) {
	for digits < len(line) {
		d := unhex(line[digits])
		if d < 0 {
			break
		}
		size = size<<4 | int64(d)
		if digits++; digits > 15 {
			return 0, 0, malformed("chunk size is too large")
		}
	}
	ext := string(line[digits:])
	if digits == 0 || !all(ext, classValue) {
		return 0, 0, malformed("chunk size is malformed")
	}
	if ext = trim(ext); len(line) > digits && (ext == "" || ext[0] != ';') {
		return 0, 0, malformed("chunk size is malformed")
	}
	return size, digits, nil
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// readTrailer reads the trailer section. Fields that must not come so late,
// because framing, routing or authentication hang on them (RFC 9110 §6.5.1),
// are dropped.
func (r *Response) readTrailer() error {
	for total := 0; ; {
		line, err := r.rd.line(MaxTrailerBytes)
		if err != nil {
			return err
		}
		if len(line) == 0 {
			return nil
		}
		total += len(line) + 2
		if total > MaxTrailerBytes || len(r.trailer) == MaxFields {
			return &Error{Type: ResponseTrailerSize, Detail: "answer's trailer section is too large"}
		}
		f, bad := parseField(string(line))
		if bad != nil {
			return bad
		}
		if know(f.Name) == ordinary && !early[strings.ToLower(f.Name)] {
			r.trailer = append(r.trailer, f)
		}
	}
}

// early names fields that mean nothing, or mischief, in a trailer section.
var early = map[string]bool{
	"authorization": true, "cache-control": true, "content-encoding": true, "content-range": true,
	"content-type": true, "cookie": true, "set-cookie": true, "location": true, "max-forwards": true,
	"pragma": true, "range": true, "www-authenticate": true,
}
