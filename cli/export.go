package cli

import (
	"github.com/spf13/cobra"

	"gatehouse/adminapi"
	"gatehouse/bundle"
	"gatehouse/client"
)

func (a *App) export() *cobra.Command {
	var in adminapi.ExportRequest
	var dir string
	c := &cobra.Command{
		Use: "export", GroupID: "files", Args: exactly(0, "no arguments"),
		Short: "Write everything out as files",
		Long: `Write every document you may read to a folder, with the definitions they name under their
own names. Applying that folder to an empty server gives identical revisions.
Without -o the documents go to standard output.`,
		Example: "  gatehouse export -o backup/\n  gatehouse export --team payments -o payments/",
		RunE: func(c *cobra.Command, _ []string) error {
			var err error
			if in.AsOf, err = moment(in.AsOf); err != nil {
				return err
			}
			out, err := ask(a, c.Context(), (*client.Client).Export, in)
			if err != nil {
				return err
			}
			b := &bundle.Bundle{Files: out.Body.Files}
			for _, d := range out.Body.Documents {
				b.Documents = append(b.Documents, bundle.Document{Object: d.Object, File: d.File, Files: d.Files})
			}
			if err := b.Decode(); err != nil {
				return err
			}
			if dir == "" {
				return a.printBundle(b)
			}
			if err := b.Write(dir); err != nil {
				return err
			}
			a.note("wrote %d documents to %s", len(b.Documents), dir)
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&in.Team, "team", "", "only this team's")
	f.StringVar(&in.Kind, "kind", "", "only this kind")
	f.StringVar(&in.AsOf, "as-of", "", "a past moment")
	f.StringVarP(&dir, "output", "o", "", "folder to write to")
	return c
}
