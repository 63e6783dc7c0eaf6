package link

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"gatehouse/snapshot"
)

// A journal holds what changed since a manifest file, so that one change among
// ten thousand entries does not write all of them out, and wait for the disk to
// take them. It is a file beside the manifest's: records one after another, each
// a line of JSON and a line for each entry that came or went, and each a whole
// generation together with those before it. A record is believed for its digest
// and signature alone, as a manifest file is; a tail torn by a kill is cut off.
//
// When a journal is long, or a change large, the manifest is written whole again.
const (
	journalRecords = 64
	journalBytes   = 256 << 10
	// journalWorth is how many entries are few enough to be written whole.
	journalWorth = 500
)

func journalName(serial int64) string { return fmt.Sprintf("journal-%016d", serial) }

// A record is what one generation changed.
type record struct {
	head             journalHead
	changed, removed []snapshot.Entry
	end              int64 // offset behind it
}

// journalHead is the first line of a record.
type journalHead struct {
	Environment string        `json:"environment"`
	Serial      int64         `json:"serial"`
	Digest      snapshot.Hash `json:"digest"`
	Signature   []byte        `json:"signature"`
	KeyID       string        `json:"keyId"`
	Changed     int           `json:"changed"`
	Removed     int           `json:"removed"`
}

// An open journal is the one that the newest generation is appended to.
type journal struct {
	base    int64              // serial of the manifest file it belongs to
	serial  int64              // of the generation in its last record
	last    *snapshot.Manifest // what file and journal say together; nil: write whole next
	records int
	size    int64 // of the file
	before  int64 // its size without the last record
}

// appendRecord writes the record that leads from base to u.
func appendRecord(b []byte, u *Update, changed, removed []snapshot.Entry) []byte {
	head, err := json.Marshal(journalHead{u.Manifest.Environment, u.Manifest.Serial, u.Digest, u.Signature, u.KeyID, len(changed), len(removed)})
	if err != nil {
		panic(err) // plain data
	}
	b = append(append(b, head...), '\n')
	for _, list := range [][]snapshot.Entry{changed, removed} {
		for i := range list {
			b = list[i].AppendLine(b)
		}
	}
	return b
}

// readRecords reads as many records as are whole.
func readRecords(r io.Reader) ([]record, error) {
	in, at := bufio.NewReaderSize(r, 64<<10), int64(0)
	var all []record
	for {
		one, size, err := readRecord(in)
		if errors.Is(err, io.EOF) && size == 0 {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		at += size
		one.end = at
		if all = append(all, one); len(all) > journalRecords {
			return all, fmt.Errorf("journal has more than %d records", journalRecords)
		}
	}
}

func readRecord(in *bufio.Reader) (one record, size int64, err error) {
	line, err := in.ReadSlice('\n')
	size = int64(len(line))
	if err != nil {
		return one, size, err
	}
	if err := json.Unmarshal(line, &one.head); err != nil {
		return one, size, fmt.Errorf("journal: %w", err)
	}
	h := &one.head
	if h.Changed < 0 || h.Removed < 0 || h.Changed > maxEntries || h.Removed > maxEntries {
		return one, size, fmt.Errorf("journal: a record of %d and %d entries cannot be read", h.Changed, h.Removed)
	}
	for n := range h.Changed + h.Removed {
		line, err := in.ReadSlice('\n')
		size += int64(len(line))
		if err != nil {
			return one, size, fmt.Errorf("journal ends within the record of %d", h.Serial)
		}
		e, err := readEntry(line[:len(line)-1])
		if err != nil {
			return one, size, err
		}
		if n < h.Changed {
			one.changed = append(one.changed, e)
		} else {
			one.removed = append(one.removed, e)
		}
	}
	return one, size, nil
}

// after is the generation that records make of a manifest file; nothing is proven.
func (u *Update) after(records []record) *Update {
	if len(records) == 0 {
		return u
	}
	// What they say together is found first: each merge copies all entries.
	type name struct{ kind, name string }
	is := map[name]*snapshot.Entry{} // nil: gone
	for i := range records {
		for _, e := range records[i].removed {
			is[name{e.Kind, e.Name}] = nil
		}
		for j := range records[i].changed {
			e := &records[i].changed[j]
			is[name{e.Kind, e.Name}] = e
		}
	}
	var changed, removed []snapshot.Entry
	for n, e := range is {
		if e != nil {
			changed = append(changed, *e)
		} else if gone := (snapshot.Entry{Kind: n.kind, Name: n.name}); has(u.Manifest.Entries, gone) {
			removed = append(removed, gone)
		}
	}
	slices.SortFunc(changed, snapshot.Entry.Compare)
	slices.SortFunc(removed, snapshot.Entry.Compare)
	m := *u.Manifest
	m.Entries = snapshot.Merge(m.Entries, changed, removed)
	h := &records[len(records)-1].head
	m.Environment, m.Serial = h.Environment, h.Serial
	return &Update{Manifest: &m, Digest: h.Digest, Signature: h.Signature, KeyID: h.KeyID}
}

// has tells whether something stands under the entry's name.
func has(entries []snapshot.Entry, e snapshot.Entry) bool {
	_, ok := slices.BinarySearchFunc(entries, e, snapshot.Entry.Compare)
	return ok
}

// append puts u into the journal, if it is small enough beside what is there.
// False without an error means that it is to be written whole.
func (j *journal) append(dir string, u *Update) (bool, error) {
	if j.last == nil || len(u.Manifest.Entries) < journalWorth || j.records == journalRecords ||
		u.Manifest.Installation != j.last.Installation || u.Manifest.Gateway != j.last.Gateway {
		return false, nil
	}
	changed, removed := snapshot.Changes(j.last.Entries, u.Manifest.Entries)
	if 100*int64(len(changed)+len(removed)) > journalBytes {
		return false, nil
	}
	text := appendRecord(nil, u, changed, removed)
	if j.size+int64(len(text)) > journalBytes {
		return false, nil
	}
	if err := j.write(filepath.Join(dir, journalName(j.base)), text); err != nil {
		j.last = nil // how much of it is there is not known
		return false, err
	}
	if j.size == 0 {
		if err := syncDir(dir); err != nil {
			j.last = nil
			return false, err
		}
	}
	j.last, j.serial, j.before = u.Manifest, u.Manifest.Serial, j.size
	j.size += int64(len(text))
	j.records++
	return true, nil
}

func (j *journal) write(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(text, j.size)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// drop takes the last record back.
func (j *journal) drop(dir string) error {
	j.last, j.size = nil, j.before
	j.records--
	return os.Truncate(filepath.Join(dir, journalName(j.base)), j.before)
}
