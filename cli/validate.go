package cli

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"gatehouse/adminapi"
	"gatehouse/bundle"
	"gatehouse/policy/all"
)

func (a *App) validate() *cobra.Command {
	var f files
	var strict, partial bool
	c := &cobra.Command{
		Use: "validate -f PATH…", GroupID: "files", Args: exactly(0, "no arguments but -f PATH"),
		Short: "Check files without a server",
		Long: `Check documents and the definitions they name, and tell every fault with file, line and
column. What only a server knows (whether another team's object exists) is told in
one line; --strict makes it a fault, --partial makes missing objects of the same team notes too.`,
		RunE: func(*cobra.Command, []string) error {
			b, err := a.read(f)
			if err == nil {
				err = f.full(b)
			}
			if err != nil {
				return err
			}
			found, err := bundle.Check(b, bundle.CheckOptions{Policies: all.Find, PolicyNames: all.Names(), Actions: adminapi.Actions(), Strict: strict, Partial: partial})
			if err != nil {
				return err
			}
			for _, n := range found.Notes {
				a.note("note: %s", n)
			}
			if len(found.Elsewhere) > 0 {
				a.note("note: only a server knows whether these are there: %s", listed(found.Elsewhere))
			}
			if err := found.Err(); err != nil {
				return err
			}
			return a.done(map[string]int{"valid": len(b.Documents)}, fmt.Sprint(len(b.Documents)), "%s valid", documentsAre(len(b.Documents)))
		},
	}
	f.bind(c)
	c.Flags().BoolVar(&strict, "strict", false, "the files must be complete: every reference is met by them")
	c.Flags().BoolVar(&partial, "partial", false, "the files are a part: references may lead outside")
	return c
}

func (a *App) format() *cobra.Command {
	var check bool
	c := &cobra.Command{
		Use: "fmt PATH…", GroupID: "files", Args: cobra.ArbitraryArgs,
		Short: "Lay files out in the one way",
		Long: `Rewrite documents in the one layout, comments kept; what is no document of Gatehouse is
left as it is. With --check nothing is written and the exit status is 1 when a file differs;
"-" reads standard input and writes standard output.`,
	}
	paths := c.Flags().StringArrayP("file", "f", nil, "file or folder; may be repeated")
	c.Flags().BoolVar(&check, "check", false, "write nothing, name what differs")
	c.RunE = func(_ *cobra.Command, args []string) error {
		args = append(args, *paths...)
		if len(args) == 0 {
			return misuse("fmt takes files or folders")
		}
		differ := 0
		for _, p := range args {
			if p == "-" {
				return a.formatStdin()
			}
			err := filepath.WalkDir(p, func(file string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() || !isText(file) {
					return err
				}
				changed, err := formatFile(file, check)
				if changed {
					differ++
					fmt.Fprintln(a.Out, file)
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		if check && differ > 0 {
			return fmt.Errorf("laid out otherwise, files: %d; \"gatehouse fmt\" rewrites them", differ)
		}
		return nil
	}
	return c
}

func isText(file string) bool {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

func (a *App) formatStdin() error {
	var in bytes.Buffer
	if _, err := in.ReadFrom(a.In); err != nil {
		return err
	}
	out, err := bundle.Format(in.Bytes())
	if err != nil {
		return err
	}
	_, err = a.Out.Write(out)
	return err
}

func formatFile(file string, check bool) (changed bool, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return false, err
	}
	out, err := bundle.Format(text)
	if err != nil {
		return false, fmt.Errorf("%s: %w", file, err)
	}
	if bytes.Equal(text, out) || check {
		return !bytes.Equal(text, out), nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return true, err
	}
	return true, os.WriteFile(file, out, info.Mode().Perm())
}

func documentsAre(n int) string {
	if n == 1 {
		return "1 document is"
	}
	return fmt.Sprintf("%d documents are", n)
}

// listed names the first of many.
func listed(names []string) string {
	const most = 20
	if more := len(names) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), more)
	}
	return strings.Join(names, ", ")
}
