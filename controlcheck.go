package gatehouse

import (
	"bytes"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Standards are the standards a control may be mapped to, and the form of
// their references. Others are written as "x-name".
var Standards = map[string]Standard{
	"owasp-api-2023": {"OWASP API Security Top 10 2023", `API(10|[1-9])(:2023)?`, "API1"},
	"iso-27001-2022": {"ISO/IEC 27001:2022 Annex A", `(A\.)?[5-8]\.[1-9][0-9]?`, "A.8.24"},
	"nist-800-53-r5": {"NIST SP 800-53 Rev. 5", `[A-Z]{2}-[1-9][0-9]?(\([1-9][0-9]?\))*`, "AC-2(1)"},
	"pci-dss-4":      {"PCI DSS 4", `[1-9][0-9]?(\.[0-9]{1,2}){0,4}|A[1-3](\.[0-9]{1,2}){0,4}`, "6.2.4"},
	"gdpr":           {"GDPR", `(Art\. ?)?[1-9][0-9]?(\([1-9][0-9]?\))?(\([a-z]\))?`, "Art. 32(1)(b)"},
}

// A Standard is what controls are mapped to.
type Standard struct {
	Title   string // as the standard is called
	form    string // of its references
	example string
}

var standardForms = func() map[string]*regexp.Regexp {
	m := make(map[string]*regexp.Regexp, len(Standards))
	for name, s := range Standards {
		m[name] = regexp.MustCompile("^(" + s.form + ")$")
	}
	return m
}()

var (
	ownStandard = regexp.MustCompile(`^x-[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$`)
	methodForm  = regexp.MustCompile(`^[A-Z]{1,20}$`)
)

// dependable is what the answer to a question may depend on.
var dependable = []string{"definition", "operations", "policies", "backend", "data", "audience", "access", "path"}

func (k *Control) check(c *Checker) {
	if k.ID == "" {
		c.Errorf("id is missing: what waivers and results refer to")
	} else if !labelForm(k.ID) {
		c.At("id").Errorf("%q is not an id: letters, digits, \"-\", \".\", \"_\" and \"/\", at most 100", k.ID)
	}
	c.text("title", k.Title, 200)
	c.text("text", k.Text, 20000)
	c.At("severity").OneOf(k.Severity, true, "low", "medium", "high", "critical")
	c.At("level").OneOf(k.Level, true, ControlRequired, ControlAdvisory)
	c.At("grace").days(k.Grace, c.Written("grace"))
	if a := k.Applies; a != nil {
		c.At("applies").At("stages").eachOf(a.Stages, stages)
		c.At("applies").At("audiences").eachOf(a.Audiences, audiences)
		c.At("applies").At("classifications").eachOf(a.Classifications, classifications)
	}
	c.At("mappings").mappings(k.Mappings)
	k.Check.check(c.At("check"))
}

func (c *Checker) mappings(m map[string][]string) {
	known := slices.Sorted(maps.Keys(Standards))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		at, form := c.At(name), standardForms[name]
		if form == nil && !ownStandard.MatchString(name) {
			at.Errorf("%q is not a standard known here%s; one of your own is written \"x-name\"", name, suggest(name, known))
			continue
		}
		if len(m[name]) == 0 {
			at.Errorf("is empty: name what the control maps to")
		}
		unique(at, m[name], "", same)
		for i, ref := range m[name] {
			switch {
			case ref == "" || len(ref) > 100 || strings.ContainsFunc(ref, unicode.IsControl):
				at.At(i).Errorf("%q is not a reference: one line of at most 100 characters", clip(ref))
			case form != nil && !form.MatchString(ref):
				at.At(i).Errorf("%q is not a reference into %s, such as %q", ref, Standards[name].Title, Standards[name].example)
			}
		}
	}
}

func (k *ControlCheck) check(c *Checker) {
	if k.Kind() == "" {
		c.Errorf("is not one check: a control has exactly one of %s", strings.Join(CheckKinds, ", "))
	}
	if k.Lint != nil {
		k.Lint.check(c.At("lint"))
	}
	if k.Policy != nil {
		k.Policy.check(c.At("policy"))
	}
	if k.CEL != nil {
		c.At("cel").expression("expression", k.CEL.Expression, true)
		c.At("cel").At("each").OneOf(k.CEL.Each, true, "version", "operation", "gateway")
		c.At("cel").text("message", k.CEL.Message, 2000)
	}
	if k.Placement != nil {
		k.Placement.check(c.At("placement"))
	}
	if k.Change != nil {
		c.At("change").At("levels").eachOf(k.Change.Levels, []string{"error", "warning"})
		c.At("change").At("ignore").words(k.Change.Ignore)
	}
	if k.Question != nil {
		k.Question.check(c.At("question"))
	}
}

// MaxExpression bounds a CEL expression, in bytes.
const MaxExpression = 4096

// expression reports text that is none; whether it means something is for
// package expr.
func (c *Checker) expression(field, text string, required bool) {
	switch {
	case strings.TrimSpace(text) == "" && required:
		c.Errorf("%s is missing: a CEL expression that is true or false", field)
	case len(text) > MaxExpression:
		c.At(field).Errorf("is %d bytes long; at most %d", len(text), MaxExpression)
	}
}

// words reports empty, long and repeated words.
func (c *Checker) words(list []string) {
	if len(list) > 500 {
		c.Errorf("are %d; at most 500", len(list))
	}
	unique(c, list, "", same)
	for i, w := range list {
		if w == "" || len(w) > 200 || strings.ContainsFunc(w, unicode.IsControl) {
			c.At(i).Errorf("%q is not a word of one to 200 characters", clip(w))
		}
	}
}

func builtInRuleset(name string) bool { return strings.HasPrefix(name, "spectral:") }

func (l *LintCheck) check(c *Checker) {
	c.At("rules").words(l.Rules)
	c.At("failOn").OneOf(l.FailOn, true, "error", "warn", "info", "hint")
	raw := bytes.TrimSpace(l.Ruleset)
	if len(raw) == 0 || string(raw) == "null" {
		c.Errorf("ruleset is missing: a map in the Spectral format, \"./rules.yaml\" beside the document, or \"spectral:oas\"")
		return
	}
	name, named := l.Named()
	switch {
	case !named && raw[0] != '{':
		c.At("ruleset").Errorf("%s is no ruleset: a map in the Spectral format, \"./rules.yaml\" beside the document, or \"spectral:oas\"", clip(string(raw)))
	case len(raw) > 256<<10:
		c.At("ruleset").Errorf("is %d bytes long; at most %d", len(raw), 256<<10)
	case !named || builtInRuleset(name):
	case path.IsAbs(name) || strings.ContainsAny(name, "\\\x00:") || path.Clean(name) == "..", strings.HasPrefix(path.Clean(name), "../"):
		c.At("ruleset").Errorf("%q does not lie beside the document: name a file such as \"./rules.yaml\"", name)
	case !slices.Contains([]string{".yaml", ".yml", ".json"}, path.Ext(name)):
		c.At("ruleset").Errorf("%q is neither a file such as \"./rules.yaml\" nor a built-in ruleset such as \"spectral:oas\"", name)
	}
}

func (p *PolicyCheck) check(c *Checker) {
	if p.Name == "" {
		c.Errorf("name is missing: the policy that must be in the chain, such as \"rate-limit\"")
	} else {
		c.At("name").Name(p.Name)
	}
	c.expression("condition", p.Condition, false)
	c.text("message", p.Message, 2000)
	if s := p.Operations; s != nil {
		at := c.At("operations")
		for i, m := range s.Methods {
			if !methodForm.MatchString(m) {
				at.At("methods").At(i).Errorf("%q is not a method such as \"POST\"", m)
			}
		}
		at.At("methods").words(s.Methods)
		at.At("paths").words(s.Paths)
		at.At("ids").words(s.IDs)
		at.At("except").words(s.Except)
	}
}

func (p *PlacementCheck) check(c *Checker) {
	if !p.Data && len(p.Rules) == 0 {
		c.Errorf("demands nothing: say data: true, or name rules")
	}
	if len(p.Rules) > 100 {
		c.At("rules").Errorf("are %d; at most 100", len(p.Rules))
		return
	}
	for i, r := range p.Rules {
		at := c.At("rules").At(i)
		at.At("classifications").eachOf(r.Classifications, classifications)
		at.At("audiences").eachOf(r.Audiences, audiences)
		at.At("networks").eachOf(r.Networks, networks)
		at.At("clouds").places(r.Clouds)
		at.At("jurisdictions").places(r.Jurisdictions)
		if len(r.Jurisdictions)+len(r.Clouds)+len(r.Networks) == 0 {
			at.Errorf("binds nobody to a place: name jurisdictions, clouds or networks")
		}
	}
}

func (q *QuestionCheck) check(c *Checker) {
	if strings.TrimSpace(q.Text) == "" {
		c.Errorf("text is missing: what is asked")
	}
	c.text("text", q.Text, 5000)
	if q.Confirm != "" {
		c.At("confirm").Name(q.Confirm)
	}
	c.At("dependsOn").eachOf(q.DependsOn, dependable)
	c.At("lasts").days(q.Lasts, c.Written("lasts"))
}

// places reports what cannot name clouds or jurisdictions.
func (c *Checker) places(list []string) {
	c.words(list)
	for i, v := range list {
		c.At(i).place(v)
	}
}
