package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"gatehouse/adminapi"
	"gatehouse/client"
)

func (a *App) support() *cobra.Command {
	c := &cobra.Command{
		Use: "support", GroupID: "expose", Short: "Ask the owner of an API or the provider team for help, and help",
		Long: `A support request is between two teams: the one that asks, and the owner of an API or
the provider team. Clocks measure how long an answer and a solution take, within the
hours of the helping side, against what its plan, API or team promises.`,
	}
	c.AddCommand(a.supportOpen(), a.supportList(), a.supportShow(), a.supportReply(), a.supportAssign(),
		a.supportMove("close", "End a support request", (*client.Client).CloseSupport), a.supportMove("reopen", "Let a support request that is over go on", (*client.Client).ReopenSupport))
	return c
}

func (a *App) supportOpen() *cobra.Command {
	in := adminapi.OpenSupportRequest{}
	var attach []string
	c := &cobra.Command{
		Use: "open TEXT", Short: "Ask for help", Args: exactly(1, "the text, or - to read it from standard input"),
		Example: "  gatehouse support open --team billing --api payments/orders --category incident --severity high --title \"502 since noon\" \"Every call fails since 12:00 UTC.\"\n" +
			"  gatehouse support open --team billing --provider --category question --title \"New region\" - < text.md",
		RunE: func(c *cobra.Command, args []string) (err error) {
			if in.Body.Text, err = a.text(args[0]); err != nil {
				return err
			}
			if in.Body.Attachments, err = uploads(attach); err != nil {
				return err
			}
			out, err := ask(a, c.Context(), (*client.Client).OpenSupport, in)
			if err != nil {
				return err
			}
			return a.showSupport(out)
		},
	}
	f := c.Flags()
	f.StringVar(&in.Body.Team, "team", "", "team that asks")
	f.StringVar(&in.Body.Application, "app", "", "application that it is about, TEAM/NAME of the asking team")
	f.StringVar(&in.Body.API, "api", "", "API that it is about, TEAM/NAME or TEAM/NAME@VERSION")
	f.BoolVar(&in.Body.Provider, "provider", false, "ask the provider team")
	f.StringVar(&in.Body.Category, "category", "question", "question, incident, access, change, onboarding or other")
	f.StringVar(&in.Body.Severity, "severity", "medium", "low, medium, high or critical")
	f.StringVar(&in.Body.Title, "title", "", "what it is about, in a line")
	f.StringArrayVar(&attach, "attach", nil, "file to attach, 1 MiB at most; may be repeated")
	return c
}

// text is an argument, or standard input for "-".
func (a *App) text(arg string) (string, error) {
	if arg != "-" {
		return arg, nil
	}
	data, err := io.ReadAll(io.LimitReader(a.In, 1<<20))
	return string(data), err
}

func uploads(files []string) (list []adminapi.SupportUpload, err error) {
	for _, name := range files {
		data, err := attachment(name)
		if err != nil {
			return nil, fmt.Errorf("attaching: %w", err)
		}
		list = append(list, adminapi.SupportUpload{Name: filepath.Base(name), Content: data})
	}
	return list, nil
}

// attachment reads a file, and no more of it than may be attached.
func attachment(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 1<<20+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > 1<<20:
		return nil, fmt.Errorf("%s is larger than 1 MiB", name)
	case len(data) == 0:
		return nil, fmt.Errorf("%s is empty", name)
	}
	return data, nil
}

func (a *App) supportList() *cobra.Command {
	in := adminapi.ListSupportRequest{}
	c := &cobra.Command{
		Use: "list", Short: "List support requests, newest first", Args: exactly(0, "no arguments but flags"),
		Example: "  gatehouse support list --open --to payments",
		RunE: func(c *cobra.Command, _ []string) error {
			out, err := ask(a, c.Context(), (*client.Client).ListSupport, in)
			if err != nil {
				return err
			}
			if out.Body.Next != "" && a.output == "table" {
				defer a.note("there are more: --after %s", out.Body.Next)
			}
			return a.show(out.Body, func() table { return supportTable(out.Body.Items...) }, func() []string {
				var ids []string
				for _, s := range out.Body.Items {
					ids = append(ids, s.ID)
				}
				return ids
			})
		},
	}
	f := c.Flags()
	f.StringVar(&in.Team, "team", "", "team on either side")
	f.StringVar(&in.From, "from", "", "team that asks")
	f.StringVar(&in.To, "to", "", "team that helps")
	f.StringVar(&in.API, "api", "", "API, TEAM/NAME")
	f.StringVar(&in.Assignee, "assignee", "", "who helps, user:NAME")
	f.StringVar(&in.State, "state", "", "open, acknowledged, answered, waiting, resolved or closed")
	f.BoolVar(&in.Open, "open", false, "only what is not over")
	f.IntVar(&in.Limit, "limit", 50, "how many at most")
	f.StringVar(&in.After, "after", "", "behind this page")
	return c
}

func supportTable(list ...adminapi.SupportItem) table {
	t := table{heads: []string{"id", "from", "to", "about", "severity", "state", "first response", "resolution", "assignee", "opened", "title"}}
	for _, s := range list {
		to, about := s.To, s.API
		if s.Provider {
			about = "provider"
		}
		t.add(s.ID, s.From, to, about, s.Severity, s.State, clockText(s.FirstResponse), clockText(s.Resolution), s.Assignee, when(s.Opened), clip(s.Title))
	}
	return t
}

// clockText is a clock in few words: "met 20m of 1h", "running, due 2026-11-23 09:40".
func clockText(k *adminapi.SupportClockItem) string {
	switch {
	case k == nil:
		return ""
	case k.State == "running":
		return "due " + when(k.Due)
	}
	return k.State + " " + k.Used + " of " + k.Limit
}

func (a *App) showSupport(out *adminapi.SupportAnswer) error {
	s := out.Body
	if a.output != "table" {
		return a.show(s, nil, func() []string { return []string{s.ID} })
	}
	a.table(supportTable(s))
	if s.Promise != "" {
		fmt.Fprintf(a.Out, "promised by %s, within %s\n", s.Promise, orElse(s.Hours, "24x7"))
	}
	for _, c := range s.Comments {
		fmt.Fprintf(a.Out, "\n%d  %s  %s (%s)", c.Number, when(c.Time), printable(c.By), orElse(c.Team, "provider"))
		if c.State != "" {
			fmt.Fprintf(a.Out, "  %s", c.State)
		}
		fmt.Fprintf(a.Out, "\n%s\n", lines(c.Text))
		for _, f := range c.Attachments {
			fmt.Fprintf(a.Out, "  attached %s, %d bytes, %s\n", printable(f.Name), f.Size, f.Hash)
		}
	}
	return nil
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return printable(text)
}

func (a *App) supportShow() *cobra.Command {
	var attachment string
	c := &cobra.Command{
		Use: "show ID", Short: "Show a support request with what was said", Args: exactly(1, "one support request"),
		RunE: func(c *cobra.Command, args []string) error {
			ref := adminapi.SupportRef{ID: args[0]}
			if attachment != "" {
				out, err := ask(a, c.Context(), (*client.Client).GetSupportAttachment, adminapi.SupportAttachmentRef{SupportRef: ref, Hash: attachment})
				if err != nil {
					return err
				}
				_, err = a.Out.Write(out.Body.Content)
				return err
			}
			out, err := ask(a, c.Context(), (*client.Client).GetSupport, ref)
			if err != nil {
				return err
			}
			return a.showSupport(out)
		},
	}
	c.Flags().StringVar(&attachment, "attachment", "", "write this file, by its hash, to standard output")
	return c
}

func (a *App) supportReply() *cobra.Command {
	in := adminapi.ReplySupportRequest{}
	var attach []string
	c := &cobra.Command{
		Use: "reply ID TEXT", Short: "Say something on a support request", Args: exactly(2, "a support request and the text, or - to read it from standard input"),
		RunE: func(c *cobra.Command, args []string) (err error) {
			if in.ID = args[0]; in.Body.Wait && in.Body.Resolve {
				return misuse("--wait and --resolve do not go together")
			}
			if in.Body.Text, err = a.text(args[1]); err != nil {
				return err
			}
			if in.Body.Attachments, err = uploads(attach); err != nil {
				return err
			}
			out, err := ask(a, c.Context(), (*client.Client).ReplySupport, in)
			if err != nil {
				return err
			}
			return a.showSupport(out)
		},
	}
	f := c.Flags()
	f.BoolVar(&in.Body.Wait, "wait", false, "wait for the asking side; the clocks stand")
	f.BoolVar(&in.Body.Resolve, "resolve", false, "it is solved")
	f.StringVar(&in.Body.As, "as", "", "asking or helping, for who is of both sides")
	f.StringArrayVar(&attach, "attach", nil, "file to attach, 1 MiB at most; may be repeated")
	return c
}

func (a *App) supportAssign() *cobra.Command {
	return &cobra.Command{
		Use: "assign ID SUBJECT", Short: "Name who helps", Args: exactly(2, "a support request and a subject, user:NAME or group:NAME"),
		RunE: func(c *cobra.Command, args []string) error {
			in := adminapi.AssignSupportRequest{SupportRef: adminapi.SupportRef{ID: args[0]}}
			in.Body.Assignee = args[1]
			out, err := ask(a, c.Context(), (*client.Client).AssignSupport, in)
			if err != nil {
				return err
			}
			return a.showSupport(out)
		},
	}
}

func (a *App) supportMove(verb, short string, do func(*client.Client, context.Context, adminapi.MoveSupportRequest) (*adminapi.SupportAnswer, error)) *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: verb + " ID", Short: short, Args: exactly(1, "one support request"),
		RunE: func(c *cobra.Command, args []string) error {
			in := adminapi.MoveSupportRequest{SupportRef: adminapi.SupportRef{ID: args[0]}}
			if reason != "" {
				in.Body = &struct {
					Reason string `json:"reason,omitempty" maxLength:"2000"`
				}{reason}
			}
			out, err := ask(a, c.Context(), do, in)
			if err != nil {
				return err
			}
			return a.showSupport(out)
		},
	}
	c.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return c
}

// lines is text of several lines without other control characters.
func lines(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || !unicode.IsControl(r) {
			return r
		}
		return ' '
	}, text)
}
