package admission

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"gatehouse"
)

// Words are the responsibilities of a framework version as Markdown: the terms,
// then the table of who does what. The same version gives the same words.
func Words(framework string, v *gatehouse.FrameworkVersion) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Responsibilities: framework %s, version %s\n", framework, v.Name)
	var t *gatehouse.ServiceTerms
	if v.Service != nil {
		t = v.Service.NonFunctional
	}
	if t == nil || strings.TrimSpace(t.Terms) == "" && len(t.Duties) == 0 {
		b.WriteString("\nThis version says nothing of responsibilities beside its controls.\n")
		return b.String()
	}
	if terms := strings.TrimSpace(t.Terms); terms != "" {
		fmt.Fprintf(&b, "\n%s\n", terms)
	}
	if len(t.Duties) == 0 {
		return b.String()
	}
	b.WriteString("\n| Task | Provider team | Consumer team |\n|---|---|---|\n")
	for _, d := range t.Duties {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", cell(d.Task), spell(d.Provider), spell(d.Consumer))
	}
	return b.String()
}

func cell(s string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", `\|`)
}

// spell writes "RA" as "responsible, accountable".
func spell(letters string) string {
	var words []string
	for _, l := range letters {
		if w := gatehouse.Raci[l]; w != "" {
			words = append(words, w)
		}
	}
	if len(words) == 0 {
		return "-"
	}
	return strings.Join(words, ", ")
}

// Hash is the SHA-256 of words, in hexadecimal.
func Hash(words string) string {
	sum := sha256.Sum256([]byte(words))
	return hex.EncodeToString(sum[:])
}
