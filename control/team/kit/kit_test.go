package kit

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"gatehouse"
	"gatehouse/bundle"
	"gatehouse/policy/all"
)

// odd is text that means something to Markdown, YAML and shells.
const odd = "A \"team\" `of` *all* | <b>kinds</b>\n# with: {braces} and $(commands) 'quoted'"

func facts() Facts {
	return Facts{
		Name: "shop", Team: gatehouse.Team{Title: odd, Summary: odd, Contacts: &gatehouse.TeamContacts{Email: "shop@example.com", OnCall: odd, Channel: odd},
			Environments: []string{"dev", "prod", "qa"}, Quotas: &gatehouse.TeamQuotas{APIs: 3}},
		Environments: []Environment{
			{Name: "dev", Stage: "dev", Mode: "automatic", KeyHeader: "X-API-Key", Backend: "http://127.0.0.1:8081"},
			{Name: "qa", Stage: "qa", Mode: "manual", After: []string{"dev"}, KeyHeader: "X-API-Key", Backend: Backend("shop", "qa"), Hosts: []string{"qa.example.com"}},
			{Name: "prod", Stage: "prod", Mode: "approved", After: []string{"qa"}, KeyHeader: "X-API-Key", Backend: Backend("shop", "prod"),
				Gateways: []Gateway{{"prod-aws", odd, "https://api.example.com"}, {"prod-dc", "on-prem", ""}}},
		},
		Framework: "corporate", InForce: "2026.1", ServiceAccount: "shop-ci", Address: "https://gatehouse.example.com",
		Service: &gatehouse.Service{NonFunctional: &gatehouse.ServiceTerms{Support: &gatehouse.ServiceSupport{Contact: "platform@example.com", Hours: odd},
			Duties: []gatehouse.ServiceDuty{{Task: odd, Provider: "RA", Consumer: "I"}}}},
	}
}

func laid(t *testing.T, f Facts) (dir string, files map[string][]byte) {
	t.Helper()
	files, err := Files(f)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	for name, text := range files {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, files
}

func TestDocumentsAreValid(t *testing.T) {
	bare := Facts{Name: "shop", Environments: []Environment{{Name: "dev", Stage: "dev", Mode: "automatic", Backend: Backend("shop", "dev")}}, ServiceAccount: "shop-ci", Address: "http://127.0.0.1:9080"}
	for name, f := range map[string]Facts{"full": facts(), "bare": bare} {
		dir, files := laid(t, f)
		b, err := bundle.Read([]string{filepath.Join(dir, Folder)}, bundle.Options{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		found, err := bundle.Check(b, bundle.CheckOptions{Policies: all.Find, PolicyNames: all.Names()})
		if err != nil || found.Err() != nil || len(b.Documents) != 3 {
			t.Errorf("%s: %d documents, %v, %v", name, len(b.Documents), err, found.Faults)
		}
		for file, text := range files {
			if out, err := bundle.Format(text); strings.HasPrefix(file, Folder) && (err != nil || string(out) != string(text)) {
				t.Errorf("%s: %s is not laid out in the one way: %v", name, file, err)
			}
			if strings.Contains(string(text), "<no value>") || strings.Contains(string(text), "[[") {
				t.Errorf("%s: %s holds what was to be filled in:\n%s", name, file, text)
			}
		}
	}
}

func TestAllRecipesRunTheSameLines(t *testing.T) {
	_, files := laid(t, facts())
	var want []string
	for _, j := range Jobs(facts()) {
		want = append(want, j.Lines...)
	}
	if len(want) < 6 || !slices.Contains(want, "gatehouse release shop/hello@v1 --env prod") || slices.Contains(want, "gatehouse release shop/hello@v1 --env dev") {
		t.Fatalf("lines: %q", want)
	}
	for file, key := range map[string]string{".github/workflows/gatehouse.yml": "run", ".gitlab-ci.yml": "script", "azure-pipelines.yml": "script"} {
		var tree yaml.Node
		if err := yaml.Unmarshal(files[file], &tree); err != nil {
			t.Errorf("%s: %v\n%s", file, err, files[file])
			continue
		}
		if got := under(&tree, key); !slices.Equal(got, want) {
			t.Errorf("%s runs %q, want %q", file, got, want)
		}
	}
	var got []string
	for _, m := range regexp.MustCompile(`(?m)^ +sh '([^']*)'$`).FindAllStringSubmatch(string(files["Jenkinsfile"]), -1) {
		got = append(got, m[1])
	}
	if !slices.Equal(got, want) {
		t.Errorf("Jenkinsfile runs %q, want %q", got, want)
	}
	if open, shut := strings.Count(string(files["Jenkinsfile"]), "{"), strings.Count(string(files["Jenkinsfile"]), "}"); open != shut {
		t.Errorf("Jenkinsfile opens %d braces and shuts %d", open, shut)
	}
}

// under are the texts below a key, wherever it stands, in order.
func under(n *yaml.Node, key string) (all []string) {
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 1 && n.Content[i-1].Value == key {
			if c.Kind == yaml.ScalarNode {
				all = append(all, c.Value)
			}
			for _, l := range c.Content {
				all = append(all, l.Value)
			}
			continue
		}
		all = append(all, under(c, key)...)
	}
	return all
}

func TestReadmeIsWrittenForTheTeam(t *testing.T) {
	_, files := laid(t, facts())
	text := string(files["README.md"])
	for _, want := range []string{
		"service:shop-ci", "`corporate`, version `2026.1`", "`qa.example.com`", "`prod-aws`", "3 APIs", "platform@example.com", "shop@example.com",
		"https://gatehouse.example.com", "gatehouse team checklist shop", `A "team" \` + "`of\\`" + ` \*all\* \| &lt;b&gt;kinds`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("README.md does not say %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "\n# with") {
		t.Error("text of people's makes headings")
	}
}

// TestReadmeNamesNoAddressThatNobodyGave has gateways and hosts with and
// without an address in the README's first call.
func TestReadmeNamesNoAddressThatNobodyGave(t *testing.T) {
	tests := []struct {
		name     string
		gateways []Gateway
		hosts    []string
		want     string
		asks     bool
	}{
		{"nobody says", []Gateway{{Name: "local"}}, nil, "${GATEWAY:-http://127.0.0.1:8080}/", true},
		{"a wildcard is no address", nil, []string{"*.example.com"}, "${GATEWAY:-http://127.0.0.1:8080}/", true},
		{"host", nil, []string{"api.example.com"}, "https://api.example.com/", false},
		{"gateway with a url", []Gateway{{Name: "local"}, {Name: "edge", URL: "https://edge.example.com/"}}, []string{"api.example.com"}, "https://edge.example.com/", false},
	}
	for _, tt := range tests {
		f := facts()
		f.Environments[0].Gateways, f.Environments[0].Hosts = tt.gateways, tt.hosts
		_, files := laid(t, f)
		text := string(files["README.md"])
		if !strings.Contains(text, " "+tt.want) || strings.Contains(text, "set GATEWAY to where one listens") != tt.asks {
			t.Errorf("%s: want a call of %s, and a word on GATEWAY %v:\n%s", tt.name, tt.want, tt.asks, text)
		}
	}
}

func TestSameFactsSameBytes(t *testing.T) {
	_, a := laid(t, facts())
	_, b := laid(t, facts())
	if fmt.Sprint(a) != fmt.Sprint(b) {
		t.Error("two kits of the same facts differ")
	}
}

func TestCheckURL(t *testing.T) {
	for text, ok := range map[string]bool{
		"https://api.example.com": true, "http://127.0.0.1:8081/x": true, "ftp://a": false, "https://": false, "https://a:b@c": false,
		"https://a/'; rm": false, "https://a/$(id)": false, "https://a?b": false, "x": false, "https://a/" + strings.Repeat("x", 500): false,
	} {
		if err := CheckURL("address", text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}
