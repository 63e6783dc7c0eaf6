package link

import (
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"gatehouse/snapshot"
)

var testKey = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

func testIdentity() *Identity {
	return &Identity{Welcome: Welcome{Installation: "i", Gateway: "g", Keys: map[string][]byte{"k": testKey.Public().(ed25519.PublicKey)}}}
}

// generation makes a signed update of n chunks, some of them its own.
func generation(serial int64, n int) (*Update, map[snapshot.Hash][]byte) {
	m := &snapshot.Manifest{Installation: "i", Gateway: "g", Environment: "dev", Serial: serial}
	chunks := map[snapshot.Hash][]byte{}
	for i := range n {
		data := fmt.Appendf(nil, "chunk %d", i)
		if i%10 == 0 {
			data = fmt.Appendf(nil, "chunk %d of %d", i, serial)
		}
		h := snapshot.Sum(data)
		chunks[h] = data
		m.Entries = append(m.Entries, snapshot.Entry{Kind: "api", Name: fmt.Sprintf("a/%06d@v1", i), Hash: h})
	}
	d := snapshot.Diff(nil, m, "k", testKey)
	return &Update{Manifest: m, Digest: d.Digest, Signature: d.Signature, KeyID: d.KeyID}, chunks
}

func openDisk(t testing.TB, dir string) *Disk {
	t.Helper()
	d, err := OpenDisk(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func save(t testing.TB, d *Disk, serial int64, n int) {
	t.Helper()
	u, chunks := generation(serial, n)
	if err := d.Save(u, chunks); err != nil {
		t.Fatal(err)
	}
}

// loaded opens the folder anew, as after a kill, and tells which generation
// serves and that all of its chunks are there.
func loaded(t *testing.T, dir string) int64 {
	t.Helper()
	d := openDisk(t, dir)
	u := d.Load(testIdentity())
	if u == nil {
		return 0
	}
	for _, e := range u.Manifest.Entries {
		if data, err := d.Chunk(e.Hash); err != nil || snapshot.Sum(data) != e.Hash {
			t.Fatalf("generation %d: chunk of %q: %v", u.Manifest.Serial, e.Name, err)
		}
	}
	return u.Manifest.Serial
}

func TestDiskDamage(t *testing.T) {
	change := func(name string, do func([]byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			path := filepath.Join(dir, name)
			data, err := os.ReadFile(path)
			if err == nil {
				err = os.WriteFile(path, do(data), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	flip := func(at int) func([]byte) []byte {
		return func(b []byte) []byte { b[(at+len(b))%len(b)] ^= 1; return b }
	}
	tests := []struct {
		name   string
		damage func(*testing.T, string)
		want   int64
	}{
		{"nothing", func(*testing.T, string) {}, 2},
		{"newest manifest, one bit of an entry", change(manifestName(2), flip(-40)), 1},
		{"newest manifest, cut off", change(manifestName(2), func(b []byte) []byte { return b[:len(b)/2] }), 1},
		{"newest manifest, empty", change(manifestName(2), func([]byte) []byte { return nil }), 1},
		{"newest manifest, gone", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, manifestName(2))) }, 1},
		{"pack, last chunk torn as by a kill", change(packName(1), func(b []byte) []byte { return b[:len(b)-3] }), 1},
		{"pack, last chunk changed", change(packName(1), flip(-1)), 1},
		{"pack, first chunk changed, which both need", change(packName(1), func(b []byte) []byte { return slices.Concat(b[:40], []byte{b[40] ^ 1}, b[41:]) }), 0},
		{"pack, rest of a torn write", change(packName(1), func(b []byte) []byte { return append(b, 1, 2, 3) }), 2},
		{"pack, gone", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, packName(1))) }, 0},
		{"a temporary file left by a kill", func(t *testing.T, dir string) { os.WriteFile(filepath.Join(dir, ".new-1"), []byte("x"), 0o600) }, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			d := openDisk(t, dir)
			// Chunk 0 differs between the generations; with 11 chunks the
			// last one written in the second is its own too.
			first, chunks := generation(1, 9)
			if err := d.Save(first, chunks); err != nil {
				t.Fatal(err)
			}
			second, _ := generation(2, 9)
			fresh := map[snapshot.Hash][]byte{second.Manifest.Entries[0].Hash: []byte("chunk 0 of 2")}
			if err := d.Save(second, fresh); err != nil {
				t.Fatal(err)
			}
			d.Close()
			tt.damage(t, dir)
			if tt.name == "pack, first chunk changed, which both need" {
				// Which chunk is first is chance; only one that both need counts.
				if got := loaded(t, dir); got != 0 && got != 2 {
					t.Errorf("generation %d serves, want none or one that does not need the chunk", got)
				}
				return
			}
			if got := loaded(t, dir); got != tt.want {
				t.Errorf("generation %d serves, want %d", got, tt.want)
			}
		})
	}
}

// TestDiskStrangers holds that a manifest of another gateway or with another's
// signature does not serve.
func TestDiskStrangers(t *testing.T) {
	dir := t.TempDir()
	save(t, openDisk(t, dir), 1, 5)
	for name, change := range map[string]func(*Identity){
		"another gateway":      func(id *Identity) { id.Gateway = "other" },
		"another installation": func(id *Identity) { id.Installation = "other" },
		"another key": func(id *Identity) {
			id.Keys = map[string][]byte{"k": ed25519.NewKeyFromSeed([]byte("12345678123456781234567812345678")).Public().(ed25519.PublicKey)}
		},
		"no key": func(id *Identity) { id.Keys = map[string][]byte{} },
	} {
		id := testIdentity()
		change(id)
		if u := openDisk(t, dir).Load(id); u != nil {
			t.Errorf("%s: generation %d serves", name, u.Manifest.Serial)
		}
	}
}

// TestDiskStaysSmall saves many generations and holds that old ones go.
func TestDiskStaysSmall(t *testing.T) {
	dir := t.TempDir()
	d := openDisk(t, dir)
	big := make([]byte, 1<<20)
	for serial := int64(1); serial <= 60; serial++ {
		big[0] = byte(serial)
		h := snapshot.Sum(big)
		m := &snapshot.Manifest{Installation: "i", Gateway: "g", Environment: "dev", Serial: serial, Entries: []snapshot.Entry{{Kind: "api", Name: "x", Hash: h}}}
		delta := snapshot.Diff(nil, m, "k", testKey)
		u := &Update{Manifest: m, Digest: delta.Digest, Signature: delta.Signature, KeyID: delta.KeyID}
		if err := d.Save(u, map[snapshot.Hash][]byte{h: slices.Clone(big)}); err != nil {
			t.Fatal(err)
		}
	}
	if d.packs.bytes > 2*tidySize {
		t.Errorf("%d bytes of packs for 2 generations of 1 MiB", d.packs.bytes)
	}
	d.Close()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != generations+1 {
		t.Errorf("%d files, want %d manifests and one pack", len(files), generations)
	}
	if got := loaded(t, dir); got != 60 {
		t.Errorf("generation %d serves, want 60", got)
	}
}

func FuzzReadUpdate(f *testing.F) {
	u, _ := generation(7, 3)
	f.Add(u.encode())
	f.Add([]byte("{\"format\":1,\"entries\":1}\napi 00 \"x\"\n"))
	f.Add([]byte("{\"format\":1,\"entries\":1048576}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		u, err := readUpdate(bytesReader(data), testIdentity().Keys)
		if err == nil && u.Manifest.Digest() != u.Digest {
			t.Error("a manifest passed whose digest is wrong")
		}
	})
}

func FuzzPack(f *testing.F) {
	chunk := []byte("some chunk")
	frame := append(appendFrameHead(nil, snapshot.Sum(chunk), len(chunk)), chunk...)
	f.Add(frame)
	f.Add(append(slices.Clone(frame), frame[:20]...))
	f.Add(appendFrameHead(nil, snapshot.Hash{}, 1<<31))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, packName(1)), data, 0o600); err != nil {
			t.Fatal(err)
		}
		d := openDisk(t, dir)
		for h := range d.packs.index {
			got, err := d.Chunk(h)
			if err != nil || snapshot.Sum(got) != h {
				t.Errorf("chunk %s: %v", h, err)
			}
		}
		save(t, d, 1, 3) // what follows a damaged pack must be whole
		d.Close()
		if got := loaded(t, dir); got != 1 {
			t.Error("what was saved behind a damaged pack does not serve")
		}
	})
}
