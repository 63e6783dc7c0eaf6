package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/bundle"
)

// files are the flags of commands that read documents.
type files struct {
	paths    []string
	absolute bool
}

func (f *files) bind(c *cobra.Command) {
	c.Flags().StringArrayVarP(&f.paths, "file", "f", nil, "file or folder to read, - for standard input; may be repeated")
	c.Flags().BoolVar(&f.absolute, "allow-absolute-refs", false, "let definitions refer to files by absolute paths")
}

func (a *App) read(f files) (*bundle.Bundle, error) {
	if len(f.paths) == 0 {
		return nil, misuse("-f says which file or folder to read")
	}
	return bundle.Read(f.paths, bundle.Options{Stdin: a.In, AllowAbsoluteRefs: f.absolute})
}

// full refuses a bundle without a document: a folder that was mistyped, or is
// not filled yet, is no success.
func (f *files) full(b *bundle.Bundle) error {
	if len(b.Documents) > 0 {
		return nil
	}
	return gatehouse.E(gatehouse.Invalid, "%s: there is no document: those are in files *.yaml, *.yml and *.json and begin with apiVersion: gatehouse/v1", strings.Join(f.paths, ", "))
}

// applying are the flags that apply and plan share.
type applying struct {
	files
	set       string
	prune     bool
	yesDelete bool
	force     force
}

func (p *applying) bind(c *cobra.Command) {
	p.files.bind(c)
	c.Flags().StringVar(&p.set, "set", "", "name of these files, for pruning")
	c.Flags().BoolVar(&p.prune, "prune", false, "delete what the same --set applied earlier and no longer holds")
	c.Flags().BoolVar(&p.yesDelete, "yes-delete", false, "delete protected objects too")
	p.force.bind(c)
}

// send does the bundle, or plans it.
func (a *App) send(ctx context.Context, p applying, dry bool) (adminapi.ApplyResult, error) {
	if p.prune && p.set == "" {
		return adminapi.ApplyResult{}, misuse("--prune needs --set, the name of the files to prune by")
	}
	why, err := p.force.why()
	if err != nil {
		return adminapi.ApplyResult{}, err
	}
	b, faulty := a.read(p.files)
	switch {
	case faulty != nil: // what can be refused on record is
		if b = b.Sendable(); b == nil || dry {
			return adminapi.ApplyResult{}, faulty
		}
	case !p.prune: // nothing is left of a set that is pruned away
		if err := p.full(b); err != nil {
			return adminapi.ApplyResult{}, err
		}
	}
	api, err := a.connect()
	if err != nil {
		return adminapi.ApplyResult{}, cmp.Or(faulty, err)
	}
	in := adminapi.ApplyBody{Files: b.Files, Set: p.set, Prune: p.prune, YesDelete: p.yesDelete, Force: why, DryRun: dry}
	for _, d := range b.Documents {
		in.Documents = append(in.Documents, adminapi.ApplyDocument{Object: d.Object, File: d.File, Files: d.Files})
	}
	out, err := api.Apply(ctx, adminapi.ApplyRequest{Body: in})
	if err != nil && faulty != nil {
		return adminapi.ApplyResult{}, faulty // says the lines, as the server cannot
	}
	if e, ok := errors.AsType[*gatehouse.Error](err); ok {
		e.Faults = b.Place(e.Faults) // say the line, as the server cannot
		if len(e.Faults) == 1 {
			e.Text = e.Faults[0].String()
		}
		return adminapi.ApplyResult{}, e
	}
	if err != nil {
		return adminapi.ApplyResult{}, err
	}
	return out.Body, nil
}

func (a *App) apply() *cobra.Command {
	var p applying
	var wait time.Duration
	c := &cobra.Command{
		Use: "apply -f PATH…", GroupID: "files", Args: exactly(0, "no arguments but -f PATH"),
		Short: "Make the server hold what files say, all or nothing",
		Long: `Read documents from files and folders and make the server hold what they say, all or
nothing. Applying the same files again changes nothing. Afterwards the command
waits until the connected gateways say that they run it.`,
		Example: "  gatehouse apply -f pets/\n  gatehouse apply -f . --set payments --prune",
		RunE: func(c *cobra.Command, _ []string) error {
			out, err := a.send(c.Context(), p, false)
			if err != nil {
				return err
			}
			if err := a.show(out, func() table { return resultTable(out, false) }, func() []string { return refs(out) }); err != nil {
				return err
			}
			a.held(out)
			return a.inStep(c.Context(), out.Seq, wait, concernOf(&out))
		},
	}
	p.bind(c)
	c.Flags().DurationVar(&wait, "wait", 10*time.Second, "how long to wait for the gateways; 0 does not wait")
	return c
}

func (a *App) plan() *cobra.Command {
	var p applying
	c := &cobra.Command{
		Use: "plan -f PATH…", GroupID: "files", Args: exactly(0, "no arguments but -f PATH"),
		Short: "Show what apply would change; exit status 2 if anything",
		RunE: func(c *cobra.Command, _ []string) error {
			out, err := a.send(c.Context(), p, true)
			if err != nil {
				return err
			}
			changes := 0
			for _, r := range out.Results {
				if r.Action != "unchanged" {
					changes++
				}
			}
			if a.output != "table" {
				if err := a.show(out, nil, func() []string { return refs(out) }); err != nil {
					return err
				}
			} else {
				a.printPlan(out, changes)
			}
			a.held(out)
			if changes > 0 {
				return exit{code: 2}
			}
			return nil
		},
	}
	p.bind(c)
	return c
}

// held tells what the gate keeps out of environments that would take it.
func (a *App) held(out adminapi.ApplyResult) {
	const most = 10
	for i, h := range out.Held {
		if i == most {
			a.note("and %d more are kept out", len(out.Held)-most)
			return
		}
		env, id, _ := strings.Cut(h.Release, " ")
		a.note("%s#%s stays out of %s: %s", id, short(h.Revision), env, h.Reason)
	}
}

// printPlan shows each change with the fields it touches.
func (a *App) printPlan(out adminapi.ApplyResult, changes int) {
	for _, r := range out.Results {
		if r.Action == "unchanged" {
			continue
		}
		line := fmt.Sprintf("%s %s %s", r.Action, r.Kind, shortened(r.Ref))
		if r.Action == "update" && r.Note != "" {
			line += " (" + r.Note + ")"
		}
		fmt.Fprintln(a.Out, printable(line))
		if r.Action == "update" {
			for _, d := range r.Changes {
				fmt.Fprintln(a.Out, "  "+printable(bundle.Line(d)))
			}
		}
	}
	if changes == 0 {
		a.note("nothing to change: %d objects are as the files say", len(out.Results))
		return
	}
	a.note("%d of %d objects would change", changes, len(out.Results))
}

func resultTable(out adminapi.ApplyResult, all bool) table {
	t := table{heads: []string{"action", "kind", "name", "note"}}
	same := 0
	for _, r := range out.Results {
		if r.Action == "unchanged" && len(out.Results) > 20 && !all {
			same++
			continue
		}
		t.add(r.Action, string(r.Kind), shortened(r.Ref), shortened(r.Note))
	}
	if same > 0 {
		t.add("unchanged", fmt.Sprintf("%d objects", same), "", "")
	}
	return t
}

func refs(out adminapi.ApplyResult) []string {
	var names []string
	for _, r := range out.Results {
		names = append(names, string(r.Kind)+"/"+r.Ref)
	}
	return names
}
