package document

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gatehouse"
)

// controls are the rules one by one, and then by standard.
func controls(p *Page, v *gatehouse.FrameworkVersion) {
	if len(v.Controls) == 0 {
		return
	}
	p.section("Controls")
	t := table{caption: "All controls", heads: []string{"Control", "Title", "Severity", "Level", "Decided by", "Where", "Grace"}}
	for i := range v.Controls {
		k := &v.Controls[i]
		grace := ""
		if k.Grace > 0 {
			grace = k.Grace.String()
		}
		t.rows = append(t.rows, []string{k.ID, k.Title, cmp.Or(k.Severity, "medium"), cmp.Or(k.Level, gatehouse.ControlRequired), k.Check.Kind(), applies(k.Applies), grace})
	}
	p.table(t)
	for i := range v.Controls {
		k := &v.Controls[i]
		p.part(strings.TrimSpace(k.ID + " " + k.Title))
		p.say(k.Text)
		p.facts(append([]fact{{"Satisfied when", Satisfied(&k.Check)}}, references(k)...)...)
	}
	standards(p, v)
}

func applies(a *gatehouse.Applies) string {
	if a == nil {
		return "everywhere"
	}
	var parts []string
	for _, x := range []struct {
		what string
		list []string
	}{{"stage", a.Stages}, {"audience", a.Audiences}, {"data", a.Classifications}} {
		if len(x.list) > 0 {
			parts = append(parts, x.what+" "+strings.Join(x.list, " or "))
		}
	}
	return cmp.Or(strings.Join(parts, "; "), "everywhere")
}

func references(k *gatehouse.Control) (all []fact) {
	for _, name := range slices.Sorted(maps.Keys(k.Mappings)) {
		all = append(all, fact{cmp.Or(gatehouse.Standards[name].Title, name), strings.Join(k.Mappings[name], ", ")})
	}
	return all
}

// standards is the list the other way round: which control answers what.
func standards(p *Page, v *gatehouse.FrameworkVersion) {
	by := map[string]map[string][]string{}
	for _, k := range v.Controls {
		for name, refs := range k.Mappings {
			for _, ref := range refs {
				if by[name] == nil {
					by[name] = map[string][]string{}
				}
				by[name][ref] = append(by[name][ref], k.ID)
			}
		}
	}
	if len(by) == 0 {
		return
	}
	p.section("Standards")
	for _, name := range slices.Sorted(maps.Keys(by)) {
		t := table{caption: cmp.Or(gatehouse.Standards[name].Title, name), heads: []string{"Reference", "Controls"}}
		for _, ref := range slices.SortedFunc(maps.Keys(by[name]), natural) {
			t.rows = append(t.rows, []string{ref, strings.Join(by[name][ref], ", ")})
		}
		p.table(t)
	}
}

// natural compares as people do: API2 before API10.
func natural(a, b string) int {
	for a != "" && b != "" {
		da, db := digits(a), digits(b)
		if da != "" && db != "" {
			if c := cmp.Or(cmp.Compare(len(strings.TrimLeft(da, "0")), len(strings.TrimLeft(db, "0"))), strings.Compare(strings.TrimLeft(da, "0"), strings.TrimLeft(db, "0"))); c != 0 {
				return c
			}
			a, b = a[len(da):], b[len(db):]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

func digits(s string) string { return s[:len(s)-len(strings.TrimLeft(s, "0123456789"))] }

// Satisfied says in words what satisfies a check.
func Satisfied(k *gatehouse.ControlCheck) string {
	switch {
	case k.Lint != nil:
		return lint(k.Lint)
	case k.Policy != nil:
		return policy(k.Policy)
	case k.CEL != nil:
		each := map[string]string{"operation": " for each operation", "gateway": " for each gateway"}[k.CEL.Each]
		return cmp.Or(k.CEL.Message, "this is true"+each+": "+k.CEL.Expression)
	case k.Placement != nil:
		return placement(k.Placement)
	case k.Change != nil:
		s := "nothing that callers of the last published revision rely on is broken; a breaking change is a new version"
		if len(k.Change.Ignore) > 0 {
			s += " (not counted: " + strings.Join(k.Change.Ignore, ", ") + ")"
		}
		return s
	case k.Question != nil:
		return question(k.Question)
	}
	return ""
}

func lint(l *gatehouse.LintCheck) string {
	which := "the control's ruleset"
	if name, ok := l.Named(); ok {
		which = "ruleset " + name
	}
	s := fmt.Sprintf("the definition has no finding of severity %s or worse by %s", cmp.Or(l.FailOn, "error"), which)
	if len(l.Rules) > 0 {
		s += ", rules " + strings.Join(l.Rules, ", ")
	}
	return s
}

func policy(c *gatehouse.PolicyCheck) string {
	if c.Message != "" {
		return c.Message
	}
	who := "every operation"
	if o := c.Operations; o != nil {
		var parts []string
		for _, l := range [][]string{o.Methods, o.Paths, o.IDs} {
			if len(l) > 0 {
				parts = append(parts, strings.Join(l, " or "))
			}
		}
		if len(parts) > 0 {
			who = "every operation " + strings.Join(parts, ", ")
		}
		if len(o.Except) > 0 {
			who += " but " + strings.Join(o.Except, ", ")
		}
	}
	verb := "has"
	if c.Forbid {
		who, verb = strings.Replace(who, "every", "no", 1), "has"
	}
	s := who + " " + verb + " policy " + c.Name
	if c.Condition != "" {
		s += " with " + c.Condition
	}
	return s
}

func placement(c *gatehouse.PlacementCheck) string {
	var parts []string
	if c.Data {
		parts = append(parts, "gateways and backends lie in the jurisdictions that the API's data names")
	}
	for _, r := range c.Rules {
		var who, where []string
		if r.Personal {
			who = append(who, "personal data")
		}
		if len(r.Classifications) > 0 {
			who = append(who, strings.Join(r.Classifications, " or ")+" data")
		}
		if len(r.Audiences) > 0 {
			who = append(who, strings.Join(r.Audiences, " or ")+" audience")
		}
		for _, l := range [][]string{r.Jurisdictions, r.Clouds, r.Networks} {
			if len(l) > 0 {
				where = append(where, strings.Join(l, " or "))
			}
		}
		parts = append(parts, cmp.Or(strings.Join(who, " and "), "every API")+" runs in "+strings.Join(where, ", "))
	}
	return strings.Join(parts, "; ")
}

func question(q *gatehouse.QuestionCheck) string {
	s := "a person answers yes: " + q.Text
	if q.Evidence {
		s += " A file proves it."
	}
	if q.Confirm != "" {
		s += " Somebody else, with the role " + q.Confirm + ", confirms it."
	}
	if q.Lasts > 0 {
		s += " The answer holds for " + q.Lasts.String() + "."
	}
	return s
}

// Rules is what a framework version demands, without the service and without
// anything live: for the pages of ready frameworks.
func Rules(title, about string, v *gatehouse.FrameworkVersion) *Page {
	p := &Page{Title: title}
	p.say(about)
	policies(p, &Model{Text: &gatehouse.FrameworkText{Version: *v}})
	controls(p, v)
	return p
}
