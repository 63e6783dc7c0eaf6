package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"gatehouse/adminapi"
)

func (a *App) diff() *cobra.Command {
	var in adminapi.DiffRequest
	var onlyBreaking bool
	c := &cobra.Command{
		Use: "diff TEAM/API@VERSION[#REVISION] [TEAM/API@VERSION[#REVISION]]", GroupID: "expose", Args: cobra.RangeArgs(1, 2),
		Short: "Compare two revisions or versions, and tell who is affected",
		Long: `Compare two revisions, or versions: what their definitions say otherwise to those
who call, by named checks with a level; what else changes, path, access and
policies; and which applications called, in the last 30 days, what is removed or
broken.

A side without a revision is the newest one. With --env the first side is what is
live there, and only calls there are counted; with one side alone it is compared
with the newest revision of the same version.

Exit status: 0 nothing is different, 2 something is, 1 it was refused or failed.
With --breaking only what breaks callers counts as different.`,
		Example: `  gatehouse diff payments/orders@v1 payments/orders@v2
  gatehouse diff payments/orders@v1 --env prod
  gatehouse diff 'payments/orders@v1#3f9c2a' payments/orders@v1 -o json`,
		RunE: func(c *cobra.Command, args []string) error {
			v, revision, err := a.versionArg(c.Context(), args[0])
			if err != nil {
				return err
			}
			in.VersionPath, in.Revision = v, revision
			if len(args) == 2 {
				if _, _, err := a.versionArg(c.Context(), args[1]); err != nil {
					return err
				}
				in.To = args[1]
			}
			if len(args) == 1 && in.Environment == "" && in.Revision == "" && in.ToEnvironment == "" {
				return misuse("%s is compared with itself: name another version or revision, or --env", args[0])
			}
			api, err := a.connect()
			if err != nil {
				return err
			}
			out, err := api.Diff(c.Context(), in)
			if err != nil {
				return err
			}
			d := out.Body
			a.diffNotes(&d)
			if err := a.show(d, func() table { return diffTable(&d, onlyBreaking) }, func() []string { return diffNames(&d) }); err != nil {
				return err
			}
			if d.Same || onlyBreaking && !d.Breaking {
				return nil
			}
			return exit{2, nil}
		},
	}
	f := c.Flags()
	f.StringVar(&in.Environment, "env", "", "the first side is what is live in this environment")
	f.StringVar(&in.ToEnvironment, "to-env", "", "the second side is what is live in this environment")
	f.IntVar(&in.Days, "days", 30, "how many days of calls are looked at")
	f.BoolVar(&onlyBreaking, "breaking", false, "only what breaks callers")
	return c
}

// diffNotes says in words what the table does not.
func (a *App) diffNotes(d *adminapi.DiffBody) {
	a.note("from %s to %s", sideText(d.From), sideText(d.To))
	if d.NotCompared != "" {
		a.note("the definitions were not compared: %s", d.NotCompared)
	}
	if d.Omitted > 0 {
		a.note("%d more changes of the definition are not listed", d.Omitted)
	}
	switch {
	case d.Same:
		a.note("nothing is different")
	case !d.Breaking:
		a.note("nothing that breaks those who call it")
	case len(d.Affected) == 0:
		a.note("nobody has called what is removed or broken since %s", d.Since.Format("2006-01-02"))
	}
	for _, x := range d.Affected {
		who := x.Application
		if who == "" {
			who = "callers without an application"
		}
		ops := make([]string, 0, len(x.Operations))
		for _, o := range x.Operations {
			if o == "" {
				o = "paths that no operation names"
			}
			ops = append(ops, o)
		}
		a.note("affected: %s called %s %d times since %s, last on %s", who, strings.Join(ops, ", "), x.Requests, d.Since.Format("2006-01-02"), x.Last.Format("2006-01-02 15:04"))
	}
}

func sideText(s adminapi.DiffSide) string {
	text := s.API + "@" + s.Version + "#" + short(s.Revision)
	if s.Environment != "" {
		text += " in " + s.Environment
	}
	return text
}

func diffTable(d *adminapi.DiffBody, onlyBreaking bool) table {
	t := table{heads: []string{"level", "operation", "check", "what"}}
	add := func(level, operation, id, text string) {
		if !onlyBreaking || level == "error" {
			t.add(level, operation, id, text)
		}
	}
	listed := len(d.Definition) > 0 // what came and went is among them
	for _, o := range d.Removed {
		if listed {
			break
		}
		add("error", o.Method+" "+o.Path, "operation-removed", fmt.Sprintf("operation %s is gone", o.ID))
	}
	for _, c := range append(d.Gatehouse, d.Definition...) {
		add(c.Level, c.Operation, c.ID, c.Text)
	}
	for _, o := range d.Added {
		if listed {
			break
		}
		add("info", o.Method+" "+o.Path, "operation-added", fmt.Sprintf("operation %s is new", o.ID))
	}
	return t
}

func diffNames(d *adminapi.DiffBody) (names []string) {
	for _, c := range append(d.Gatehouse, d.Definition...) {
		names = append(names, c.ID)
	}
	return names
}
