package bundle

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/definition"
	"gatehouse/jsonx"
)

// ImportOptions say how an OpenAPI file becomes documents.
type ImportOptions struct {
	Team    string
	Name    string // none: from the file's name, or its title where that says nothing
	Version string // "v1"; none: "v" and the major number of info.version
	Backend string // URL
	// NoTeam leaves the team's document out: the team is there, and applying a
	// bare one would take back what it was given.
	NoTeam bool
	// File is the definition's path, a key of Files, which hold the definition
	// and all it refers to by paths relative to each other.
	File  string
	Files map[string][]byte
}

// ImportOpenAPI makes the documents of a team, an API, a backend for
// environment dev, and a product of the API's name with one automatic plan,
// "default". The definition is taken as it is, under its own name.
func ImportOpenAPI(o ImportOptions) (*Bundle, error) {
	main := path.Clean(o.File)
	def, err := definition.Read(main, o.Files)
	if err != nil {
		return nil, fmt.Errorf("importing %q: %w", o.File, err)
	}
	if o.Name == "" {
		o.Name = importName(main, def.Title)
	}
	if o.Version == "" {
		o.Version = importVersion(def.Version)
	}
	b := new(Bundle)
	for _, object := range o.objects(def, main) {
		if o.NoTeam && object.Kind == gatehouse.KindTeam {
			continue
		}
		if faults := object.Check(); len(faults) > 0 {
			return nil, fmt.Errorf("importing %q: %w", o.File, gatehouse.InvalidFaults(faults))
		}
		var files map[string][]byte
		if object.Kind == gatehouse.KindAPI {
			files = o.beside(main)
		}
		if err := b.Add(object, files); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// beside are the files by paths relative to the definition's folder, where the
// API's document goes.
func (o ImportOptions) beside(main string) map[string][]byte {
	files := make(map[string][]byte, len(o.Files))
	for name, content := range o.Files {
		files[relative(path.Dir(main), path.Clean(name))] = content
	}
	return files
}

// relative is target as seen from the folder dir; both are clean.
func relative(dir, target string) string {
	if dir == "." || definition.RefKind(target) != definition.Relative {
		return target
	}
	from, to := strings.Split(dir, "/"), strings.Split(target, "/")
	for len(from) > 0 && len(to) > 1 && from[0] == to[0] {
		from, to = from[1:], to[1:]
	}
	return strings.Repeat("../", len(from)) + strings.Join(to, "/")
}

func (o ImportOptions) objects(def *definition.Definition, main string) []*gatehouse.Object {
	name := def.Title
	if name == "" {
		name = title(o.Name)
	}
	make := func(k gatehouse.Kind, n string, s gatehouse.Spec) *gatehouse.Object {
		m := gatehouse.Metadata{Team: o.Team, Name: n}
		if k == gatehouse.KindTeam {
			m.Team = ""
		}
		return &gatehouse.Object{APIVersion: gatehouse.APIVersion, Kind: k, Metadata: m, Spec: s}
	}
	team := ""
	if o.Team != "" {
		team = title(o.Team)
	}
	return []*gatehouse.Object{
		make(gatehouse.KindTeam, o.Team, &gatehouse.Team{Title: team}),
		make(gatehouse.KindAPI, o.Name, &gatehouse.API{
			Title: cut(name, 200), Summary: cut(def.Summary, 5000),
			Versions: []gatehouse.Version{{
				Name: o.Version, Definition: "./" + path.Base(main), Path: "/" + o.Name + "/" + o.Version, Backend: o.Name,
			}},
		}),
		make(gatehouse.KindBackend, o.Name, &gatehouse.Backend{Environments: map[string]gatehouse.BackendEnvironment{
			"dev": {Targets: []gatehouse.Target{{URL: o.Backend}}},
		}}),
		make(gatehouse.KindProduct, o.Name, &gatehouse.Product{
			Title: cut(name, 200), APIs: []string{o.Name},
			Plans: []gatehouse.Plan{{
				Name: "default", Approval: "automatic",
				RateLimit: &gatehouse.RateLimit{Requests: 10, Per: jsonx.Duration(time.Second)},
			}},
		}),
	}
}

// cut shortens text for people to at most n bytes, at a letter's border.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && text[n]&0xC0 == 0x80 {
		n--
	}
	return text[:n]
}

// generic are file names that say nothing of the API.
var generic = map[string]bool{
	"openapi": true, "swagger": true, "api": true, "index": true, "spec": true, "definition": true, "apis": true,
	"openapi-spec": true, "swagger-spec": true, "api-docs": true, "openapi3": true, "schema": true, "main": true, "root": true,
}

func importName(file, title string) string {
	base := path.Base(file)
	for {
		ext := strings.ToLower(path.Ext(base))
		if ext != ".gz" && ext != ".yaml" && ext != ".yml" && ext != ".json" && ext != ".openapi" && ext != ".swagger" &&
			ext != ".graphql" && ext != ".graphqls" && ext != ".gql" && ext != ".proto" {
			break
		}
		base = base[:len(base)-len(ext)]
	}
	if name := slug(base); name != "" && !generic[name] {
		return name
	}
	if name := slug(title); name != "" {
		return name
	}
	return "api"
}

var notSlug = regexp.MustCompile(`[^a-z0-9]+`)

// slug makes a name of a title: "Pet Store (v2)" to "pet-store-v2".
func slug(text string) string {
	s := strings.Trim(notSlug.ReplaceAllString(strings.ToLower(text), "-"), "-")
	return strings.Trim(s[:min(len(s), 63)], "-")
}

var major = regexp.MustCompile(`^[vV]?([0-9]{1,9})`)

// importVersion is "v" and the major number: "2.1.0" to "v2"; what has no
// number is "v1".
func importVersion(version string) string {
	m := major.FindStringSubmatch(strings.TrimSpace(version))
	if m == nil {
		return "v1"
	}
	if n := strings.TrimLeft(m[1], "0"); n != "" {
		return "v" + n
	}
	return "v0"
}
