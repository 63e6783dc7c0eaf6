package store

import (
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"gatehouse"
	"gatehouse/report"
)

// What one batch may hold. They are far above what the rooms of control write
// and keep every row within what an index of either engine can carry
// (PostgreSQL: 2,704 bytes for one entry of a B-tree).
const (
	MaxKey   = 600     // bytes of a key, a kind, and of name and value of an index entry
	MaxValue = 1 << 28 // bytes of one record
)

// maxCount bounds one number of a usage row, so that no sum can overflow.
const maxCount = 1 << 50

// Empty reports whether the batch has nothing to write. Apply answers the head
// and takes no number for it.
func (b Batch) Empty() bool {
	return len(b.Writes) == 0 && len(b.Events) == 0 && len(b.Jobs) == 0 && b.Usage == nil
}

// Check tells what no engine could take: a key that is missing, too long, no
// text or written twice, a value that is empty, a usage row beyond bounds.
func (b Batch) Check() error {
	seen := make(map[string]bool, len(b.Writes))
	for i := range b.Writes {
		w := &b.Writes[i]
		if err := w.check(); err != nil {
			return err
		}
		if seen[w.Key] {
			return gatehouse.E(gatehouse.Invalid, "writing %q: the batch writes it twice", w.Key)
		}
		seen[w.Key] = true
	}
	if err := CheckJobs(b.Jobs); err != nil {
		return err
	}
	if b.Usage == nil {
		return nil
	}
	return b.Usage.check()
}

func (w *Write) check() error {
	if w.Key == "" || !isText(w.Key) {
		return gatehouse.E(gatehouse.Invalid, "writing %.80q: a key is UTF-8 text of 1 to %d bytes without NUL", w.Key, MaxKey)
	}
	if w.Value == nil {
		return nil
	}
	if w.Kind == "" || !isText(w.Kind) {
		return gatehouse.E(gatehouse.Invalid, "writing %q: kind %.80q is no UTF-8 text of 1 to %d bytes without NUL", w.Key, w.Kind, MaxKey)
	}
	if len(w.Value) == 0 || len(w.Value) > MaxValue {
		return gatehouse.E(gatehouse.Invalid, "writing %q: a value has 1 to %d bytes, not %d", w.Key, MaxValue, len(w.Value))
	}
	for name, value := range w.Index {
		if name == "" || !isText(name) || !isText(value) {
			return gatehouse.E(gatehouse.Invalid, "writing %q: index entry %.80q = %.80q is no UTF-8 text of at most %d bytes without NUL", w.Key, name, value, MaxKey)
		}
	}
	return nil
}

// Entries are the index entries to keep: an empty value is the same as none.
func (w *Write) Entries() map[string]string {
	if w.Value == nil {
		return nil
	}
	kept := maps.Clone(w.Index)
	maps.DeleteFunc(kept, func(_, value string) bool { return value == "" })
	return kept
}

func (u *Usage) check() error {
	if u.Spool == "" || !isText(u.Spool) {
		return gatehouse.E(gatehouse.Invalid, "taking usage: spool %.80q is no UTF-8 text of 1 to %d bytes without NUL", u.Spool, MaxKey)
	}
	for i := range u.Rows {
		r := &u.Rows[i]
		if len(r.Latency) > len(report.LatencyBounds)+1 {
			return gatehouse.E(gatehouse.Invalid, "taking usage batch %d of spool %q: row %d has %d latency counts, at most %d are known",
				u.Number, u.Spool, i, len(r.Latency), len(report.LatencyBounds)+1)
		}
		if err := binsIn(r); err != nil {
			return gatehouse.E(gatehouse.Invalid, "taking usage batch %d of spool %q: row %d: %w", u.Number, u.Spool, i, err)
		}
		for _, n := range append([]int64{r.Requests, r.BytesIn, r.BytesOut, r.BackendMicros}, r.Latency...) {
			if n < 0 || n > maxCount {
				return gatehouse.E(gatehouse.Invalid, "taking usage batch %d of spool %q: row %d counts %d, not 0 to %d", u.Number, u.Spool, i, n, int64(maxCount))
			}
		}
	}
	return nil
}

// binsIn refuses bins that are not in order, or tell of latencies that the
// coarse histogram does not count.
func binsIn(r *UsageRow) error {
	last := -1
	for _, c := range r.Bins {
		if c.Bin <= last || c.Bin >= report.NumBins || c.N < 1 || c.N > maxCount {
			return gatehouse.E(gatehouse.Invalid, "%d latencies in bin %d behind bin %d: bins are 0 to %d, in order, of 1 to %d each", c.N, c.Bin, last, report.NumBins-1, int64(maxCount))
		}
		last = c.Bin
	}
	for i, n := range r.Bins.Steps() {
		if i >= len(r.Latency) && n > 0 || i < len(r.Latency) && n > r.Latency[i] {
			return gatehouse.E(gatehouse.Invalid, "its bins count %d latencies in step %d, its histogram fewer", n, i)
		}
	}
	return nil
}

// isText reports whether every engine can keep s, and index it.
func isText(s string) bool {
	return len(s) <= MaxKey && utf8.ValidString(s) && !strings.Contains(s, "\x00")
}

// Column is s as a column that is only searched by: cut, and without what a
// database cannot keep as text. The whole of s stands in the JSON beside it.
func Column(s string) string {
	const most = 250
	if len(s) > most {
		s = s[:most]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
}

// Stamp is the time of the batch after one at last. Clocks of processes that
// share a database differ a little, and times must follow the sequence for
// AsOf to mean something, so a small step back is levelled; a step of more
// than a minute is a clock set right, and taken as it is.
func Stamp(now, last time.Time) time.Time {
	now = now.UTC().Truncate(time.Microsecond)
	if back := last.Sub(now); back > 0 && back < time.Minute {
		return last
	}
	return now
}

// Names are the index names that Where asks for, sorted.
func (q Query) Names() []string { return slices.Sorted(maps.Keys(q.Where)) }

// PrefixEnd is the first text, in the order of bytes, behind all that begin
// with prefix; "" when there is none.
func PrefixEnd(prefix string) string {
	for prefix != "" {
		r, size := utf8.DecodeLastRuneInString(prefix)
		prefix = prefix[:len(prefix)-size]
		switch {
		case r == utf8.RuneError || r == utf8.MaxRune:
			continue
		case r+1 == 0xD800: // surrogates are no text
			r = 0xDFFF
		}
		return prefix + string(r+1)
	}
	return ""
}

// IsKey reports whether there can be a record with that key.
func IsKey(key string) bool { return key != "" && isText(key) }
