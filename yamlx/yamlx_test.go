package yamlx

import (
	"fmt"
	"strings"
	"testing"
)

func TestScalarsFollowTheCoreSchema(t *testing.T) {
	tests := []struct{ yaml, want string }{
		{"yes", `"yes"`}, {"2027-06-30", `"2027-06-30"`}, {"on", `"on"`}, {"true", "true"}, {"~", "null"}, {"007", "7"},
		{"0o17", "15"}, {"0x1F", "31"}, {"1_000", `"1_000"`}, {"+5", "5"}, {".5", "0.5"}, {"1.", "1"}, {"1e3", "1e3"},
		{"12345678901234567890123", "12345678901234567890123"}, {`"5"`, `"5"`}, {"!!str 5", `"5"`}, {"1:30", `"1:30"`},
		{"|\n  a\n  b\n", `"a\nb\n"`}, {"<a&b>", `"<a&b>"`},
	}
	for _, tt := range tests {
		docs, err := Parse([]byte("v: " + tt.yaml))
		if err != nil {
			t.Errorf("%s: %v", tt.yaml, err)
			continue
		}
		got, faults := JSON(docs[0])
		if want := `{"v":` + tt.want + `}`; string(got) != want || faults != nil {
			t.Errorf("%s: got %s %v, want %s", tt.yaml, got, faults, want)
		}
	}
}

func TestFaultsHaveTheirPlace(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"tab", "a: 1\n\tb: 2\n", "2:"},
		{"unclosed flow", "a: [1, 2\nb: 3\n", "is not YAML"},
		{"duplicate key", "a: 1\nb: 2\na: 3\n", "3:1: key \"a\" stands twice, first on line 1"},
		{"key is a map", "{a: 1}: 2\n", "a key is text"},
		{"infinity", "a: .inf\n", "1:4: .inf"},
		{"unknown tag", "a: !ref b\n", "tag \"!ref\""},
		{"unknown alias", "a: *b\n", "1:"},
		{"alias within itself", "a: &a [*a]\n", "stands within"},
		{"JSON", "{\"a\": 1,\n \"b\": 2]}", "2:7: is not JSON"},
		{"JSON ends early", "{\"a\": [1", "1:9: is not JSON: it ends too early"},
		{"duplicate in JSON", "{\"a\": 1,\n  \"a\": 2}", "2:3: key \"a\""},
		{"not UTF-8", "a: \xff", "1:4: is not UTF-8"},
		{"deep JSON", strings.Repeat("[", 100000), "nests deeper"},
		{"deep YAML", strings.Repeat("- ", 3000) + "a", "nests deeper"},
		{"many values", "a: [" + strings.Repeat(",", 5_000_000), "too many values"},
		{"large", strings.Repeat("#", MaxBytes+1), "at most 20971520"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := faults(tt.text); !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q within", got, tt.want)
			}
		})
	}
}

// faults is the first fault of reading and converting text.
func faults(text string) string {
	docs, err := Parse([]byte(text))
	if err != nil {
		return err.Error()
	}
	for _, d := range docs {
		if _, f := JSON(d); f != nil {
			return f[0].Error()
		}
	}
	return ""
}

func TestAliasesThatExplodeAreRefused(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 30; i++ {
		n := string(rune('a' + i))
		p := "a0"
		if i > 1 {
			p = string(rune('a'+i-1)) + "0"
		}
		b.WriteString(n + "0: &" + n + "0 [" + strings.Repeat("*"+p+", ", 10) + "]\n")
		if n == "z" {
			break
		}
	}
	// Unbounded, this would be ten to the 25th values; the test's own time limit
	// would end it.
	if got := faults(b.String()); !strings.Contains(got, "aliases expand to more than 250000 values") {
		t.Errorf("got %q", got)
	}
}

func TestMergedKeysGiveWay(t *testing.T) {
	docs, err := Parse([]byte("base: &b {a: 1, b: 2}\nv: {<<: *b, b: 3}\n---\n---\nx: 1\n"))
	if err != nil || len(docs) != 2 {
		t.Fatal(len(docs), err)
	}
	got, f := JSON(docs[0])
	if want := `{"base":{"a":1,"b":2},"v":{"b":3,"a":1}}`; string(got) != want || f != nil {
		t.Errorf("got %s %v, want %s", got, f, want)
	}
	if n := Find(docs[0], "/v/a"); Text(n) != "1" {
		t.Errorf("merged key not found: %v", n)
	}
}

func TestLocate(t *testing.T) {
	for _, text := range []string{"a:\n  b:\n    - x\n    - c: 1\n", "{\"a\":\n  {\"b\":\n    [1,\n      {\"c\": 1}]}}"} {
		docs, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		line, column := Locate(docs[0], "/a/b/1/c")
		if line != 4 || column < 7 {
			t.Errorf("%q: /a/b/1/c at %d:%d", text, line, column)
		}
		line, _ = Locate(docs[0], "/a/b/7/c")
		if line != 2 {
			t.Errorf("%q: what is missing is placed at line %d, want its list's", text, line)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a: 1", "{\"a\": [1, \"\\ud83d\\ude00\"]}", "a: &x [*x]", "<<: {a: 1}", "- - - a", "a: |\n  x", "%YAML 1.2\n---\na: !!int 7", "[{,}]"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		docs, err := Parse(data)
		if err != nil {
			if e, ok := err.(*Error); !ok || e.Line < 1 || e.Column < 1 {
				t.Fatalf("error without a place: %v", err)
			}
		}
		for _, d := range docs {
			text, faults := JSON(d)
			if faults != nil {
				continue
			}
			again, err := Parse(append([]byte("v: "), text...))
			if err != nil {
				t.Fatalf("own JSON %s: %v", text, err)
			}
			if back, _ := JSON(Get(again[0], "v")); string(back) != string(text) {
				t.Fatalf("%s came back as %s", text, back)
			}
		}
	})
}

// TestMergesThatDouble ends at all: "<<" of two that merge two, and so on, would
// be gone through 2^60 times.
func TestMergesThatDouble(t *testing.T) {
	text := "m0: &m0 {a: 1}\n"
	for i := 1; i <= 60; i++ {
		text += fmt.Sprintf("m%d: &m%d {<<: [*m%d, *m%d]}\n", i, i, i-1, i-1)
	}
	docs, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	top := Get(docs[0], "m60")
	if Get(top, "b") != nil || Text(Get(top, "a")) != "1" || len(Pairs(top)) != 2 {
		t.Errorf("merged keys are %v; want a alone", Pairs(top))
	}
	if _, faults := JSON(docs[0]); len(faults) > 0 {
		t.Errorf("got %v; want the 61 maps as they are", faults)
	}
	if err := CheckMerges(docs[0]); err != nil {
		t.Error(err)
	}
}
