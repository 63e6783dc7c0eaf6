package adminapi

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// noEvents are words of that form that are put on record by nobody.
var noEvents = []string{
	"service-account.token", "team.activity", "team.members", // what a page asks permission for
	"api.undeprecate", "api.retire", "api.sunset", "version.deprecate", "version.retire", "release.breaking", // told, should they ever be
}

// TestEventTypes holds that what the rooms of control put on record, written out
// wherever, is a type of event that can be selected.
func TestEventTypes(t *testing.T) {
	known := EventTypes()
	nouns := map[string]bool{}
	for _, k := range known {
		noun, _, _ := strings.Cut(k, ".")
		nouns[noun] = true
	}
	form := regexp.MustCompile(`^[a-z-]+\.[a-z-]+[a-z]$`)
	found := 0
	err := filepath.WalkDir("../control", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			name, err := strconv.Unquote(lit.Value)
			if noun, _, _ := strings.Cut(name, "."); err != nil || !form.MatchString(name) || !nouns[noun] {
				return true
			}
			found++
			if !slices.Contains(known, name) && !slices.Contains(noEvents, name) && name != "installation.key" {
				t.Errorf("%s puts %q on record, which is no type of event: add it to quietEvents", file, name)
			}
			return true
		})
		return nil
	})
	if err != nil || found < 50 {
		t.Fatalf("found %d acts, %v", found, err)
	}
}

func TestSelectsEvents(t *testing.T) {
	for _, tt := range []struct {
		pattern, event string
		want           bool
	}{
		{"*", "api.put", true}, {"*.*", "api.put", true}, {"api.*", "api.put", true}, {"api.*", "apis.put", false},
		{"*.put", "api.put", true}, {"*.put", "api.get", false}, {"api.put", "api.put", true}, {"api", "api.put", false}, {"export", "export", true},
	} {
		if got := SelectsEvents(tt.pattern, tt.event); got != tt.want {
			t.Errorf("%q selects %q: got %t", tt.pattern, tt.event, got)
		}
	}
}

func TestReadsOnly(t *testing.T) {
	for event, want := range map[string]bool{
		"catalog.get": true, "api.list": true, "api.put": false, "release.approve": false, "gate.pass": false, "support.reply": false, "no.such": false,
	} {
		if got := ReadsOnly(event); got != want {
			t.Errorf("%s: got %v, want %v", event, got, want)
		}
	}
}
