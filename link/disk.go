package link

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"gatehouse/snapshot"
)

// generations is how many manifests lie on disk: if the newest is damaged, the
// one before serves.
const generations = 2

// A Disk keeps the last good configurations of an instance: manifests, each
// with the signature that proves it, and packs of chunks. It trusts nothing it
// reads: every chunk is proven by its address and every manifest by its
// signature before it is used. It is safe for several goroutines.
type Disk struct {
	dir string
	log *slog.Logger

	mu     sync.Mutex // guards what follows
	packs  packs
	serial []int64 // of the manifests on disk, oldest first
	damage string  // what was wrong at start, "" if nothing was
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

func (d *Disk) load(serial int64, id *Identity) (*Update, error) {
	f, err := os.Open(filepath.Join(d.dir, manifestName(serial)))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	u, err := readUpdate(f, id.Keys)
	if err != nil {
		return nil, err
	}
	if err := u.belongs(id); err != nil {
		return nil, err
	}
	for _, e := range u.Manifest.Entries {
		if !d.packs.has(e.Hash) {
			return nil, fmt.Errorf("manifest %d: chunk %s of %s %q is missing or damaged", serial, e.Hash, e.Kind, e.Name)
		}
	}
	return u, nil
}

// Lacks lists the hashes of entries whose chunks are not on disk, each once.
func (d *Disk) Lacks(entries []snapshot.Entry) []snapshot.Hash {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []snapshot.Hash
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
	return d.packs.read(h)
}

// Save keeps chunks and then the manifest, and drops what only older
// generations need. When it returns nil, u survives power loss.
func (d *Disk) Save(u *Update, chunks map[snapshot.Hash][]byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.packs.append(chunks); err != nil {
		return fmt.Errorf("saving configuration %d: %w", u.Manifest.Serial, err)
	}
	if err := writeFile(d.dir, manifestName(u.Manifest.Serial), u.encode()); err != nil {
		return fmt.Errorf("saving configuration %d: %w", u.Manifest.Serial, err)
	}
	if i, found := slices.BinarySearch(d.serial, u.Manifest.Serial); !found {
		d.serial = slices.Insert(d.serial, i, u.Manifest.Serial)
	}
	if err := d.collect(u); err != nil {
		d.log.Warn("tidying configuration on disk", "error", err) // nothing is lost by it
	}
	return nil
}

// Drop forgets a generation: one that was refused must not keep a good one from
// serving after a restart.
func (d *Disk) Drop(serial int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i, found := slices.BinarySearch(d.serial, serial); found {
		d.serial = slices.Delete(d.serial, i, i+1)
		return os.Remove(filepath.Join(d.dir, manifestName(serial)))
	}
	return nil
}

// collect drops old manifests and, when more than half of a pack's bytes are
// of no use, writes the packs anew.
func (d *Disk) collect(newest *Update) error {
	for len(d.serial) > generations {
		if err := os.Remove(filepath.Join(d.dir, manifestName(d.serial[0]))); err != nil && !errors.Is(err, os.ErrNotExist) {
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
		f, err := os.Open(filepath.Join(d.dir, manifestName(serial)))
		if err != nil {
			return err
		}
		u, err := readUpdate(f, nil)
		f.Close()
		if err != nil {
			continue // damaged: it keeps nothing alive
		}
		for _, e := range u.Manifest.Entries {
			live[e.Hash] = struct{}{}
		}
	}
	return d.packs.rewrite(live)
}
