package gateway

import (
	"testing"

	"gatehouse/snapshot"
)

// A key is found with the chunk that tells how it ends and without, when that chunk
// is of no use, and when it comes, changes and goes; nothing of it is ever refused.
func TestTailsOfKeys(t *testing.T) {
	const key = "gh_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg3JpFH3"
	c := snapshot.KeyCredential(key)
	good := &snapshot.Tails{Keys: []snapshot.KeyTail{snapshot.TailOf(c, snapshot.Tail(key))}}
	damaged := snapshot.Entry{Kind: snapshot.KindTails, Name: c.Shard(), Hash: snapshot.Sum([]byte("nowhere"))}
	steps := []struct {
		name  string
		chunk any // nil: none; an entry: as it is
	}{
		{"from a control plane of before", nil},
		{"known", good},
		{"of another key", &snapshot.Tails{Keys: []snapshot.KeyTail{snapshot.TailOf(snapshot.KeyCredential("other"), "abcdef")}}},
		{"no entry", &snapshot.Tails{Keys: []snapshot.KeyTail{"garbage"}}},
		{"cannot be read", damaged},
		{"something else", map[string]int{"later": 1}},
		{"known again", good},
	}
	w := standard(t)
	for i, step := range steps {
		w.drop(snapshot.KindTails, c.Shard())
		if e, ok := step.chunk.(snapshot.Entry); ok {
			w.entries[e.Kind+" "+e.Name] = e
		} else if step.chunk != nil {
			w.set(snapshot.KindTails, c.Shard(), step.chunk)
		}
		w.key(key, snapshot.Subscription{Name: "billing/x", Application: "billing/x", Product: "payments/commerce", Plan: "gold"}, int64(4e9)+int64(i))
		if aside := w.swap(); len(aside) != 0 {
			t.Errorf("%s: set aside: %v", step.name, aside)
		}
		if r := w.do("GET", "/orders/v1/things", "X-API-Key: "+key); r.StatusCode != 200 {
			t.Errorf("%s: got %d", step.name, r.StatusCode)
		}
	}
}
