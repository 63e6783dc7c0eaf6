package link

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"gatehouse/snapshot"
)

// A line of generations, each a small change of the one before.
type line struct {
	t      testing.TB
	disk   *Disk
	now    *snapshot.Manifest
	serial int64
}

func newLine(t testing.TB, dir string, n int) *line {
	u, chunks := generation(1, n)
	l := &line{t: t, disk: openDisk(t, dir), now: u.Manifest, serial: 1}
	if err := l.disk.Save(u, chunks); err != nil {
		t.Fatal(err)
	}
	return l
}

func sign(m *snapshot.Manifest) *Update {
	d := snapshot.Diff(nil, m, "k", testKey)
	return &Update{Manifest: m, Digest: d.Digest, Signature: d.Signature, KeyID: d.KeyID}
}

// step saves the next generation: the entry at i is another, or gone, or a new one
// comes behind it.
func (l *line) step(i int, how string) {
	l.t.Helper()
	l.serial++
	next := *l.now
	next.Serial, next.Entries = l.serial, slices.Clone(next.Entries)
	data := fmt.Appendf(nil, "of %d", l.serial)
	chunks := map[snapshot.Hash][]byte{}
	switch i %= len(next.Entries); how {
	case "gone":
		next.Entries = slices.Delete(next.Entries, i, i+1)
	case "new":
		e := next.Entries[i]
		e.Name += fmt.Sprintf("%q", "ä") + fmt.Sprint(l.serial)
		e.Hash = snapshot.Sum(data)
		next.Entries = slices.Insert(next.Entries, i+1, e)
		slices.SortFunc(next.Entries, snapshot.Entry.Compare)
		chunks[e.Hash] = data
	default:
		next.Entries[i].Hash = snapshot.Sum(data)
		chunks[next.Entries[i].Hash] = data
	}
	u := sign(&next)
	for _, h := range l.disk.Lacks(next.Entries) {
		if chunks[h] == nil {
			l.t.Fatalf("chunk %s is said to lack", h)
		}
	}
	if err := l.disk.Save(u, chunks); err != nil {
		l.t.Fatal(err)
	}
	l.now = &next
}

func TestJournalOfManyChanges(t *testing.T) {
	dir := t.TempDir()
	l := newLine(t, dir, journalWorth)
	whole := map[int64]bool{1: true}
	for i := range 3*journalRecords + 5 {
		l.step(7*i, []string{"changed", "new", "changed", "gone"}[i%4])
		for _, n := range l.disk.serial {
			whole[n] = true
		}
		if i%50 == 0 {
			if got := loaded(t, dir); got != l.serial {
				t.Fatalf("generation %d serves, want %d", got, l.serial)
			}
		}
	}
	if len(whole) != 4 {
		t.Errorf("%d manifests were written whole, want 4", len(whole))
	}
	l.disk.Close()
	if got := loaded(t, dir); got != l.serial {
		t.Errorf("generation %d serves, want %d", got, l.serial)
	}
	names, _ := filepath.Glob(filepath.Join(dir, "*-*"))
	if len(names) != 5 {
		t.Errorf("on disk: %q, want two manifests with a journal each and one pack", names)
	}
	got := openDisk(t, dir).Load(testIdentity())
	if !slices.Equal(got.Manifest.Entries, l.now.Entries) {
		t.Error("what is read is not what was written")
	}
}

// TestJournalCutAnywhere cuts the journal at every byte: the newest generation that
// is whole serves, and the next one is kept behind it.
func TestJournalCutAnywhere(t *testing.T) {
	dir := t.TempDir()
	l := newLine(t, dir, journalWorth)
	path := filepath.Join(dir, journalName(1))
	ends := []int64{0}
	for i := range 3 {
		l.step(i, "changed")
		ends = append(ends, l.disk.journal.size)
	}
	l.disk.Close()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(text) + 1 {
		for _, damage := range []string{"cut", "flip"} {
			bad := slices.Clone(text[:cut])
			if damage == "flip" {
				if cut == len(text) {
					continue
				}
				bad = slices.Clone(text)
				bad[cut] ^= 1
			}
			if err := os.WriteFile(path, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			want := int64(1)
			for i, end := range ends {
				if int64(cut) >= end {
					want = int64(i + 1)
				}
			}
			// A fault in a record that does not matter to those behind it, such as
			// in its signature, takes nothing away.
			if got := loaded(t, dir); got != want && (damage == "cut" || got < want) {
				t.Fatalf("%s at %d: generation %d serves, want %d", damage, cut, got, want)
			}
		}
	}
	// And on it goes.
	if err := os.WriteFile(path, text[:len(text)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	d := openDisk(t, dir)
	l.disk, l.now = d, d.Load(testIdentity()).Manifest
	l.step(9, "changed")
	l.step(9, "changed")
	d.Close()
	if got := loaded(t, dir); got != l.serial {
		t.Errorf("generation %d serves, want %d", got, l.serial)
	}
}

// TestJournalModel does what a runner may do, in any order, and kills in between.
func TestJournalModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			rt.Fatal(err)
		}
		l := newLine(t, dir, journalWorth)
		lines := []*snapshot.Manifest{l.now}
		for range rapid.IntRange(1, 10).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"step", "step", "step", "many", "same serial", "refused", "kill"}).Draw(rt, "what") {
			case "step":
				l.step(rapid.IntRange(0, 1000).Draw(rt, "i"), rapid.SampledFrom([]string{"changed", "new", "gone"}).Draw(rt, "how"))
				lines = append(lines, l.now)
			case "many":
				for i := range 25 {
					l.step(i*17, "changed")
					lines = append(lines, l.now)
				}
			case "same serial":
				l.serial--
				l.step(3, "changed")
				lines = append(lines, l.now)
			case "refused":
				// A record that is dropped gives way to the one before; a manifest
				// file to the one before it, with all that its journal says.
				if err := l.disk.Drop(l.serial); err != nil {
					rt.Fatal(err)
				}
				u := l.disk.Load(testIdentity())
				if u == nil {
					return // there was but one
				}
				i := slices.IndexFunc(lines, func(m *snapshot.Manifest) bool {
					return m.Serial == u.Manifest.Serial && slices.Equal(m.Entries, u.Manifest.Entries)
				})
				if i < 0 {
					rt.Fatalf("generation %d serves as it never was", u.Manifest.Serial)
				}
				lines, l.now = lines[:i+1], u.Manifest
				continue
			case "kill":
				if l.disk, err = OpenDisk(dir, slog.New(slog.DiscardHandler)); err != nil {
					rt.Fatal(err)
				}
				u := l.disk.Load(testIdentity())
				if u == nil || u.Manifest.Serial != l.now.Serial || !slices.Equal(u.Manifest.Entries, l.now.Entries) {
					rt.Fatalf("after a kill: %v, want generation %d", u, l.now.Serial)
				}
			}
		}
	})
}

func FuzzJournal(f *testing.F) {
	base, _ := generation(1, 3)
	next, _ := generation(2, 4)
	changed, removed := snapshot.Changes(base.Manifest.Entries, next.Manifest.Entries)
	f.Add(appendRecord(nil, next, changed, removed))
	f.Add([]byte("{\"changed\":1048576}\n"))
	f.Add([]byte("{\"removed\":1}\napi 00 \"x\"\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		records, err := readRecords(bytesReader(data))
		if end := int64(0); err == nil && len(records) > 0 {
			if end = records[len(records)-1].end; end != int64(len(data)) {
				t.Errorf("%d bytes of %d were read", end, len(data))
			}
		}
		u := base.after(records)
		if u.verify(testIdentity().Keys) == nil && u.Manifest.Digest() != u.Digest {
			t.Error("a generation passed whose digest is wrong")
		}
	})
}
