package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/adminapi"
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
lies beside them as it was. Without -o the documents go to standard output.

The team's document is left out with --no-team, and where the server is there and has the team
already: a bare one would take back its quotas, members and notifications when it is applied.`,
		Example: "  gatehouse import openapi petstore.yaml --team pets --backend http://127.0.0.1:8081 -o pets/",
		RunE: func(c *cobra.Command, args []string) error {
			if o.Team == "" || o.Backend == "" {
				return misuse("import openapi needs --team and --backend")
			}
			var err error
			if o.File, o.Files, err = bundle.ReadDefinition(args[0], bundle.Options{}); err != nil {
				return err
			}
			known := !o.NoTeam && a.hasTeam(c.Context(), o.Team)
			o.NoTeam = o.NoTeam || known
			b, err := bundle.ImportOpenAPI(o)
			if err != nil {
				return err
			}
			if known {
				a.note("team %s is there already: its document is left out", o.Team)
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
	f.BoolVar(&o.NoTeam, "no-team", false, "leave the team's document out: the team is there already")
	f.StringVarP(&dir, "output", "o", "", "folder to write to")
	return c
}

// askedTime bounds what a command asks the server of that works without one.
const askedTime = 2 * time.Second

// hasTeam tells whether the server, if there is one, has the team.
func (a *App) hasTeam(ctx context.Context, team string) bool {
	api, err := a.connect()
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, askedTime)
	defer cancel()
	_, err = api.Get(ctx, gatehouse.KindTeam, "", team, adminapi.GetOptions{})
	return err == nil
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
