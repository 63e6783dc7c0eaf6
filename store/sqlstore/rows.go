package sqlstore

import (
	"slices"
	"strconv"
	"strings"
)

// chunks are how many rows one statement carries: few different texts, so that
// prepared ones are found again, and far below any engine's bound on arguments.
var chunks = []int{256, 64, 16, 4, 1}

// chunked cuts n rows into runs of those lengths.
func chunked(n int, f func(from, to int)) {
	for from := 0; from < n; {
		i := slices.IndexFunc(chunks, func(size int) bool { return size <= n-from })
		f(from, from+chunks[i])
		from += chunks[i]
	}
}

// list is "($1, $2), ($3, $4)" for rows of columns; a single column makes
// "$1, $2".
func list(rows, columns int) string {
	var b strings.Builder
	for i := range rows * columns {
		switch {
		case columns == 1 && i > 0:
			b.WriteString(", ")
		case columns > 1 && i%columns > 0:
			b.WriteString(", ")
		case columns > 1 && i > 0:
			b.WriteString("), (")
		case columns > 1:
			b.WriteString("(")
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(i + 1))
	}
	if columns > 1 {
		b.WriteString(")")
	}
	return b.String()
}

// insert writes rows of the columns that head ends with, "INSERT INTO t(a, b)";
// tail may say what to do with a row that is there.
func insert(head, tail string, columns int, args []any) []Statement {
	var all []Statement
	chunked(len(args)/columns, func(from, to int) {
		all = append(all, Statement{head + " VALUES " + list(to-from, columns) + tail, args[from*columns : to*columns]})
	})
	return all
}

// among puts keys in the place of "(?)".
func among(sql string, keys []any) []Statement {
	var all []Statement
	chunked(len(keys), func(from, to int) {
		all = append(all, Statement{strings.Replace(sql, "(?)", "("+list(to-from, 1)+")", 1), keys[from:to]})
	})
	return all
}

// A builder collects the arguments of a statement while its text is written.
type builder struct {
	text strings.Builder
	args []any
}

// add writes text, each "?" in it standing for the next argument.
func (b *builder) add(text string, args ...any) {
	for _, arg := range args {
		before, after, _ := strings.Cut(text, "?")
		b.args = append(b.args, arg)
		b.text.WriteString(before + "$" + strconv.Itoa(len(b.args)))
		text = after
	}
	b.text.WriteString(text)
}

func (b *builder) statement() Statement { return Statement{b.text.String(), b.args} }
