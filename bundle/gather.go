package bundle

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"

	"gatehouse"
	"gatehouse/definition"
	"gatehouse/jsonx"
	"gatehouse/lint"
)

// link gives every API document the files of its definitions and reads them.
func (r *reader) link() {
	for i := range r.bundle.Documents {
		d := &r.bundle.Documents[i]
		if f, ok := d.object.Spec.(*gatehouse.Framework); ok {
			r.rulesets(d, f)
		}
		api, ok := d.object.Spec.(*gatehouse.API)
		if !ok || len(r.faults) >= MaxFaults {
			continue
		}
		for v := range api.Versions {
			if name := api.Versions[v].Definition; name != "" {
				r.definition(d, v, name)
			}
		}
	}
}

// rulesets gives a framework the rulesets that its controls name as files, and
// those that they extend.
func (r *reader) rulesets(d *Document, f *gatehouse.Framework) {
	for i := range f.Versions {
		for j := range f.Versions[i].Controls {
			check := f.Versions[i].Controls[j].Check.Lint
			if check == nil {
				continue
			}
			name, ok := check.File()
			if !ok {
				continue
			}
			g := gathering{reader: r, dir: dirOf(d.File)}
			data, err := g.get(path.Clean(name))
			if err != nil {
				r.faults = append(r.faults, d.fault(jsonx.Pointer("spec", "versions", strconv.Itoa(i), "controls", strconv.Itoa(j), "check", "lint", "ruleset"), "%q: %s", name, cause(err)))
				continue
			}
			d.attach(r.bundle, path.Clean(name), data)
			// What is wrong with them the controls tell, with its place.
			_, _ = lint.Parse(path.Clean(name), data, func(file string) ([]byte, error) {
				data, err := g.get(path.Clean(file))
				if err == nil && len(d.Files) >= maxFiles {
					err = fmt.Errorf("more than %d files", maxFiles)
				}
				if err != nil {
					return nil, err
				}
				d.attach(r.bundle, path.Clean(file), data)
				return data, nil
			})
		}
	}
}

// definition gathers a definition's main file and every file it reaches.
func (r *reader) definition(d *Document, version int, name string) {
	pointer := jsonx.Pointer("spec", "versions", strconv.Itoa(version), "definition")
	g := gathering{reader: r, dir: dirOf(d.File), files: make(map[string][]byte)}
	main := path.Clean(name)
	data, err := g.get(main)
	if err != nil {
		r.faults = append(r.faults, d.fault(pointer, "%q: %s", name, cause(err)))
		return
	}
	if err := g.follow(main, data); err != nil {
		r.faults = append(r.faults, d.fault(pointer, "%q: %s", name, err))
		return
	}
	for p, content := range g.files {
		d.attach(r.bundle, p, content)
	}
	if _, err := r.bundle.Definition(d, name); err != nil {
		r.faults = append(r.faults, d.definitionFaults(err)...)
	}
}

// definitionFaults are a definition's own, with paths as the user sees them.
func (d *Document) definitionFaults(err error) []gatehouse.Fault {
	faults := faultsOf(err)
	for i := range faults {
		if f := &faults[i]; f.File != "" && definition.RefKind(f.File) == definition.Relative && d.File != "" {
			f.File = filepath.Join(dirOf(d.File), filepath.FromSlash(f.File))
		}
	}
	return faults
}

func dirOf(file string) string {
	if file == "-" {
		return "."
	}
	return filepath.Dir(file)
}

// gathering collects the files of one definition, by path relative to the
// document.
type gathering struct {
	*reader
	dir   string // of the document
	files map[string][]byte
}

// follow adds a file and what it refers to. A reference that cannot be followed
// is left to definition.Read, which tells it with its place.
func (g *gathering) follow(main string, data []byte) error {
	g.files[main] = data
	queue := []string{main}
	for len(queue) > 0 {
		file := queue[0]
		queue = queue[1:]
		for _, ref := range definition.References(file, g.files[file]) {
			for _, key := range g.keys(file, ref) {
				if _, have := g.files[key]; have {
					break
				}
				data, err := g.get(key)
				if err != nil {
					continue
				}
				if len(g.files) >= maxFiles {
					return fmt.Errorf("is made of more than %d files", maxFiles)
				}
				g.files[key] = data
				queue = append(queue, key)
				break
			}
		}
		if g.total > MaxTotal {
			return fmt.Errorf("all definitions together are larger than %d bytes", MaxTotal)
		}
	}
	return nil
}

// keys are where a reference in a file may lead, in the order to try.
func (g *gathering) keys(file, ref string) []string {
	kind := definition.RefKind(ref)
	if kind == definition.Relative && definition.RefKind(file) == definition.Remote {
		from, err := url.Parse(file)
		if err != nil {
			return nil
		}
		to, err := from.Parse(ref)
		if err != nil {
			return nil
		}
		return []string{to.String()}
	}
	if kind != definition.Relative {
		return []string{ref}
	}
	if plain, err := url.PathUnescape(ref); err == nil {
		ref = plain
	}
	keys := []string{path.Join(path.Dir(file), ref)}
	if path.Ext(file) == ".proto" { // imports start at a root that no file states
		for up := path.Dir(file); len(up) < 200 && len(keys) < 12; {
			up = path.Join(up, "..")
			keys = append(keys, path.Join(up, ref))
		}
	}
	return slices.Compact(keys)
}

// get reads a definition's file by its key.
func (g *gathering) get(key string) ([]byte, error) {
	var data []byte
	var err error
	switch definition.RefKind(key) {
	case definition.Remote:
		if g.Fetch == nil {
			return nil, fmt.Errorf("remote files are not fetched")
		}
		data, err = g.Fetch(key)
	case definition.Absolute:
		if !g.AllowAbsoluteRefs {
			return nil, fmt.Errorf("absolute paths are not followed")
		}
		data, err = regular(filepath.FromSlash(key))
	default:
		var abs string
		if abs, err = filepath.Abs(filepath.Join(g.dir, filepath.FromSlash(key))); err == nil {
			data, err = g.open(abs)
		}
	}
	g.total += int64(len(data))
	return data, err
}

// regular reads a file that is no pipe and no device.
func regular(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("is not a regular file")
	}
	if err != nil {
		return nil, err
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return limited(f)
}

// ReadDefinition reads a definition from disk with every file it refers to,
// for [ImportOpenAPI]: main is its key in files. References are bound to the
// folder that the file lies in.
func ReadDefinition(file string, opts Options) (main string, files map[string][]byte, err error) {
	if info, err := os.Stat(file); err != nil {
		return "", nil, gatehouse.E(gatehouse.Invalid, "reading %q: %s", file, cause(err))
	} else if info.IsDir() {
		return "", nil, gatehouse.E(gatehouse.Invalid, "reading %q: is a folder; name the definition's main file", file)
	}
	r := &reader{Options: opts, bundle: new(Bundle)}
	defer r.close()
	r.root(file)
	g := gathering{reader: r, dir: filepath.Dir(file), files: make(map[string][]byte)}
	main = filepath.Base(file)
	data, err := g.get(main)
	if err != nil {
		return "", nil, gatehouse.E(gatehouse.Invalid, "reading %q: %s", file, cause(err))
	}
	if err := g.follow(main, data); err != nil {
		return "", nil, gatehouse.E(gatehouse.Invalid, "reading %q: %w", file, err)
	}
	return main, g.files, nil
}
