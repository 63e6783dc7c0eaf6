package cli

import (
	"context"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/client"
)

func (a *App) gateAnswer() *cobra.Command {
	var f gateFlags
	var control, text string
	var evidence []string
	c := &cobra.Command{
		Use: "answer TEAM/API@VERSION", Args: exactly(1, "one API version"), Short: "Answer the question of a control",
		Long: `Answer the question of a control, with files that prove it where it asks for them.
The answer counts once someone else confirms it, and holds until something that it
depends on changes. --evidence takes files, which are uploaded, and hashes of
files that were.`,
		Example: "  gatehouse gate answer payments/orders@v1 --env prod --control threat-model --text 'reviewed 12 March' --evidence model.pdf",
		RunE: func(c *cobra.Command, args []string) error {
			v, of, err := f.of(a, c.Context(), args[0])
			if err != nil {
				return err
			}
			if control == "" {
				return misuse("--control says which question is answered")
			}
			in := adminapi.AnswerGateRequest{VersionPath: v}
			in.Body.GateOf, in.Body.Control, in.Body.Text = of, control, text
			if in.Body.Evidence, err = a.proofs(c.Context(), evidence, v.Team); err != nil {
				return err
			}
			out, err := ask(a, c.Context(), (*client.Client).AnswerGate, in)
			if err != nil {
				return err
			}
			return a.done(out.Body, args[0], "answered %s for %s; someone else has to confirm it: gatehouse gate confirm %s --control %s --env %s", control, args[0], args[0], control, f.env)
		},
	}
	f.bind(c, "the newest")
	c.Flags().StringVar(&control, "control", "", "id of the control")
	c.Flags().StringVar(&text, "text", "", "the answer")
	c.Flags().StringSliceVar(&evidence, "evidence", nil, "file, or hash of one that was uploaded; may be given several times")
	return c
}

func (a *App) gateConfirm() *cobra.Command {
	var f gateFlags
	var control, comment, hash string
	var reject bool
	c := &cobra.Command{
		Use: "confirm TEAM/API@VERSION", Args: exactly(1, "one API version"), Short: "Confirm or, with --reject, reject somebody's answer",
		Example: "  gatehouse gate confirm payments/orders@v1 --env prod --control threat-model",
		RunE: func(c *cobra.Command, args []string) error {
			v, of, err := f.of(a, c.Context(), args[0])
			if err != nil {
				return err
			}
			if control == "" {
				return misuse("--control says which answer is confirmed")
			}
			in := adminapi.ConfirmGateRequest{VersionPath: v}
			in.Body.GateOf, in.Body.Control, in.Body.Comment, in.Body.Reject, in.Body.Hash = of, control, comment, reject, hash
			if hash == "" {
				in.Body.Hash = a.answerToRead(c.Context(), v, control)
			}
			out, err := ask(a, c.Context(), (*client.Client).ConfirmGate, in)
			if err != nil {
				return err
			}
			return a.done(out.Body, args[0], "the answer of %s to %s for %s is %s", out.Body.By, control, args[0], out.Body.State)
		},
	}
	f.bind(c, "the newest")
	c.Flags().StringVar(&control, "control", "", "id of the control")
	c.Flags().StringVar(&comment, "comment", "", "why; needed to reject")
	c.Flags().BoolVar(&reject, "reject", false, "the answer does not do")
	c.Flags().StringVar(&hash, "hash", "", "of the answer as it was read; default the one that waits, which is shown")
	return c
}

// answerToRead shows the answer that waits and tells its hash, so that what is
// decided on is what was shown. It is "" where there is none, or several.
func (a *App) answerToRead(ctx context.Context, v adminapi.VersionPath, control string) (hash string) {
	out, err := ask(a, ctx, (*client.Client).ListAnswersAll, adminapi.ListAnswersRequest{VersionPath: v})
	if err != nil {
		return ""
	}
	var waits []adminapi.AnswerBody
	for _, i := range out.Body.Items {
		if i.Control == control && i.State == gatehouse.Requested {
			waits = append(waits, i)
		}
	}
	if len(waits) != 1 {
		return ""
	}
	i := waits[0]
	a.note("%s answered %s: %s %s", i.By, minute(i.Time), clip(i.Text), shortAll(i.Answer))
	return i.Hash
}

func (a *App) gateAnswers() *cobra.Command {
	return &cobra.Command{
		Use: "answers TEAM/API@VERSION", Args: exactly(1, "one API version"), Short: "List what was answered about an API version",
		RunE: func(c *cobra.Command, args []string) error {
			v, _, err := a.versionArg(c.Context(), args[0])
			if err != nil {
				return err
			}
			out, err := ask(a, c.Context(), (*client.Client).ListAnswersAll, adminapi.ListAnswersRequest{VersionPath: v})
			if err != nil {
				return err
			}
			return a.show(out.Body, func() table {
				t := table{heads: []string{"control", "state", "by", "time", "decided by", "evidence", "answer"}}
				for _, i := range out.Body.Items {
					t.add(i.Control, i.State, i.By, minute(i.Time), i.DecidedBy, shortAll(i.Answer), clip(i.Text))
				}
				return t
			}, func() (names []string) {
				for _, i := range out.Body.Items {
					names = append(names, i.Control)
				}
				return names
			})
		},
	}
}

func shortAll(i gatehouse.Answer) string {
	var hashes []string
	for _, h := range i.Evidence {
		hashes = append(hashes, short(h))
	}
	return joined(hashes)
}
