package compile_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"iter"
	"runtime"
	"testing"

	"gatehouse/control/compile"
	"gatehouse/store"
)

// A shelf is the part of a store that a State reads, with nothing but what the
// benchmark puts in: what is measured is the State.
type shelf struct {
	records map[string][]byte
	head    store.Seq
}

func (s *shelf) GetMany(_ context.Context, keys []string) (map[string]store.Record, error) {
	out := make(map[string]store.Record, len(keys))
	for _, k := range keys {
		if v, ok := s.records[k]; ok {
			out[k] = store.Record{Key: k, Value: v}
		}
	}
	return out, nil
}
func (s *shelf) List(context.Context, store.Query) (store.Page, error) { return store.Page{}, nil }
func (s *shelf) All(context.Context, string) iter.Seq2[store.Record, error] {
	return func(func(store.Record, error) bool) {}
}
func (s *shelf) Head(context.Context) (store.Head, error) { return store.Head{Seq: s.head}, nil }
func (s *shelf) Changes(context.Context, store.Seq, int) ([]store.Change, store.Seq, error) {
	return nil, s.head, nil
}

// landscape is n released APIs of ten operations each, in one environment.
func landscape(n int) (*shelf, []store.Change) {
	s := &shelf{records: map[string][]byte{}}
	var changes []store.Change
	add := func(key, value string) {
		changes = append(changes, store.Change{Record: store.Record{Key: key, Value: []byte(value)}})
	}
	add("Environment/prod", `{"object":{"spec":{"stage":"prod"}}}`)
	add("Backend/t/b", `{"object":{"spec":{"environments":{"prod":{"targets":[{"url":"https://b.internal"}]}}}}}`)
	for i := range n {
		s.records[fmt.Sprintf("Operations/o%d", i)] = operationsOf(i)
		for _, hash := range []string{"1", "2"} {
			s.records[fmt.Sprintf("Revision/t/a%d/v1/%s", i, hash)] = fmt.Appendf(nil, `{"hash":%q,"operations":"o%d","form":{"team":"t","name":"a%d","version":{"name":"v1","definition":"x","path":"/a%d","backend":"b","policies":[{"timeout":{"after":"%ss"}}]}}}`, hash, i, i, i, hash)
		}
		add(fmt.Sprintf("Release/prod/t/a%d/v1", i), `{"revision":"1"}`)
	}
	return s, changes
}

func operationsOf(i int) []byte {
	out := []byte("[")
	for j := range 10 {
		if j > 0 {
			out = append(out, ',')
		}
		out = fmt.Appendf(out, `{"id":"op%d_%d","method":"GET","path":"/things%d/{id}/parts/{part}"}`, i, j, j)
	}
	return append(out, ']')
}

// BenchmarkAll compiles 10,000 APIs of 10 operations from nothing.
func BenchmarkAll(b *testing.B) {
	db, changes := landscape(10_000)
	for b.Loop() {
		s := compile.New(db)
		if _, err := s.Apply(b.Context(), changes, 1); err != nil {
			b.Fatal(err)
		}
		if v := s.View("prod"); len(v.Entries) != 10_001 {
			b.Fatalf("%d entries", len(v.Entries))
		}
	}
}

// BenchmarkChange releases another revision of one API among 10,000 and makes
// the manifest's entries.
func BenchmarkChange(b *testing.B) {
	db, changes := landscape(10_000)
	s := compile.New(db)
	if _, err := s.Apply(b.Context(), changes, 1); err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		c := []store.Change{{Record: store.Record{Key: fmt.Sprintf("Release/prod/t/a%d/v1", i/2%10_000), Value: fmt.Appendf(nil, `{"revision":"%d"}`, 2-i%2)}}}
		changed, err := s.Apply(b.Context(), c, store.Seq(i+2))
		if err != nil || len(changed) != 1 {
			b.Fatal(changed, err)
		}
		s.View("prod")
	}
}

// BenchmarkMillionKeys takes 1,000,000 keys of 1,000,000 subscriptions and
// tells the memory they take; then a revocation among them.
func BenchmarkMillionKeys(b *testing.B) {
	const n = 1_000_000
	for b.Loop() {
		b.StopTimer()
		s := compile.New(&shelf{})
		env := []store.Change{{Record: store.Record{Key: "Environment/prod", Value: []byte(`{"object":{"spec":{"stage":"prod"}}}`)}}}
		if _, err := s.Apply(b.Context(), env, 1); err != nil {
			b.Fatal(err)
		}
		before := heap()
		b.StartTimer()
		if _, err := s.Apply(b.Context(), million(n), 2); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		b.ReportMetric(float64(heap()-before)/n, "B/key")
		v := s.View("prod")
		for i := range 100 {
			if _, err := s.Apply(b.Context(), []store.Change{{Record: store.Record{Key: keyName(i), Value: keyRecord(i, `,"revoked":"2026-01-01T00:00:00Z"`)}}}, store.Seq(n+i+2)); err != nil {
				b.Fatal(err)
			}
		}
		if s.View("prod").Sum == v.Sum {
			b.Fatal("revocations changed nothing")
		}
		b.StartTimer()
	}
}

func million(n int) []store.Change {
	c := make([]store.Change, 0, 2*n)
	for i := range n {
		c = append(c,
			store.Change{Record: store.Record{Key: fmt.Sprintf("Subscription/team%d/sub%d", i%1000, i), Value: fmt.Appendf(nil, `{"object":{"spec":{"application":"app%d","product":"p/product","plan":"gold","environment":"prod"}},"status":{"state":"approved"}}`, i%10)}},
			store.Change{Record: store.Record{Key: keyName(i), Value: keyRecord(i, "")}})
	}
	return c
}

func keyName(i int) string { return fmt.Sprintf("Key/key_%012d", i) }

func keyRecord(i int, more string) []byte {
	var seed [8]byte
	binary.BigEndian.PutUint64(seed[:], uint64(i))
	sum := sha256.Sum256(seed[:])
	return fmt.Appendf(nil, `{"id":"key_%012d","subscription":"team%d/sub%d","hash":%q%s}`, i, i%1000, i, base64.RawURLEncoding.EncodeToString(sum[:]), more)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
