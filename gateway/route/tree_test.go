package route

import (
	"fmt"
	"strings"
	"testing"

	"gatehouse/policy"
)

func mustTree(t testing.TB, lines ...string) (*Tree, []Op) {
	t.Helper()
	var ops []Op
	for _, l := range lines {
		m, p, _ := strings.Cut(l, " ")
		ops = append(ops, Op{m, p})
	}
	tree, err := NewTree(ops)
	if err != nil {
		t.Fatal(err)
	}
	return tree, ops
}

func TestMatch(t *testing.T) {
	tree, ops := mustTree(t,
		"GET /", "GET /things", "POST /things", "GET /things/{id}", "DELETE /things/{id}", "GET /things/mine",
		"GET /things/{name}.json", "POST /things/{id}:cancel", "GET /things/{id}/parts/{part}", "GET /things/mine/own",
		"GET /files/{path+}", "GET /files/readme", "GET /at/{lat},{lon}", "GET /dir/", "GET /a b/{x}", "GET /v{n}/x-{a}-{b}")
	tests := []struct{ request, op, params string }{
		{"GET /", "GET /", ""},
		{"GET /things", "GET /things", ""},
		{"GET /things/7", "GET /things/{id}", "id=7"},
		{"GET /things/mine", "GET /things/mine", ""},
		{"DELETE /things/mine", "DELETE /things/{id}", "id=mine"},
		{"GET /things/mine/parts/2", "GET /things/{id}/parts/{part}", "id=mine part=2"},
		{"GET /things/a.json", "GET /things/{name}.json", "name=a"},
		{"GET /things/.json", "GET /things/{id}", "id=.json"},
		{"POST /things/7:cancel", "POST /things/{id}:cancel", "id=7"},
		{"POST /things/7", "", ""},
		{"GET /files/a/b/c", "GET /files/{path+}", "path=a/b/c"},
		{"GET /files/readme", "GET /files/readme", ""},
		{"GET /files/readme/x", "GET /files/{path+}", "path=readme/x"},
		{"GET /files/", "", ""},
		{"GET /files", "", ""},
		{"GET /at/1.5,-2,3", "GET /at/{lat},{lon}", "lat=1.5 lon=-2,3"},
		{"GET /at/,2", "", ""},
		{"GET /dir/", "GET /dir/", ""},
		{"GET /dir", "", ""},
		{"GET /things/", "", ""},
		{"GET /a%20b/c%3Ad", "GET /a b/{x}", "x=c%3Ad"},
		{"GET /v2/x-p-q-r", "GET /v{n}/x-{a}-{b}", "n=2 a=p b=q-r"},
		{"get /things", "", ""},
		{"GET /nothing", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.request, func(t *testing.T) {
			method, path, _ := strings.Cut(tt.request, " ")
			before := []policy.Param{{Name: "kept", Value: "kept"}}
			i, params := tree.Match(method, path, before)
			op := ""
			if i >= 0 {
				op = ops[i].Method + " " + ops[i].Path
			}
			var text []string
			for _, p := range params[1:] {
				text = append(text, p.Name+"="+p.Value)
			}
			if got := strings.Join(text, " "); op != tt.op || got != tt.params {
				t.Errorf("got %q with %q, want %q with %q", op, got, tt.op, tt.params)
			}
		})
	}
}

func TestAllow(t *testing.T) {
	tree, _ := mustTree(t, "GET /things/{id}", "PUT /things/mine", "GET /things/mine", "DELETE /other")
	for path, want := range map[string]string{"/things/mine": "GET PUT", "/things/x": "GET", "/other": "DELETE", "/none": ""} {
		if got := strings.Join(tree.Allow(path), " "); got != want {
			t.Errorf("Allow(%q): got %q, want %q", path, got, want)
		}
	}
}

func TestNewTreeRefuses(t *testing.T) {
	tests := []struct {
		name string
		ops  []Op
		want string
	}{
		{"one route under two names", []Op{{"GET", "/a/{x}"}, {"GET", "/a/{y}"}}, "GET /a/{x} and GET /a/{y} are one route"},
		{"open brace", []Op{{"GET", "/a/{x"}}, "not closed"},
		{"stray brace", []Op{{"GET", "/a/x}"}}, "not open"},
		{"rest in the middle", []Op{{"GET", "/{a+}/b"}}, "not the last"},
		{"relative", []Op{{"GET", "a"}}, "begin with a slash"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := NewTree(tt.ops); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func TestManyChildren(t *testing.T) {
	var ops []Op
	for i := range 500 {
		ops = append(ops, Op{"GET", fmt.Sprintf("/k%d/{x}", i)})
	}
	tree, err := NewTree(ops)
	if err != nil {
		t.Fatal(err)
	}
	for i := range ops {
		if got, _ := tree.Match("GET", fmt.Sprintf("/k%d/v", i), nil); got != i {
			t.Fatalf("operation %d: got %d", i, got)
		}
	}
}

// FuzzTemplate holds that a request made from a template reaches its operation.
func FuzzTemplate(f *testing.F) {
	for _, s := range []string{"/a/{b}", "/{x+}", "/a b/{c}.json", "/%41", "/{a}{b}", "/{a/b}", "/x;y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		tree, err := NewTree([]Op{{"GET", path}})
		if err != nil {
			return
		}
		segs, err := parse(path)
		if err != nil {
			t.Fatalf("%q: NewTree takes what parse refuses: %v", path, err)
		}
		var b strings.Builder
		n := 0
		for _, s := range segs {
			b.WriteByte('/')
			b.WriteString(s.text)
			for i := range s.lits {
				b.WriteString(s.lits[i])
				if i < len(s.names) {
					b.WriteString("v")
					n++
				}
			}
		}
		op, params := tree.Match("GET", b.String(), nil)
		if op != 0 || len(params) != n {
			t.Fatalf("%q: request %q got operation %d with %d parameters, want %d", path, b.String(), op, len(params), n)
		}
	})
}
