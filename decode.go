package gatehouse

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"gatehouse/jsonx"
)

// maxFaults bounds how many faults of one document are told.
const maxFaults = 100

// DecodeObject reads one document strictly: unknown fields, wrong types and
// everything that a document can get wrong by itself are reported together,
// each with the pointer to its field, as an [Invalid] error whose Faults hold
// them. What needs other documents is not looked at.
func DecodeObject(data []byte) (*Object, error) {
	tree, err := jsonx.Tree(data)
	if err != nil {
		return nil, InvalidFaults([]Fault{treeFault(err)})
	}
	c := NewChecker("")
	c.tree = tree
	m, ok := tree.(map[string]any)
	if !ok {
		c.Errorf("is not a document: a map with apiVersion, kind, metadata and spec")
		return nil, InvalidFaults(c.Faults())
	}
	info, ok := header(c, m)
	if !ok {
		return nil, InvalidFaults(c.Faults())
	}
	o := &Object{Spec: info.New()}
	shape(c, reflect.TypeFor[Object](), tree, reflect.TypeOf(o.Spec).Elem())
	if len(c.Faults()) == 0 {
		if err := json.Unmarshal(data, o); err != nil {
			c.Errorf("%s", err) // shape lets nothing through that json refuses
		} else {
			c.Object = o.Ref()
			o.check(c)
		}
	}
	if f := c.Faults(); len(f) > 0 {
		return nil, InvalidFaults(f[:min(len(f), maxFaults)])
	}
	return o, nil
}

// UnmarshalJSON reads a document whose kind names the type of its spec. It is
// for what [DecodeObject] once let in, so it does not check.
func (o *Object) UnmarshalJSON(data []byte) error {
	var raw struct {
		APIVersion string          `json:"apiVersion"`
		Kind       Kind            `json:"kind"`
		Metadata   Metadata        `json:"metadata"`
		Spec       json.RawMessage `json:"spec"`
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	i := slices.IndexFunc(Kinds, func(k KindInfo) bool { return k.Kind == raw.Kind })
	if i < 0 {
		return fmt.Errorf("%q is not a kind of document", raw.Kind)
	}
	o.APIVersion, o.Kind, o.Metadata, o.Spec = raw.APIVersion, raw.Kind, raw.Metadata, Kinds[i].New()
	if len(raw.Spec) == 0 {
		return nil
	}
	err := json.Unmarshal(raw.Spec, o.Spec)
	if _, old := errors.AsType[*json.UnmarshalTypeError](err); old && raw.Kind == KindFramework {
		return nil // checks and service once took any form: what fits the types is read
	}
	return err
}

// Ref is how faults and events name the object: "API payments/orders".
func (o *Object) Ref() string { return string(o.Kind) + " " + o.Metadata.Ref() }

// Check reports every fault of the object by itself.
func (o *Object) Check() []Fault {
	c := NewChecker(o.Ref())
	o.check(c)
	return c.Faults()
}

func treeFault(err error) Fault {
	f := Fault{Detail: err.Error()}
	if d, ok := errors.AsType[*jsonx.DuplicateError](err); ok {
		f.Pointer = d.Pointer
	} else if s, ok := errors.AsType[*json.SyntaxError](err); ok {
		f.Detail = fmt.Sprintf("is not JSON: %s at byte %d", s, s.Offset)
	} else if errors.Is(err, io.ErrUnexpectedEOF) {
		f.Detail = "is not JSON: it ends too early"
	}
	return f
}

// header finds the kind; without it nothing further can be said.
func header(c *Checker, m map[string]any) (KindInfo, bool) {
	kind, isText := m["kind"].(string)
	names := make([]string, len(Kinds))
	for i, k := range Kinds {
		names[i] = string(k.Kind)
		if names[i] == kind {
			if meta, ok := m["metadata"].(map[string]any); ok {
				team, _ := meta["team"].(string)
				name, _ := meta["name"].(string)
				c.Object = kind + " " + Metadata{Team: team, Name: name}.Ref()
			}
			return k, true
		}
	}
	switch {
	case m["kind"] == nil:
		c.Errorf("kind is missing: one of %s", strings.Join(names, ", "))
	case !isText:
		c.At("kind").Errorf("is not text")
	default:
		c.At("kind").Errorf("unknown kind %q%s", kind, suggest(kind, names))
	}
	return KindInfo{}, false
}

func (o *Object) check(c *Checker) {
	if o.APIVersion != APIVersion {
		if o.APIVersion == "" {
			c.Errorf("apiVersion is missing: %s", APIVersion)
		} else {
			c.At("apiVersion").Errorf("%q is not %q, which this program reads", o.APIVersion, APIVersion)
		}
	}
	i := slices.IndexFunc(Kinds, func(k KindInfo) bool { return k.Kind == o.Kind })
	if i < 0 {
		c.At("kind").Errorf("%q is not a kind of document", o.Kind)
		return
	}
	o.Metadata.check(c.At("metadata"), Kinds[i])
	o.Spec.Check(c.At("spec"))
}

func (m Metadata) check(c *Checker, k KindInfo) {
	switch {
	case k.Owned && m.Team == "":
		c.Errorf("team is missing: a %s belongs to a team", k.Kind)
	case k.Owned:
		c.At("team").Name(m.Team)
	case m.Team != "":
		c.At("team").Errorf("a %s belongs to the organization: leave team %q out", k.Kind, m.Team)
	}
	switch {
	case m.Name == "":
		c.Errorf("name is missing")
	case k.Kind == KindUser || k.Kind == KindServiceAccount || k.Kind == KindRoleAssignment:
		c.At("name").subjectName(m.Name)
	default:
		c.At("name").Name(m.Name)
	}
	if len(m.Labels) > 64 {
		c.At("labels").Errorf("%d labels; at most 64", len(m.Labels))
	}
	for k, v := range m.Labels {
		if !labelForm(k) || len(v) > 256 {
			c.At("labels").At(k).Errorf("label %q: keys are at most 100 letters, digits and -._/, values at most 256 bytes", k)
		}
	}
	size := 0
	for k, v := range m.Annotations {
		size += len(k) + len(v)
	}
	if size > 64<<10 {
		c.At("annotations").Errorf("are %d bytes together; at most 65536", size)
	}
}

func labelForm(k string) bool {
	return k != "" && len(k) <= 100 && strings.IndexFunc(k, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._/", r))
	}) < 0
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Canonical is the object in canonical JSON: what is equal in meaning is equal
// in bytes, whether it came as YAML or JSON.
func (o *Object) Canonical() ([]byte, error) { return jsonx.Canonical(o) }
