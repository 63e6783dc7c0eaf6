package sqlite

import (
	"path/filepath"
	"testing"

	"gatehouse/store"
	"gatehouse/store/storetest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// openTemp opens a database of the test's own. Tests that do not pull the plug
// need no sync; those that do open their own.
func openTemp(t testing.TB) store.DB {
	t.Helper()
	db, err := open(t.Context(), filepath.Join(t.TempDir(), "gatehouse.db"), map[string]string{"synchronous": "OFF"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.DB { return openTemp(t) })
}

// Arguments lose their names where they can, and only there.
func TestMarked(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{`SELECT 1`, `SELECT 1`},
		{`INSERT INTO t VALUES ($1, $2), ($3, $4)`, `INSERT INTO t VALUES (?, ?), (?, ?)`},
		{`SELECT a WHERE b = $1 OR c = $1`, `SELECT a WHERE b = ?1 OR c = ?1`},
		{`SELECT $2, $1`, `SELECT ?2, ?1`},
		{`a IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`, `a IN (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`},
	} {
		if got := marked(tt.text); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.text, got, tt.want)
		}
	}
}
