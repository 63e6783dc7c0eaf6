package credential

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"

	"gatehouse/policy/apikey"
	"gatehouse/snapshot"
)

// build makes an index of n keys, one for each subscription.
func build(tb testing.TB, n int) *Index {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = key(i)
	}
	return buildFrom(tb, keys, func(int) bool { return true })
}

// buildFrom makes an index; of key i it is known how it ends if tailed says so.
func buildFrom(tb testing.TB, keys []string, tailed func(i int) bool) *Index {
	chunks, tails := map[string]*snapshot.Credentials{}, map[string][]snapshot.KeyTail{}
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
		if tailed(i) {
			tails[c.Shard()] = append(tails[c.Shard()], snapshot.TailOf(c, snapshot.Tail(key)))
		}
	}
	shards := map[string]*Shard{}
	for name, chunk := range chunks {
		inOrder(chunk, tails[name])
		s, err := NewShard(name, chunk, tails[name])
		if err != nil {
			tb.Fatal(err)
		}
		shards[name] = s
	}
	return new(Index).With(shards)
}

// inOrder sorts by hash, as chunks are.
func inOrder(c *snapshot.Credentials, tails []snapshot.KeyTail) {
	slices.SortFunc(c.Keys, func(a, b snapshot.Key) int { return bytes.Compare(a.Hash[:], b.Hash[:]) })
	slices.SortFunc(tails, func(a, b snapshot.KeyTail) int {
		x, _, _ := a.Split()
		y, _, _ := b.Split()
		return bytes.Compare(x[:], y[:])
	})
}

func key(i int) string {
	return apikey.Of(sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i))))
}

func TestFind(t *testing.T) {
	tests := []struct {
		name   string
		tailed func(i int) bool
	}{
		{"it is known how keys end", func(int) bool { return true }},
		{"it is not known, as of a control plane of before", func(int) bool { return false }},
		{"it is known of some", func(i int) bool { return i%3 == 0 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { testFind(t, tt.tailed) })
	}
}

func testFind(t *testing.T, tailed func(int) bool) {
	const n = 10000
	packAt(t, n/4)
	all := make([]string, n)
	for i := range all {
		all[i] = key(i)
	}
	x := buildFrom(t, all, tailed)
	if x.Len() != n || x.loose != 0 {
		t.Fatalf("Len: got %d, of which %d are not packed; want %d, 0", x.Len(), x.loose, n)
	}
	for i := range n {
		got := x.FindKey(all[i], nil)
		if len(got) != 1 || got[0].at.ends != int64(i) || got[0].Application() != fmt.Sprintf("team%d/app%d", i%1000, i) ||
			got[0].Plan().Value() != (PlanName{"payments/commerce", []string{"free", "gold"}[i%2]}) {
			t.Fatalf("key %d: got %+v", i, got)
		}
		other := []byte(all[i]) // of the same end
		other[5] ^= 1
		if got := x.FindKey(string(other), nil); len(got) != 0 {
			t.Fatalf("unknown key %d: got %+v", i, got)
		}
	}
	for _, unknown := range []string{"", "x", key(n)} {
		if got := x.FindKey(unknown, nil); len(got) != 0 {
			t.Errorf("%q: got %+v", unknown, got)
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
	}, nil)
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
			if _, err := NewShard(tt.shard, &tt.chunk, nil); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
	other := snapshot.Credentials{Subscriptions: make([]snapshot.Subscription, 1), Keys: []snapshot.Key{{Hash: c}}}
	wrong := "000"
	if c.Shard() == wrong {
		wrong = "001"
	}
	if _, err := NewShard(wrong, &other, nil); err == nil {
		t.Error("a key of another shard was taken")
	}
}

func TestFindDoesNotAllocate(t *testing.T) {
	x := build(t, 1000)
	k := key(7)
	var room [4]Subscription
	if n := testing.AllocsPerRun(100, func() {
		if len(x.FindKey(k, room[:0])) != 1 {
			t.Fatal("not found")
		}
	}); n != 0 {
		t.Errorf("a lookup allocates %v times", n)
	}
}

// TestFewSlotsEach holds what the layout promises: a lookup looks at a slot or two
// that lie next to each other, a cache line each, whether it finds something or not.
func TestFewSlotsEach(t *testing.T) {
	for _, n := range []int{1, 1000, 100000} {
		x := build(t, n)
		looked, most, far, slots := 0, 0, 0, 0
		look := func(table *table, tag uint32) {
			span := max(1, int(table.slots[table.home(tag)].span))
			looked, most = looked+span, max(most, span)
			if span > group {
				far++
			}
		}
		for i := range n {
			tag := tagOf(snapshot.Tail(key(i)))
			c := snapshot.KeyCredential(key(i))
			if own := x.shards[shardOf(&c)].own; own != nil {
				look(own, tag)
			} else {
				look(&x.packed, tag)
			}
		}
		for i := range x.shards {
			if own := x.shards[i].own; own != nil {
				slots += len(own.slots)
			}
		}
		slots += len(x.packed.slots)
		if looked > n*5/2 || most > 40 {
			t.Errorf("%d keys: looking for them all looks at %d slots, at most %d for one; want two and a half for each", n, looked, most)
		}
		if packed := x.loose == 0; packed && (looked > n*9/5 || far*50 > n) {
			t.Errorf("%d keys, packed: looking for them all looks at %d slots, and beyond the %d that are fetched for %d; want less than two, and one key in 50", n, looked, group, far)
		}
		if slots > n*2+2*snapshot.Shards {
			t.Errorf("%d keys take %d slots, not two each", n, slots)
		}
	}
	if size := unsafe.Sizeof(slot{}); size != 64 {
		t.Errorf("a slot takes %d bytes, not one cache line", size)
	}
}

// Credentials that end alike lie side by side, and are told apart by their hashes.
func TestKeysThatEndAlike(t *testing.T) {
	chunk := &snapshot.Credentials{Subscriptions: make([]snapshot.Subscription, 40)}
	var tails []snapshot.KeyTail
	texts := map[int]string{}
	for i := range 40 {
		for n := 0; texts[i] == ""; n++ { // of one shard
			k := fmt.Sprintf("gh_%d-%dsame_end", i, n)
			if c := snapshot.KeyCredential(k); c.Shard()[:1] == "0" {
				texts[i] = k
			}
		}
		chunk.Subscriptions[i].Name = fmt.Sprint(i)
		h := snapshot.KeyCredential(texts[i])
		h[0], h[1] = 0, 0
		chunk.Keys = append(chunk.Keys, snapshot.Key{Hash: h, Subscription: i})
		tails = append(tails, snapshot.TailOf(h, snapshot.Tail(texts[i])))
	}
	inOrder(chunk, tails)
	s, err := NewShard("000", chunk, tails)
	if err != nil {
		t.Fatal(err)
	}
	tag := tagOf("me_end")
	if n := s.own.slots[s.own.home(tag)].span; n != 40 {
		t.Fatalf("slots to look at: got %d, want 40", n)
	}
	for i, k := range chunk.Keys {
		got := s.own.find(tag, &k.Hash, s.about, nil)
		if len(got) != 1 || got[0].Name() != fmt.Sprint(k.Subscription) {
			t.Errorf("key %d: got %+v", i, got)
		}
	}
}

// What is found without branches is what is found slot by slot, also of credentials
// that begin or end alike.
func TestFindOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := new(about)
		draw := func() (c snapshot.Credential, tag uint32) {
			c[0], c[31] = byte(rapid.IntRange(0, 2).Draw(t, "start")), byte(rapid.IntRange(0, 2).Draw(t, "end"))
			return c, uint32(rapid.IntRange(0, 9).Draw(t, "tag")) << 28
		}
		all := make([]slot, rapid.IntRange(0, 12).Draw(t, "slots"))
		for i := range all {
			all[i].hash, all[i].tag = draw()
			all[i].plan = 1
		}
		slices.SortStableFunc(all, func(a, b slot) int { return cmp.Compare(a.tag, b.tag) })
		of := lay(len(all), 2*len(all), func(i int) uint32 { return all[i].tag }, func(i int) *slot { return &all[i] })
		for range 20 {
			c, tag := draw()
			got, want := of.findOne(tag, &c, in, nil), of.find(tag, &c, in, nil)
			if !slices.Equal(got, want) {
				t.Fatalf("tag %x, hash %x: got %v, want %v", tag, c[:], got, want)
			}
		}
	})
}

// Tails that cannot be right cost time and no key.
func TestTailsThatLie(t *testing.T) {
	k := key(1)
	c := snapshot.KeyCredential(k)
	chunk := &snapshot.Credentials{Subscriptions: make([]snapshot.Subscription, 1), Keys: []snapshot.Key{{Hash: c}}}
	for _, tails := range [][]snapshot.KeyTail{
		nil, {""}, {"short"}, {"!!!!!!!!abcdef"}, {snapshot.TailOf(snapshot.KeyCredential("another"), "abcdef")},
		{snapshot.TailOf(c, "abcdef"), snapshot.TailOf(c, "ghijkl")},
	} {
		s, err := NewShard(c.Shard(), chunk, tails)
		if err != nil {
			t.Fatal(err)
		}
		if got := new(Index).With(map[string]*Shard{c.Shard(): s}).FindKey(k, nil); len(got) != 1 {
			t.Errorf("tails %q: got %+v", tails, got)
		}
	}
}

// With leaves the index it began from as it was.
func TestWith(t *testing.T) {
	packAt(t, 500)
	for _, n := range []int{100, 2000} { // loose and packed
		x := build(t, n)
		k := key(7)
		c := snapshot.KeyCredential(k)
		without := x.With(map[string]*Shard{c.Shard(): nil, "nonsense": nil})
		if len(without.FindKey(k, nil)) != 0 || len(x.FindKey(k, nil)) != 1 || without.Len() >= n || x.Len() != n {
			t.Errorf("removed: found %d, Len %d; before: found %d, Len %d", len(without.FindKey(k, nil)), without.Len(), len(x.FindKey(k, nil)), x.Len())
		}
	}
}

// packAt has an index of few packed already.
func packAt(t *testing.T, n int) {
	before := packAbove
	packAbove = n
	t.Cleanup(func() { packAbove = before })
}

// TestAsAMap changes shards at random and compares with what a map says.
func TestAsAMap(t *testing.T) {
	packAt(t, 20)
	rapid.Check(t, func(t *rapid.T) {
		x, want := new(Index), map[string]map[string]int{}
		for step := range rapid.IntRange(1, 30).Draw(t, "steps") {
			shard := []string{"000", "001", "0ff"}[rapid.IntRange(0, 2).Draw(t, "shard")]
			held := map[string]int{}
			chunk := &snapshot.Credentials{Subscriptions: []snapshot.Subscription{{Name: fmt.Sprint(step)}}}
			var tails []snapshot.KeyTail
			for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, 199), 0, 30, rapid.ID).Draw(t, "keys") {
				k := keysOf[shard][i]
				held[k] = step
				c := snapshot.KeyCredential(k)
				chunk.Keys = append(chunk.Keys, snapshot.Key{Hash: c})
				if i%4 > 0 {
					tails = append(tails, snapshot.TailOf(c, snapshot.Tail(k)))
				}
			}
			var s *Shard
			if len(held) > 0 {
				inOrder(chunk, tails)
				var err error
				if s, err = NewShard(shard, chunk, tails); err != nil {
					t.Fatal(err)
				}
			}
			x = x.With(map[string]*Shard{shard: s})
			want[shard] = held
			n := 0
			for shard, all := range keysOf {
				n += len(want[shard])
				for _, k := range all {
					got := x.FindKey(k, nil)
					step, there := want[shard][k]
					if len(got) > 1 || (len(got) == 1) != there || there && got[0].Name() != fmt.Sprint(step) {
						t.Fatalf("key %q: got %+v, want %d, %t", k, got, step, there)
					}
				}
			}
			if x.Len() != n {
				t.Fatalf("Len: got %d, want %d", x.Len(), n)
			}
		}
	})
}

// keysOf are 200 keys of each of three shards.
var keysOf = func() map[string][]string {
	all := map[string][]string{"000": nil, "001": nil, "0ff": nil}
	for i, done := 0, 0; done < 3; i++ {
		k := fmt.Sprintf("gh_%06x", i*7919)
		shard := snapshot.KeyCredential(k).Shard()
		if list, ok := all[shard]; ok && len(list) < 200 {
			if all[shard] = append(list, k); len(list) == 199 {
				done++
			}
		}
	}
	return all
}()

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
		if m := x.FindKey(keys[:keyLength], room[:0]); len(m) != 1 || !m[0].Live(0) {
			b.Fatal(keys[:keyLength])
		}
	}
	return time.Since(start)
}

const keyLength = apikey.Length

// sample builds an index of n random keys, and draws from them at random.
func sample(tb testing.TB, n int) (x *Index, added int64, keys string) {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	text := make([]string, n)
	for i := range text {
		var random [32]byte
		for j := range random {
			random[j] = byte(r.Uint32())
		}
		text[i] = apikey.Of(random)
	}
	before := heap()
	x = buildFrom(tb, text, func(int) bool { return true })
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
