package link

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"gatehouse/snapshot"
)

// TestBodyBounds holds that what a peer sends is bounded before it is taken,
// packed or not.
func TestBodyBounds(t *testing.T) {
	bomb := encoder().EncodeAll(bytes.Repeat([]byte(" "), 8<<20), nil)
	tests := []struct {
		name, encoding string
		body           []byte
		want           string // part of the error; "" for none
	}{
		{"plain", "", []byte(`{"wait":1}`), ""},
		{"packed", "zstd", encoder().EncodeAll([]byte(`{"wait":1}`), nil), ""},
		{"a younger peer says more", "", []byte(`{"wait":1,"new":2}`), ""},
		{"too long", "", bytes.Repeat([]byte(" "), 2<<20), "larger"},
		{"bomb", "zstd", bomb, "larger"},
		{"not zstd", "zstd", []byte("hello"), "magic"},
		{"unknown encoding", "br", []byte("{}"), `"br"`},
		{"deep", "", []byte(strings.Repeat(`[`, 1000)), "nested"},
		{"cut off", "zstd", encoder().EncodeAll([]byte(`{"wait":1}`), nil)[:8], "EOF"},
	}
	for _, tt := range tests {
		var p Poll
		err := unpack(bytes.NewReader(tt.body), tt.encoding, 1<<20, &p)
		if tt.want == "" && (err != nil || p.Wait != 1) || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func FuzzFrame(f *testing.F) {
	chunk := []byte("chunk")
	f.Add(append(appendFrameHead(nil, snapshot.Sum(chunk), len(chunk)), chunk...))
	f.Add(appendFrameHead(nil, snapshot.Hash{}, 1<<31))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, got, err := readFrame(bytes.NewReader(data))
		if err == nil && snapshot.Sum(got) != h {
			t.Error("a frame passed whose content is not its address's")
		}
	})
}

// FuzzDelta holds that no delta but the signed one passes, whatever is changed
// in it.
func FuzzDelta(f *testing.F) {
	base, _ := generation(1, 4)
	next, _ := generation(2, 5)
	d := snapshot.Diff(base.Manifest, next.Manifest, "k", testKey)
	good, err := json.Marshal(d)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"base":1,"entries":[{"kind":"z","name":"z"}],"removed":[{"kind":"a"}]}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var d snapshot.Delta
		if json.Unmarshal(data, &d) != nil {
			return
		}
		u, err := prove(&d, base, testIdentity())
		if err == nil && u.Digest != next.Digest {
			t.Errorf("a delta passed that nobody signed: %s", data)
		}
	})
}

// TestProve refuses what is signed but not for this instance, or older.
func TestProve(t *testing.T) {
	older, _ := generation(1, 3)
	newer, _ := generation(9, 3)
	id := testIdentity()
	if _, err := prove(snapshot.Diff(nil, older.Manifest, "k", testKey), newer, id); err == nil || !strings.Contains(err.Error(), "older") {
		t.Errorf("an older manifest: %v", err)
	}
	id.Gateway = "other"
	if _, err := prove(snapshot.Diff(nil, newer.Manifest, "k", testKey), nil, id); err == nil || !strings.Contains(err.Error(), `for gateway "g"`) {
		t.Errorf("another gateway's manifest: %v", err)
	}
	d := snapshot.Diff(nil, newer.Manifest, "k", testKey)
	d.Chunks = []snapshot.Content{{Hash: snapshot.Sum([]byte("a")), Data: []byte("b")}}
	if _, err := prove(d, nil, testIdentity()); err == nil {
		t.Error("a chunk sent along with other content passed")
	}
}

func TestToken(t *testing.T) {
	token := NewToken([]byte("authority"))
	got, err := ParseToken(" " + token.String() + "\n")
	if err != nil || *got != *token {
		t.Fatalf("got %v, %v", got, err)
	}
	text := token.String()
	for i := len(TokenPrefix); i < len(text); i++ {
		c := byte('A')
		if text[i] == c {
			c = 'B'
		}
		if _, err := ParseToken(text[:i] + string(c) + text[i+1:]); err == nil {
			t.Fatalf("a token changed at %d passes", i)
		} else if strings.Contains(err.Error(), text[8:20]) {
			t.Fatal("the error tells the token")
		}
	}
}

func TestStatusOf(t *testing.T) {
	if got := StatusOf(errors.Join(errors.New("x"), Errorf(410, "gone"))); got != 410 {
		t.Errorf("got %d, want 410", got)
	}
}

// BenchmarkDiskStart opens and proves 10,000 chunks of 4 KiB, as a gateway
// does before it serves.
func BenchmarkDiskStart(b *testing.B) {
	dir := b.TempDir()
	d := openDisk(b, dir)
	m := &snapshot.Manifest{Installation: "i", Gateway: "g", Environment: "dev", Serial: 1}
	chunks := map[snapshot.Hash][]byte{}
	for i := range 10_000 {
		data := bytes.Repeat([]byte{byte(i), byte(i >> 8), 'x', 'y'}, 1024)
		h := snapshot.Sum(data)
		chunks[h] = data
		m.Entries = append(m.Entries, snapshot.Entry{Kind: "api", Name: strings.Repeat("a", 10) + string(rune('a'+i%26)) + h.String(), Hash: h})
	}
	slices.SortFunc(m.Entries, snapshot.Entry.Compare)
	delta := snapshot.Diff(nil, m, "k", testKey)
	u := &Update{Manifest: m, Digest: delta.Digest, Signature: delta.Signature, KeyID: delta.KeyID}
	if err := d.Save(u, chunks); err != nil {
		b.Fatal(err)
	}
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			d := openDisk(b, dir)
			u := d.Load(testIdentity())
			for _, e := range u.Manifest.Entries {
				if _, err := d.Chunk(e.Hash); err != nil {
					b.Fatal(err)
				}
			}
			d.Close()
		}
	})
	b.Run("save one change", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			data := []byte{byte(i), byte(i >> 8), byte(i >> 16)}
			next := *m
			next.Serial, next.Entries = int64(i+2), append([]snapshot.Entry{}, m.Entries...)
			next.Entries[5].Hash = snapshot.Sum(data)
			delta := snapshot.Diff(m, &next, "k", testKey)
			u := &Update{Manifest: &next, Digest: delta.Digest, Signature: delta.Signature, KeyID: delta.KeyID}
			if err := d.Save(u, map[snapshot.Hash][]byte{next.Entries[5].Hash: data}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
