package store

import "time"

// Moment is t as an index entry: texts sort as their moments do. The zero time
// is no entry, "".
func Moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000Z")
}
