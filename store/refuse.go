package store

import "gatehouse"

// Meets refuses the write when the record stands at rev ([Absent]: there is
// none) and that is not what the write expects.
func (w *Write) Meets(rev Seq) error {
	switch {
	case w.Expect == Any || w.Expect == rev:
		return nil
	case w.Expect == Absent:
		return gatehouse.E(gatehouse.Conflict, "writing %q: it exists already, at revision %d", w.Key, rev)
	case rev == Absent:
		return gatehouse.E(gatehouse.Conflict, "writing %q: it is gone; revision %d was expected", w.Key, w.Expect)
	}
	return gatehouse.E(gatehouse.Conflict, "writing %q: it has moved on to revision %d; revision %d was expected", w.Key, rev, w.Expect)
}

// Taken is the refusal of a usage batch that was counted before.
func (u *Usage) Taken() error {
	return gatehouse.E(gatehouse.Conflict, "taking usage batch %d of spool %q: %w", u.Number, u.Spool, ErrTaken)
}

// NoRecord is the error of a read for a key that is not there.
func NoRecord(key string) error {
	return gatehouse.E(gatehouse.NotFound, "reading %q: there is no such record", key)
}
