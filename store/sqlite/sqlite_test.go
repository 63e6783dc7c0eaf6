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
