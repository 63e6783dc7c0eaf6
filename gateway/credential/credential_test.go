package credential

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"gatehouse/snapshot"
)

// build makes an index of n keys, one for each subscription.
func build(tb testing.TB, n int) *Index {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = key(i)
	}
	return buildFrom(tb, keys)
}

func buildFrom(tb testing.TB, keys []string) *Index {
	chunks := map[string]*snapshot.Credentials{}
	for i, key := range keys {
		c := snapshot.KeyCredential(key)
		chunk := chunks[c.Shard()]
		if chunk == nil {
			chunk = new(snapshot.Credentials)
			chunks[c.Shard()] = chunk
		}
		app := fmt.Sprintf("team%d/app%d", i%1000, i)
		chunk.Subscriptions = append(chunk.Subscriptions, snapshot.Subscription{Name: app + "-commerce", Application: app,
			Product: "payments/commerce", Plan: []string{"free", "gold"}[i%2], Expires: int64(i)})
		chunk.Keys = append(chunk.Keys, snapshot.Key{Hash: c, Subscription: len(chunk.Subscriptions) - 1})
	}
	shards := map[string]*Shard{}
	for name, chunk := range chunks {
		s, err := NewShard(name, chunk)
		if err != nil {
			tb.Fatal(err)
		}
		shards[name] = s
	}
	return new(Index).With(shards)
}

func key(i int) string { return fmt.Sprintf("gh_%040d", i) }

func TestFind(t *testing.T) {
	const n = 100000 // enough to be packed
	x := build(t, n)
	if x.Len() != n {
		t.Fatalf("Len: got %d, want %d", x.Len(), n)
	}
	for i := range n {
		c := snapshot.KeyCredential(key(i))
		got := x.Find(&c, nil)
		if len(got) != 1 || got[0].at.ends != int64(i) || got[0].Application() != fmt.Sprintf("team%d/app%d", i%1000, i) ||
			got[0].Plan().Value() != (PlanName{"payments/commerce", []string{"free", "gold"}[i%2]}) {
			t.Fatalf("key %d: got %+v", i, got)
		}
		c = snapshot.KeyCredential(key(n + i))
		if got := x.Find(&c, nil); len(got) != 0 {
			t.Fatalf("unknown key %d: got %+v", i, got)
		}
	}
	var zero snapshot.Credential
	if got := x.Find(&zero, nil); len(got) != 0 {
		t.Errorf("credential of zeros, as free slots have: got %+v", got)
	}
	if got := new(Index).Find(&zero, nil); len(got) != 0 {
		t.Errorf("empty index: got %+v", got)
	}
}

func TestClientOfTwoProducts(t *testing.T) {
	c := snapshot.ClientCredential("https://id.example.com", "invoices")
	s, err := NewShard(c.Shard(), &snapshot.Credentials{
		Subscriptions: []snapshot.Subscription{{Name: "a/x-p", Application: "a/x", Product: "t/p", Plan: "free"}, {Name: "q", Application: "a/x", Product: "t/q", Plan: "free"}},
		Keys:          []snapshot.Key{{Hash: c, Subscription: 0}, {Hash: c, Subscription: 1, Expires: 5}},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := new(Index).With(map[string]*Shard{c.Shard(): s}).Find(&c, nil)
	if len(got) != 2 || got[0].Name() != "a/x-p" || got[0].Application() != "a/x" || got[1].Name() != "q" || got[1].Application() != "a/x" {
		t.Errorf("got %+v", got)
	}
	if !got[1].Live(4) || got[1].Live(5) || !got[0].Live(5) {
		t.Error("a key that expires at 5 is live until then and not after")
	}
}

func TestNewShardRefuses(t *testing.T) {
	c := snapshot.KeyCredential("k")
	tests := []struct {
		name, shard string
		chunk       snapshot.Credentials
		want        string
	}{
		{"no such subscription", c.Shard(), snapshot.Credentials{Keys: []snapshot.Key{{Hash: c}}}, "subscription 0 of 0"},
		{"negative", c.Shard(), snapshot.Credentials{Keys: []snapshot.Key{{Hash: c, Subscription: -1}}}, "subscription -1"},
		{"another shard's", "xyz", snapshot.Credentials{}, "hexadecimal"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := NewShard(tt.shard, &tt.chunk); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
	other := snapshot.Credentials{Subscriptions: make([]snapshot.Subscription, 1), Keys: []snapshot.Key{{Hash: c}}}
	wrong := "000"
	if c.Shard() == wrong {
		wrong = "001"
	}
	if _, err := NewShard(wrong, &other); err == nil {
		t.Error("a key of another shard was taken")
	}
}

func TestFindDoesNotAllocate(t *testing.T) {
	x := build(t, 1000)
	c := snapshot.KeyCredential(key(7))
	var room [4]Subscription
	if n := testing.AllocsPerRun(100, func() {
		if len(x.Find(&c, room[:0])) != 1 {
			t.Fatal("not found")
		}
	}); n != 0 {
		t.Errorf("a lookup allocates %v times", n)
	}
}

// TestOneSlotEach holds what the layout promises: a lookup looks at one slot, but for
// very few keys.
func TestOneSlotEach(t *testing.T) {
	for _, n := range []int{1, 1000, 200000} {
		x := build(t, n)
		chained := 0
		for i := range x.shards {
			if a := x.shards[i].about; a != nil {
				chained += len(a.more)
			}
		}
		if chained > n/10000 {
			t.Errorf("%d keys: %d are chained, more than one in ten thousand", n, chained)
		}
	}
	if size := unsafe.Sizeof(slot{}); size != 64 {
		t.Errorf("a slot takes %d bytes, not one cache line", size)
	}
	if size := unsafe.Sizeof(Shard{}); size != 64 {
		t.Errorf("a shard's head takes %d bytes, not one cache line", size)
	}
}

// Credentials that no move keeps apart are chained, and found.
func TestCredentialsThatMeet(t *testing.T) {
	chunk := &snapshot.Credentials{Subscriptions: make([]snapshot.Subscription, 40)}
	for i := range 40 { // alike in all bits that choose the slot
		h := snapshot.Credential{31: byte(i % 30)}
		chunk.Subscriptions[i].Name = fmt.Sprint(i)
		chunk.Keys = append(chunk.Keys, snapshot.Key{Hash: h, Subscription: i})
	}
	s, err := NewShard("000", chunk)
	if err != nil {
		t.Fatal(err)
	}
	x := new(Index).With(map[string]*Shard{"000": s})
	for i := range 31 {
		c := snapshot.Credential{31: byte(i)}
		var got []string
		for _, m := range x.Find(&c, nil) {
			got = append(got, m.Name())
		}
		var want []string
		for j := i; j < 40 && i < 30; j += 30 {
			want = append(want, fmt.Sprint(j))
		}
		if !slices.Equal(got, want) {
			t.Errorf("credential %d: got %v, want %v", i, got, want)
		}
	}
}

// With leaves the index it began from as it was.
func TestWith(t *testing.T) {
	x := build(t, 100)
	c := snapshot.KeyCredential(key(7))
	without := x.With(map[string]*Shard{c.Shard(): nil, "nonsense": nil})
	if len(without.Find(&c, nil)) != 0 || len(x.Find(&c, nil)) != 1 || without.Len() >= 100 || x.Len() != 100 {
		t.Errorf("removed: found %d, Len %d; before: found %d, Len %d", len(without.Find(&c, nil)), without.Len(), len(x.Find(&c, nil)), x.Len())
	}
}

func TestNobody(t *testing.T) {
	var s Subscription
	if s.Known() || s.Name() != "" || s.Application() != "" {
		t.Errorf("the zero subscription: %q of %q", s.Name(), s.Application())
	}
}

// BenchmarkFind compares a lookup among a million keys with one among a thousand, as
// a request does it: hash the key, find it, see that it is live. Keys come at
// random, each from memory read ahead, so that what is timed is the gateway's own
// waiting. Both are measured in turn and in small parts, of which the medians
// count: what else the machine does must not. MB is what the index adds.
func BenchmarkFind(b *testing.B) {
	const part = 256
	few, _, fewKeys := sample(b, 1000)
	many, added, manyKeys := sample(b, 1000000)
	var fewTook, manyTook []time.Duration
	at := 0
	for b.Loop() {
		fewTook = append(fewTook, find(b, few, fewKeys[at:][:part*keyLength]))
		manyTook = append(manyTook, find(b, many, manyKeys[at:][:part*keyLength]))
		if at += part * keyLength; at == len(manyKeys) {
			at = 0
		}
	}
	slices.Sort(fewTook)
	slices.Sort(manyTook)
	f, m := float64(fewTook[len(fewTook)/2])/part, float64(manyTook[len(manyTook)/2])/part
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(f, "ns/1000")
	b.ReportMetric(m, "ns/1000000")
	b.ReportMetric(m/f, "ratio")
	b.ReportMetric(float64(added)/1e6, "MB")
}

func find(b *testing.B, x *Index, keys string) time.Duration {
	var room [2]Subscription
	start := time.Now()
	for ; keys != ""; keys = keys[keyLength:] {
		c := snapshot.KeyCredential(keys[:keyLength])
		if m := x.Find(&c, room[:0]); len(m) != 1 || !m[0].Live(0) {
			b.Fatal(keys[:keyLength])
		}
	}
	return time.Since(start)
}

const keyLength = 52 // as package apikey makes them

// sample builds an index of n random keys, and draws from them at random.
func sample(tb testing.TB, n int) (x *Index, added int64, keys string) {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	text := make([]string, n)
	for i := range text {
		k := make([]byte, keyLength)
		for j := range k {
			k[j] = byte('A' + r.IntN(26))
		}
		text[i] = string(k)
	}
	before := heap()
	x = buildFrom(tb, text)
	added = heap() - before
	var all strings.Builder
	for range 1 << 18 {
		all.WriteString(text[r.IntN(n)])
	}
	return x, added, all.String()
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
