package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"gatehouse/adminapi"
	"gatehouse/client"
)

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
