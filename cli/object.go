package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/adminapi"
)

// kindArg reads a kind as people type it.
func kindArg(text string) (gatehouse.KindInfo, error) {
	k, ok := gatehouse.Info(text)
	if !ok {
		if near := gatehouse.Nearest(text, kindNames()); near != "" {
			return k, misuse("%q is not a kind; did you mean %q?", text, near)
		}
		return k, misuse("%q is not a kind; these are: %s", text, strings.Join(kindNames(), ", "))
	}
	return k, nil
}

// refArg splits TEAM/NAME, or NAME for kinds of the organization.
func refArg(k gatehouse.KindInfo, ref string) (team, name string, err error) {
	if !k.Owned {
		return "", ref, nil
	}
	team, name = gatehouse.ParseRef(ref, "")
	if team == "" || name == "" || strings.Contains(name, "/") {
		return "", "", misuse("%q does not name one %s; TEAM/NAME will do, such as payments/orders", ref, k.Kind)
	}
	return team, name, nil
}

func (a *App) get() *cobra.Command {
	var o adminapi.GetOptions
	c := &cobra.Command{
		Use: "get KIND [TEAM/NAME]", GroupID: "objects", Args: between(1, 2, "a kind, such as api, and perhaps a name"),
		Short: "Print one object, or list those of a kind",
		Long: `Print one object as it was sent, or list those of a kind.

With --as-of the answer is for a past moment, and with --effective defaults are
filled in. One object is printed as YAML unless -o json is asked for.`,
		Example: "  gatehouse get api payments/orders\n  gatehouse get subscriptions -o json\n  gatehouse get api payments/orders --as-of 2026-11-01T00:00:00Z",
		RunE: func(c *cobra.Command, args []string) error {
			k, err := kindArg(args[0])
			if err != nil {
				return err
			}
			if len(args) == 1 {
				return a.listObjects(c.Context(), k, "", adminapi.PageRequest{}, o.AsOf)
			}
			return a.getObject(c.Context(), k, args[1], o)
		},
	}
	c.Flags().StringVar(&o.AsOf, "as-of", "", "a past moment, 2026-11-01 or 2026-11-01T12:00:00Z")
	c.Flags().BoolVar(&o.Effective, "effective", false, "fill in the defaults")
	return c
}

func (a *App) getObject(ctx context.Context, k gatehouse.KindInfo, ref string, o adminapi.GetOptions) error {
	team, name, err := refArg(k, ref)
	if err != nil {
		return err
	}
	if o.AsOf, err = moment(o.AsOf); err != nil {
		return err
	}
	api, err := a.connect()
	if err != nil {
		return err
	}
	got, err := api.Get(ctx, k.Kind, team, name, o)
	if err != nil {
		return err
	}
	if a.output == "table" {
		a.output = "yaml"
	}
	return a.show(got.Body, nil, func() []string { return []string{got.Body.Metadata.Ref()} })
}

func (a *App) list() *cobra.Command {
	var team, asOf string
	var p adminapi.PageRequest
	c := &cobra.Command{
		Use: "list KIND", GroupID: "objects", Args: exactly(1, "one kind, such as apis"),
		Short: "List the objects of a kind",
		RunE: func(c *cobra.Command, args []string) error {
			k, err := kindArg(args[0])
			if err != nil {
				return err
			}
			return a.listObjects(c.Context(), k, team, p, asOf)
		},
	}
	c.Flags().StringVar(&team, "team", "", "only this team's")
	c.Flags().StringVar(&asOf, "as-of", "", "a past moment, 2026-11-01 or 2026-11-01T12:00:00Z")
	c.Flags().StringVar(&p.Filter, "filter", "", "conditions joined by commas, such as state=approved")
	c.Flags().StringVar(&p.Prefix, "prefix", "", "only those whose name begins so, such as payments/or")
	c.Flags().StringVar(&p.Sort, "sort", "", "field to sort by; a leading - turns it round")
	c.Flags().IntVar(&p.Limit, "limit", 0, "how many at most; all when left out")
	return c
}

func (a *App) listObjects(ctx context.Context, k gatehouse.KindInfo, team string, p adminapi.PageRequest, asOf string) error {
	asOf, err := moment(asOf)
	if err != nil {
		return err
	}
	api, err := a.connect()
	if err != nil {
		return err
	}
	most, items := p.Limit, []adminapi.ObjectBody{}
	for {
		p.Limit = 1000
		if most > 0 {
			p.Limit = min(most-len(items), 1000)
		}
		page, err := api.List(ctx, k.Kind, team, p, asOf)
		if err != nil {
			return err
		}
		items = append(items, page.Body.Items...)
		p.After = page.Body.Next
		if p.After == "" || most > 0 && len(items) >= most {
			break
		}
	}
	if k.Kind == gatehouse.KindRole && most == 0 && p.Filter == "" && p.Prefix == "" && p.Sort == "" && asOf == "" {
		own, err := api.ListBuiltInRoles(ctx, adminapi.Empty{})
		if err != nil {
			return err
		}
		items = append(own.Body.Items, items...)
	}
	return a.show(map[string]any{"items": items}, func() table {
		t := table{heads: append([]string{"name"}, columnsOf[k.Kind]...)}
		for _, o := range items {
			t.add(append([]string{o.Metadata.Ref()}, cells(o, columnsOf[k.Kind])...)...)
		}
		return t
	}, func() []string {
		var names []string
		for _, o := range items {
			names = append(names, o.Metadata.Ref())
		}
		return names
	})
}

// columnsOf are the fields that lists show beside the name.
var columnsOf = map[gatehouse.Kind][]string{
	gatehouse.KindAPI:            {"title", "audience", "framework", "versions"},
	gatehouse.KindBackend:        {"environments"},
	gatehouse.KindProduct:        {"title", "audience", "apis", "plans"},
	gatehouse.KindApplication:    {"title", "summary"},
	gatehouse.KindSubscription:   {"application", "product", "plan", "environment", "state"},
	gatehouse.KindPolicySet:      {"version", "policies"},
	gatehouse.KindTeam:           {"title", "parent", "members"},
	gatehouse.KindUser:           {"displayName", "email", "disabled"},
	gatehouse.KindGroup:          {"title", "members"},
	gatehouse.KindServiceAccount: {"title", "team", "disabled"},
	gatehouse.KindRole:           {"title", "builtIn", "permissions"},
	gatehouse.KindRoleAssignment: {"subject", "role", "scope", "expires"},
	gatehouse.KindEnvironment:    {"stage", "hosts", "jurisdiction", "release"},
	gatehouse.KindGateway:        {"environment", "location", "url"},
	gatehouse.KindFramework:      {"title", "versions"},
}

// cells reads columns from the spec, or the status.
func cells(o adminapi.ObjectBody, columns []string) []string {
	var spec, status map[string]any
	_ = json.Unmarshal(o.Spec, &spec)     // shown as empty cells
	_ = json.Unmarshal(o.Status, &status) // absent for most kinds
	out := make([]string, len(columns))
	for i, c := range columns {
		v, ok := spec[c]
		if !ok {
			v = status[c]
		}
		out[i] = cell(v)
	}
	return out
}

// cell writes a value on one line: of objects their names.
func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = cell(e)
		}
		return clip(strings.Join(parts, ","))
	case map[string]any:
		for _, key := range []string{"name", "mode", "region"} {
			if s, ok := v[key].(string); ok {
				return s
			}
		}
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		return clip(joined(keys))
	}
	return clip(fmt.Sprint(v))
}

func (a *App) describe() *cobra.Command {
	return &cobra.Command{
		Use: "describe KIND TEAM/NAME", GroupID: "objects", Args: exactly(2, "a kind and a name"),
		Short: "Show one object with its defaults and its latest events",
		RunE: func(c *cobra.Command, args []string) error {
			k, err := kindArg(args[0])
			if err != nil {
				return err
			}
			if err := a.getObject(c.Context(), k, args[1], adminapi.GetOptions{Effective: true}); err != nil || a.output == "json" {
				return err
			}
			fmt.Fprintln(a.Out, "---")
			a.output = "table"
			return a.events(c.Context(), adminapi.QueryAuditRequest{EventSelection: adminapi.EventSelection{Object: string(k.Kind) + " " + args[1]}, Limit: 10, Newest: true})
		},
	}
}

func (a *App) delete() *cobra.Command {
	var yes bool
	var forced force
	c := &cobra.Command{
		Use: "delete KIND TEAM/NAME", GroupID: "objects", Args: exactly(2, "a kind and a name"),
		Short: "Delete one object",
		Long:  "Delete one object. What others refer to stays, and the answer names them;\nprotected objects need --yes-delete. An API that has traffic stays, unless\n--force and a --reason say why it goes.",
		RunE: func(c *cobra.Command, args []string) error {
			k, err := kindArg(args[0])
			if err != nil {
				return err
			}
			team, name, err := refArg(k, args[1])
			if err != nil {
				return err
			}
			why, err := forced.why()
			if err != nil {
				return err
			}
			api, err := a.connect()
			if err != nil {
				return err
			}
			if err := api.Delete(c.Context(), k.Kind, team, name, yes, why); err != nil {
				return err
			}
			return a.done(map[string]string{"deleted": string(k.Kind) + " " + args[1]}, args[1], "deleted %s %s", k.Kind, args[1])
		},
	}
	c.Flags().BoolVar(&yes, "yes-delete", false, "delete it even if it is protected")
	forced.bind(c)
	return c
}
