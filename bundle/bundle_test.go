package bundle

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"gatehouse"
)

// team, backend and product that most tests share.
const rest = `
---
apiVersion: gatehouse/v1
kind: Team
metadata: {name: payments}
spec: {}
---
apiVersion: gatehouse/v1
kind: Backend
metadata: {team: payments, name: orders}
spec: {environments: {dev: {targets: [{url: "http://127.0.0.1:8081"}]}}}
`

const ordersAPI = `apiVersion: gatehouse/v1
kind: API
metadata: {team: payments, name: orders}
spec:
  versions:
    - name: v1
      definition: ./orders.yaml
      path: /orders/v1
      backend: orders
      operations:
        createOrder: {policies: [{cors: {}}]}
`

const ordersDefinition = `openapi: 3.0.3
info: {title: Orders, version: 1.0.0}
paths:
  /orders:
    get: {operationId: listOrders, responses: {"200": {description: ok}}}
    post: {operationId: createOrder, responses: {"201": {description: made}}}
`

// folder writes files and returns the folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// faults are all faults of reading and checking a folder, paths relative to it.
func faults(t *testing.T, dir string, o CheckOptions) string {
	t.Helper()
	b, err := Read([]string{dir}, Options{})
	if err == nil {
		found, cerr := Check(b, o)
		if cerr != nil {
			t.Fatal(cerr)
		}
		err = found.Err()
	}
	if err == nil {
		return ""
	}
	var lines []string
	for _, f := range faultsOf(err) {
		lines = append(lines, strings.TrimPrefix(f.String(), dir+string(filepath.Separator)))
	}
	return strings.Join(lines, "\n")
}

func TestFaultsNameTheirPlace(t *testing.T) {
	def := func(paths string) string { return "openapi: 3.0.3\ninfo: {title: T, version: 1.0.0}\npaths:\n" + paths }
	api := strings.ReplaceAll(ordersAPI, "createOrder", "listOrders") + rest
	tests := []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"bad YAML", map[string]string{"a.yaml": "kind: [API\nmetadata: x\n"}, []string{"a.yaml:", "is not YAML"}},
		{"unknown kind", map[string]string{"a.yaml": "apiVersion: gatehouse/v1\nkind: Bakend\nmetadata: {name: x}\n"},
			[]string{`a.yaml:2:1: kind: unknown kind "Bakend"; did you mean "Backend"?`}},
		{"unknown field", map[string]string{"a.yaml": strings.Replace(ordersAPI, "backend:", "backened:", 1) + rest, "orders.yaml": ordersDefinition},
			[]string{`a.yaml:9:7: API payments/orders: spec.versions[0].backened: unknown field "backened"; did you mean "backend"?`}},
		{"wrong types, all told", map[string]string{"a.yaml": "apiVersion: gatehouse/v1\nkind: Product\nmetadata: {team: p, name: x}\nspec:\n  apis: orders\n  plans:\n    - name: 5\n      rateLimit: {requests: many, per: 60}\n"},
			[]string{"a.yaml:5:3:", `"orders" is text, not a list`, "a.yaml:7:7:", `5 is not text: write "5"`, "a.yaml:8:", `"many" is text, not a number`, "a duration is text with a unit"}},
		{"two of one name", map[string]string{"a.yaml": rest, "b.yaml": "apiVersion: gatehouse/v1\nkind: Team\nmetadata: {name: payments}\nspec: {}\n"},
			[]string{"b.yaml:3:12: Team payments: metadata.name: stands twice: first in ", "a.yaml:3"}},
		{"aliases that explode", map[string]string{"a.yaml": bomb()}, []string{"aliases expand to more than"}},
		{"dangling backend", map[string]string{"a.yaml": strings.Replace(ordersAPI, "backend: orders", "backend: order", 1) + rest, "orders.yaml": ordersDefinition},
			[]string{`a.yaml:9:7: API payments/orders: spec.versions[0].backend: backend "order" is not in these files; did you mean "orders"?`}},
		{"definition missing", map[string]string{"a.yaml": ordersAPI + rest}, []string{`a.yaml:7:7: API payments/orders: spec.versions[0].definition: "./orders.yaml": no such file`}},
		{"definition outside", map[string]string{"a.yaml": strings.Replace(ordersAPI, "./orders.yaml", "../../etc/passwd", 1) + rest}, []string{"a.yaml:7:7:", "lies outside of the given folders"}},
		{"no definition at all", map[string]string{"a.yaml": ordersAPI + rest, "orders.yaml": "a: 1\n"}, []string{"orders.yaml:1:1: is not a definition"}},
		{"reference that leads nowhere", map[string]string{"a.yaml": api, "orders.yaml": def("  /a:\n    get:\n      operationId: listOrders\n      responses: {'200': {$ref: '#/components/responses/None'}}\n")},
			[]string{`orders.yaml:7:33: $ref "#/components/responses/None" leads nowhere`}},
		{"reference to itself", map[string]string{"a.yaml": api, "orders.yaml": def("  /a: {get: {operationId: listOrders}}\ncomponents:\n  schemas:\n    A: {$ref: '#/components/schemas/B'}\n    B: {$ref: '#/components/schemas/A'}\n")},
			[]string{`orders.yaml:7:15: $ref "#/components/schemas/B" leads only to itself`}},
		{"remote reference", map[string]string{"a.yaml": api, "orders.yaml": def("  /a: {get: {operationId: listOrders, responses: {'200': {$ref: 'https://example.com/a.yaml#/x'}}}}\n")}, []string{"orders.yaml:4:", "is a remote reference, which is not followed"}},
		{"absolute reference", map[string]string{"a.yaml": api, "orders.yaml": def("  /a: {get: {operationId: listOrders, responses: {'200': {$ref: '/etc/passwd'}}}}\n")}, []string{"is an absolute reference"}},
		{"file URL", map[string]string{"a.yaml": api, "orders.yaml": def("  /a: {get: {operationId: listOrders, responses: {'200': {$ref: 'file:///etc/passwd'}}}}\n")}, []string{"is an absolute reference"}},
		{"reference outside", map[string]string{"a.yaml": api, "orders.yaml": def("  /a: {get: {operationId: listOrders, responses: {'200': {$ref: '../../../etc/passwd'}}}}\n")}, []string{`leads to the file "../../../etc/passwd", which is missing`}},
		{"operationId twice", map[string]string{"a.yaml": api, "orders.yaml": def("  /a: {get: {operationId: listOrders}}\n  /b: {get: {operationId: listOrders}}\n")}, []string{`orders.yaml:5:27: operationId "listOrders" stands twice, first at orders.yaml:4`}},
		{"templates that collide", map[string]string{"a.yaml": api, "orders.yaml": def("  /a/{x}: {get: {operationId: listOrders}}\n  /a/{y}: {get: {}}\n")}, []string{`orders.yaml:5:3: paths "/a/{y}" and "/a/{x}" (line 4) collide`}},
		{"unknown operation", map[string]string{"a.yaml": strings.Replace(ordersAPI, "createOrder", "createOder", 1) + rest, "orders.yaml": ordersDefinition},
			[]string{`a.yaml:11:9: API payments/orders: spec.versions[0].operations.createOder: operation "createOder" is not in definition "./orders.yaml", so its policies would hold nowhere; did you mean "createOrder"?`}},
		{"one route, two APIs", map[string]string{"a.yaml": ordersAPI + rest, "orders.yaml": ordersDefinition, "b.yaml": strings.Replace(ordersAPI, "name: orders}", "name: others}", 1)},
			[]string{"b.yaml:8:7: API payments/others: spec.versions[0].path: routes to \"payments/others@v1\" and \"payments/orders@v1\" (", "both claim /orders/v1"}},
		{"a host of its own that is its environment's too", map[string]string{"a.yaml": ordersAPI + rest + "---\napiVersion: gatehouse/v1\nkind: Environment\nmetadata: {name: dev}\nspec: {stage: dev, hosts: [dev.example.com]}\n", "orders.yaml": ordersDefinition,
			"b.yaml": strings.Replace(strings.Replace(ordersAPI, "name: orders}", "name: others}", 1), "backend: orders", "backend: orders\n      hosts: [dev.example.com]", 1)},
			[]string{"both claim dev.example.com/orders/v1 in environment \"dev\""}},
		{"bad URL and duration", map[string]string{"a.yaml": "apiVersion: gatehouse/v1\nkind: Backend\nmetadata: {team: p, name: x}\nspec:\n  environments:\n    dev:\n      timeout: 10\n      targets:\n        - url: 127.0.0.1:80\n"},
			[]string{"a.yaml:7:7:", "a duration is text with a unit"}},
		{"product without APIs", map[string]string{"a.yaml": "apiVersion: gatehouse/v1\nkind: Product\nmetadata: {team: p, name: x}\nspec:\n  plans: [{name: free}]\n"}, []string{"a.yaml:4:1:", "apis", "is empty: plans give access to APIs"}},
		{"unknown plan", map[string]string{"a.yaml": `apiVersion: gatehouse/v1
kind: Product
metadata: {team: p, name: x}
spec: {apis: [other/a], plans: [{name: free}]}
---
apiVersion: gatehouse/v1
kind: Application
metadata: {team: p, name: app}
spec: {}
---
apiVersion: gatehouse/v1
kind: Subscription
metadata: {team: p, name: s}
spec: {application: app, product: x, plan: fre, environment: dev}
`}, []string{`a.yaml:14:`, `product "x" has no plan "fre"; did you mean "free"?`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := faults(t, folder(t, tt.files), CheckOptions{})
			for _, w := range tt.want {
				if !strings.Contains(got, w) {
					t.Errorf("got:\n%s\nwant %q within", got, w)
				}
			}
		})
	}
}

// What can be sent to be refused is sent whole or not at all: a part of what
// was meant might be taken.
func TestOnlyTheWholeIsSentToBeRefused(t *testing.T) {
	const good, bad = "apiVersion: gatehouse/v1\nkind: Team\nmetadata: {name: shop}\nspec: {}\n", "apiVersion: gatehouse/v1\nkind: Team\nmetadata: {name: UPPER}\nspec: {}\n"
	for name, c := range map[string]struct {
		files map[string]string
		sent  int
	}{
		"may not be so":             {map[string]string{"a.yaml": good, "b.yaml": bad}, 2},
		"twice":                     {map[string]string{"a.yaml": good, "b.yaml": good}, 2},
		"no YAML":                   {map[string]string{"a.yaml": bad, "b.yaml": good + "x: [\n"}, 0},
		"definition not there":      {map[string]string{"a.yaml": bad, "b.yaml": ordersAPI}, 0},
		"definition cannot be read": {map[string]string{"a.yaml": bad, "b.yaml": ordersAPI, "orders.yaml": "openapi: 3.0.3\ninfo: {"}, 0},
	} {
		b, err := Read([]string{folder(t, c.files)}, Options{})
		if err == nil {
			t.Fatalf("%s: no fault", name)
		}
		sent := 0
		if s := b.Sendable(); s != nil {
			sent = len(s.Documents)
		}
		if sent != c.sent {
			t.Errorf("%s: %d documents are sent, want %d (%v)", name, sent, c.sent, err)
		}
	}
}

func bomb() string {
	s := "apiVersion: gatehouse/v1\nkind: Team\nspec:\n  a: &a [1,1,1,1,1,1,1,1,1,1]\n"
	for c := byte('b'); c < 'k'; c++ {
		s += "  " + string(c) + ": &" + string(c) + " [" + strings.TrimSuffix(strings.Repeat("*"+string(c-1)+",", 10), ",") + "]\n"
	}
	return s
}

func TestReadPassesOverWhatIsNotGatehouse(t *testing.T) {
	dir := folder(t, map[string]string{
		"api/a.yaml": ordersAPI + rest, "api/orders.yaml": ordersDefinition,
		"k8s.yaml":          "apiVersion: v1\nkind: Service\nmetadata: {name: x}\n",
		"package.json":      `{"name": "x"}`,
		".git/broken.yaml":  "a: [",
		"notes.txt":         "kind: API",
		"api/.hidden.yaml":  "a: [",
		"deep/er/team.json": `{"apiVersion": "gatehouse/v1", "kind": "Team", "metadata": {"name": "other"}, "spec": {}}`,
	})
	b, err := Read([]string{dir}, Options{})
	if err != nil || len(b.Documents) != 4 {
		t.Fatalf("got %d documents, %v; want 4", len(b.Documents), err)
	}
	if d := b.Documents[0]; d.Files["orders.yaml"] != Hash([]byte(ordersDefinition)) || string(b.Files[d.Files["orders.yaml"]]) != ordersDefinition {
		t.Errorf("definition is not attached: %v", d.Files)
	}
	if _, err := Read([]string{filepath.Join(dir, "k8s.yaml")}, Options{}); err == nil {
		t.Error("a file that was named and holds no document passed")
	}
	if b, err := Read([]string{"-"}, Options{Stdin: strings.NewReader(rest)}); err != nil || len(b.Documents) != 2 {
		t.Errorf("standard input: %v", err)
	}
	if _, err := Read([]string{filepath.Join(dir, "none")}, Options{}); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("a missing path: %v", err)
	}
}

func TestLinksThatLeadOutAreRefused(t *testing.T) {
	secret := folder(t, map[string]string{"orders.yaml": ordersDefinition})
	dir := folder(t, map[string]string{"a.yaml": ordersAPI + rest})
	if err := os.Symlink(filepath.Join(secret, "orders.yaml"), filepath.Join(dir, "orders.yaml")); err != nil {
		t.Skip("no symbolic links here")
	}
	if got := faults(t, dir, CheckOptions{}); !strings.Contains(got, "leads out of the given folders") {
		t.Errorf("got %q", got)
	}
}

func TestBundleTravels(t *testing.T) {
	dir := folder(t, map[string]string{"a.yaml": ordersAPI + rest, "orders.yaml": ordersDefinition})
	b, err := Read([]string{dir}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	wire, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	got := new(Bundle)
	if err := json.Unmarshal(wire, got); err != nil {
		t.Fatal(err)
	}
	if err := got.Decode(); err != nil {
		t.Fatal(err)
	}
	def, err := got.Definition(&got.Documents[0], "./orders.yaml")
	if err != nil || len(def.Operations) != 2 {
		t.Fatalf("definition did not travel: %v", err)
	}
	// The server's faults find their lines on the client.
	placed := b.Place([]gatehouse.Fault{{Object: "API payments/orders", Pointer: "/spec/versions/0/path", Detail: "taken"}})
	if f := placed[0]; f.Line != 8 || !strings.HasSuffix(f.File, "a.yaml") {
		t.Errorf("placed at %s:%d", f.File, f.Line)
	}
	for h := range got.Files {
		got.Files[h] = append(got.Files[h], '!')
	}
	if err := got.Decode(); err == nil {
		t.Error("a changed file passed")
	}
}

func TestWriteThenReadGivesTheSame(t *testing.T) {
	dir := folder(t, map[string]string{
		"x/one.yaml": ordersAPI + rest, "x/orders.yaml": strings.Replace(ordersDefinition, "description: ok", "$ref: '../common/c.yaml#/ok'", 1),
		"common/c.yaml": "ok: {description: 'yes', x: \"1.0\"}\n",
		"y/two.yaml":    strings.NewReplacer("name: orders}", "name: others}", "/orders/v1", "/others/v1").Replace(ordersAPI), "y/orders.yaml": ordersDefinition,
		"env.yaml": "apiVersion: gatehouse/v1\nkind: Environment\nmetadata: {name: dev, labels: {a: 'yes', b: '5', c: \"two\\nlines\\n\", d: 'on', e: ''}}\nspec: {stage: dev}\n",
	})
	b, err := Read([]string{dir}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	if err := b.Write(out); err != nil {
		t.Fatal(err)
	}
	again, err := Read([]string{out}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string]Document)
	for _, d := range b.Documents {
		want[d.Get().Key()] = d
	}
	for _, d := range again.Documents {
		w := want[d.Get().Key()]
		if string(d.Object) != string(w.Object) {
			t.Errorf("%s came back as\n%s, was\n%s", d.Get().Ref(), d.Object, w.Object)
		}
		for name, hash := range w.Files {
			if d.Files[name] != hash {
				t.Errorf("%s: file %q has another content", d.Get().Ref(), name)
			}
		}
		delete(want, d.Get().Key())
	}
	if len(want) != 0 {
		t.Errorf("not written: %v", want)
	}
	first, _ := b.Layout()
	second, _ := again.Layout()
	for name, content := range first {
		if string(second[name]) != string(content) {
			t.Errorf("%s: the second export differs:\n%s\n%s", name, second[name], content)
		}
	}
	if _, ok := first["environment-dev.yaml"]; !ok {
		t.Errorf("layout: %v", first)
	}
}

func TestFormat(t *testing.T) {
	text := `# the team
kind: Team   # what it is
# who
metadata:
    name:   payments   # short
    team: ""
spec:
      title: "Payments"
      # who belongs
      members:
      -   user:a@example.com
apiVersion: gatehouse/v1
---
{kind: Team, apiVersion: gatehouse/v1, metadata: {name: b}, spec: {}}
`
	once, err := Format([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	twice, err := Format(once)
	if err != nil || string(twice) != string(once) {
		t.Errorf("formatting twice changes (%v):\n%s\n%s", err, once, twice)
	}
	for _, comment := range []string{"# the team", "# what it is", "# who\n", "# short", "# who belongs"} {
		if !strings.Contains(string(once), comment) {
			t.Errorf("lost %q in\n%s", comment, once)
		}
	}
	if !strings.HasPrefix(string(once), "# the team\napiVersion: gatehouse/v1\nkind: Team") {
		t.Errorf("order:\n%s", once)
	}
	if got, _ := Format([]byte("a:   1\n")); string(got) != "a:   1\n" {
		t.Errorf("a file of someone else was changed: %q", got)
	}
	if got, err := Format([]byte(`{"kind":"Team","apiVersion":"gatehouse/v1","metadata":{"name":"b"},"spec":{"title":"1.0"}}`)); err != nil || !strings.HasPrefix(string(got), "{\n  \"apiVersion\": \"gatehouse/v1\",\n  \"kind\"") {
		t.Errorf("JSON: %s %v", got, err)
	}
}

func TestCompare(t *testing.T) {
	before := `{"spec":{"versions":[{"name":"v1","path":"/a"},{"name":"v2","path":"/b"}],"title":"A"}}`
	after := `{"spec":{"versions":[{"name":"v0","path":"/z"},{"name":"v1","path":"/c"}],"summary":"s"}}`
	var got []string
	for _, d := range Compare(json.RawMessage(before), json.RawMessage(after)) {
		got = append(got, Line(d))
	}
	want := []string{
		`+ spec.summary: "s"`, `- spec.title: "A"`, `+ spec.versions[0]: {"name":"v0","path":"/z"}`,
		`~ spec.versions[1].path: "/a" → "/c"`, `- spec.versions[1]: {"name":"v2","path":"/b"}`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if d := Compare(json.RawMessage(`{"a":1,"b":[1]}`), json.RawMessage(` {"b": [1], "a": 1}`)); d != nil {
		t.Errorf("order of keys is a difference: %v", d)
	}
}

func TestImport(t *testing.T) {
	tests := []struct{ file, title, version, want string }{
		{"petstore.yaml", "Swagger Petstore", "1.0.7", "pets/petstore@v1 /petstore/v1"},
		{"openapi.json", "Pet Store (beta)", "2.3", "pets/pet-store-beta@v2 /pet-store-beta/v2"},
		{"orders.openapi.yaml", "", "0.0.1", "pets/orders@v0 /orders/v0"},
		{"api.yaml", "", "draft", "pets/api@v1 /api/v1"},
	}
	for _, tt := range tests {
		text := "openapi: 3.1.0\ninfo: {title: '" + tt.title + "', version: '" + tt.version + "'}\npaths: {/pets: {get: {}}}\n"
		b, err := ImportOpenAPI(ImportOptions{Team: "pets", Backend: "http://127.0.0.1:8081", File: tt.file, Files: map[string][]byte{tt.file: []byte(text)}})
		if err != nil {
			t.Errorf("%s: %v", tt.file, err)
			continue
		}
		var api *gatehouse.Object
		for i := range b.Documents {
			if o := b.Documents[i].Get(); o.Kind == gatehouse.KindAPI {
				api = o
			}
		}
		v := api.Spec.(*gatehouse.API).Versions[0]
		if got := api.Metadata.Ref() + "@" + v.Name + " " + v.Path; got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.file, got, tt.want)
		}
		out := t.TempDir()
		if err := b.Write(out); err != nil {
			t.Fatal(err)
		}
		if got := faults(t, out, CheckOptions{}); got != "" {
			t.Errorf("%s: what was imported does not validate: %s", tt.file, got)
		}
	}
	_, err := ImportOpenAPI(ImportOptions{Team: "Pets", Backend: "nowhere", File: "a.yaml", Files: map[string][]byte{"a.yaml": []byte(ordersDefinition)}})
	if err == nil || !strings.Contains(err.Error(), `"Pets" is not a name`) {
		t.Errorf("a bad team: %v", err)
	}
}

// TestPipesAreNotWaitedFor: whoever can put a pipe into a folder could else stop
// every command that reads it.
func TestPipesAreNotWaitedFor(t *testing.T) {
	dir := folder(t, map[string]string{"openapi.yaml": "openapi: 3.0.0\npaths: {/a: {$ref: pipe.yaml}}\n"})
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.yaml"), 0o600); err != nil {
		t.Skip(err)
	}
	if b, err := Read([]string{dir}, Options{}); err != nil || len(b.Documents) > 0 {
		t.Errorf("reading the folder: got %d documents and %v, want none", len(b.Documents), err)
	}
	if _, err := Read([]string{filepath.Join(dir, "pipe.yaml")}, Options{}); err == nil || !strings.Contains(err.Error(), "is not a regular file") {
		t.Errorf("reading the pipe by its name: got %v, want that it is not a regular file", err)
	}
	main, files, err := ReadDefinition(filepath.Join(dir, "openapi.yaml"), Options{})
	if err != nil || main != "openapi.yaml" || len(files) != 1 {
		t.Errorf("reading the definition: got %q with %d files and %v, want it alone", main, len(files), err)
	}
	if _, _, err := ReadDefinition(filepath.Join(dir, "none.yaml"), Options{}); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("reading what is not there: got %v", err)
	}
}
