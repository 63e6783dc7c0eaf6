package rule

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/definition/breaking"
)

// A change is compared with what callers rely on: the last published revision.
type change struct{ *gatehouse.ChangeCheck }

func newChange(c *gatehouse.ChangeCheck) (check, []gatehouse.Fault) {
	var faults []gatehouse.Fault
	for i, id := range c.Ignore {
		if breaking.Known(id) {
			continue
		}
		hint := ""
		if near := gatehouse.Nearest(id, breaking.IDs()); near != "" {
			hint = fmt.Sprintf("; did you mean %q?", near)
		}
		faults = append(faults, gatehouse.Fault{
			Pointer: "/check/change/ignore/" + fmt.Sprint(i), Detail: fmt.Sprintf("%q is not the id of a change%s", id, hint),
		})
	}
	return &change{c}, faults
}

func (c *change) inputs(s *Subject) (any, error) {
	in := map[string]any{"main": s.main(), "files": sums(s.Form), "operations": s.callable(s.Form), "path": s.Form.Version.Path, "hosts": s.Form.Version.Hosts}
	if p := s.Published; p != nil {
		in["published"] = map[string]any{"main": p.Version.Definition, "files": sums(p), "path": p.Version.Path, "hosts": p.Version.Hosts}
	}
	return in, nil
}

// callable are the operations of a version without a definition.
func (s *Subject) callable(f *gatehouse.RevisionForm) []string {
	if f.Version.Definition != "" {
		return nil
	}
	var all []string
	for name := range f.Version.Operations {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

func (c *change) judge(s *Subject, v *Verdict) error {
	p := s.Published
	if p == nil {
		return nil
	}
	c.moved(s, v)
	was, is := p.Version.Definition, s.Form.Version.Definition
	switch {
	case was == "":
		return nil // nothing was promised
	case is == "":
		f := s.at(nil)
		f.Field, f.Detail = s.field("definition"), "the definition that callers rely on is gone"
		f.Remedy = "keep the definition, or publish a new version without one"
		v.add(f)
		return nil
	case !openAPI(was) || !openAPI(is):
		return c.operations(s, v)
	}
	return c.compare(s, v)
}

// moved finds a base path that callers know and is gone.
func (c *change) moved(s *Subject, v *Verdict) {
	if was, is := strings.TrimRight(s.Published.Version.Path, "/"), strings.TrimRight(s.Form.Version.Path, "/"); was != is {
		f := s.at(nil)
		f.Field, f.Rule = s.field("path"), "path-moved"
		f.Detail = fmt.Sprintf("callers know the version under %q", was)
		f.Remedy = fmt.Sprintf("keep path %q, or publish a new version under %q", was, is)
		if !slices.Contains(c.Ignore, f.Rule) {
			v.add(f)
		}
	}
}

// openAPI tells whether a file may hold what the comparison reads.
func openAPI(name string) bool {
	return !slices.ContainsFunc([]string{".graphql", ".graphqls", ".gql", ".proto"}, func(ext string) bool { return strings.HasSuffix(strings.ToLower(name), ext) })
}

// compare asks for changes that break callers.
func (c *change) compare(s *Subject, v *Verdict) error {
	if s.main() == breakingMain(s.Published) && equal(sums(s.Published), sums(s.Form)) {
		return nil
	}
	before, err := read(s.Published, s.Read)
	if err != nil {
		return err
	}
	after, err := s.contents()
	if err != nil {
		return err
	}
	r, err := breaking.Compare(breaking.Definition{Main: breakingMain(s.Published), Files: before}, breaking.Definition{Main: s.main(), Files: after})
	if err != nil {
		f := s.at(nil)
		f.Field, f.Detail = s.field("definition"), err.Error()
		f.Remedy = "make the definition one that can be compared, or publish a new version"
		v.add(f)
		return nil
	}
	for _, one := range r.Changes {
		if !c.counts(one.Level) || slices.Contains(c.Ignore, one.ID) {
			continue
		}
		method, at, _ := strings.Cut(one.Operation, " ")
		f := s.at(&Operation{ID: cmp.Or(one.OperationID, one.Operation), Method: method, Path: at})
		f.Rule, f.Detail = one.ID, one.Text
		f.Remedy = "keep what callers rely on, or publish a new version of the API"
		v.add(f)
	}
	if r.Omitted > 0 {
		v.More += r.Omitted
	}
	return nil
}

func breakingMain(f *gatehouse.RevisionForm) string {
	return (&Subject{Form: f}).main()
}

// counts tells whether changes of a level fail the control.
func (c *change) counts(level string) bool {
	if len(c.Levels) == 0 {
		return level == breaking.Error
	}
	return level == breaking.Error && slices.Contains(c.Levels, "error") || level == breaking.Warn && slices.Contains(c.Levels, "warning")
}

// operations compares formats that have no checks of their own by the
// operations that callers know.
func (c *change) operations(s *Subject, v *Verdict) error {
	if s.main() == breakingMain(s.Published) && equal(sums(s.Published), sums(s.Form)) {
		return nil
	}
	before, err := read(s.Published, s.Read)
	if err != nil {
		return err
	}
	is := map[string]bool{}
	for _, o := range s.Operations {
		is[o.Method+" "+o.Path] = true
	}
	was, err := operationsOf(breakingMain(s.Published), before)
	if err != nil {
		return err
	}
	for _, o := range was {
		if is[o.Method+" "+o.Path] {
			continue
		}
		f := s.at(&Operation{ID: o.ID, Method: o.Method, Path: o.Path})
		f.Rule, f.Detail = "operation-removed", "callers know this operation, and it is gone"
		f.Remedy = "keep the operation, or publish a new version of the API"
		if !slices.Contains(c.Ignore, f.Rule) {
			v.add(f)
		}
	}
	return nil
}
