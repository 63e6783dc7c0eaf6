package sqlite

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"gatehouse/report"
	"gatehouse/store"
	"gatehouse/store/sqlstore"
)

// TestUpgradeKeepsUsage holds that what was counted before counts were told
// apart by revision stays, and that batches taken before stay taken.
func TestUpgradeKeepsUsage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gatehouse.db")
	old := fstest.MapFS{}
	for _, name := range []string{"migrations/0001_store.sql", "migrations/0002_job.sql"} {
		data, err := fs.ReadFile(migrations, name)
		if err != nil {
			t.Fatal(err)
		}
		old[name] = &fstest.MapFile{Data: data}
	}
	db := raw(t, path)
	if err := sqlstore.Migrate(t.Context(), sqlstore.SQLite, db, old); err != nil {
		t.Fatal(err)
	}
	hour := time.Date(2027, 5, 1, 10, 0, 0, 0, time.UTC)
	row := []any{hour.UnixMicro(), "prod", "g", "a/x@v1", "get", "a/app", "a/p", "free", 2, "", 7, 70, 700, 9}
	for range 19 {
		row = append(row, 1)
	}
	if _, err := db.Exec(`INSERT INTO usage VALUES (?`+strings.Repeat(", ?", len(row)-1)+`)`, row...); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`INSERT INTO taken VALUES ('s', 1, 1)`); err != nil {
		t.Fatal(err)
	}
	db.Close()

	now, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer now.Close()
	next := store.UsageRow{Hour: hour, Environment: "prod", Gateway: "g", API: "a/x@v1", Operation: "get", Application: "a/app", Product: "a/p", Plan: "free",
		Class: 2, Revision: "0123456789ab", Requests: 3, Latency: []int64{3}, Bins: report.Bins{{Bin: 4, N: 3}}}
	if _, err := now.Apply(t.Context(), store.Batch{Usage: &store.Usage{Spool: "s", Number: 1, Rows: []store.UsageRow{next}}}); err == nil {
		t.Error("a batch taken before the upgrade was taken again")
	}
	if _, err := now.Apply(t.Context(), store.Batch{Usage: &store.Usage{Spool: "s", Number: 2, Rows: []store.UsageRow{next}}}); err != nil {
		t.Fatal(err)
	}
	rows, err := now.Usage(t.Context(), store.UsageQuery{By: []string{"revision"}})
	if err != nil || len(rows) != 2 || rows[0].Requests != 7 || rows[0].Revision != "" || rows[0].Latency[18] != 1 || rows[1].Requests != 3 || rows[1].Revision != "0123456789ab" {
		t.Errorf("got %+v, %v; want 7 requests of before and 3 since", rows, err)
	}
	// What was counted coarsely adds up with what is counted in bins, in one row.
	next.Revision = ""
	if _, err := now.Apply(t.Context(), store.Batch{Usage: &store.Usage{Spool: "s", Number: 3, Rows: []store.UsageRow{next}}}); err != nil {
		t.Fatal(err)
	}
	rows, err = now.Usage(t.Context(), store.UsageQuery{Bins: true, Where: map[string]string{"revision": ""}})
	if err != nil || len(rows) != 1 || rows[0].Requests != 10 || rows[0].Latency[0] != 4 || len(rows[0].Bins) != 1 || rows[0].Bins[0].N != 3 {
		t.Errorf("got %+v, %v; want 10 requests, three of them in a bin", rows, err)
	}
}
