package postgres_test

import (
	"fmt"
	"os"
	"testing"

	"gatehouse/store"
	"gatehouse/store/postgres"
	"gatehouse/store/postgres/pgtest"
	"gatehouse/store/storetest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	code := pgtest.Main(m)
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

func openURL(t testing.TB, url string) store.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.DB { return openURL(t, pgtest.URL(t)) })
}
