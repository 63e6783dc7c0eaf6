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

// BenchmarkChange is what a gateway spends on one change among ten thousand
// chunks before its table is swapped: the delta proven, what lacks found, the
// generation put on disk.
func BenchmarkChange(b *testing.B) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		b.Fatal(err)
	}
	id := &Identity{Welcome: Welcome{Installation: "i", Gateway: "g", Keys: map[string][]byte{"k": public}}}
	m := &snapshot.Manifest{Installation: "i", Gateway: "g", Environment: "dev", Serial: 1}
	chunks := map[snapshot.Hash][]byte{}
	for i := range 10_000 {
		data := fmt.Appendf(make([]byte, 0, 2000), "%02000d", i)
		h := snapshot.Sum(data)
		chunks[h] = data
		m.Entries = append(m.Entries, snapshot.Entry{Kind: "api", Name: fmt.Sprintf("team%03d/api%05d@v1", i%100, i), Hash: h})
	}
	slices.SortFunc(m.Entries, snapshot.Entry.Compare)
	disk, err := OpenDisk(b.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer disk.Close()
	first := snapshot.Diff(nil, m, "k", private)
	current, err := prove(first, nil, id)
	if err != nil {
		b.Fatal(err)
	}
	if err := disk.Save(current, chunks); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		next := *current.Manifest
		next.Serial++
		next.Entries = slices.Clone(next.Entries)
		data := binary.BigEndian.AppendUint64(make([]byte, 0, 2000), uint64(n))
		h := snapshot.Sum(data)
		next.Entries[n%10_000].Hash = h
		d := snapshot.Diff(current.Manifest, &next, "k", private)
		d.Chunks = []snapshot.Content{{Hash: h, Data: data}}
		b.StartTimer()
		u, err := prove(d, current, id)
		if err != nil {
			b.Fatal(err)
		}
		if lacks := disk.Lacks(u.Manifest.Entries); len(lacks) != 1 {
			b.Fatal(len(lacks))
		}
		if err := disk.Save(u, u.Chunks); err != nil {
			b.Fatal(err)
		}
		current = u
	}
}
