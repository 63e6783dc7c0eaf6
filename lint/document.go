package lint

import (
	"fmt"
	"path"
)

// A Document is a file made ready for judging: its values, what its
// references lead to, and which formats it has. It does not change once read,
// so any number of rulesets may run over it at once.
type Document struct {
	name    string
	root    *value
	files   map[string]*value                 // all files that were read, by name
	get     func(name string) ([]byte, error) // gives more of them while the document is read
	formats formatSet
	values  int32 // how many there are in all files
	// own are the faults of the file itself that rulesets cannot switch off:
	// keys that are no text, references that lead nowhere.
	own []ownFault
	// pointed are the places that references name, as written after "#".
	pointed map[string]bool
}

// MaxFiles is how many files a document consists of.
const MaxFiles = 200

// Read makes a document of one text, YAML or JSON. A fault of the text is an
// error that names file, line and column.
func Read(name string, data []byte) (*Document, error) {
	return ReadFiles(name, map[string][]byte{path.Clean(name): data})
}

// ReadFiles makes a document of several files, of which one is the main one.
// References lead to other files by their path from the file they stand in;
// files that nothing refers to are not looked at.
func ReadFiles(name string, files map[string][]byte) (*Document, error) {
	return ReadFrom(name, func(file string) ([]byte, error) {
		data, ok := files[file]
		if !ok {
			return nil, fmt.Errorf("%s: file is not given", file)
		}
		return data, nil
	})
}

// ReadFrom makes a document of a file and those that references lead to, as
// get gives them, or refuses to. URLs and absolute paths are asked of it too.
func ReadFrom(name string, get func(name string) ([]byte, error)) (*Document, error) {
	name = path.Clean(name)
	d := &Document{name: name, files: make(map[string]*value), get: get}
	data, err := get(name)
	if err != nil {
		return nil, err
	}
	if err := d.add(name, data); err != nil {
		return nil, err
	}
	d.root = d.files[name]
	d.formats = detect(d.root)
	if err := d.resolve(); err != nil {
		return nil, err
	}
	d.get = nil
	return d, nil
}

// add reads one more file.
func (d *Document) add(name string, data []byte) error {
	root, faults, values, err := readValueFrom(name, data, d.values)
	if err != nil {
		return err
	}
	if values > 2*MaxValues {
		return fmt.Errorf("%s: the files of the document hold more than %d values", name, 2*MaxValues)
	}
	d.files[name], d.values = root, values
	for _, f := range faults {
		message, option := fmt.Sprintf("key %s is not text; in quotes it is", f.text), incompatibleValues
		if f.repeat {
			message, option = fmt.Sprintf("key %q stands twice", f.text), duplicateKeys
		}
		severity := Error
		if name != d.name {
			option = ""
			if !f.repeat {
				severity = Warn
			}
		}
		d.own = append(d.own, ownFault{d.finding("parser", severity, name, f.v.path(), message), option})
	}
	return nil
}

// An ownFault is one of the file rather than of a rule. Rulesets give those of
// an option another severity.
type ownFault struct {
	Finding
	option string
}

// Options of rulesets for what JSON does not have.
const (
	duplicateKeys      = "duplicateKeys"
	incompatibleValues = "incompatibleValues"
)

// Name is the name the document was read under.
func (d *Document) Name() string { return d.name }

// Formats are those the document has, in the words of rulesets: "oas3" and
// "oas3_1", say. None means that the document is none that rulesets know.
func (d *Document) Formats() []string { return d.formats.names() }

// finding places a finding: at the key the path leads to, or the value in a
// list, or the nearest thing around it.
func (d *Document) finding(rule string, s Severity, file string, path []string, message string) Finding {
	v := d.files[file]
	for _, p := range path {
		c := v.get(p)
		if c == nil {
			break
		}
		v = c
	}
	at := v.at
	if v.keyAt != nil {
		at = v.keyAt
	}
	f := Finding{Rule: rule, Severity: s, Message: message, File: file, Path: path, Line: 1, Column: 1}
	if f.Path == nil {
		f.Path = []string{}
	}
	if at != nil {
		f.Line, f.Column = max(1, at.Line), max(1, at.Column)
	}
	return f
}
