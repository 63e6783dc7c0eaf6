package storetest

import (
	"fmt"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/report"
	"gatehouse/store"
)

// Bench measures an engine: a bundle of 4,000 writes and 3,000 events, one
// small write, a full batch of usage, the lookup of one among n records by an
// index entry, lists, and every record of a kind, read in two ways.
func Bench(b *testing.B, n int, open func(b *testing.B) store.DB) {
	b.Run("Apply/4000", func(b *testing.B) {
		db := open(b)
		for i := 0; b.Loop(); i++ {
			apply(b, db, bulk(fmt.Sprintf("run%d/", i), 4000, 3000))
		}
	})
	b.Run("Apply/again", func(b *testing.B) {
		db := open(b)
		for b.Loop() {
			apply(b, db, bulk("again/", 4000, 3000))
		}
	})
	b.Run("Apply/1", func(b *testing.B) {
		db := open(b)
		for b.Loop() {
			apply(b, db, bulk("one/", 1, 1))
		}
	})
	b.Run("Apply/usage 5000", func(b *testing.B) {
		db := open(b)
		for i := 0; b.Loop(); i++ {
			apply(b, db, store.Batch{Usage: counts(5000, int64(i+1))})
		}
	})
	summed := open(b)
	const hours = 20
	for i := range hours {
		u := counts(5000, int64(i+1))
		for r := range u.Rows {
			u.Rows[r].Hour = hour.Add(time.Duration(i) * time.Hour)
		}
		apply(b, summed, store.Batch{Usage: u})
	}
	for _, bins := range []bool{false, true} {
		b.Run(fmt.Sprintf("Usage/by api of %d, bins %t", hours*5000, bins), func(b *testing.B) {
			for b.Loop() {
				rows, err := summed.Usage(b.Context(), store.UsageQuery{By: []string{"api"}, Bins: bins})
				if err != nil || len(rows) == 0 {
					b.Fatal(len(rows), err)
				}
			}
		})
	}
	db := open(b)
	for from := 0; from < n; from += 10_000 {
		apply(b, db, bulk(fmt.Sprintf("part%05d/", from/10_000), min(10_000, n-from), 0))
	}
	read := func(name string, want int, q store.Query) {
		q.Kind = "Thing"
		b.Run(fmt.Sprintf("List/%s of %d", name, n), func(b *testing.B) {
			for b.Loop() {
				page, err := db.List(b.Context(), q)
				if err != nil || len(page.Records) != want {
					b.Fatalf("got %d records, %v; want %d", len(page.Records), err, want)
				}
			}
		})
	}
	read("one by index", 1, store.Query{Where: map[string]string{"hash": "part00000/hash7"}})
	read("one by two entries", 1, store.Query{Where: map[string]string{"hash": "part00000/hash7", "team": "t7"}})
	read("page by key", 100, store.Query{Limit: 100})
	read("page by one entry", 100, store.Query{Where: map[string]string{"team": "t7"}, Limit: 100})
	read("page sorted", 100, store.Query{Sort: "hash", Limit: 100})
	read("10000", 10_000, store.Query{Prefix: "part00000/", Limit: 10_000})
	b.Run(fmt.Sprintf("All/%d as they lie", n), func(b *testing.B) {
		for b.Loop() {
			got := 0
			for _, err := range db.All(b.Context(), "Thing") {
				if err != nil {
					b.Fatal(err)
				}
				got++
			}
			if got != n {
				b.Fatalf("got %d records, want %d", got, n)
			}
		}
	})
	b.Run(fmt.Sprintf("All/%d by pages", n), func(b *testing.B) {
		for b.Loop() {
			got := 0
			for q := (store.Query{Kind: "Thing", Limit: 500}); ; {
				page, err := db.List(b.Context(), q)
				if err != nil {
					b.Fatal(err)
				}
				if got += len(page.Records); page.Next == "" {
					break
				}
				q.After = page.Next
			}
			if got != n {
				b.Fatalf("got %d records, want %d", got, n)
			}
		}
	})
	b.Run("Changes/10000", func(b *testing.B) {
		for b.Loop() {
			if changes, _, err := db.Changes(b.Context(), 0, 10_000); err != nil || len(changes) != 10_000 {
				b.Fatalf("got %d changes, %v", len(changes), err)
			}
		}
	})
}

// counts is a batch of usage of n operations, the same ones each time.
func counts(n int, number int64) *store.Usage {
	u := &store.Usage{Spool: "bench", Number: number}
	for i := range n {
		u.Rows = append(u.Rows, store.UsageRow{
			Hour: hour, Environment: "prod", Gateway: "edge", API: fmt.Sprintf("team%d/api%d@v1", i%97, i/10), Operation: fmt.Sprintf("operation%d", i%10),
			Application: "billing/invoices", Product: "payments/commerce", Plan: "gold", Class: 2, BytesOut: 1000,
		})
		r := &u.Rows[i]
		for j := range 20 {
			r.Bins = append(r.Bins, report.BinCount{Bin: 200 + (i+3*j)%9 + 10*j, N: 1})
		}
		r.Requests, r.Latency = 20, r.Bins.Steps()
	}
	return u
}

func bulk(prefix string, n, events int) store.Batch {
	var b store.Batch
	for i := range n {
		w := put(fmt.Sprintf("%s%05d", prefix, i), store.Any, "hash", fmt.Sprintf("%shash%d", prefix, i), "team", fmt.Sprintf("t%d", i%100))
		w.Value = fmt.Appendf(nil, `{"key":%q,"text":"%0500d"}`, w.Key, i)
		b.Writes = append(b.Writes, w)
	}
	for range events {
		e := event("bench")
		e.Change = []gatehouse.Difference{{Path: "/spec/title", Before: []byte(`"before"`), After: []byte(`"after"`)}}
		b.Events = append(b.Events, e)
	}
	return b
}
