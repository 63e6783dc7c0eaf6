package gatehouse

import (
	"fmt"
	"strings"
)

// Nearest is the known word that a person most likely meant by word, or "" if
// none is near enough.
func Nearest(word string, known []string) string {
	best, distance := "", 1+max(1, len(word)/3)
	for _, k := range known {
		if strings.EqualFold(k, word) {
			return k
		}
		if d := edits(strings.ToLower(word), strings.ToLower(k), distance); d < distance {
			best, distance = k, d
		}
	}
	return best
}

// OrThere is what follows a name that nothing has: the nearest there is, or all
// when they are few.
func OrThere(name string, known []string) string {
	if near := Nearest(name, known); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	if len(known) == 0 || len(known) > 20 {
		return ""
	}
	return "; there is " + strings.Join(known, ", ")
}

// suggest is what follows an unknown word: the nearest known one, or all when
// there are few.
func suggest(word string, known []string) string {
	if n := Nearest(word, known); n != "" {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	if len(known) == 0 {
		return ""
	}
	return "; known are " + strings.Join(known, ", ")
}

// edits is the number of letters to insert, remove, replace or swap with their
// neighbour to make b of a (optimal string alignment), or limit if it is not
// below that.
func edits(a, b string, limit int) int {
	if len(a) > 100 || len(b) > 100 || max(len(a)-len(b), len(b)-len(a)) >= limit {
		return limit
	}
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row := rows[0], rows[1], rows[2]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		rows = [3][]int{last, row, before}
	}
	return min(rows[1][len(b)], limit)
}
