package sqlite

import (
	"flag"
	"path/filepath"
	"testing"

	"gatehouse/store"
	"gatehouse/store/storetest"
)

var records = flag.Int("records", 20_000, "how many records BenchmarkStore looks among")

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, *records, func(b *testing.B) store.DB {
		db, err := Open(b.Context(), filepath.Join(b.TempDir(), "gatehouse.db"))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { db.Close() })
		return db
	})
}
