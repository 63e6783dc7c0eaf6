package postgres_test

import (
	"flag"
	"testing"

	"gatehouse/store"
	"gatehouse/store/postgres/pgtest"
	"gatehouse/store/storetest"
)

var records = flag.Int("records", 20_000, "how many records BenchmarkStore looks among")

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, *records, func(b *testing.B) store.DB { return openURL(b, pgtest.URL(b)) })
}
