package link

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"gatehouse/snapshot"
)

// generations is how many manifest files lie on disk: if the newest is damaged, the
// one before serves. Beside a long one lies a journal of what came after it.
const generations = 2

// A Disk keeps the last good configurations of an instance: manifests, each
// with the signature that proves it, and packs of chunks. It trusts nothing it
// reads: every chunk is proven by its address and every manifest by its
// signature before it is used. It is safe for several goroutines.
type Disk struct {
	dir string
	log *slog.Logger

	mu      sync.Mutex // guards what follows
	packs   packs
	serial  []int64 // of the manifest files, oldest first
	journal journal // of the newest
	damage  string  // what was wrong at start, "" if nothing was
}

// OpenDisk reads what lies in dir, which it makes if needed. Damage is no
// error: what is damaged is left out, and [Disk.Load] finds the newest
// generation that is whole.
func OpenDisk(dir string, log *slog.Logger) (*Disk, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("opening configuration on disk: %w", err)
	}
	d := &Disk{dir: dir, log: log}
	if err := d.packs.open(dir); err != nil {
		return nil, fmt.Errorf("opening configuration on disk: %w", err)
	}
	if d.packs.damage != "" {
		log.Warn("configuration on disk is damaged; what is whole is used", "dir", dir, "damage", d.packs.damage)
	}
	names, err := filepath.Glob(filepath.Join(dir, "manifest-*"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if n, err := strconv.ParseInt(strings.TrimPrefix(filepath.Base(name), "manifest-"), 10, 64); err == nil {
			d.serial = append(d.serial, n)
		}
	}
	slices.Sort(d.serial)
	stale, _ := filepath.Glob(filepath.Join(dir, ".new-*")) // left behind by a kill; the pattern is constant
	for _, name := range stale {
		_ = os.Remove(name)
	}
	return d, nil
}

// Close closes the packs.
func (d *Disk) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.packs.close()
}

func manifestName(serial int64) string { return fmt.Sprintf("manifest-%016d", serial) }

// Load returns the newest generation that is whole, signed, and for id; nil
// when there is none.
func (d *Disk) Load(id *Identity) *Update {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, serial := range slices.Backward(d.serial) {
		u, err := d.load(serial, id)
		if err == nil {
			return u
		}
		d.log.Warn("configuration on disk is passed over", "serial", serial, "error", err)
	}
	return nil
}

// Remains returns the generations that are signed and for id, the newest first,
// whether or not all of their chunks are there.
func (d *Disk) Remains(id *Identity) []*Update {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []*Update
	for _, serial := range slices.Backward(d.serial) {
		base, records, _, err := d.read(serial)
		if err != nil {
			continue // told by Load
		}
		for n := len(records); n >= 0; n-- {
			if u := base.after(records[:n]); u.verify(id.Keys) == nil && u.belongs(id) == nil {
				all = append(all, u)
				break
			}
		}
	}
	return all
}

func (d *Disk) load(serial int64, id *Identity) (*Update, error) {
	base, records, torn, err := d.read(serial)
	if err != nil {
		return nil, err
	}
	for n := len(records); ; n-- {
		u := base.after(records[:n])
		if err = d.whole(u, id); err == nil {
			d.journal = journal{base: serial, serial: u.Manifest.Serial, records: n}
			if n > 0 {
				d.journal.size = records[n-1].end
			}
			if n > 1 {
				d.journal.before = records[n-2].end
			}
			if n == len(records) && torn == nil && serial == d.serial[len(d.serial)-1] {
				d.journal.last = u.Manifest
			}
			return u, nil
		}
		if n == 0 {
			return nil, err
		}
		d.log.Warn("configuration on disk is passed over", "serial", u.Manifest.Serial, "error", err)
	}
}

// read reads a manifest file and its journal, as far as that can be read; torn
// says why not further.
func (d *Disk) read(serial int64) (base *Update, records []record, torn, err error) {
	f, err := os.Open(filepath.Join(d.dir, manifestName(serial)))
	if err != nil {
		return nil, nil, nil, err
	}
	defer f.Close()
	if base, err = readUpdate(f, nil); err != nil {
		return nil, nil, nil, err
	}
	j, err := os.Open(filepath.Join(d.dir, journalName(serial)))
	if errors.Is(err, os.ErrNotExist) {
		return base, nil, nil, nil
	} else if err != nil {
		return base, nil, err, nil
	}
	defer j.Close()
	if records, torn = readRecords(io.LimitReader(j, journalBytes+1)); torn != nil {
		d.log.Warn("configuration on disk is damaged; what is whole is used", "journal", j.Name(), "records", len(records), "error", torn)
	}
	return base, records, torn, nil
}

// whole tells why a generation cannot serve.
func (d *Disk) whole(u *Update, id *Identity) error {
	if err := u.verify(id.Keys); err != nil {
		return err
	}
	if err := u.belongs(id); err != nil {
		return err
	}
	for _, e := range u.Manifest.Entries {
		if !d.packs.has(e.Hash) {
			return fmt.Errorf("manifest %d: chunk %s of %s %q is missing or damaged", u.Manifest.Serial, e.Hash, e.Kind, e.Name)
		}
	}
	return nil
}

// Lacks lists the hashes of entries whose chunks are not on disk, each once.
func (d *Disk) Lacks(entries []snapshot.Entry) []snapshot.Hash {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []snapshot.Hash
	if last := d.journal.last; last != nil { // all of that is here
		entries, _ = snapshot.Changes(last.Entries, entries)
	}
	for _, e := range entries {
		if !d.packs.has(e.Hash) {
			out = append(out, e.Hash)
		}
	}
	slices.SortFunc(out, func(a, b snapshot.Hash) int { return cmp.Compare(string(a[:]), string(b[:])) })
	return slices.Compact(out)
}

// Chunk reads one chunk and proves it.
func (d *Disk) Chunk(h snapshot.Hash) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	data, err := d.packs.read(h)
	if err != nil {
		d.journal.last = nil
	}
	return data, err
}

// Save keeps chunks and then the manifest, and drops what only older
// generations need. When it returns nil, u survives power loss.
func (d *Disk) Save(u *Update, chunks map[snapshot.Hash][]byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.packs.append(chunks); err != nil {
		return fmt.Errorf("saving configuration %d: %w", u.Manifest.Serial, err)
	}
	done, err := d.journal.append(d.dir, u)
	if err != nil {
		d.log.Warn("configuration does not go into the journal; it is written whole", "serial", u.Manifest.Serial, "error", err)
	}
	if !done {
		if err := d.saveWhole(u); err != nil {
			return fmt.Errorf("saving configuration %d: %w", u.Manifest.Serial, err)
		}
	}
	if err := d.collect(u); err != nil {
		d.log.Warn("tidying configuration on disk", "error", err) // nothing is lost by it
	}
	return nil
}

// saveWhole writes a manifest file and begins a journal.
func (d *Disk) saveWhole(u *Update) error {
	serial := u.Manifest.Serial
	d.journal.last = nil
	if err := writeFile(d.dir, manifestName(serial), u.encode()); err != nil {
		return err
	}
	i, found := slices.BinarySearch(d.serial, serial)
	if !found {
		d.serial = slices.Insert(d.serial, i, serial)
	} else if err := os.Remove(filepath.Join(d.dir, journalName(serial))); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err // of the file before; nothing may be appended to it
	}
	d.journal = journal{base: serial, serial: serial}
	if i == len(d.serial)-1 { // else a start would read another file first
		d.journal.last = u.Manifest
	}
	return nil
}

// Drop forgets a generation: one that was refused must not keep a good one from
// serving after a restart.
func (d *Disk) Drop(serial int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.journal.records > 0 && d.journal.serial == serial {
		return d.journal.drop(d.dir)
	}
	if i, found := slices.BinarySearch(d.serial, serial); found {
		d.serial = slices.Delete(d.serial, i, i+1)
		d.journal.last = nil
		return d.remove(serial)
	}
	return nil
}

// remove removes a manifest file and its journal.
func (d *Disk) remove(serial int64) error {
	for _, name := range []string{manifestName(serial), journalName(serial)} {
		if err := os.Remove(filepath.Join(d.dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// collect drops old manifests and, when more than half of a pack's bytes are
// of no use, writes the packs anew.
func (d *Disk) collect(newest *Update) error {
	for len(d.serial) > generations {
		if err := d.remove(d.serial[0]); err != nil {
			return err
		}
		d.serial = d.serial[1:]
	}
	if !d.packs.crowded(newest.Manifest.Entries) {
		return nil
	}
	live := map[snapshot.Hash]struct{}{}
	for _, e := range newest.Manifest.Entries {
		live[e.Hash] = struct{}{}
	}
	for _, serial := range d.serial {
		u, records, _, err := d.read(serial)
		if err != nil {
			continue // damaged: it keeps nothing alive
		}
		for _, e := range u.Manifest.Entries {
			live[e.Hash] = struct{}{}
		}
		for _, r := range records {
			for _, e := range r.changed {
				live[e.Hash] = struct{}{}
			}
		}
	}
	return d.packs.rewrite(live)
}
