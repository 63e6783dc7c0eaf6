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
	db := raw(t, path)
	if err := sqlstore.Migrate(t.Context(), sqlstore.SQLite, db, before(t, "0003")); err != nil {
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

// TestUpgradeTallies holds that what was written before tables knew how many
// records lack an entry is in lists sorted by it.
func TestUpgradeTallies(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gatehouse.db")
	db := raw(t, path)
	if err := sqlstore.Migrate(t.Context(), sqlstore.SQLite, db, before(t, "0005")); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{
		`INSERT INTO record VALUES ('a', 'K', '1', 1, 1, '{"x":"1"}'), ('b', 'K', '1', 1, 1, ''), ('c', 'L', '1', 1, 1, '')`,
		`INSERT INTO entry VALUES ('K', 'x', '1', 'a')`,
		`UPDATE head SET seq = 1`,
	} {
		if _, err := db.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
	db.Close()

	now, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer now.Close()
	for kind, want := range map[string]string{"K": "ba", "L": "c"} {
		page, err := now.List(t.Context(), store.Query{Kind: kind, Sort: "x", Limit: 10})
		got := ""
		for _, r := range page.Records {
			got += r.Key
		}
		if err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", kind, got, err, want)
		}
	}
}

// before are the migrations numbered below one.
func before(t *testing.T, number string) fstest.MapFS {
	t.Helper()
	old := fstest.MapFS{}
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if name >= "migrations/"+number {
			continue
		}
		data, err := fs.ReadFile(migrations, name)
		if err != nil {
			t.Fatal(err)
		}
		old[name] = &fstest.MapFile{Data: data}
	}
	return old
}
