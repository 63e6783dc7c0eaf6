// Package frameworks is three frameworks that are useful as they are: starter
// (sane defaults), partner-apis (the OWASP API Security Top 10) and regulated
// (jurisdictions, four eyes, evidence). "gatehouse framework init" writes them;
// from then on they are the company's own.
package frameworks

import (
	"bytes"
	"embed"
	"fmt"
	"strings"
)

//go:embed *.yaml
var files embed.FS

// Names are the ready frameworks, the simplest first.
var Names = []string{"starter", "partner-apis", "regulated"}

// Document is a ready framework as a document, with the comment at its top, under
// a name: "" is its own.
func Document(ready, name string) ([]byte, error) {
	text, err := files.ReadFile(ready + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("%q is not a ready framework; there is %s", ready, strings.Join(Names, ", "))
	}
	if name == "" {
		return text, nil
	}
	return bytes.Replace(text, []byte("metadata: {name: "+ready+"}"), []byte("metadata: {name: "+name+"}"), 1), nil
}

// About is the comment at the top of a ready framework: what it is for.
func About(ready string) (string, error) {
	text, err := Document(ready, "")
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		rest, ok := strings.CutPrefix(line, "#")
		if !ok {
			break
		}
		b.WriteString(strings.TrimPrefix(rest, " "))
	}
	return b.String(), nil
}
