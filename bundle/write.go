package bundle

import (
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"gatehouse"
)

// Write writes one file for each document below dir, which is made if it is
// not there: "payments/api-orders.yaml", "environment-prod.yaml". Definitions
// go where the document's path to them leads, under their own names, so that
// reading the folder gives the same revisions. The same bundle gives the same
// files. Nothing is written outside of dir.
func (b *Bundle) Write(dir string) error {
	files, err := b.Layout()
	if err != nil {
		return err
	}
	return write(dir, files)
}

// WriteFlat is Write without a folder for the team, when there is but one:
// "api-orders.yaml", and beside it "team-payments.yaml". It replaces nothing: a
// definition goes beside one of the same name in a folder of its own, and a
// document that is there and says something else is an error.
func (b *Bundle) WriteFlat(dir string) error {
	there := func(name string) ([]byte, bool) {
		content, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		return content, err == nil
	}
	files, err := b.layout(b.oneTeam(), there)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if have, ok := there(name); ok && string(have) != string(files[name]) {
			return gatehouse.E(gatehouse.Conflict, "writing %q: it is there already and says something else; remove it, or choose another folder", filepath.Join(dir, filepath.FromSlash(name)))
		}
	}
	return write(dir, files)
}

// oneTeam reports whether all documents that a team owns are of the same one.
func (b *Bundle) oneTeam() bool {
	team := ""
	for i := range b.Documents {
		o := b.Documents[i].object
		if o == nil || o.Metadata.Team == "" {
			continue
		}
		if team != "" && team != o.Metadata.Team {
			return false
		}
		team = o.Metadata.Team
	}
	return true
}

func write(dir string, files map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("writing %q: %w", dir, err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("writing %q: %w", dir, err)
	}
	defer root.Close()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		local := filepath.FromSlash(name)
		if err := root.MkdirAll(filepath.Dir(local), 0o755); err != nil {
			return fmt.Errorf("writing %q: %w", filepath.Join(dir, local), err)
		}
		if err := root.WriteFile(local, files[name], 0o644); err != nil {
			return fmt.Errorf("writing %q: %w", filepath.Join(dir, local), err)
		}
	}
	return nil
}

// Layout is what Write writes: content by path below the folder.
func (b *Bundle) Layout() (map[string][]byte, error) { return b.layout(false, nil) }

// layout lays documents beside what is there, if that is given.
func (b *Bundle) layout(flat bool, there func(name string) ([]byte, bool)) (map[string][]byte, error) {
	docs := make([]*Document, len(b.Documents))
	for i := range b.Documents {
		docs[i] = &b.Documents[i]
		if docs[i].object == nil {
			return nil, fmt.Errorf("laying out document %d: it was not decoded", i)
		}
	}
	slices.SortFunc(docs, func(a, b *Document) int { return strings.Compare(a.object.Key(), b.object.Key()) })
	out := make(map[string][]byte, 2*len(docs))
	for _, d := range docs {
		text, err := YAML(d.Object)
		if err != nil {
			return nil, fmt.Errorf("writing %s: %w", d.object.Ref(), err)
		}
		folder := d.object.Metadata.Team
		if flat {
			folder = ""
		}
		if err := b.lay(out, d, folder, text, there); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// lay finds a folder in which the document and its definitions meet nothing
// else: the one given, one of its own, or one deep enough for paths with "..".
func (b *Bundle) lay(out map[string][]byte, d *Document, top string, text []byte, there func(string) ([]byte, bool)) error {
	name := strings.ToLower(string(d.object.Kind)) + "-" + d.object.Metadata.Name
	folders := []string{top, path.Join(top, name)}
	for deep := folders[1]; len(folders) < 40; {
		deep = path.Join(deep, "files")
		folders = append(folders, deep)
	}
	for _, file := range []string{name + ".yaml", name + ".gatehouse.yaml"} { // the second where a definition has the first's name
		for _, folder := range folders {
			document := path.Join(folder, file)
			files := map[string][]byte{document: text}
			if fits := b.definitionsAt(files, folder, d); fits && agree(out, files) && free(document, files, there) {
				maps.Copy(out, files)
				return nil
			}
		}
	}
	return gatehouse.E(gatehouse.Invalid, "writing %s: the paths of its definitions lead too far out", d.object.Ref())
}

// definitionsAt adds the files of d's definitions as seen from folder; false
// when one would lie outside.
func (b *Bundle) definitionsAt(files map[string][]byte, folder string, d *Document) bool {
	for _, rel := range slices.Sorted(maps.Keys(d.Files)) {
		if strings.Contains(rel, "://") || path.IsAbs(rel) {
			continue // fetched from elsewhere, and again when it is read
		}
		target := path.Join(folder, rel)
		if !filepath.IsLocal(filepath.FromSlash(target)) {
			return false
		}
		if _, taken := files[target]; taken {
			return false
		}
		files[target] = b.Files[d.Files[rel]]
	}
	return true
}

// free reports whether no definition would replace another one that is there.
func free(document string, files map[string][]byte, there func(string) ([]byte, bool)) bool {
	for name, content := range files {
		if there == nil || name == document {
			continue
		}
		if have, ok := there(name); ok && string(have) != string(content) {
			return false
		}
	}
	return true
}

// agree reports whether files can be laid beside those in out.
func agree(out, files map[string][]byte) bool {
	for name, content := range files {
		if have, ok := out[name]; ok && string(have) != string(content) {
			return false
		}
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if _, file := out[dir]; file {
				return false
			}
		}
	}
	return true
}
