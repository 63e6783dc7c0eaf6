package gatehouse_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Walls are the imports that must never be (ARCHITECTURE.md, "Walls"). A room
// covers everything below it; "gatehouse" alone is the words.
var walls = []struct {
	room string
	not  []string
	why  string
}{
	{"gateway", []string{"gatehouse/control", "gatehouse/store", "gatehouse", "gatehouse/bundle", "gatehouse/definition", "gatehouse/adminapi", "gatehouse/client", "gatehouse/cli"},
		"the traffic wing knows snapshot, report, policy and link only"},
	{"control", []string{"gatehouse/gateway", "gatehouse/cli", "gatehouse/client"}, "the management wing never imports the traffic wing, nor those who ask it"},
	{"control/catalog", []string{"gatehouse/control/release", "gatehouse/control/exposure", "gatehouse/control/diff", "gatehouse/control/governance/gate", "gatehouse/control/server"},
		"objects come before what is decided about their releases"},
	{"control/exposure", []string{"gatehouse/control"}, "what is exposed is only read"},
	{"policy", []string{"gatehouse", "gatehouse/control", "gatehouse/gateway", "gatehouse/store", "gatehouse/snapshot"},
		"a policy runs in both wings"},
	{"snapshot", []string{"gatehouse", "gatehouse/control", "gatehouse/gateway", "gatehouse/store", "gatehouse/link"}, "a snapshot is plain data"},
	{"report", []string{"gatehouse", "gatehouse/control", "gatehouse/gateway", "gatehouse/store", "gatehouse/link"}, "a report is plain data"},
	{"link", []string{"gatehouse", "gatehouse/control", "gatehouse/gateway", "gatehouse/store"}, "the link carries, and looks at nothing"},
	{"store", []string{"gatehouse/control", "gatehouse/gateway", "gatehouse/bundle", "gatehouse/adminapi"}, "the store knows no kind"},
	{"cli", []string{"gatehouse/control", "gatehouse/gateway", "gatehouse/store"}, "the command line has no door of its own"},
	{"client", []string{"gatehouse/control", "gatehouse/gateway", "gatehouse/store", "gatehouse/cli"}, "the client shares the contract only"},
	{"adminapi", []string{"gatehouse/control", "gatehouse/gateway", "gatehouse/store", "gatehouse/client"}, "the contract does nothing"},
	{"bundle", []string{"gatehouse/control", "gatehouse/gateway", "gatehouse/store", "gatehouse/adminapi"}, "files are read without a server"},
	{"attest", []string{"gatehouse", "gatehouse/control", "gatehouse/gateway", "gatehouse/store", "gatehouse/snapshot"}, "an attestation is verified anywhere"},
	{"admission", []string{"gatehouse/control", "gatehouse/gateway", "gatehouse/store", "gatehouse/adminapi"}, "conditions are checked without a server"},
	{"expr", []string{"gatehouse", "gatehouse/control", "gatehouse/gateway", "gatehouse/store", "gatehouse/policy"}, "conditions know no word of the product"},
	{"outbound", []string{"gatehouse", "gatehouse/control", "gatehouse/gateway", "gatehouse/store"}, "both wings reach out by it"},
	{"rule", []string{"gatehouse/control", "gatehouse/gateway", "gatehouse/store", "gatehouse/adminapi", "gatehouse/bundle"}, "a control is judged without a server"},
	{"lint", []string{"gatehouse", "gatehouse/control", "gatehouse/gateway", "gatehouse/store", "gatehouse/definition", "gatehouse/bundle"}, "a linter knows texts and rules, not the product"},
	{"jsonx", []string{"gatehouse"}, "jsonx is below everything"},
}

func TestWalls(t *testing.T) {
	for _, w := range walls {
		for file, imports := range importsBelow(t, w.room) {
			for _, imported := range imports {
				for _, not := range w.not {
					if imported == not || (not != "gatehouse" && strings.HasPrefix(imported, not+"/")) {
						t.Errorf("%s imports %s: %s", file, imported, w.why)
					}
				}
			}
		}
	}
}

// TestExchangeIsOurs holds that what policies see has nothing of an engine in
// it. Policies themselves may name HTTP's statuses.
func TestExchangeIsOurs(t *testing.T) {
	files, err := filepath.Glob("policy/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		for _, imported := range importsOf(t, f) {
			if imported == "net/http" && !strings.HasSuffix(f, "_test.go") {
				t.Errorf("%s imports net/http: the engine beneath a request may change without a policy noticing", f)
			}
		}
	}
}

// TestWordsStandAlone holds that the words import no room but the plain
// data below them.
func TestWordsStandAlone(t *testing.T) {
	allowed := map[string]bool{"gatehouse/jsonx": true, "gatehouse/report": true, "gatehouse/policy": true, "gatehouse/yamlx": true, "gatehouse/attest": true, "gatehouse/hours": true}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		for _, imported := range importsOf(t, f) {
			if strings.HasPrefix(imported, "gatehouse/") && !allowed[imported] {
				t.Errorf("%s imports %s: the words stand below every room", f, imported)
			}
		}
	}
}

// TestGatewayStaysSmall keeps what only the management wing needs out of the
// program that sits at the edge.
func TestGatewayStaysSmall(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "./cmd/gatehouse-gateway").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	heavy := []string{"modernc.org/", "github.com/jackc/", "github.com/pb33f/", "github.com/danielgtaylor/", "github.com/pressly/",
		"github.com/bufbuild/", "github.com/vektah/", "github.com/oasdiff/", "github.com/getkin/", "github.com/aws/", "github.com/Azure/", "google.golang.org/api", "cel.dev/", "gatehouse/expr", "gatehouse/rule", "gatehouse/control", "gatehouse/store", "gatehouse/bundle", "gatehouse/definition"}
	modules := map[string]bool{}
	for _, pkg := range strings.Fields(string(out)) {
		for _, h := range heavy {
			if strings.HasPrefix(pkg, h) {
				t.Errorf("gatehouse-gateway links %s", pkg)
			}
		}
		if first, _, _ := strings.Cut(pkg, "/"); strings.Contains(first, ".") {
			parts := strings.Split(pkg, "/")
			modules[path.Join(parts[:min(3, len(parts))]...)] = true
		}
	}
	if len(modules) > 69 {
		t.Errorf("gatehouse-gateway links packages of %d modules, want at most 69: %v", len(modules), modules)
	}
}

func importsBelow(t *testing.T, room string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir(room, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if strings.HasSuffix(file, ".go") && !strings.HasSuffix(file, "_test.go") {
			found[file] = importsOf(t, file)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Errorf("room %q holds no Go file; has it moved?", room)
	}
	return found
}

func importsOf(t *testing.T, file string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, i := range f.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, p)
	}
	return paths
}
