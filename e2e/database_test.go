package e2e

import (
	"database/sql"
	"path/filepath"

	_ "modernc.org/sqlite" // driver "sqlite"
)

// database opens the embedded database of a control plane behind its back.
func (s *site) database(name string) *sql.DB {
	s.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.data(name), "gatehouse.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		s.t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	s.t.Cleanup(func() { db.Close() })
	return db
}

// history counts the changes of objects of a kind, and the allowed events of
// changes to them, in the database of a control plane; it names each of either
// that has not exactly one of the other in the same batch.
func (s *site) history(name, kind string) (changes, events int) {
	s.t.Helper()
	db := s.database(name)
	const written = ` FROM history h WHERE h.kind = ?1`
	const told = ` FROM event e WHERE e.object LIKE ?1 || ' %' AND e.outcome = 'allowed' AND (e.action LIKE '%.put' OR e.action LIKE '%.delete')`
	for query, n := range map[string]*int{`SELECT count(*)` + written: &changes, `SELECT count(*)` + told: &events} {
		if err := db.QueryRow(query, kind).Scan(n); err != nil {
			s.t.Fatal(err)
		}
	}
	for _, query := range []string{
		`SELECT 'change ' || h.key, h.seq` + written + ` AND (SELECT count(*) FROM event e WHERE e.seq = h.seq AND e.outcome = 'allowed' AND replace(e.object, ' ', '/') = h.key) <> 1`,
		`SELECT 'event ' || e.object, e.seq` + told + ` AND (SELECT count(*) FROM history h WHERE h.seq = e.seq AND h.key = replace(e.object, ' ', '/')) <> 1`,
	} {
		rows, err := db.Query(query, kind)
		if err != nil {
			s.t.Fatal(err)
		}
		for rows.Next() {
			var what string
			var seq int64
			if err := rows.Scan(&what, &seq); err != nil {
				s.t.Fatal(err)
			}
			s.t.Errorf("%s in batch %d has not exactly one counterpart there", what, seq)
		}
		if err := rows.Err(); err != nil {
			s.t.Fatal(err)
		}
		rows.Close()
	}
	return changes, events
}
