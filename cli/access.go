package cli

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/client"
)

func (a *App) access() *cobra.Command {
	c := &cobra.Command{Use: "access", GroupID: "watch", Short: "Tell who may do what, and why"}
	c.AddCommand(a.accessCan(), a.accessWhy(), a.accessWho())
	return c
}

// accessArgs reads [SUBJECT] ACTION [ON]; a subject has a colon.
func accessArgs(args []string, asOf string) (adminapi.AccessRequest, error) {
	in := adminapi.AccessRequest{}
	if strings.Contains(args[0], ":") {
		in.Subject, args = args[0], args[1:]
	}
	if len(args) == 0 || len(args) > 2 {
		return in, misuse("an action is needed, such as api.put, and what it is on, such as API/payments/orders")
	}
	in.Action = args[0]
	if len(args) == 2 {
		in.On = args[1]
	}
	var err error
	in.AsOf, err = moment(asOf)
	return in, err
}

func (a *App) accessCan() *cobra.Command {
	var asOf string
	c := &cobra.Command{
		Use: "can [SUBJECT] ACTION [ON]", Args: between(1, 3, "an action, such as api.put, and what it is on"),
		Short:   "Tell whether a subject may do an action; exit status 1 if not",
		Example: "  gatehouse access can api.put API/payments/orders\n  gatehouse access can user:alice@example.com release.create team/payments",
		RunE: func(c *cobra.Command, args []string) error {
			in, err := accessArgs(args, asOf)
			if err != nil {
				return err
			}
			out, err := ask(a, c.Context(), (*client.Client).AccessCan, in)
			if err != nil {
				return err
			}
			answer, by := "no", ""
			if out.Body.Allowed {
				answer, by = "yes", because(out.Body.Because)
			}
			if err := a.show(out.Body, func() table {
				return table{heads: []string{"allowed", "because"}, rows: [][]string{{answer, by}}}
			}, func() []string { return []string{answer} }); err != nil {
				return err
			}
			if !out.Body.Allowed {
				return exit{code: 1}
			}
			return nil
		},
	}
	c.Flags().StringVar(&asOf, "as-of", "", "a past moment")
	return c
}

func because(x *adminapi.Assignment) string {
	if x == nil {
		return ""
	}
	return fmt.Sprintf("%s: role %s for %s in %s", cmp.Or(x.Name, x.Implied), x.Role, x.Subject, x.Scope)
}

func (a *App) accessWhy() *cobra.Command {
	var asOf string
	c := &cobra.Command{
		Use: "why [SUBJECT] ACTION [ON]", Args: between(1, 3, "an action, such as api.put, and what it is on"),
		Short: "Explain why a subject may or may not do an action, and what would do",
		RunE: func(c *cobra.Command, args []string) error {
			in, err := accessArgs(args, asOf)
			if err != nil {
				return err
			}
			out, err := ask(a, c.Context(), (*client.Client).AccessWhy, in)
			if err != nil {
				return err
			}
			if a.output != "table" {
				return a.show(out.Body, nil, func() []string {
					if out.Body.Allowed {
						return []string{"yes"}
					}
					return []string{"no"}
				})
			}
			e := out.Body
			fmt.Fprintln(a.Out, printable(e.Reason))
			if len(e.Considered) > 0 {
				t := table{heads: []string{"assignment", "role", "for", "in", "verdict", "why"}}
				for _, x := range e.Considered {
					t.add(cmp.Or(x.Name, x.Implied), x.Role, x.Subject, x.Scope, x.Verdict, x.Detail)
				}
				fmt.Fprintln(a.Out)
				a.table(t)
			}
			for i, r := range e.Remedies {
				if i == 0 {
					fmt.Fprintln(a.Out, "\nwhat would do:")
				}
				fmt.Fprintln(a.Out, "  "+printable(r))
			}
			return nil
		},
	}
	c.Flags().StringVar(&asOf, "as-of", "", "a past moment")
	return c
}

func (a *App) accessWho() *cobra.Command {
	in := adminapi.WhoRequest{Limit: 1000}
	c := &cobra.Command{
		Use: "who ACTION [ON]", Args: between(1, 2, "an action, such as api.put, and what it is on"),
		Short:   "List who may do an action, and why",
		Example: "  gatehouse access who release.approve team/payments",
		RunE: func(c *cobra.Command, args []string) error {
			in.Action = args[0]
			if len(args) == 2 {
				in.On = args[1]
			}
			var err error
			if in.AsOf, err = moment(in.AsOf); err != nil {
				return err
			}
			out, err := ask(a, c.Context(), (*client.Client).AccessWho, in)
			if err != nil {
				return err
			}
			if out.Body.Everyone {
				a.note("whoever is signed in may")
			} else if out.Body.Audience != "" {
				a.note("whoever is of the audience %s may find it", out.Body.Audience)
			}
			if out.Body.Next != "" {
				a.note("there are more: --after %s", out.Body.Next)
			}
			return a.show(out.Body, func() table {
				t := table{heads: []string{"subject", "because", "through"}}
				for _, h := range out.Body.Items {
					t.add(h.Subject, because(&h.Because), strings.Join(h.Via, ","))
				}
				return t
			}, func() []string {
				var names []string
				for _, h := range out.Body.Items {
					names = append(names, h.Subject)
				}
				return names
			})
		},
	}
	c.Flags().StringVar(&in.AsOf, "as-of", "", "a past moment")
	c.Flags().StringVar(&in.After, "after", "", "the subject that the page before ended with")
	return c
}

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

func (a *App) tokens() *cobra.Command {
	c := &cobra.Command{Use: "token", GroupID: "admin", Short: "Create, list and revoke tokens of the management API", Aliases: []string{"tokens"}}
	c.AddCommand(a.tokenCreate(), a.tokenList(), a.tokenRevoke())
	return c
}

func (a *App) tokenCreate() *cobra.Command {
	in := adminapi.CreateTokenRequest{}
	c := &cobra.Command{
		Use: "create", Args: exactly(0, "no arguments but flags"),
		Short: "Create a token and print it, this once",
		RunE: func(c *cobra.Command, _ []string) error {
			out, err := ask(a, c.Context(), (*client.Client).CreateToken, in)
			if err != nil {
				return err
			}
			if a.output == "table" {
				a.note("this is token %s of %s, until %s; it is not shown again:", out.Body.ID, out.Body.Subject, left(out.Body.Expires))
				fmt.Fprintln(a.Out, out.Body.Token)
				return nil
			}
			return a.show(out.Body, nil, func() []string { return []string{out.Body.ID} })
		},
	}
	c.Flags().StringVar(&in.Body.Subject, "subject", "", "for whom: user:NAME or service:NAME; default yourself")
	c.Flags().StringVar(&in.Body.Name, "name", "", "what it is for")
	c.Flags().StringVar(&in.Body.Life, "life", "", "how long it lasts, such as 30d; default 90d")
	return c
}

func (a *App) tokenList() *cobra.Command {
	in := adminapi.ListTokensRequest{}
	var everyone bool
	c := &cobra.Command{
		Use: "list", Args: exactly(0, "no arguments but flags"), Short: "List tokens, by their public ids",
		RunE: func(c *cobra.Command, _ []string) error {
			if everyone {
				in.Subject = "-"
			}
			out, err := ask(a, c.Context(), (*client.Client).ListTokensAll, in)
			if err != nil {
				return err
			}
			return a.show(out.Body, func() table {
				t := table{heads: []string{"id", "subject", "name", "state", "created", "by", "expires"}}
				for _, k := range out.Body.Items {
					t.add(k.ID, k.Subject, k.Name, k.State, when(k.Created), k.CreatedBy, left(k.Expires))
				}
				return t
			}, func() []string {
				var ids []string
				for _, k := range out.Body.Items {
					ids = append(ids, k.ID)
				}
				return ids
			})
		},
	}
	c.Flags().StringVar(&in.Subject, "subject", "", "whose; default your own")
	c.Flags().BoolVar(&everyone, "all", false, "everyone's")
	return c
}

func (a *App) tokenRevoke() *cobra.Command {
	return &cobra.Command{
		Use: "revoke ID", Args: exactly(1, "a token's public id"), Short: "End a token at once",
		RunE: func(c *cobra.Command, args []string) error {
			if _, err := ask(a, c.Context(), (*client.Client).RevokeToken, adminapi.TokenRef{Token: args[0]}); err != nil {
				return err
			}
			return a.done(map[string]string{"revoked": args[0]}, args[0], "revoked %s", args[0])
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
