package strict

import (
	"errors"
	"strings"

	"gatehouse/policy"
)

// Bounds within a chunked body. Extensions carry nothing that the gateway passes
// on; there is no use in many. A trailer section is read whole before any of it
// counts; net/http has the same bound.
const (
	maxExtension = 256      // bytes of extensions of one chunk
	maxOverhead  = 64 << 10 // bytes of extensions of a whole body
	maxTrailer   = 4 << 10  // bytes of the trailer section, with its empty line
	maxLate      = 64       // fields in it
)

// ErrChunk is why a chunked body cannot be read on.
var ErrChunk = errors.New("the chunked body is malformed")

// Chunks follows a chunked body (RFC 9112 §7.1) byte by byte, across reads,
// and says where it ends. The zero value is before its first byte.
type Chunks struct {
	// Keep has the trailer section kept for [Chunks.Trailer].
	Keep bool

	kept     []byte
	state    uint8
	digits   uint8
	size     int64
	ext      int
	overhead int
	trailer  int
	lines    int // of the trailer section
	column   int // in the trailer's line
	named    bool
}

const (
	chunkSize = iota
	chunkExt
	chunkSizeLF
	chunkData
	chunkDataCR
	chunkDataLF
	chunkTrailer
	chunkTrailerLF
	chunkDone
)

// Scan goes over b and returns how many of its bytes belong to the body. The
// body is at its end when done is true.
func (s *Chunks) Scan(b []byte) (n int, done bool, err error) {
	for n < len(b) {
		if s.state == chunkData {
			take := min(s.size, int64(len(b)-n))
			n += int(take)
			if s.size -= take; s.size == 0 {
				s.state = chunkDataCR
			}
			continue
		}
		if err := s.next(b[n]); err != nil {
			return n, false, err
		}
		n++
		if s.state == chunkDone {
			return n, true, nil
		}
	}
	return n, false, nil
}

// Content goes over b and copies the content in it to p. It returns how much that
// is and how many bytes of b it has taken; done as for Scan.
func (s *Chunks) Content(p, b []byte) (n, taken int, done bool, err error) {
	for taken < len(b) {
		if s.state == chunkData {
			size := int(min(s.size, int64(len(p)-n)))
			if size == 0 {
				return n, taken, false, nil
			}
			size = copy(p[n:n+size], b[taken:])
			n, taken = n+size, taken+size
			if s.size -= int64(size); s.size == 0 {
				s.state = chunkDataCR
			}
			continue
		}
		if err := s.next(b[taken]); err != nil {
			return n, taken, false, err
		}
		if taken++; s.state == chunkDone {
			return n, taken, true, nil
		}
	}
	return n, taken, false, nil
}

func (s *Chunks) next(c byte) error {
	switch s.state {
	case chunkSize:
		return s.sizeByte(c)
	case chunkExt:
		s.ext++
		s.overhead++
		switch {
		case c == '\r':
			s.state = chunkSizeLF
			return nil
		case s.ext > maxExtension || s.overhead > maxOverhead || class[c]&inValue == 0:
			return ErrChunk
		}
		return nil
	case chunkSizeLF:
		if c != '\n' {
			return ErrChunk
		}
		if s.state = chunkData; s.size == 0 {
			s.state, s.column = chunkTrailer, 0
		}
		return nil
	case chunkDataCR:
		if c != '\r' {
			return ErrChunk
		}
		s.state = chunkDataLF
		return nil
	case chunkDataLF:
		if c != '\n' {
			return ErrChunk
		}
		s.state, s.digits, s.size, s.ext = chunkSize, 0, 0, 0
		return nil
	case chunkTrailer:
		return s.trailerByte(c)
	case chunkTrailerLF:
		if c != '\n' {
			return ErrChunk
		}
		if s.trailer++; s.trailer > maxTrailer {
			return ErrChunk
		}
		if s.state = chunkTrailer; s.column == 0 {
			s.state = chunkDone
		} else if s.lines++; !s.named || s.lines > maxLate {
			return ErrChunk
		} else if s.Keep {
			s.kept = append(s.kept, c)
		}
		s.column, s.named = 0, false
		return nil
	}
	return ErrChunk
}

func (s *Chunks) sizeByte(c byte) error {
	v := int64(-1)
	switch {
	case c >= '0' && c <= '9':
		v = int64(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		v = int64(c|0x20-'a') + 10
	}
	switch {
	case v >= 0:
		if s.digits++; s.digits > 15 {
			return ErrChunk
		}
		s.size = s.size<<4 | v
	case s.digits == 0:
		return ErrChunk
	case c == ';':
		s.state = chunkExt
	case c == '\r':
		s.state = chunkSizeLF
	default:
		return ErrChunk
	}
	return nil
}

func (s *Chunks) trailerByte(c byte) error {
	if s.trailer++; s.trailer > maxTrailer {
		return ErrChunk
	}
	switch {
	case c == '\r':
		s.state = chunkTrailerLF
		return nil
	case !s.named && c == ':' && s.column > 0:
		s.named = true
	case !s.named && class[c]&inToken == 0, s.named && class[c]&inValue == 0:
		return ErrChunk
	}
	if s.column++; s.Keep {
		s.kept = append(s.kept, c)
	}
	return nil
}

// Trailer is the trailer section (RFC 9112 §7.1.2) of a body that has been read to
// its end, if it was kept; nil for none.
func (s *Chunks) Trailer() policy.Header {
	if s.state != chunkDone || len(s.kept) == 0 {
		return nil
	}
	var h policy.Header
	for line := range strings.SplitSeq(strings.TrimSuffix(string(s.kept), "\n"), "\n") {
		name, value, _ := strings.Cut(line, ":")
		h.Add(name, strings.Trim(value, " \t"))
	}
	return h
}
