package cli

import (
	"context"
	"fmt"
	"mime"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/client"
)

func (a *App) evidence() *cobra.Command {
	c := &cobra.Command{
		Use: "evidence", GroupID: "expose", Short: "Keep and read files that prove something",
		Long: `Evidence is a file that proves an approval or an answer: a threat model, a test
report, minutes. It is kept once, by the SHA-256 of its bytes, and never changed;
approvals and answers name that hash.`,
		Example: "  gatehouse evidence add threat-model.pdf\n  gatehouse framework approve corporate@2026.1 --evidence 3f9c…",
	}
	c.AddCommand(a.evidenceAdd(), a.evidenceList(), a.evidenceGet())
	return c
}

func (a *App) evidenceAdd() *cobra.Command {
	var team string
	c := &cobra.Command{
		Use: "add FILE", Args: exactly(1, "one file"), Short: "Upload a file and print its hash",
		RunE: func(c *cobra.Command, args []string) error {
			out, err := a.upload(c.Context(), args[0], team)
			if err != nil {
				return err
			}
			if a.output == "table" {
				fmt.Fprintln(a.Out, out.Body.Hash)
				return nil
			}
			return a.show(out.Body, nil, func() []string { return []string{out.Body.Hash} })
		},
	}
	c.Flags().StringVar(&team, "team", "", "team whose evidence it is; default the organization's")
	return c
}

// upload keeps a file as evidence of a team, "" for the organization.
func (a *App) upload(ctx context.Context, file, team string) (*adminapi.EvidenceAnswer, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, gatehouse.E(gatehouse.Invalid, "reading evidence: %w", err)
	}
	in := adminapi.AddEvidenceRequest{}
	in.Body.Name, in.Body.Team, in.Body.Content = filepath.Base(file), team, data
	in.Body.MediaType = mime.TypeByExtension(filepath.Ext(file))
	return ask(a, ctx, (*client.Client).AddEvidence, in)
}

var digestForm = regexp.MustCompile("^[0-9a-f]{64}$")

// proofs turns files and hashes, as people name evidence, into hashes; files
// are uploaded.
func (a *App) proofs(ctx context.Context, named []string, team string) (hashes []string, err error) {
	for _, n := range named {
		if digestForm.MatchString(n) {
			hashes = append(hashes, n)
			continue
		}
		out, err := a.upload(ctx, n, team)
		if err != nil {
			return nil, err
		}
		a.note("kept %s as %s", n, out.Body.Hash)
		hashes = append(hashes, out.Body.Hash)
	}
	return hashes, nil
}

func (a *App) evidenceList() *cobra.Command {
	in := adminapi.ListEvidenceRequest{}
	c := &cobra.Command{
		Use: "list", Args: exactly(0, "no argument"), Short: "List files, newest first",
		RunE: func(c *cobra.Command, _ []string) error {
			out, err := ask(a, c.Context(), (*client.Client).ListEvidence, in)
			if err != nil {
				return err
			}
			if out.Body.Next != "" {
				a.note("there are more: --after %s", out.Body.Next)
			}
			return a.show(out.Body, func() table {
				t := table{heads: []string{"hash", "name", "size", "team", "by", "time"}}
				for _, e := range out.Body.Items {
					t.add(e.Hash, e.Name, fmt.Sprint(e.Size), e.Team, e.By, e.Time.UTC().Format(time.RFC3339))
				}
				return t
			}, func() (names []string) {
				for _, e := range out.Body.Items {
					names = append(names, e.Hash)
				}
				return names
			})
		},
	}
	c.Flags().StringVar(&in.Team, "team", "", "of this team; default all that you may see")
	c.Flags().BoolVar(&in.Organization, "organization", false, "of the organization alone, of no team")
	c.Flags().IntVar(&in.Limit, "limit", 100, "how many at most")
	c.Flags().StringVar(&in.After, "after", "", "cursor of the page before")
	return c
}

func (a *App) evidenceGet() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use: "get HASH", Args: exactly(1, "one hash"), Short: "Read a file",
		Long: "Write the bytes of a file to --out, or to standard output. They are checked\nagainst the hash.",
		RunE: func(c *cobra.Command, args []string) error {
			answer, err := ask(a, c.Context(), (*client.Client).GetEvidenceContent, adminapi.EvidenceRef{Hash: args[0]})
			if err != nil {
				return err
			}
			if is := sum(answer.Body); is != args[0] {
				return gatehouse.E(gatehouse.Internal, "evidence %q came with the bytes of %q", args[0], is)
			}
			return a.write(out, answer.Body)
		},
	}
	c.Flags().StringVar(&out, "out", "", "file to write")
	return c
}
