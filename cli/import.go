package cli

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"gatehouse/bundle"
)

func (a *App) imports() *cobra.Command {
	c := &cobra.Command{Use: "import", GroupID: "files", Short: "Make documents from what other tools write"}
	c.AddCommand(a.importOpenAPI())
	return c
}

func (a *App) importOpenAPI() *cobra.Command {
	var o bundle.ImportOptions
	var dir string
	c := &cobra.Command{
		Use: "openapi FILE", Args: exactly(1, "one OpenAPI file"),
		Short: "Make documents from an OpenAPI file",
		Long: `Read an OpenAPI 2.0, 3.0, 3.1 or 3.2 file and write the documents of a team, an API, a
backend and a product of the API's name with one automatic plan, "default". The definition
lies beside them as it was. Without -o the documents go to standard output.`,
		Example: "  gatehouse import openapi petstore.yaml --team pets --backend http://127.0.0.1:8081 -o pets/",
		RunE: func(_ *cobra.Command, args []string) error {
			if o.Team == "" || o.Backend == "" {
				return misuse("import openapi needs --team and --backend")
			}
			var err error
			if o.File, o.Files, err = bundle.ReadDefinition(args[0], bundle.Options{}); err != nil {
				return err
			}
			b, err := bundle.ImportOpenAPI(o)
			if err != nil {
				return err
			}
			if dir != "" {
				if err := b.WriteFlat(dir); err != nil {
					return err
				}
				a.note("wrote %d documents to %s; next: gatehouse apply -f %s", len(b.Documents), dir, dir)
				return nil
			}
			return a.printBundle(b)
		},
	}
	f := c.Flags()
	f.StringVar(&o.Team, "team", "", "team that owns the API")
	f.StringVar(&o.Name, "name", "", "the API's name; default: the file's name or the title")
	f.StringVar(&o.Version, "version", "", "the version's name; default: v and the major number of info.version")
	f.StringVar(&o.Backend, "backend", "", "URL that requests go to")
	f.StringVarP(&dir, "output", "o", "", "folder to write to")
	return c
}

// printBundle writes documents as one stream of YAML.
func (a *App) printBundle(b *bundle.Bundle) error {
	for i, d := range b.Documents {
		text, err := bundle.YAML(d.Object)
		if err != nil {
			return err
		}
		if i > 0 {
			fmt.Fprintln(a.Out, "---")
		}
		fmt.Fprintf(a.Out, "%s", text)
		for _, name := range slices.Sorted(maps.Keys(d.Files)) {
			a.note("%s names the file %q, which is not part of this output", d.Get().Ref(), name)
		}
	}
	return nil
}
