package link

import (
	"crypto/ed25519"
	"encoding/binary"
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"gatehouse/snapshot"
)

// A changing is a gateway's disk with many chunks, of which one after the other
// changes.
type changing struct {
	id      *Identity
	private ed25519.PrivateKey
	disk    *Disk
	current *Update
	changes int
}

func newChanging(tb testing.TB, n int) *changing {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		tb.Fatal(err)
	}
	c := &changing{id: &Identity{Welcome: Welcome{Installation: "i", Gateway: "g", Keys: map[string][]byte{"k": public}}}, private: private}
	m := &snapshot.Manifest{Installation: "i", Gateway: "g", Environment: "dev", Serial: 1}
	chunks := map[snapshot.Hash][]byte{}
	for i := range n {
		data := fmt.Appendf(make([]byte, 0, 2000), "%02000d", i)
		h := snapshot.Sum(data)
		chunks[h] = data
		m.Entries = append(m.Entries, snapshot.Entry{Kind: "api", Name: fmt.Sprintf("team%03d/api%05d@v1", i%100, i), Hash: h})
	}
	slices.SortFunc(m.Entries, snapshot.Entry.Compare)
	if c.disk, err = OpenDisk(tb.TempDir(), slog.New(slog.DiscardHandler)); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.disk.Close() })
	if c.current, err = prove(snapshot.Diff(nil, m, "k", private), nil, c.id); err != nil {
		tb.Fatal(err)
	}
	if err := c.disk.Save(c.current, chunks); err != nil {
		tb.Fatal(err)
	}
	return c
}

// next is a delta that changes one chunk.
func (c *changing) next() *snapshot.Delta {
	m := *c.current.Manifest
	m.Serial++
	m.Entries = slices.Clone(m.Entries)
	data := binary.BigEndian.AppendUint64(make([]byte, 0, 2000), uint64(c.changes))
	h := snapshot.Sum(data)
	m.Entries[c.changes%len(m.Entries)].Hash = h
	c.changes++
	d := snapshot.Diff(c.current.Manifest, &m, "k", c.private)
	d.Chunks = []snapshot.Content{{Hash: h, Data: data}}
	return d
}

// take is what a gateway does with it before its table is swapped: the delta is
// proven, what lacks is found, the generation put on disk.
func (c *changing) take(tb testing.TB, d *snapshot.Delta) {
	u, err := prove(d, c.current, c.id)
	if err != nil {
		tb.Fatal(err)
	}
	if lacks := c.disk.Lacks(u.Manifest.Entries); len(lacks) != 1 {
		tb.Fatal(len(lacks))
	}
	if err := c.disk.Save(u, u.Chunks); err != nil {
		tb.Fatal(err)
	}
	c.current = u
}

// BenchmarkChange is one change among ten thousand chunks.
func BenchmarkChange(b *testing.B) {
	c := newChanging(b, 10_000)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		d := c.next()
		b.StartTimer()
		c.take(b, d)
	}
}
