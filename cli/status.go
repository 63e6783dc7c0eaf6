package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/attest"
	"gatehouse/client"
	"gatehouse/jsonx"
)

func (a *App) status() *cobra.Command {
	var env string
	c := &cobra.Command{
		Use: "status TEAM/API[@VERSION]", GroupID: "expose", Args: exactly(1, "one API version, or an API for all of its versions"),
		Short: "Tell where an API version runs, instance by instance",
		RunE: func(c *cobra.Command, args []string) error {
			out, err := a.standing(c.Context(), args[0], env)
			if err != nil {
				return err
			}
			return a.show(out.Body, func() table { return a.statusTable(out.Body.Items) }, func() []string {
				var names []string
				for _, e := range out.Body.Items {
					names = append(names, e.Environment+" "+e.API+"@"+e.Version)
				}
				return names
			})
		},
	}
	c.Flags().StringVar(&env, "env", "", "only this environment")
	return c
}

// standing is where a version runs, or every version of an API.
func (a *App) standing(ctx context.Context, text, env string) (adminapi.StatusAnswer, error) {
	var out adminapi.StatusAnswer
	team, name, version, _ := gatehouse.ParseVersionRef(text, "")
	versions := []string{version}
	if version == "" && team != "" && name != "" {
		var err error
		if versions, err = a.versionsOf(ctx, team, name); err != nil {
			return out, err
		}
		text = team + "/" + name
	}
	for _, v := range versions {
		id := text
		if version == "" {
			id += "@" + v
		}
		path, _, err := a.versionArg(ctx, id)
		if err != nil {
			return out, err
		}
		one, err := ask(a, ctx, (*client.Client).GetStatusAll, adminapi.StatusRequest{VersionPath: path, Environment: env})
		if err != nil {
			return out, err
		}
		out.Body.Items = append(out.Body.Items, one.Body.Items...)
	}
	return out, nil
}

func (a *App) statusTable(items []adminapi.CatalogEntry) table {
	t, told := table{heads: []string{"version", "environment", "gateway", "instance", "state", "wanted", "runs", "reason"}}, ""
	for _, e := range items {
		if at := e.Environment + " " + e.Version; e.Canary != nil && told != at {
			told = at
			a.note("%s: %s", e.Environment, canaryLine(e.Canary))
		} else if e.Proposed != "" && told != at {
			told = at
			a.note("%s: %s waits for approval: gatehouse release approve %s@%s#%s --env %s", e.Environment, short(e.Proposed), e.API, e.Version, short(e.Proposed), e.Environment)
		}
		if len(e.Instances) == 0 {
			t.add(e.Version, e.Environment, e.Gateway, "", e.State, short(e.Revision), "", e.Reason)
		}
		for _, i := range e.Instances {
			reason := refusal(&e, i.Reason)
			if i.Warning != "" {
				reason = "warning: the gate would refuse it: " + refusal(&e, i.Warning)
			}
			t.add(e.Version, e.Environment, e.Gateway, i.Instance, i.State, short(e.Revision), short(i.Revision), reason)
		}
	}
	return t
}

func (a *App) explainChain() *cobra.Command {
	in := adminapi.ExplainRequest{}
	c := &cobra.Command{
		Use: "explain TEAM/API@VERSION", GroupID: "expose", Args: exactly(1, "one API version"),
		Short: "Show the steps a request goes through, and where each comes from",
		RunE: func(c *cobra.Command, args []string) error {
			v, _, err := a.versionArg(c.Context(), args[0])
			if err != nil {
				return err
			}
			api, err := a.connect()
			if err != nil {
				return err
			}
			in.VersionPath = v
			out, err := api.Explain(c.Context(), in)
			if err != nil {
				return err
			}
			return a.show(out.Body, func() table {
				t := table{heads: []string{"operation", "request", "step", "policy", "from", "configuration"}}
				for _, o := range out.Body.Operations {
					for i, s := range o.Steps {
						config, err := jsonx.Marshal(s.Config)
						if err != nil {
							config = []byte("?")
						}
						t.add(o.Operation, o.Method+" "+o.Path, fmt.Sprint(i+1), s.Policy, s.From, clip(string(config)))
					}
				}
				return t
			}, func() []string {
				var names []string
				for _, o := range out.Body.Operations {
					names = append(names, o.Operation)
				}
				return names
			})
		},
	}
	c.Flags().StringVar(&in.Environment, "env", "dev", "environment")
	c.Flags().StringVar(&in.Operation, "operation", "", "only this operation")
	c.Flags().StringVar(&in.Product, "product", "", "with the steps of this product's plan, TEAM/NAME")
	c.Flags().StringVar(&in.Plan, "plan", "", "the plan's name")
	return c
}

func (a *App) catalog() *cobra.Command {
	in := adminapi.CatalogRequest{}
	c := &cobra.Command{
		Use: "catalog", GroupID: "watch", Args: exactly(0, "no arguments"),
		Short: "List everything that is exposed, and what each gateway really runs",
		Long: `List everything that is exposed: one line for each API version, environment and
gateway. The list is what gateway instances acknowledged, not what was wished:
STATE is live only where every instance runs the wanted revision. With --as-of
the same question is answered for a past moment.`,
		RunE: func(c *cobra.Command, args []string) error {
			var err error
			if in.AsOf, err = moment(in.AsOf); err != nil {
				return err
			}
			out, err := ask(a, c.Context(), (*client.Client).GetCatalogAll, in)
			if err != nil {
				return err
			}
			return a.show(out.Body, func() table { return catalogTable(out.Body.Items) }, func() []string {
				var names []string
				for _, e := range out.Body.Items {
					names = append(names, e.API+"@"+e.Version)
				}
				return names
			})
		},
	}
	c.Flags().StringVar(&in.AsOf, "as-of", "", "a past moment, 2026-11-01, 2026-11-01T12:00:00Z or 2h (ago)")
	c.Flags().StringVar(&in.Environment, "env", "", "only this environment")
	c.Flags().StringVar(&in.Team, "team", "", "only this team's")
	return c
}

func catalogTable(items []adminapi.CatalogEntry) table {
	t := table{heads: []string{"api", "env", "gateway", "location", "audience", "access", "lifecycle", "owner", "framework", "path", "wanted", "runs", "gate", "state", "note"}}
	for _, e := range items {
		location, runs, note := "", "", e.Reason
		if l := e.Location; l != nil {
			location = l.Cloud + " " + l.Region
		}
		for _, i := range e.Instances {
			if note == "" && i.Warning != "" {
				note = "warning: " + refusal(&e, i.Warning)
			}
			if note == "" && i.State == "refused" {
				note = refusal(&e, i.Reason)
			}
			if r := short(i.Revision); r != "" && runs != r {
				if runs != "" {
					runs += ","
				}
				runs += r
			}
		}
		t.add(e.API+"@"+e.Version, e.Environment, e.Gateway, location, e.Audience, e.Access, e.Lifecycle, e.Team, e.Framework, e.Path, short(e.Revision), runs, gateCell(&e), e.State, note)
	}
	return t
}

// refusal is why an instance refuses an entry. Of an attestation that is missing
// the instance cannot know more; the gate can.
func refusal(e *adminapi.CatalogEntry, said string) string {
	if e.GateReason == "" || !strings.HasPrefix(said, attest.Missing) {
		return said
	}
	return attest.Missing + ": " + e.GateReason
}

// gateCell is what the gate says of an entry, with the day it ends.
func gateCell(e *adminapi.CatalogEntry) string {
	if e.GateUntil.IsZero() {
		return e.Gate
	}
	return e.Gate + " until " + e.GateUntil.Format(time.DateOnly)
}
