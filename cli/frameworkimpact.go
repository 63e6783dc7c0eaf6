package cli

import (
	"cmp"
	"context"
	"strings"

	"github.com/spf13/cobra"

	"gatehouse/adminapi"
	"gatehouse/client"
)

func (a *App) frameworkEnforce() *cobra.Command {
	c := a.frameworkMove("enforce", "Put an approved version in force", (*client.Client).EnforceFramework)
	c.Long = `Put an approved version in force; the one before is superseded.

With --dry-run nothing changes: everything released that the version would judge
is evaluated as if it were in force, and what would fall short is listed with its
controls and until when it could go on. That works for a draft too, and takes a
while where much is released.`
	c.Example = "  gatehouse framework enforce corporate@2026.2 --dry-run\n  gatehouse framework enforce corporate@2026.2 --reason 'agreed on Monday'"
	dry := c.Flags().Bool("dry-run", false, "tell what would fall short, and change nothing")
	enforce := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		if !*dry {
			return enforce(c, args)
		}
		ref, err := frameworkArg(args[0])
		if err != nil {
			return err
		}
		return a.frameworkImpact(c.Context(), ref)
	}
	return c
}

// frameworkImpact lists what would fall short of a version, page by page.
func (a *App) frameworkImpact(ctx context.Context, ref adminapi.FrameworkRef) error {
	api, err := a.connect()
	if err != nil {
		return err
	}
	all, looked := []adminapi.ImpactItem{}, 0
	for in := (adminapi.ImpactFrameworkRequest{FrameworkRef: ref, Limit: 50}); ; {
		out, err := api.ImpactFramework(ctx, in)
		if err != nil {
			return err
		}
		all, looked = append(all, out.Body.Items...), looked+out.Body.Looked
		if in.After = out.Body.Next; in.After == "" {
			break
		}
	}
	name := ref.Name + "@" + ref.Version
	a.note("%s would judge %s, of which %d would fall short; nothing was changed", name, many(looked, "release"), len(all))
	return a.show(map[string]any{"framework": ref.Name, "version": ref.Version, "looked": looked, "items": all}, func() table {
		return impactTable(all)
	}, func() (names []string) {
		for _, i := range all {
			names = append(names, i.Environment+" "+i.API+"@"+i.Version)
		}
		return names
	})
}

// impactTable has a line for each control that would not be obeyed.
func impactTable(all []adminapi.ImpactItem) table {
	t := table{heads: []string{"environment", "api", "revision", "now", "would be", "control", "until", "why", "gate"}}
	for _, i := range all {
		line := func(outcome, control, until, why string) {
			t.add(i.Environment, i.API+"@"+i.Version, short(i.Revision), cmp.Or(i.Now, "-"), outcome, control, until, clip(why), i.Mode)
		}
		if len(i.Controls) == 0 || i.Reason != "" {
			line(i.Outcome, "", "", i.Reason)
		}
		for _, k := range i.Controls {
			line(k.Outcome, k.ID, day(k.Until), strings.TrimSpace(k.Detail))
		}
	}
	return t
}
