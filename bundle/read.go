package bundle

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/jsonx"
	"gatehouse/yamlx"
)

// Options say how files are read.
type Options struct {
	// Stdin is read for the path "-"; its definitions lie in the current folder.
	Stdin io.Reader
	// AllowAbsoluteRefs follows references of definitions to absolute paths.
	AllowAbsoluteRefs bool
	// Fetch, when set, gets the files that definitions refer to by URL.
	// Without it such references are refused.
	Fetch func(url string) ([]byte, error)
}

// Read reads files and folders: *.yaml, *.yml and *.json, folders recursively,
// several documents in one file, "-" for standard input. In folders it passes
// over hidden folders, definitions, and what is no document of Gatehouse.
// Every fault is told, up to [MaxFaults], with file, line and column, in an
// error of kind gatehouse.Invalid; documents without a fault are returned too.
func Read(paths []string, opts Options) (*Bundle, error) {
	r := &reader{Options: opts, bundle: new(Bundle), parsed: make(map[string]bool)}
	defer r.close()
	if len(paths) == 0 {
		return nil, gatehouse.E(gatehouse.Invalid, "no file or folder is given")
	}
	for _, p := range paths {
		r.root(p)
	}
	for _, p := range paths {
		r.path(p)
	}
	r.link()
	r.bundle.whole = len(r.faults) == r.refused
	r.faults = append(r.faults, duplicates(r.bundle)...)
	return r.bundle, gatehouse.InvalidFaults(clip(once(r.faults)))
}

type reader struct {
	Options
	bundle *Bundle
	roots  []root
	parsed map[string]bool
	faults []gatehouse.Fault
	total  int64

	refused int // faults of documents that may not be as they are
}

// A root is a folder that may be read; os.Root keeps links from leading out.
type root struct {
	dir string // absolute
	fs  *os.Root
}

func (r *reader) close() {
	for _, root := range r.roots {
		root.fs.Close()
	}
}

func (r *reader) fault(file, format string, args ...any) {
	r.faults = append(r.faults, gatehouse.Fault{File: file, Detail: fmt.Sprintf(format, args...)})
}

// root opens the folder that a path is, or lies in.
func (r *reader) root(p string) {
	dir := p
	if p == "-" {
		dir = "."
	} else if info, err := os.Stat(p); err != nil {
		return // path tells it
	} else if !info.IsDir() {
		dir = filepath.Dir(p)
	}
	abs, err := filepath.Abs(dir)
	if err != nil || slices.ContainsFunc(r.roots, func(o root) bool { return o.dir == abs }) {
		return
	}
	if opened, err := os.OpenRoot(abs); err == nil {
		r.roots = append(r.roots, root{abs, opened})
	}
}

func (r *reader) path(p string) {
	if p == "-" {
		r.stdin()
		return
	}
	info, err := os.Stat(p)
	switch {
	case err != nil:
		r.fault(p, "%s", cause(err))
	case info.IsDir():
		r.folder(p)
	default:
		r.file(p, true)
	}
}

func (r *reader) stdin() {
	if r.Stdin == nil {
		r.fault("-", "there is no standard input")
		return
	}
	data, err := limited(r.Stdin)
	if err != nil {
		r.fault("-", "%s", err)
		return
	}
	r.parse("-", data, true)
}

func (r *reader) folder(dir string) {
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		hidden := strings.HasPrefix(e.Name(), ".") && p != dir
		switch {
		case err != nil:
			r.fault(p, "%s", cause(err))
			if e.IsDir() {
				return fs.SkipDir
			}
		case e.IsDir() && hidden:
			return fs.SkipDir
		case e.IsDir() || hidden || !isDocumentName(p):
		case e.Type().IsRegular() || e.Type()&fs.ModeSymlink != 0:
			r.file(p, false)
		}
		if len(r.faults) >= MaxFaults || len(r.bundle.Documents) > MaxDocuments {
			return fs.SkipAll
		}
		return nil
	})
	if err != nil {
		r.fault(dir, "%s", cause(err))
	}
}

func isDocumentName(p string) bool {
	ext := strings.ToLower(filepath.Ext(p))
	return ext == ".yaml" || ext == ".yml" || ext == ".json"
}

func (r *reader) file(p string, named bool) {
	abs, err := filepath.Abs(p)
	if err == nil && r.parsed[abs] {
		return
	}
	r.parsed[abs] = true
	data, err := r.open(abs)
	if err != nil {
		if info, serr := os.Stat(p); !named && serr == nil && info.IsDir() {
			return // a link to a folder is not followed
		}
		r.fault(p, "%s", cause(err))
		return
	}
	r.parse(p, data, named)
}

// open reads a file that lies within one of the roots.
func (r *reader) open(abs string) ([]byte, error) {
	for _, root := range r.roots {
		rel, err := filepath.Rel(root.dir, abs)
		if err != nil || !filepath.IsLocal(rel) {
			continue
		}
		info, err := root.fs.Stat(rel)
		if err == nil && !info.Mode().IsRegular() { // a pipe would be waited for
			err = errors.New("is not a regular file")
		}
		if err != nil {
			return nil, err
		}
		f, err := root.fs.Open(rel)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return limited(f)
	}
	return nil, fmt.Errorf("lies outside of the given folders: name its folder too")
}

func limited(in io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(in, yamlx.MaxBytes+1))
	if err == nil && len(data) > yamlx.MaxBytes {
		err = fmt.Errorf("is larger than %d bytes (20 MB), the most that is read of one file", yamlx.MaxBytes)
	}
	return data, err
}

// parse reads the documents of one text.
func (r *reader) parse(file string, data []byte, named bool) {
	docs, err := yamlx.Parse(data)
	if err != nil {
		e := err.(*yamlx.Error)
		r.faults = append(r.faults, gatehouse.Fault{File: file, Line: e.Line, Column: e.Column, Detail: e.Text})
	}
	found := 0
	for _, root := range docs {
		if !isDocument(root) {
			if named {
				r.faults = append(r.faults, gatehouse.Fault{
					File: file, Line: root.Line, Column: root.Column,
					Detail: "is no document of Gatehouse: those begin with apiVersion: " + gatehouse.APIVersion,
				})
			}
			continue
		}
		found++
		if len(r.bundle.Documents) >= MaxDocuments {
			r.fault(file, "more than %d documents", MaxDocuments)
			return
		}
		r.document(file, root)
	}
	if named && err == nil && len(docs) == 0 {
		r.fault(file, "is empty: no document in it")
	}
}

func (r *reader) document(file string, root *yamlx.Node) {
	d := Document{File: file, root: root}
	text, faults := yamlx.JSON(root)
	for _, f := range faults {
		r.faults = append(r.faults, gatehouse.Fault{File: file, Line: f.Line, Column: f.Column, Detail: f.Text})
	}
	if faults != nil {
		return
	}
	o, err := gatehouse.DecodeObject(text)
	if err != nil {
		faults := d.place(faultsOf(err))
		r.faults, r.refused = append(r.faults, faults...), r.refused+len(faults)
		d.Object = text
		r.bundle.refused = append(r.bundle.refused, d)
		return
	}
	if d.Object, err = jsonx.Canonical(text); err != nil {
		r.fault(file, "%s", err)
		return
	}
	d.object = o
	r.bundle.Documents = append(r.bundle.Documents, d)
}

// isDocument tells a document of Gatehouse, with faults or not, from anything
// else that lies in folders.
func isDocument(root *yamlx.Node) bool {
	version := yamlx.Text(yamlx.Get(root, "apiVersion"))
	if strings.HasPrefix(version, "gatehouse") {
		return true
	}
	_, known := gatehouse.Info(yamlx.Text(yamlx.Get(root, "kind")))
	return known && version == "" && (yamlx.Get(root, "metadata") != nil || yamlx.Get(root, "spec") != nil)
}

// cause says why a file could not be read, without the words of the system
// call and the path, which the fault has already.
func cause(err error) string {
	if pe, ok := err.(*fs.PathError); ok {
		err = pe.Err
	}
	switch {
	case err == fs.ErrNotExist || os.IsNotExist(err):
		return "no such file or folder"
	case os.IsPermission(err):
		return "may not be read: permission denied"
	case strings.Contains(err.Error(), "escapes"):
		return "is a link that leads out of the given folders, which is not followed"
	}
	return err.Error()
}

// once leaves out what was told already: a definition's own fault shows up
// again when its folder is read.
func once(faults []gatehouse.Fault) []gatehouse.Fault {
	type place struct {
		file         string
		line, column int
		detail       string
	}
	seen := make(map[place]bool, len(faults))
	return slices.DeleteFunc(faults, func(f gatehouse.Fault) bool {
		k := place{filepath.Clean(f.File), f.Line, f.Column, f.Detail}
		defer func() { seen[k] = true }()
		return seen[k]
	})
}
