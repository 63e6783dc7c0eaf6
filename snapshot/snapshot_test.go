package snapshot

import (
	"crypto/ed25519"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

var key = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

func manifest(t *rapid.T, serial int64) *Manifest {
	m := &Manifest{Installation: "i", Environment: "dev", Gateway: "g", Serial: serial}
	for n := range 8 {
		if v := rapid.IntRange(0, 3).Draw(t, "version"); v > 0 {
			m.Entries = append(m.Entries, Entry{Kind: []string{KindAPI, KindProduct}[n%2], Name: fmt.Sprint(n), Hash: Sum([]byte{byte(n), byte(v)})})
		}
	}
	slices.SortFunc(m.Entries, Entry.Compare)
	return m
}

// TestDelta holds that a delta turns any manifest into any other, and that it
// passes on no other base.
func TestDelta(t *testing.T) {
	public := key.Public().(ed25519.PublicKey)
	rapid.Check(t, func(t *rapid.T) {
		base, next := manifest(t, 1), manifest(t, 2)
		d := Diff(base, next, "k", key)
		got, err := d.Apply(base, public)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(next.Entries, got.Entries, cmpopts.EquateEmpty()); diff != "" || got.Digest() != next.Digest() {
			t.Fatalf("entries (-want +got):\n%s", diff)
		}
		if _, err := d.Apply(next, public); err == nil {
			t.Fatal("a delta passed on another base")
		}
		if _, err := d.Apply(nil, public); err == nil {
			t.Fatal("a delta passed without a base")
		}
		if whole, err := Diff(nil, next, "k", key).Apply(nil, public); err != nil || whole.Digest() != next.Digest() {
			t.Fatal("a whole manifest does not pass", err)
		}
	})
}

// TestDigest holds that the digest tells apart all that must not be mixed up.
func TestDigest(t *testing.T) {
	base := func() *Manifest {
		return &Manifest{Installation: "i", Environment: "e", Gateway: "g", Serial: 1, Entries: []Entry{{Kind: "api", Name: "x"}}}
	}
	seen := map[Hash]string{base().Digest(): "base"}
	for name, change := range map[string]func(*Manifest){
		"installation": func(m *Manifest) { m.Installation = "j" },
		"environment":  func(m *Manifest) { m.Environment = "f" },
		"gateway":      func(m *Manifest) { m.Gateway = "h" },
		"border":       func(m *Manifest) { m.Installation, m.Environment = `i" "e`, "" },
		"serial":       func(m *Manifest) { m.Serial = 11 },
		"kind":         func(m *Manifest) { m.Entries[0].Kind = "product" },
		"name":         func(m *Manifest) { m.Entries[0].Name = "y" },
		"line":         func(m *Manifest) { m.Entries[0].Name = "x\napi" },
		"hash":         func(m *Manifest) { m.Entries[0].Hash[0] = 1 },
		"fewer":        func(m *Manifest) { m.Entries = nil },
	} {
		m := base()
		change(m)
		if other, ok := seen[m.Digest()]; ok {
			t.Errorf("%s has the digest of %s", name, other)
		}
		seen[m.Digest()] = name
	}
}

// TestDecodeStrict holds that a field this program does not know is refused.
func TestDecodeStrict(t *testing.T) {
	var a API
	if err := Decode([]byte(`{"team":"a","name":"x","version":"v1","future":true}`), &a); err == nil {
		t.Error("an unknown field was skipped in silence")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"keys":[{"h":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","s":0}],"subscriptions":[]}`))
	f.Add([]byte(`{"team":"a","operations":[{"id":"x","policies":[{"name":"mock","config":{}}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var c Credentials
		if Decode(data, &c) == nil {
			if _, _, err := Encode(&c); err != nil {
				t.Errorf("what was decoded does not encode: %v", err)
			}
		}
		var a API
		_ = Decode(data, &a) // must not panic
	})
}

// A sum must stay what it is: gateways hold it against what lies on their disks.
func TestSumOfNames(t *testing.T) {
	for _, name := range []string{"payments/orders@v1", "", " ~", `a"b`, `a\b`, "ä", "\x7f", "\n"} {
		e := Entry{Kind: "api", Name: name, Hash: Sum([]byte(name))}
		want := "api " + e.Hash.String() + " " + strconv.Quote(name) + "\n"
		if got := string(e.AppendLine(nil)); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
	var all []Entry
	var text strings.Builder
	for i := range 1000 {
		e := Entry{Kind: "api", Name: fmt.Sprint(strings.Repeat("x", i%300), i), Hash: Sum([]byte{byte(i)})}
		all = append(all, e)
		fmt.Fprintf(&text, "%s %s %q\n", e.Kind, e.Hash, e.Name)
	}
	if SumEntries(all) != Sum([]byte(text.String())) {
		t.Error("the sum of many is not that of their lines")
	}
}

func TestTails(t *testing.T) {
	c := KeyCredential("key")
	for _, tail := range []string{"", "3JpFH3"} {
		start, got, ok := TailOf(c, tail).Split()
		if start != c.Start() || got != tail || !ok {
			t.Errorf("entry %q: got %x, %q, %t; want %x, %q", TailOf(c, tail), start, got, ok, c.Start(), tail)
		}
	}
	for _, bad := range []KeyTail{"", "AAAAAAA", "AAAAAAAA1", "AAAAAAAA1234567", "????????123456"} {
		if _, _, ok := bad.Split(); ok {
			t.Errorf("%q was taken", bad)
		}
	}
	for key, want := range map[string]string{"": "", "ab": "ab", "gh_123456": "123456"} {
		if got := Tail(key); got != want {
			t.Errorf("tail of %q: got %q, want %q", key, got, want)
		}
	}
}
