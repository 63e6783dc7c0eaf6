package cli

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

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
