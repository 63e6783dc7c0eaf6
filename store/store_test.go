package store

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"gatehouse"
)

// FuzzCursor sends cursors that no list gave: each is refused, or leads to
// text that may stand in a comparison, and back to itself.
func FuzzCursor(f *testing.F) {
	q := Query{Kind: "API", Sort: "team", Where: map[string]string{"state": "new"}}
	for _, seed := range []string{"", "x", "e30", q.NextAfter("", "API/a/b"), q.NextAfter("' OR ''='", "a\"b"), q.NextAfter("é", "日本") + "A",
		Query{}.NextAfter("", "k"), strings.Repeat("A", 20<<10)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, after string) {
		q.After = after
		c, err := q.Cursor()
		switch {
		case after == "":
			if c != nil || err != nil {
				t.Fatalf("no cursor: got %+v, %v", c, err)
			}
		case err != nil:
			if !gatehouse.Is(err, gatehouse.Invalid) {
				t.Fatalf("cursor %q: got error %v, want kind invalid", after, err)
			}
		default:
			if c.Key == "" || !isText(c.Key) || !isText(c.Value) {
				t.Fatalf("cursor %q leads to %+v", after, c)
			}
			again := q
			again.After = q.NextAfter(c.Value, c.Key)
			if d, err := again.Cursor(); err != nil || d.Key != c.Key || d.Value != c.Value {
				t.Fatalf("cursor %q: written again it leads to %+v, %v; want %+v", after, d, err, c)
			}
		}
	})
}

func TestPrefixEnd(t *testing.T) {
	for _, tt := range []struct{ prefix, want string }{
		{"", ""}, {"a", "b"}, {"API/", "API0"}, {"a\u007f", "a\u0080"}, {"\ud7ff", "\ue000"}, {"a\U0010ffff", "b"}, {"\U0010ffff", ""}, {"é", "ê"},
	} {
		got := PrefixEnd(tt.prefix)
		if got != tt.want || !utf8.ValidString(got) {
			t.Errorf("behind %q: got %q, want %q", tt.prefix, got, tt.want)
		}
	}
}

func TestStamp(t *testing.T) {
	last := time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name string
		step time.Duration
		want time.Duration
	}{
		{"on", time.Second, time.Second},
		{"below a microsecond", 1999, 1000},
		{"a little back is levelled", -59 * time.Second, 0},
		{"far back is a clock set right", -time.Hour, -time.Hour},
		{"far ahead", 90 * 24 * time.Hour, 90 * 24 * time.Hour},
	} {
		if got := Stamp(last.Add(tt.step), last); !got.Equal(last.Add(tt.want)) {
			t.Errorf("%s: got %v after %v", tt.name, got, last)
		}
	}
}

func TestColumn(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""}, {"a", "a"}, {"a\x00b\xffc", "abc"}, {strings.Repeat("é", 125) + "x", strings.Repeat("é", 125)}, {"x" + strings.Repeat("é", 125), "x" + strings.Repeat("é", 124)},
	} {
		if got := Column(tt.in); got != tt.want {
			t.Errorf("column of %.20q: got %.20q, want %.20q", tt.in, got, tt.want)
		}
	}
}
