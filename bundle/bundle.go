// Package bundle is the product as files: it reads documents with the
// definitions they name, checks them against one another, compares them and
// writes them out again.
//
// It is the same on both sides of the management API. The CLI reads files and
// sends a [Bundle]; the server takes one, decodes it and runs the same checks
// with a look-up into its store. What one document can tell by itself is for
// package gatehouse, what a definition says for package definition.
package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/definition"
	"gatehouse/yamlx"
)

// Bounds of one bundle.
const (
	MaxDocuments = 50_000
	MaxFaults    = 100       // told at once
	MaxTotal     = 512 << 20 // bytes of all definitions
	maxFiles     = 1_000     // of one definition
)

// A Bundle is documents with the files their definitions are made of: the body
// of POST /v1/apply.
type Bundle struct {
	Documents []Document `json:"documents"`
	// Files are contents by their SHA-256 in hexadecimal.
	Files map[string][]byte `json:"files,omitempty"`

	definitions map[string]read

	refused []Document // could be read, but may not be as they are
	whole   bool       // nothing else is wrong with what was read
}

// A Document is one object.
type Document struct {
	// Object in canonical JSON.
	Object json.RawMessage `json:"object"`
	// File it was read from, for messages.
	File string `json:"file,omitempty"`
	// Files of its definitions: path relative to the document's folder, clean,
	// to the SHA-256 of the content. It is what gatehouse.Stored.Files holds.
	Files map[string]string `json:"files,omitempty"`

	object *gatehouse.Object
	root   *yamlx.Node // knows lines; only where the document was read from text
}

type read struct {
	definition *definition.Definition
	err        error
}

// Decode decodes and checks every document, each by itself, and that every file
// has the hash it is kept under. The error is of kind gatehouse.Invalid and has
// all faults. A bundle that came over the network is decoded first.
func (b *Bundle) Decode() error {
	if len(b.Documents) > MaxDocuments {
		return gatehouse.E(gatehouse.TooLarge, "bundle holds %d documents; at most %d", len(b.Documents), MaxDocuments)
	}
	for hash, content := range b.Files {
		if Hash(content) != hash {
			return gatehouse.E(gatehouse.Invalid, "file %q does not have the content its hash states", hash)
		}
	}
	var faults []gatehouse.Fault
	for i := range b.Documents {
		d := &b.Documents[i]
		o, err := gatehouse.DecodeObject(d.Object)
		if err != nil {
			faults = append(faults, d.place(faultsOf(err))...)
			continue
		}
		d.object = o
		for name, hash := range d.Files {
			if _, ok := b.Files[hash]; !ok {
				faults = append(faults, gatehouse.Fault{File: d.File, Object: o.Ref(), Detail: fmt.Sprintf("the content of its file %q is missing", name)})
			}
		}
	}
	return gatehouse.InvalidFaults(clip(faults))
}

// Sendable is what a server is asked to judge although [Read] found faults, so
// that the attempt is on its record: the documents and those that may not be
// as they are. It is nil where something could not be read at all, as the
// rest would be a part of what was meant.
func (b *Bundle) Sendable() *Bundle {
	if b == nil || !b.whole {
		return nil
	}
	return &Bundle{Documents: slices.Concat(b.Documents, b.refused), Files: b.Files}
}

// Hash is what a file's content is kept under.
func Hash(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// Get is the document's object; Read or Decode made it.
func (d *Document) Get() *gatehouse.Object { return d.object }

// Add appends an object with the files of its definitions, by path relative to
// the document.
func (b *Bundle) Add(o *gatehouse.Object, files map[string][]byte) error {
	text, err := o.Canonical()
	if err != nil {
		return fmt.Errorf("adding %s: %w", o.Ref(), err)
	}
	d := Document{Object: text, object: o}
	for name, content := range files {
		d.attach(b, name, content)
	}
	b.Documents = append(b.Documents, d)
	return nil
}

func (d *Document) attach(b *Bundle, name string, content []byte) {
	if d.Files == nil {
		d.Files = make(map[string]string)
	}
	if b.Files == nil {
		b.Files = make(map[string][]byte)
	}
	hash := Hash(content)
	d.Files[name], b.Files[hash] = hash, content
}

// Definition reads the definition that a version of the document's API names.
// It is read once; the error's faults name files relative to the document.
func (b *Bundle) Definition(d *Document, name string) (*definition.Definition, error) {
	main := path.Clean(name)
	key := main
	files := make(map[string][]byte, len(d.Files))
	for _, p := range slices.Sorted(maps.Keys(d.Files)) {
		files[p] = b.Files[d.Files[p]]
		key += "\x00" + p + "\x00" + d.Files[p]
	}
	if r, ok := b.definitions[key]; ok {
		return r.definition, r.err
	}
	def, err := definition.Read(main, files)
	if b.definitions == nil {
		b.definitions = make(map[string]read)
	}
	b.definitions[key] = read{def, err}
	return def, err
}

// Place adds to faults, as a server answers them, the file, line and column of
// the document they are about.
func (b *Bundle) Place(faults []gatehouse.Fault) []gatehouse.Fault {
	byRef := make(map[string]*Document, len(b.Documents))
	for i := range b.Documents {
		if d := &b.Documents[i]; d.object != nil {
			byRef[d.object.Ref()] = d
		}
	}
	out := make([]gatehouse.Fault, 0, len(faults))
	for _, f := range faults {
		if d := byRef[f.Object]; d != nil && f.Line == 0 {
			f = d.place([]gatehouse.Fault{f})[0]
		}
		out = append(out, f)
	}
	return out
}

// place gives faults of the document their file, line and column.
func (d *Document) place(faults []gatehouse.Fault) []gatehouse.Fault {
	for i := range faults {
		f := &faults[i]
		if f.File == "" {
			f.File = d.File
		}
		if d.root != nil && f.Line == 0 && f.File == d.File {
			f.Line, f.Column = yamlx.Locate(d.root, f.Pointer)
		}
	}
	return faults
}

// fault is one at a pointer of the document.
func (d *Document) fault(pointer, format string, args ...any) gatehouse.Fault {
	f := gatehouse.Fault{Object: d.object.Ref(), Pointer: pointer, Detail: fmt.Sprintf(format, args...)}
	return d.place([]gatehouse.Fault{f})[0]
}

// where names the document for another one's fault: "pets/api.yaml:12".
func (d *Document) where() string {
	if d.root != nil {
		return fmt.Sprintf("%s:%d", d.File, d.root.Line)
	}
	if d.File != "" {
		return d.File
	}
	return "the store"
}

func faultsOf(err error) []gatehouse.Fault {
	if e, ok := err.(*gatehouse.Error); ok && len(e.Faults) > 0 {
		return slices.Clone(e.Faults)
	}
	return []gatehouse.Fault{{Detail: strings.TrimSpace(err.Error())}}
}

func clip(faults []gatehouse.Fault) []gatehouse.Fault { return faults[:min(len(faults), MaxFaults)] }
