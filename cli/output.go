package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"unicode"

	"go.yaml.in/yaml/v4"

	"gatehouse/jsonx"
)

// A table is what people read: a line of heads, then rows.
type table struct {
	heads []string
	rows  [][]string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// show prints value in the form asked for; rows makes the table when that is
// what is asked, and name gives one name a line.
func (a *App) show(value any, rows func() table, names func() []string) error {
	switch a.output {
	case "json":
		data, err := json.MarshalIndent(value, "", "  ")
		if err != nil {
			return err
		}
		fmt.Fprintf(a.Out, "%s\n", data)
	case "yaml":
		data, err := toYAML(value)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.Out, "%s", data)
	case "name":
		if names == nil {
			return misuse("this answer has no names; -o table, json and yaml will do")
		}
		for _, n := range names() {
			fmt.Fprintln(a.Out, printable(n))
		}
	case "table", "":
		a.table(rows())
	default:
		return misuse("%q is not a form of output: table, json, yaml or name will do", a.output)
	}
	return nil
}

func (a *App) table(t table) {
	if len(t.rows) == 0 {
		fmt.Fprintln(a.Err, "nothing found")
		return
	}
	w := tabwriter.NewWriter(a.Out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, strings.ToUpper(strings.Join(t.heads, "\t")))
	for _, r := range t.rows {
		for i, c := range r {
			if r[i] = printable(c); r[i] == "" {
				r[i] = "-"
			}
		}
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	w.Flush()
}

// printable takes control characters out, so that no stored text moves the
// cursor of whoever reads it.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '·'
		}
		return r
	}, s)
}

// toYAML writes a value by way of its JSON, so that both forms agree.
func toYAML(value any) ([]byte, error) {
	data, err := jsonx.Marshal(value)
	if err != nil {
		return nil, err
	}
	var tree yaml.Node
	if err := yaml.Unmarshal(data, &tree); err != nil {
		return nil, err
	}
	block(&tree)
	return yaml.Marshal(&tree)
}

// block drops JSON's flow style and quotes, which YAML needs only sometimes.
func block(n *yaml.Node) {
	n.Style &^= yaml.FlowStyle | yaml.DoubleQuotedStyle
	for _, c := range n.Content {
		block(c)
	}
}

// write puts bytes into a file, or to standard output where none is named.
func (a *App) write(file string, data []byte) error {
	if file == "" || file == "-" {
		_, err := a.Out.Write(data)
		return err
	}
	return os.WriteFile(file, data, 0o644)
}

// sum is the SHA-256 of data, in hexadecimal.
func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}
