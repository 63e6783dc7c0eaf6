package cli

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/frameworks"
)

// frameworkInit writes a ready framework; it needs no server.
func (a *App) frameworkInit() *cobra.Command {
	var file, name string
	c := &cobra.Command{
		Use: "init READY", Args: exactly(1, "one ready framework: "+strings.Join(frameworks.Names, ", ")), Short: "Write a ready framework to begin with",
		Long: `Write a ready framework as a document, to read, change and apply:

  starter        sane defaults for every API; nearly nothing asks a person
  partner-apis   for partners and the public: the OWASP API Security Top 10
  regulated      jurisdictions, four eyes and evidence

It is a draft like any other: two persons who did not write it approve it before
it is put in force.`,
		Example:   "  gatehouse framework init starter --name corporate -o corporate.yaml\n  gatehouse apply -f corporate.yaml",
		ValidArgs: frameworks.Names,
		RunE: func(c *cobra.Command, args []string) error {
			if name != "" {
				check := gatehouse.NewChecker("")
				if check.Name(name); len(check.Faults()) > 0 {
					return misuse("--name: %s", check.Faults()[0].Detail)
				}
			}
			text, err := frameworks.Document(args[0], name)
			if err != nil {
				return misuse("%w", err)
			}
			if file == "" || file == "-" {
				return a.write("", text)
			}
			// What somebody changed already is not written over.
			f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
			if errors.Is(err, fs.ErrExist) {
				return gatehouse.E(gatehouse.Conflict, "%q is there already; name another file, or remove it", file)
			}
			if err != nil {
				return err
			}
			if _, err := f.Write(text); err != nil {
				return errors.Join(err, f.Close())
			}
			if err := f.Close(); err != nil {
				return err
			}
			a.note("wrote %s: read it, change it, then gatehouse apply -f %s", file, file)
			return nil
		},
	}
	c.Flags().StringVarP(&file, "output", "o", "", "file to write; default standard output")
	c.Flags().StringVar(&name, "name", "", "name of the framework; default that of the ready one")
	return c
}
