package cli

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/client"
)

func (a *App) whoami() *cobra.Command {
	return &cobra.Command{
		Use: "whoami", GroupID: "admin", Args: exactly(0, "no arguments"),
		Short: "Tell who you are to the server",
		RunE: func(c *cobra.Command, _ []string) error {
			out, err := ask(a, c.Context(), (*client.Client).Whoami, adminapi.Empty{})
			if err != nil {
				return err
			}
			return a.show(out.Body, func() table {
				t := table{heads: []string{"subject", "by", "role", "in", "because"}}
				for _, x := range out.Body.Assignments {
					t.add(out.Body.Subject, out.Body.Authentication, x.Role, x.Scope, cmp.Or(x.Name, x.Implied))
				}
				if len(t.rows) == 0 {
					t.add(out.Body.Subject, out.Body.Authentication, "", "", "")
				}
				return t
			}, func() []string { return []string{out.Body.Subject} })
		},
	}
}

func (a *App) login() *cobra.Command {
	name := "default"
	c := &cobra.Command{
		Use: "login ADDRESS", GroupID: "admin", Args: exactly(1, "the address of a server, such as https://control.example.com:9080"),
		Short: "Keep a server's address and your token for later commands",
		Long:  "Keep a server's address and your token, from --token, GATEHOUSE_TOKEN or standard\ninput, under a name. The file is readable by you only.",
		RunE: func(c *cobra.Command, args []string) error {
			token := cmp.Or(a.token, a.Getenv("GATEHOUSE_TOKEN"))
			if token == "" {
				a.note("token:")
				if _, err := fmt.Fscanln(a.In, &token); err != nil {
					return misuse("a token is needed: --token, GATEHOUSE_TOKEN or standard input")
				}
			}
			a.address, a.token = args[0], token
			who, err := ask(a, c.Context(), (*client.Client).Whoami, adminapi.Empty{})
			if err != nil {
				return err
			}
			s, err := a.saved()
			if err != nil {
				return err
			}
			s.Current, s.Contexts[name] = name, savedContext{Address: args[0], Token: token}
			if err := a.save(s); err != nil {
				return err
			}
			a.note("you are %s at %s", who.Body.Subject, args[0])
			return nil
		},
	}
	c.Flags().StringVar(&name, "name", name, "name of the context")
	return c
}

func (a *App) logout() *cobra.Command {
	return &cobra.Command{
		Use: "logout [NAME]", GroupID: "admin", Args: between(0, 1, "at most one saved context"), Short: "Forget a saved server",
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := a.saved()
			if err != nil {
				return err
			}
			name := s.Current
			if len(args) == 1 {
				name = args[0]
			}
			if _, ok := s.Contexts[name]; !ok {
				return gatehouse.E(gatehouse.NotFound, "no context %q is saved", name)
			}
			delete(s.Contexts, name)
			if s.Current == name {
				s.Current = ""
			}
			return a.save(s)
		},
	}
}

func (a *App) contexts() *cobra.Command {
	return &cobra.Command{
		Use: "context [NAME]", GroupID: "admin", Args: between(0, 1, "at most one saved context"), Short: "List saved servers, or choose one",
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := a.saved()
			if err != nil {
				return err
			}
			if len(args) == 1 {
				if _, ok := s.Contexts[args[0]]; !ok {
					return gatehouse.E(gatehouse.NotFound, "no context %q is saved", args[0])
				}
				s.Current = args[0]
				return a.save(s)
			}
			shown := map[string]string{} // no tokens
			for name, c := range s.Contexts {
				shown[name] = c.Address
			}
			return a.show(map[string]any{"current": s.Current, "contexts": shown}, func() table {
				t := table{heads: []string{"name", "address", "current"}}
				for _, name := range slices.Sorted(maps.Keys(shown)) {
					mark := ""
					if name == s.Current {
						mark = "*"
					}
					t.add(name, shown[name], mark)
				}
				return t
			}, func() []string { return slices.Sorted(maps.Keys(shown)) })
		},
	}
}
