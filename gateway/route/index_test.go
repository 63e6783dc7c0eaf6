package route

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/policy"
	"pgregory.net/rapid"
)

func TestFind(t *testing.T) {
	x := new(Index[string])
	for _, claim := range []struct{ host, path, api string }{
		{"api.example.com", "/orders", "orders"}, {"api.example.com", "/orders/v1", "orders1"}, {"api.example.com", "/orders/v1/eu", "eu"},
		{"*.example.com", "/wild", "wild"}, {"*.eu.example.com", "/wild", "wild-eu"},
		{Any, "/orders/v1", "any1"}, {Any, "", "root"},
	} {
		x = x.Insert(claim.host, claim.path, &claim.api)
	}
	tests := []struct{ host, path, want, base string }{
		{"api.example.com", "/orders/v1/things", "orders1", "/orders/v1"},
		{"api.example.com", "/orders/v1", "orders1", "/orders/v1"},
		{"api.example.com", "/orders/v12", "orders", "/orders"},
		{"api.example.com", "/orders/v1/eu/x", "eu", "/orders/v1/eu"},
		{"api.example.com", "/orders/v1/europe", "orders1", "/orders/v1"},
		{"api.example.com", "/wild/x", "wild", "/wild"},
		{"a.eu.example.com", "/wild", "wild-eu", "/wild"},
		{"example.com", "/wild", "root", ""},
		{".example.com", "/wild", "root", ""},
		{"evil-example.com", "/wild", "root", ""},
		{"other.org", "/orders/v1/x", "any1", "/orders/v1"},
		{"", "/", "root", ""},
	}
	for _, tt := range tests {
		t.Run(tt.host+tt.path, func(t *testing.T) {
			api, size := x.Find(tt.host, tt.path)
			if api == nil || *api != tt.want || tt.path[:size] != tt.base {
				t.Errorf("got %v %q, want %q %q", api, tt.path[:size], tt.want, tt.base)
			}
		})
	}
}

// An old index answers as before after any number of changes made from it.
func TestIndexPersists(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, model := new(Index[int]), map[string]*int{}
		type version struct {
			x     *Index[int]
			model map[string]*int
		}
		var past []version
		hosts, paths := []string{Any, "a.example", "*.example"}, []string{"", "/a", "/a/b", "/b", "/a/b/c"}
		for i := range rapid.IntRange(1, 60).Draw(t, "steps") {
			host, path := rapid.SampledFrom(hosts).Draw(t, "host"), rapid.SampledFrom(paths).Draw(t, "path")
			if rapid.Bool().Draw(t, "insert") {
				x, model[host+path] = x.Insert(host, path, &i), &i
			} else {
				x = x.Remove(host, path)
				delete(model, host+path)
			}
			past = append(past, version{x, maps.Clone(model)})
		}
		for i, v := range past {
			for _, h := range hosts {
				for _, p := range paths {
					if v.x.At(h, p) != v.model[h+p] {
						t.Fatalf("after step %d: wrong owner of %q %q", i, h, p)
					}
				}
			}
		}
	})
}

func TestTrieEmptiesAgain(t *testing.T) {
	var m trie[int]
	for i := range 5000 {
		m = m.set(fmt.Sprint(i), i)
	}
	if m = m.set("17", -17); m.size != 5000 {
		t.Fatalf("size: got %d, want 5000", m.size)
	}
	for i := range 5000 {
		want := i
		if i == 17 {
			want = -17
		}
		if v, ok := m.get(fmt.Sprint(i)); !ok || v != want {
			t.Fatalf("get %d: got %d, %t", i, v, ok)
		}
		m = m.del(fmt.Sprint(i))
		if _, ok := m.get(fmt.Sprint(i)); ok {
			t.Fatalf("get %d after del: still there", i)
		}
	}
	if m.root != nil || m.size != 0 {
		t.Errorf("emptied map holds %d", m.size)
	}
}

type testAPI struct{ tree Tree }

func bigIndex(tb testing.TB, apis int) *Index[testAPI] {
	x := new(Index[testAPI])
	for i := range apis {
		x = x.Insert("api.example.com", fmt.Sprintf("/team%d/api%d/v1", i%97, i), &testAPI{*tenOps(tb, i)})
	}
	return x
}

func tenOps(tb testing.TB, i int) *Tree {
	t, _ := mustTree(tb, fmt.Sprintf("GET /r%d", i), fmt.Sprintf("POST /r%d", i), fmt.Sprintf("GET /r%d/{id}", i),
		fmt.Sprintf("PUT /r%d/{id}", i), fmt.Sprintf("DELETE /r%d/{id}", i), fmt.Sprintf("GET /r%d/{id}/items", i),
		fmt.Sprintf("POST /r%d/{id}/items", i), fmt.Sprintf("GET /r%d/{id}/items/{item}", i),
		fmt.Sprintf("DELETE /r%d/{id}/items/{item}", i), fmt.Sprintf("POST /r%d/{id}:cancel", i))
	return t
}

func TestLookupDoesNotAllocate(t *testing.T) {
	x := bigIndex(t, 100)
	params := make([]policy.Param, 0, 8)
	n := testing.AllocsPerRun(100, func() {
		path, err := Normalize("/team7/api7/v1/r7/abc/items/9", Rules{})
		if err != nil {
			t.Fatal(err)
		}
		api, size := x.Find("api.example.com", path)
		if op, _ := api.tree.Match("GET", path[size:], params); op != 7 {
			t.Fatalf("got operation %d, want 7", op)
		}
	})
	if n != 0 {
		t.Errorf("a lookup allocates %v times", n)
	}
}

// BenchmarkLookup compares normalizing and finding among few routes and many. Any
// route is as likely as any other, each path comes from memory read ahead, and all
// sizes are measured in turn and in small parts, of which the medians count: what
// else the machine does must not.
func BenchmarkLookup(b *testing.B) {
	const part, parts = 64, 512
	sizes := []int{10, 10000, 100000}
	indexes, asked, took := make([]*Index[testAPI], len(sizes)), make([][]string, len(sizes)), make([][]time.Duration, len(sizes))
	for i, routes := range sizes {
		indexes[i], asked[i] = bigIndex(b, routes/10), randomPaths(routes/10, part*parts)
	}
	at := 0
	for b.Loop() {
		for i, x := range indexes {
			took[i] = append(took[i], lookUp(b, x, asked[i][at:][:part]))
		}
		at = (at + part) % (part * parts)
	}
	b.ReportMetric(0, "ns/op")
	median := make([]float64, len(sizes))
	for i, t := range took {
		slices.Sort(t)
		median[i] = float64(t[len(t)/2]) / part
		b.ReportMetric(median[i], fmt.Sprintf("ns/%d", sizes[i]))
		b.ReportMetric(median[i]/median[0], fmt.Sprintf("ratio/%d", sizes[i]))
	}
}

func lookUp(b *testing.B, x *Index[testAPI], paths []string) time.Duration {
	var room [8]policy.Param
	start := time.Now()
	for _, p := range paths {
		path, _ := Normalize(p, Rules{})
		api, size := x.Find("api.example.com", path)
		if op, _ := api.tree.Match("GET", path[size:], room[:0]); op != 7 {
			b.Fatal(op)
		}
	}
	return time.Since(start)
}

// randomPaths lie one behind the other in memory.
func randomPaths(apis, n int) []string {
	r := rand.New(rand.NewPCG(1, 2))
	var text strings.Builder
	ends := []int{0}
	for range n {
		i := r.IntN(apis)
		fmt.Fprintf(&text, "/team%d/api%d/v1/r%d/abc/items/9", i%97, i, i)
		ends = append(ends, text.Len())
	}
	all := text.String()
	paths := make([]string, n)
	for i := range paths {
		paths[i] = all[ends[i]:ends[i+1]]
	}
	return paths
}

func BenchmarkSwapOneOfTenThousand(b *testing.B) {
	x := bigIndex(b, 10000)
	api := &testAPI{*tenOps(b, 5)}
	b.ReportAllocs()
	for b.Loop() {
		x = x.Insert("api.example.com", "/team5/api5/v1", api)
	}
}

func BenchmarkMemoryPerRoute(b *testing.B) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	x := bigIndex(b, 10000)
	runtime.GC()
	runtime.ReadMemStats(&after)
	for range b.N {
		x.Find("api.example.com", "/team5/api5/v1")
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/100000, "B/route")
	runtime.KeepAlive(x)
}
