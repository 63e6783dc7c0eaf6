package e2e

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"gatehouse/adminapi"
)

// A forgery changes the trail in the database and says what it did.
type forgery struct {
	name string
	do   func(tx *sql.Tx, r *rand.Rand, events int64) (string, error)
}

// events counts from 1; the last is the newest.
var forgeries = []forgery{
	{"a bit flipped", func(tx *sql.Tx, r *rand.Rand, events int64) (string, error) {
		n := 1 + r.Int64N(events)
		body, err := bodyOf(tx, n)
		if err != nil {
			return "", err
		}
		at := r.IntN(len(body) * 8)
		was := body[at/8]
		body[at/8] ^= 1 << (at % 8)
		_, err = tx.Exec(`UPDATE event SET body = ? WHERE number = ?`, body, n)
		return fmt.Sprintf("event %d: bit %d, %q to %q", n, at, was, body[at/8]), err
	}},
	{"a letter changed", func(tx *sql.Tx, r *rand.Rand, events int64) (string, error) {
		n := 1 + r.Int64N(events)
		body, err := bodyOf(tx, n)
		if err != nil {
			return "", err
		}
		at := r.IntN(len(body))
		was := body[at]
		for body[at] == was {
			body[at] = byte(' ' + r.IntN(95))
		}
		_, err = tx.Exec(`UPDATE event SET body = ? WHERE number = ?`, body, n)
		return fmt.Sprintf("event %d: byte %d, %q to %q", n, at, was, body[at]), err
	}},
	{"an event removed", func(tx *sql.Tx, r *rand.Rand, events int64) (string, error) {
		n := 1 + r.Int64N(events)
		_, err := tx.Exec(`DELETE FROM event WHERE number = ?`, n)
		return fmt.Sprintf("event %d", n), err
	}},
	{"an event removed and the rest moved up", func(tx *sql.Tx, r *rand.Rand, events int64) (string, error) {
		n := 1 + r.Int64N(events)
		_, err := tx.Exec(`DELETE FROM event WHERE number = ?1`, n)
		for i := n + 1; i <= events && err == nil; i++ {
			_, err = tx.Exec(`UPDATE event SET number = number - 1 WHERE number = ?1`, i)
		}
		return fmt.Sprintf("event %d", n), err
	}},
	{"two events swapped", func(tx *sql.Tx, r *rand.Rand, events int64) (string, error) {
		a := 1 + r.Int64N(events-1)
		b := a + 1 + r.Int64N(events-a)
		_, err := tx.Exec(`UPDATE event SET body = (SELECT body FROM event o WHERE o.number = ?1 + ?2 - event.number) WHERE number IN (?1, ?2)`, a, b)
		return fmt.Sprintf("events %d and %d", a, b), err
	}},
	{"an event repeated in place of another", func(tx *sql.Tx, r *rand.Rand, events int64) (string, error) {
		a := 1 + r.Int64N(events-1)
		b := a + 1 + r.Int64N(events-a)
		_, err := tx.Exec(`UPDATE event SET body = (SELECT body FROM event o WHERE o.number = ?1) WHERE number = ?2`, a, b)
		return fmt.Sprintf("event %d in place of %d", a, b), err
	}},
	{"an event put in", func(tx *sql.Tx, r *rand.Rand, events int64) (string, error) {
		_, err := tx.Exec(`INSERT INTO event SELECT ?1, seq, time, actor, action, object, team, outcome, replace(body, '"number":' || number || ',', '"number":' || ?1 || ',') FROM event WHERE number = ?2`, events+1, events)
		return fmt.Sprintf("event %d", events+1), err
	}},
	{"the tail cut", func(tx *sql.Tx, r *rand.Rand, events int64) (string, error) {
		n := 1 + r.Int64N(events)
		_, err := tx.Exec(`DELETE FROM event WHERE number >= ?`, n)
		return fmt.Sprintf("from event %d on", n), err
	}},
	{"what is searched by changed", func(tx *sql.Tx, r *rand.Rand, events int64) (string, error) {
		n := 1 + r.Int64N(events)
		column := []string{"actor", "action", "object", "team", "outcome", "time", "seq"}[r.IntN(7)]
		value := any("other")
		if column == "time" || column == "seq" {
			value = 7
		}
		_, err := tx.Exec(`UPDATE event SET `+column+` = ? WHERE number = ?`, value, n)
		return fmt.Sprintf("event %d: %s", n, column), err
	}},
}

func bodyOf(tx *sql.Tx, n int64) (body []byte, err error) {
	err = tx.QueryRow(`SELECT body FROM event WHERE number = ?`, n).Scan(&body)
	return body, err
}

// TestSoakForgery changes the trail in the database file, at random, behind the
// back of the control plane that serves it: each change is found.
func TestSoakForgery(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(*seed, 5))
	s := newSite(t)
	s.control("control")
	s.apply(s.platform())
	w := &writer{name: "a"}
	for range 20 {
		if err := w.next(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	s.verify()
	db := s.database("control")
	var events int64
	for _, q := range []string{`CREATE TEMP TABLE kept AS SELECT * FROM event`} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.QueryRow(`SELECT count(*) FROM event`).Scan(&events); err != nil {
		t.Fatal(err)
	}
	n := rounds(150, 1000)
	for i := range n {
		f := forgeries[i%len(forgeries)]
		what, err := f.try(db, r, events)
		if err != nil {
			t.Fatalf("%s: %s: %v", f.name, what, err)
		}
		out, err := s.api.VerifyAudit(t.Context(), adminapi.VerifyAuditRequest{})
		if err == nil && out.Body.OK {
			t.Errorf("%s: %s: not found", f.name, what)
		}
		if i < len(forgeries) && err == nil { // the command says so too, once for each
			if _, log, err := s.command("control", "audit", "verify"); err == nil || !strings.Contains(log, "does not hold") {
				t.Errorf("%s: %s: gatehouse audit verify says %q, %v", f.name, what, log, err)
			}
		}
		if err := restore(db); err != nil {
			t.Fatal(err)
		}
	}
	s.verify()
	t.Logf("%d changes to a trail of %d events, all found", n, events)
}

// try makes the change in one transaction; one that changes nothing is tried again.
func (f forgery) try(db *sql.DB, r *rand.Rand, events int64) (what string, err error) {
	for changed := false; !changed && err == nil; {
		var tx *sql.Tx
		if tx, err = db.Begin(); err != nil {
			return "", err
		}
		if what, err = f.do(tx, r, events); err == nil {
			err = tx.QueryRow(`SELECT EXISTS (SELECT * FROM event EXCEPT SELECT * FROM kept) OR EXISTS (SELECT * FROM kept EXCEPT SELECT * FROM event)`).Scan(&changed)
		}
		if err != nil {
			_ = tx.Rollback() // err says what went wrong
			return what, err
		}
		err = tx.Commit()
	}
	return what, err
}

func restore(db *sql.DB) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after Commit
	for _, q := range []string{`DELETE FROM event`, `INSERT INTO event SELECT * FROM kept`} {
		if _, err := tx.Exec(q); err != nil {
			return err
		}
	}
	return tx.Commit()
}
