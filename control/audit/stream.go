package audit

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"

	"gatehouse"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// MaxLine bounds one event of an exported stream, in bytes.
const MaxLine = 4 << 20

// Export writes the events that q selects as JSON lines: each event in
// canonical form, ended by a line feed. A stream without gaps, that is one
// selected by numbers only, verifies by itself; see [VerifyStream].
func (t *Trail) Export(ctx context.Context, w io.Writer, q store.EventQuery) (written int64, err error) {
	q.Desc = false
	out := bufio.NewWriterSize(w, 64<<10)
	for e, err := range t.DB.Events(ctx, q) {
		if err != nil {
			return written, errors.Join(err, out.Flush())
		}
		line, err := jsonx.Canonical(e)
		if err != nil {
			return written, gatehouse.E(gatehouse.Internal, "exporting event %d: %w", e.Number, err)
		}
		out.Write(line) // Flush tells of what went wrong
		if err := out.WriteByte('\n'); err != nil {
			return written, err
		}
		written++
	}
	return written, out.Flush()
}

// VerifyStream looks at an exported trail from its first event on, wherever the
// copy came from. It finds the first event that was changed by so much as a
// byte, removed, put in, moved, repeated or cut; that a tail is missing shows only against a mark known from
// elsewhere ([Verification.Against]), and so does an older copy put in place
// of a newer. The error is of the reader.
func VerifyStream(r io.Reader) (Verification, error) { return VerifyPart(r, nil) }

// VerifyPart looks at a part of a trail: after is the event before it. With a
// Hash of "" the tie to that event is not looked at, only that the part begins
// with the next number. The zero Mark lets it begin anywhere; nil only with
// event 1.
func VerifyPart(r io.Reader, after *Mark) (Verification, error) {
	var v Verification
	if after == nil {
		v.begin = 1
	} else if after.Number > 0 {
		v.begin, v.tie = after.Number+1, after.Hash
	}
	in := bufio.NewReaderSize(r, 64<<10)
	for n := int64(1); ; n++ {
		line, err := readLine(in)
		if err != nil && err != io.EOF && !errors.Is(err, errLong) {
			return v, err
		}
		if err == io.EOF && len(line) == 0 {
			return v, nil
		}
		number := v.Last + 1
		switch {
		case errors.Is(err, errLong):
			v.fail(number, n, "a line of more than %d bytes", MaxLine)
		case err == io.EOF:
			v.fail(number, n, "the line is cut: it does not end with a line feed")
		default:
			e, err := ParseEvent(line)
			if err != nil {
				v.fail(number, n, "%v", err)
			} else {
				v.step(e, n)
			}
		}
		if v.Broken != nil {
			return v, nil
		}
	}
}

// ParseEvent reads one line of an exported stream, without its line feed. What
// is not exactly as Export writes it is refused.
func ParseEvent(line []byte) (*gatehouse.Event, error) {
	var e gatehouse.Event
	if err := jsonx.Decode(line, &e); err != nil {
		return nil, gatehouse.E(gatehouse.Invalid, "the line is no event: %w", err)
	}
	canonical, err := jsonx.Canonical(&e)
	if err != nil {
		return nil, gatehouse.E(gatehouse.Invalid, "the line is no event: %w", err)
	}
	if !bytes.Equal(line, canonical) {
		return nil, gatehouse.E(gatehouse.Invalid, "the line is not as it was exported: it is not in canonical form")
	}
	return &e, nil
}

var errLong = errors.New("line too long")

// readLine returns the next line without its line feed, with io.EOF when the
// stream ended before one.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		if len(line)+len(part) > MaxLine {
			return nil, errLong
		}
		line = append(line, part...)
		switch err {
		case nil:
			return line[:len(line)-1], nil
		case bufio.ErrBufferFull:
		default:
			return line, err
		}
	}
}
