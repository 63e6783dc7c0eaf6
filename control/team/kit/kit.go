// Package kit makes a team's first repository: a sample API with its backend
// and product, recipes for four CI systems, and a README written for that team.
//
// It is a pure function from facts to files: the same facts give the same
// bytes. No secret is in them; the README says where the pipeline's token goes.
// Who may have a kit, and the service account it names, are for package
// control/team.
package kit

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"text/template"

	"gatehouse"
	"gatehouse/bundle"
)

//go:embed files
var sources embed.FS

// Facts are what a kit is made of.
type Facts struct {
	Name string // of the team
	Team gatehouse.Team
	// Environments that the team may release into, in order of their stage.
	Environments []Environment
	Framework    string // in force, "" when none is
	InForce      string // version of it
	Service      *gatehouse.Service
	// ServiceAccount is what the pipeline acts as.
	ServiceAccount string
	// Address of the management API.
	Address string
}

// An Environment is one that the team may release into.
type Environment struct {
	Name      string
	Stage     string
	Title     string
	Hosts     []string
	Mode      string // of releases: automatic, manual or approved
	After     []string
	KeyHeader string
	Gateways  []Gateway
	// Backend is where requests to the sample API go.
	Backend string
}

// A Gateway is a place where an environment runs.
type Gateway struct{ Name, Where, URL string }

// API and version of the sample.
const (
	API     = "hello"
	Version = "v1"
)

// Files are the kit's, by path below its folder.
func Files(f Facts) (map[string][]byte, error) {
	data := struct {
		Facts
		API, Version, Ref, Path, Folder string
		Jobs                            []Job
		First                           *Environment
	}{Facts: f, API: API, Version: Version, Ref: f.Name + "/" + API + "@" + Version, Path: "/" + f.Name + "/" + API + "/" + Version, Folder: Folder, Jobs: Jobs(f)}
	if len(f.Environments) > 0 {
		data.First = &f.Environments[0]
	}
	out := map[string][]byte{}
	for _, name := range slices.Sorted(maps.Keys(places)) {
		text, err := render(name, data)
		if err != nil {
			return nil, fmt.Errorf("making %q: %w", places[name], err)
		}
		out[places[name]] = text
	}
	return out, nil
}

// Folder holds the documents.
const Folder = "gatehouse"

// places are where the files of this package go.
var places = map[string]string{
	"README.md.tmpl": "README.md", "gitignore.tmpl": ".gitignore", "openapi.yaml.tmpl": Folder + "/hello.openapi.yaml",
	"api.yaml.tmpl": Folder + "/api.yaml", "backend.yaml.tmpl": Folder + "/backend.yaml", "product.yaml.tmpl": Folder + "/product.yaml",
	"github.yaml.tmpl": ".github/workflows/gatehouse.yml", "gitlab.yaml.tmpl": ".gitlab-ci.yml", "azure.yaml.tmpl": "azure-pipelines.yml",
	"jenkins.tmpl": "Jenkinsfile",
}

func render(name string, data any) ([]byte, error) {
	t, err := template.New(name).Delims("[[", "]]").Funcs(functions).Option("missingkey=error").ParseFS(sources, "files/"+name)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return nil, err
	}
	if strings.HasPrefix(places[name], Folder+"/") && name != "openapi.yaml.tmpl" {
		return bundle.Format(b.Bytes())
	}
	return b.Bytes(), nil
}

var functions = template.FuncMap{
	"q": quote, "md": plain, "join": strings.Join, "raci": raci, "host": host,
	"unplaced": func(e *Environment) bool { return strings.HasPrefix(host(e), "$") },
	"id":       func(name string) string { return strings.ReplaceAll(name, "-", "_") },
	"codes": func(list []string) string {
		if len(list) == 0 {
			return "any"
		}
		return "`" + strings.Join(list, "`, `") + "`"
	},
}

// quote writes a text as YAML and JSON both read it.
func quote(text string) (string, error) {
	b, err := json.Marshal(text)
	return string(b), err
}

var special = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "|", `\|`, "#", `\#`)

// plain writes a text of people's into Markdown, as text and on one line.
func plain(text string) string { return special.Replace(strings.Join(strings.Fields(text), " ")) }

func raci(letters string) string {
	var words []string
	for _, l := range letters {
		words = append(words, gatehouse.Raci[l])
	}
	return strings.Join(words, ", ")
}

// host is where callers reach an environment, for a curl line: its first
// gateway's URL, its first host, or what the reader sets, for want of which it
// is what "gatehouse serve" listens on.
func host(e *Environment) string {
	for _, g := range e.Gateways {
		if g.URL != "" {
			return strings.TrimSuffix(g.URL, "/")
		}
	}
	for _, h := range e.Hosts {
		if !strings.HasPrefix(h, "*") {
			return "https://" + h
		}
	}
	return "${GATEWAY:-http://127.0.0.1:8080}"
}

// Backend is where the sample's requests go in an environment when nobody says
// where.
func Backend(team, env string) string {
	return "https://hello." + env + "." + team + ".example.com"
}

// CheckURL refuses what cannot be written into the files as an address.
func CheckURL(what, text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || len(text) > 500 || strings.ContainsAny(text, "'\"`$\\ \t\r\n<>{}|^") {
		return gatehouse.E(gatehouse.Invalid, "%s: %q is not a plain URL such as \"https://api.example.com\"", what, text)
	}
	return nil
}
