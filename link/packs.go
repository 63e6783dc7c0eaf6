package link

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"gatehouse/snapshot"
)

// packs are files of frames, so that ten thousand chunks are a few files. The
// last one is appended to; a tail torn by a kill is cut off at start.
type packs struct {
	dir    string
	files  []*os.File
	number []int
	index  map[snapshot.Hash]place
	end    int64 // of the last file
	bytes  int64 // of all
	asked  int64 // what bytes was when they were last held against what is used
	damage string
}

type place struct {
	file   int32
	size   int32
	offset int64 // of the chunk's bytes
}

// A pack is closed for appending at packSize; tidySize is what may be of no
// use before tidying is thought of.
const (
	packSize = 256 << 20
	tidySize = 8 << 20
)

func packName(n int) string { return fmt.Sprintf("pack-%08d", n) }

// open reads every frame once and proves it.
func (p *packs) open(dir string) error {
	p.dir, p.index = dir, map[snapshot.Hash]place{}
	names, err := filepath.Glob(filepath.Join(dir, "pack-*"))
	if err != nil {
		return err
	}
	for _, name := range names {
		if n, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(name), "pack-")); err == nil {
			p.number = append(p.number, n)
		}
	}
	slices.Sort(p.number)
	for i, n := range p.number {
		f, err := os.OpenFile(filepath.Join(dir, packName(n)), os.O_RDWR, 0o600)
		if err != nil {
			return errors.Join(err, p.close())
		}
		p.files = append(p.files, f)
		if err := p.scan(i, f); err != nil {
			return errors.Join(err, p.close())
		}
	}
	return nil
}

// scan indexes the whole frames of one file. Behind a damaged frame whose
// length still holds, reading goes on; what cannot be read on is cut off.
func (p *packs) scan(i int, f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	in, at := bufio.NewReaderSize(f, 1<<20), int64(0)
	for at < info.Size() {
		h, data, err := readFrame(in)
		size := int64(len(data))
		switch {
		case err == nil:
			p.index[h] = place{int32(i), int32(size), at + int64(frameHead)}
			at += int64(frameHead) + size
			continue
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		default:
			var next int64
			if next, err = p.skip(f, at, info.Size()); err != nil {
				return err
			}
			if p.damage = fmt.Sprintf("a chunk in %s at %d", packName(p.number[i]), at); next > 0 {
				at = next
				in.Reset(f)
				continue
			}
		}
		if i == len(p.number)-1 { // only the last file is appended to
			p.damage = fmt.Sprintf("%s is cut off at %d of %d bytes", packName(p.number[i]), at, info.Size())
			if err := f.Truncate(at); err != nil {
				return err
			}
		}
		break
	}
	p.end, p.bytes = at, p.bytes+at
	return nil
}

// skip finds where the frame after a damaged one at would begin, and moves the
// file there; 0 when its length makes no sense.
func (p *packs) skip(f *os.File, at, end int64) (int64, error) {
	var head [frameHead]byte
	if _, err := f.ReadAt(head[:], at); err != nil {
		return 0, err
	}
	size := int64(head[frameHead-4])<<24 | int64(head[frameHead-3])<<16 | int64(head[frameHead-2])<<8 | int64(head[frameHead-1])
	next := at + int64(frameHead) + size
	if size > MaxChunk || next > end {
		return 0, nil
	}
	_, err := f.Seek(next, io.SeekStart)
	return next, err
}

func (p *packs) has(h snapshot.Hash) bool { _, ok := p.index[h]; return ok }

func (p *packs) read(h snapshot.Hash) ([]byte, error) {
	at, ok := p.index[h]
	if !ok {
		return nil, fmt.Errorf("chunk %s is not on disk", h)
	}
	data := make([]byte, at.size)
	if _, err := p.files[at.file].ReadAt(data, at.offset); err != nil {
		return nil, fmt.Errorf("reading chunk %s: %w", h, err)
	}
	if snapshot.Sum(data) != h {
		delete(p.index, h)
		return nil, fmt.Errorf("reading chunk %s: the disk gives other bytes than were written", h)
	}
	return data, nil
}

// append writes chunks that are not there yet and syncs. After an error the
// file is as before, or the next open cuts the rest off.
func (p *packs) append(chunks map[snapshot.Hash][]byte) error {
	var fresh []snapshot.Hash
	for h := range chunks {
		if !p.has(h) {
			fresh = append(fresh, h)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	if len(p.files) == 0 || p.end > packSize {
		if err := p.create(); err != nil {
			return err
		}
	}
	file := len(p.files) - 1
	f, start := p.files[file], p.end
	places := make(map[snapshot.Hash]place, len(fresh))
	size := 0
	for _, h := range fresh {
		size += frameHead + len(chunks[h])
	}
	out := bufio.NewWriterSize(io.NewOffsetWriter(f, start), min(size, 1<<20))
	at := start
	for _, h := range fresh {
		_, _ = out.Write(appendFrameHead(nil, h, len(chunks[h]))) // Flush tells
		_, _ = out.Write(chunks[h])
		places[h] = place{int32(file), int32(len(chunks[h])), at + int64(frameHead)}
		at += int64(frameHead + len(chunks[h]))
	}
	err := out.Flush()
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return errors.Join(err, f.Truncate(start))
	}
	for h, pl := range places {
		p.index[h] = pl
	}
	p.end, p.bytes = at, p.bytes+at-start
	return nil
}

func (p *packs) create() error {
	n := 1
	if len(p.number) > 0 {
		n = p.number[len(p.number)-1] + 1
	}
	f, err := os.OpenFile(filepath.Join(p.dir, packName(n)), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := syncDir(p.dir); err != nil {
		return errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	p.files, p.number, p.end = append(p.files, f), append(p.number, n), 0
	return nil
}

// crowded tells whether more than half of what lies here, and no small part,
// is of no use to the entries.
func (p *packs) crowded(entries []snapshot.Entry) bool {
	// Going through all entries is worth it only when something was added.
	if p.bytes <= tidySize || p.bytes-p.asked < tidySize/8 {
		return false
	}
	p.asked = p.bytes
	var live int64
	for i, e := range entries {
		snapshot.Breathe(i)
		live += int64(frameHead) + int64(p.index[e.Hash].size)
	}
	return p.bytes-live > tidySize && p.bytes > 2*live
}

// rewrite copies the live chunks into a fresh pack and removes the others. A
// kill in between leaves both, which does no harm.
func (p *packs) rewrite(live map[snapshot.Hash]struct{}) error {
	next := packs{dir: p.dir, index: map[snapshot.Hash]place{}, number: slices.Clone(p.number)}
	if err := next.create(); err != nil {
		return err
	}
	next.number = next.number[len(next.number)-1:]
	batch, size := map[snapshot.Hash][]byte{}, 0
	flush := func() error {
		err := next.append(batch)
		batch, size = map[snapshot.Hash][]byte{}, 0
		return err
	}
	for h := range live {
		if data, err := p.read(h); err == nil {
			batch[h] = data
			size += len(data)
		}
		if size > 32<<20 {
			if err := flush(); err != nil {
				return errors.Join(err, next.remove())
			}
		}
	}
	if err := flush(); err != nil {
		return errors.Join(err, next.remove())
	}
	old := *p
	*p = next
	return old.remove()
}

func (p *packs) remove() error {
	err := p.close()
	for _, n := range p.number {
		err = errors.Join(err, os.Remove(filepath.Join(p.dir, packName(n))))
	}
	return err
}

func (p *packs) close() error {
	var err error
	for _, f := range p.files {
		err = errors.Join(err, f.Close())
	}
	p.files = nil
	return err
}
