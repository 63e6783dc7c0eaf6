package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/client"
)

// frameworkArg reads NAME@VERSION.
func frameworkArg(text string) (adminapi.FrameworkRef, error) {
	name, version, ok := strings.Cut(text, "@")
	if !ok || name == "" || version == "" || strings.ContainsAny(text, "/#") {
		return adminapi.FrameworkRef{}, misuse("%q does not name a framework's version; NAME@VERSION will do, such as corporate@2026.1", text)
	}
	return adminapi.FrameworkRef{Name: name, Version: version}, nil
}

func (a *App) framework() *cobra.Command {
	c := &cobra.Command{
		Use: "framework", GroupID: "expose", Short: "Take frameworks through the compliance gate",
		Long: `A framework says by which rules APIs may be exposed. Its versions are written in
files and applied like everything else; where a version stands is moved here:
draft, submitted, approved by persons who did not write it, in force, and in the
end superseded or withdrawn.`,
		Example: "  gatehouse framework submit corporate@2026.1\n  gatehouse framework approve corporate@2026.1 --comment 'as agreed'\n  gatehouse framework enforce corporate@2026.1",
	}
	c.AddCommand(
		a.frameworkInit(), a.frameworkList(), a.frameworkShow(),
		a.frameworkMove("submit", "Offer a draft for approval; its text is fixed from then on", (*client.Client).SubmitFramework),
		a.frameworkDecide("approve", "Approve a submitted version", (*client.Client).ApproveFramework),
		a.frameworkDecide("reject", "Send a submitted version back to its authors", (*client.Client).RejectFramework),
		a.frameworkEnforce(),
		a.frameworkMove("withdraw", "End a version for good, with --reason", (*client.Client).WithdrawFramework),
		a.frameworkComment(), a.frameworkDocument(),
	)
	return c
}

func (a *App) frameworkList() *cobra.Command {
	return &cobra.Command{
		Use: "list [NAME]", Args: between(0, 1, "at most one framework"), Short: "List where versions stand",
		RunE: func(c *cobra.Command, args []string) error {
			in := adminapi.ListFrameworkVersionsRequest{OrgRef: adminapi.OrgRef{Name: "-"}}
			if len(args) == 1 {
				in.Name = args[0]
			}
			out, err := ask(a, c.Context(), (*client.Client).ListFrameworkVersionsAll, in)
			if err != nil {
				return err
			}
			return a.show(out.Body, func() table {
				t := table{heads: []string{"version", "state", "since", "by", "valid", "controls", "title"}}
				for _, i := range out.Body.Items {
					t.add(i.Framework+"@"+i.Version, standing(i.State, i.Ended), day(i.Since), i.By, validity(i.ValidFrom, i.ValidUntil), fmt.Sprint(i.Controls), i.Title)
				}
				return t
			}, func() (names []string) {
				for _, i := range out.Body.Items {
					names = append(names, i.Framework+"@"+i.Version)
				}
				return names
			})
		},
	}
}

// standing is a version's state, and that its time is over though it is in force:
// its policies stay mandatory, and the gate passes nothing by it.
func standing(state string, ended time.Time) string {
	if state == gatehouse.InForce && !ended.IsZero() {
		return state + ", ended"
	}
	return state
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

func validity(from, until string) string {
	if from == "" && until == "" {
		return ""
	}
	return from + ".." + until
}

// latest is the version to look at when none is named: the one in force, else
// the last in the list.
func (a *App) latest(ctx context.Context, api *client.Client, text string) (adminapi.FrameworkRef, error) {
	if strings.Contains(text, "@") {
		return frameworkArg(text)
	}
	out, err := api.ListFrameworkVersionsAll(ctx, adminapi.ListFrameworkVersionsRequest{OrgRef: adminapi.OrgRef{Name: text}})
	if err != nil {
		return adminapi.FrameworkRef{}, err
	}
	ref := adminapi.FrameworkRef{Name: text}
	for _, i := range out.Body.Items {
		if ref.Version = i.Version; i.State == gatehouse.InForce {
			break
		}
	}
	return ref, nil
}

func (a *App) frameworkShow() *cobra.Command {
	return &cobra.Command{
		Use: "show NAME[@VERSION]", Args: exactly(1, "one framework or version"), Short: "Show a version with every decision on it",
		Long: `Show one version, the one in force unless another is named: where it stands, who
wrote it, who approved it and who still has to, and its controls. With -o json or
yaml its text is there word for word as it was submitted.`,
		RunE: func(c *cobra.Command, args []string) error {
			api, err := a.connect()
			if err != nil {
				return err
			}
			ref, err := a.latest(c.Context(), api, args[0])
			if err != nil {
				return err
			}
			out, err := api.GetFrameworkVersion(c.Context(), ref)
			if err != nil {
				return err
			}
			if a.output == "table" {
				a.frameworkStory(&out.Body)
				return nil
			}
			return a.show(out.Body, nil, func() []string { return []string{ref.Name + "@" + ref.Version} })
		},
	}
}

// frameworkStory tells people how a version came to where it is.
func (a *App) frameworkStory(b *adminapi.FrameworkVersionBody) {
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(a.Out, "%-12s %s\n", name, printable(value))
		}
	}
	line("version", b.Framework+"@"+b.Version)
	line("title", b.Title)
	state := standing(b.State, b.Ended)
	if !b.Since.IsZero() {
		state += " since " + b.Since.UTC().Format(time.RFC3339) + ", by " + b.By
	}
	line("state", state)
	line("reason", b.Reason)
	if b.Text != nil {
		line("valid", validity(b.Text.Version.ValidFrom, b.Text.Version.ValidUntil))
	}
	line("text", b.Hash)
	line("authors", strings.Join(b.Authors, ", "))
	if !b.Submitted.IsZero() {
		line("submitted", b.Submitted.UTC().Format(time.RFC3339)+" by "+b.SubmittedBy)
	}
	if b.State == gatehouse.Submitted || b.State == gatehouse.Approved {
		line("approvals", fmt.Sprintf("%d of %d%s", len(b.Counted), b.Approvals, withComma(strings.Join(b.Counted, ", "))))
	}
	for _, u := range b.Uncounted {
		line("", u.By+" does not count: "+u.Why)
	}
	for _, d := range b.Decisions {
		text := d.Time.UTC().Format(time.RFC3339) + " " + d.Decision + " by " + d.By
		if d.Digest != b.Hash {
			text += " (an earlier text)"
		}
		if d.Comment != "" {
			text += ": " + d.Comment
		}
		line("decision", text)
		for _, e := range d.Evidence {
			line("", "evidence "+e)
		}
	}
	if b.Text == nil || len(b.Text.Version.Controls) == 0 {
		return
	}
	fmt.Fprintln(a.Out)
	t := table{heads: []string{"control", "severity", "level", "check", "title"}}
	for _, k := range b.Text.Version.Controls {
		t.add(k.ID, k.Severity, k.Level, k.Check.Kind(), k.Title)
	}
	a.table(t)
}

func withComma(s string) string {
	if s == "" {
		return ""
	}
	return ": " + s
}

func (a *App) frameworkDocument() *cobra.Command {
	in := adminapi.GetFrameworkDocumentRequest{}
	var version, out string
	c := &cobra.Command{
		Use: "document NAME[@VERSION]", Args: exactly(1, "one framework or version"), Short: "Write the service description, for people",
		Long: `Write what a version offers as a document: the service description and controls as
they were written, with the environments, gateways, policies, plans, contacts and
teams that are live, so that it cannot go stale. It is of the version in force
unless another is named. With --approved it is the document that was approved,
word for word.`,
		Example: "  gatehouse framework document corporate --format html --out corporate.html",
		RunE: func(c *cobra.Command, args []string) error {
			api, err := a.connect()
			if err != nil {
				return err
			}
			name := args[0]
			if version != "" {
				if strings.Contains(name, "@") {
					return misuse("%q names a version already; leave --version out", name)
				}
				name += "@" + version
			}
			if in.FrameworkRef, err = a.latest(c.Context(), api, name); err != nil {
				return err
			}
			if in.Format != "markdown" && in.Format != "html" {
				return misuse("%q is not a format: markdown or html", in.Format)
			}
			answer, err := api.GetFrameworkDocument(c.Context(), in)
			if err != nil {
				return err
			}
			return a.write(out, answer.Body)
		},
	}
	c.Flags().StringVar(&version, "version", "", "version; default the one in force")
	c.Flags().StringVar(&in.Format, "format", "markdown", "markdown or html")
	c.Flags().BoolVar(&in.Approved, "approved", false, "as it was approved, word for word")
	c.Flags().StringVar(&out, "out", "", "file to write; default standard output")
	return c
}
