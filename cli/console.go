package cli

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"gatehouse/adminapi"
)

func (a *App) console() *cobra.Command {
	in := adminapi.LoginCodeRequest{}
	c := &cobra.Command{
		Use: "console", GroupID: "watch", Args: exactly(0, "no arguments but flags"),
		Short: "Print a link that opens the console, once",
		Long: `Print a link that signs one browser in to the console. It works once, within ten
minutes; the session ends when you sign out, and "gatehouse console" makes a new link.`,
		Example: "  gatehouse console\n  gatehouse console --subject user:alice@example.com",
		RunE: func(c *cobra.Command, _ []string) error {
			api, err := a.connect()
			if err != nil {
				return err
			}
			out, err := api.CreateLoginCode(c.Context(), in)
			if err != nil {
				return err
			}
			link := strings.TrimSuffix(api.Address(), "/") + "/console/?code=" + url.QueryEscape(out.Body.Code)
			if a.output == "table" || a.output == "" {
				a.note("signs one browser in as %s, until %s:", out.Body.Subject, when(out.Body.Expires))
				fmt.Fprintln(a.Out, link)
				return nil
			}
			return a.show(map[string]any{"url": link, "subject": out.Body.Subject, "expires": out.Body.Expires}, nil, func() []string { return []string{link} })
		},
	}
	c.Flags().StringVar(&in.Body.Subject, "subject", "", "who to sign in: user:NAME or service:NAME; default yourself")
	return c
}
