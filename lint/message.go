package lint

import (
	"regexp"
	"strings"
)

// maxMessage bounds the letters of a message.
const maxMessage = 1000

// messageForm finds {{name}} and #{{print("name")}}.
var messageForm = regexp.MustCompile(`#?\{\{([^}\n]+)\}\}`)

// vars are what a message may name.
type vars struct {
	property, err, path, description string
	value                            *value
}

func (v vars) named(name string) (string, bool) {
	switch name {
	case "property":
		return v.property, true
	case "error":
		return v.err, true
	case "path":
		return v.path, true
	case "description":
		return v.description, true
	case "value":
		return v.value.plain(), true
	}
	return "", false
}

// fill puts values into a message. Spectral evaluates expressions behind "#";
// of these print("property"), print("value") and names are known here, joined
// by "+" if need be.
func (v vars) fill(template string) string {
	if !strings.Contains(template, "{{") {
		return clipMessage(template)
	}
	out := messageForm.ReplaceAllStringFunc(template, func(m string) string {
		if !strings.HasPrefix(m, "#") {
			s, _ := v.named(strings.TrimSpace(m[2 : len(m)-2]))
			return s
		}
		var b strings.Builder
		for part := range strings.SplitSeq(m[3:len(m)-2], "+") {
			b.WriteString(v.term(strings.TrimSpace(part)))
		}
		return b.String()
	})
	return clipMessage(out)
}

func (v vars) term(t string) string {
	if upper, ok := strings.CutSuffix(t, ".toUpperCase()"); ok {
		return strings.ToUpper(v.term(upper))
	}
	if inner, ok := strings.CutPrefix(t, "print("); ok {
		name := strings.Trim(strings.TrimSuffix(inner, ")"), "\"' ")
		switch name {
		case "property":
			if v.property == "" {
				return "the document "
			}
			return "\"" + v.property + "\" property "
		case "value":
			return v.value.show()
		}
		s, _ := v.named(name)
		return s
	}
	if len(t) > 1 && (t[0] == '"' || t[0] == '\'') {
		return strings.Trim(t, "\"'")
	}
	s, _ := v.named(t)
	return s
}

func clipMessage(s string) string {
	s = strings.TrimSpace(s)
	if r := []rune(s); len(s) > maxMessage && len(r) > maxMessage {
		return string(r[:maxMessage]) + "…"
	}
	return s
}
