package credential

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"gatehouse/snapshot"
)

// build makes an index of n keys, two for each subscription.
func build(tb testing.TB, n int) *Index {
	chunks := map[string]*snapshot.Credentials{}
	for i := range n {
		c := snapshot.KeyCredential(key(i))
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
	const n = 20000
	x := build(t, n)
	if x.Len() != n {
		t.Fatalf("Len: got %d, want %d", x.Len(), n)
	}
	for i := range n {
		c := snapshot.KeyCredential(key(i))
		got := x.Find(&c, nil)
		if len(got) != 1 || got[0].Expires != int64(i) || got[0].Application != fmt.Sprintf("team%d/app%d", i%1000, i) ||
			got[0].Plan.Value() != (PlanName{"payments/commerce", []string{"free", "gold"}[i%2]}) {
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
	if len(got) != 2 || got[0].Name != "a/x-p" || got[1].Name != "q" || got[1].Application != "a/x" {
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
	var room [4]Match
	if n := testing.AllocsPerRun(100, func() {
		if len(x.Find(&c, room[:0])) != 1 {
			t.Fatal("not found")
		}
	}); n != 0 {
		t.Errorf("a lookup allocates %v times", n)
	}
}

// Lookup as a request does it: hash the key, find it, read the subscription.
func BenchmarkFind(b *testing.B) {
	for _, n := range []int{1000, 1000000} {
		b.Run(fmt.Sprintf("keys=%d", n), func(b *testing.B) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			x := build(b, n)
			runtime.GC()
			runtime.ReadMemStats(&after)
			r := rand.New(rand.NewPCG(1, 2))
			k := []byte(key(0))
			digits := make([]byte, 8)
			b.ResetTimer()
			for range b.N {
				i := r.IntN(n)
				for d := range digits {
					k[len(k)-1-d] = byte('0' + i%10)
					i /= 10
				}
				c := snapshot.KeyCredential(string(k))
				var room [2]Match
				m := x.Find(&c, room[:0])
				if len(m) != 1 {
					b.Fatal(string(k))
				}
			}
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB")
			runtime.KeepAlive(x)
		})
	}
}
