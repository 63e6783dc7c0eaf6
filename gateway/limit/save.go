package limit

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"time"
)

// The saved form is a line that names it, then each counter as kind (a byte), per,
// state, scope and key (varints and text with its length before it), a zero-th
// kind of endMark, and a CRC-32 (Castagnoli) of all of it.
const (
	magic   = "gatehouse limits 1\n"
	endMark = 0xff
	maxText = 64 << 10
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Save writes the counters that are in use at now. Counting may go on; a counter
// is as it was at some moment of the call. Whoever calls makes the file whole:
// write beside it, sync, rename.
func (l *Limiter) Save(w io.Writer, now time.Time) error {
	sum := crc32.New(castagnoli)
	b := bufio.NewWriter(io.MultiWriter(w, sum))
	b.WriteString(magic)
	var rec []byte
	for c := range l.table.each {
		if c.used(now.UnixNano()) == 0 {
			continue
		}
		rec = append(rec[:0], byte(c.kind))
		rec = binary.AppendVarint(rec, c.per)
		rec = binary.AppendVarint(rec, c.state.Load())
		rec = appendText(rec, c.scope)
		rec = appendText(rec, c.key)
		b.Write(rec)
	}
	b.WriteByte(endMark)
	if err := b.Flush(); err != nil {
		return fmt.Errorf("saving limits: %w", err)
	}
	if _, err := w.Write(binary.BigEndian.AppendUint32(nil, sum.Sum32())); err != nil {
		return fmt.Errorf("saving limits: %w", err)
	}
	return nil
}

func appendText(b []byte, s string) []byte {
	s = s[:min(len(s), maxText)]
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// Load takes in what Save wrote: a counter that is there already keeps the higher
// of both. Of data that is cut or changed nothing is taken. It is for before the
// first Take.
func (l *Limiter) Load(r io.Reader, now time.Time) error {
	sum := crc32.New(castagnoli)
	in := &input{r: bufio.NewReader(r), sum: sum}
	head := make([]byte, len(magic))
	if in.full(head); in.err != nil || string(head) != magic {
		return errors.New("loading limits: this is no file of limits, or one of another version")
	}
	var cells []*cell
	scopes := map[string]string{} // few scopes, many cells
	for {
		k, err := in.ReadByte()
		if err != nil {
			return fmt.Errorf("loading limits: %w", short(err))
		}
		if k == endMark {
			break
		}
		c, err := in.cell(kind(k), scopes)
		if err != nil {
			return fmt.Errorf("loading limits: %w", err)
		}
		if len(cells) < l.table.max() {
			cells = append(cells, c)
		}
	}
	want := sum.Sum32()
	var tail [4]byte
	if in.full(tail[:]); in.err != nil || binary.BigEndian.Uint32(tail[:]) != want {
		return errors.New("loading limits: the checksum does not fit; the data were cut or changed")
	}
	for _, c := range cells {
		into := l.table.cell(c.scope, c.key, c.kind, c.per, now.UnixNano())
		into.state.Store(max(into.state.Load(), c.state.Load()))
	}
	return nil
}

// input reads and sums; after an error it reads nothing.
type input struct {
	r   *bufio.Reader
	sum hash.Hash32
	err error
}

func (in *input) full(p []byte) {
	if in.err == nil {
		_, in.err = io.ReadFull(in.r, p)
		in.sum.Write(p)
	}
}

// ReadByte implements io.ByteReader.
func (in *input) ReadByte() (byte, error) {
	var b [1]byte
	in.full(b[:])
	return b[0], in.err
}

func (in *input) cell(k kind, scopes map[string]string) (*cell, error) {
	c := &cell{kind: k}
	if k > month {
		return nil, fmt.Errorf("a counter of kind %d is not known", k)
	}
	var err error
	if c.per, err = binary.ReadVarint(in); err != nil {
		return nil, short(err)
	}
	state, err := binary.ReadVarint(in)
	if err != nil {
		return nil, short(err)
	}
	if c.per < 0 || state < 0 || k <= window && c.per == 0 {
		return nil, errors.New("a counter has figures that none can have")
	}
	c.state.Store(state)
	if c.scope, err = in.text(); err != nil {
		return nil, err
	}
	if s, ok := scopes[c.scope]; ok {
		c.scope = s
	} else {
		scopes[c.scope] = c.scope
	}
	c.key, err = in.text()
	return c, err
}

func (in *input) text() (string, error) {
	n, err := binary.ReadUvarint(in)
	if err != nil {
		return "", short(err)
	}
	if n > maxText {
		return "", fmt.Errorf("a name of %d bytes is longer than %d", n, maxText)
	}
	p := make([]byte, n)
	in.full(p)
	return string(p), short(in.err)
}

// short says the end of data in words.
func short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the data end too early")
	}
	return err
}
