package cli

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"gatehouse/policy"
	"gatehouse/policy/all"
)

func (a *App) policies() *cobra.Command {
	c := &cobra.Command{Use: "policy", GroupID: "files", Short: "List the policies there are, and print their manual pages", Aliases: []string{"policies"}}
	c.AddCommand(a.policyList(), a.policyHelp())
	return c
}

// A policyPage is a policy as programs read it.
type policyPage struct {
	Name     string          `json:"name"`
	Summary  string          `json:"summary"`
	Runs     string          `json:"runs"`
	Defaults json.RawMessage `json:"defaults,omitempty"`
	Text     string          `json:"text,omitempty"`
}

func pageOf(k policy.Kind) policyPage {
	summary, text, _ := strings.Cut(k.Doc, "\n")
	p := policyPage{Name: k.Name, Summary: summary, Text: strings.TrimSpace(text), Runs: "after the caller is known"}
	switch {
	case k.Early:
		p.Runs = "before the caller is known"
	case k.Identifies:
		p.Runs = `where the caller is identified, with "access: token"; else after the caller is known`
	}
	if defaults, err := json.Marshal(k.New()); err == nil {
		p.Defaults = defaults
	}
	return p
}

func (a *App) policyList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Args: exactly(0, "no arguments"), Short: "List the policies there are",
		RunE: func(*cobra.Command, []string) error {
			var pages []policyPage
			for _, k := range all.Kinds {
				p := pageOf(k)
				p.Text, p.Defaults = "", nil
				pages = append(pages, p)
			}
			return a.show(map[string]any{"items": pages}, func() table {
				t := table{heads: []string{"policy", "runs", "what it does"}}
				for _, p := range pages {
					t.add(p.Name, strings.Split(p.Runs, ",")[0], p.Summary)
				}
				return t
			}, func() []string { return all.Names() })
		},
	}
}

func (a *App) policyHelp() *cobra.Command {
	return &cobra.Command{
		Use: "help NAME", Args: exactly(1, "a policy's name, such as rate-limit"), Short: "Print a policy's manual page",
		Example: "  gatehouse policy help rate-limit",
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return all.Names(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			k, ok := all.Find(args[0])
			if !ok {
				return misuse("there is no policy %q; these are: %s", args[0], strings.Join(all.Names(), ", "))
			}
			p := pageOf(k)
			if a.output != "table" {
				return a.show(p, nil, func() []string { return []string{p.Name} })
			}
			fmt.Fprintf(a.Out, "%s: %s\n\n%s\n\nRuns %s.\n", p.Name, p.Summary, p.Text, p.Runs)
			return nil
		},
	}
}
