package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/adminapi"
	"gatehouse/client"
)

func (a *App) key() *cobra.Command {
	c := &cobra.Command{Use: "key", GroupID: "expose", Short: "Create, rotate and revoke the keys of a subscription", Aliases: []string{"keys"}}
	c.AddCommand(a.keyList(), a.keyCreate(), a.keyRotate(), a.keyRevoke())
	return c
}

func (a *App) keyList() *cobra.Command {
	return &cobra.Command{
		Use: "list TEAM/SUBSCRIPTION", Short: "List a subscription's keys, by their public ids", Args: exactly(1, "one subscription"),
		RunE: func(c *cobra.Command, args []string) error {
			ref, err := ownedArg(args[0], "subscription")
			if err != nil {
				return err
			}
			out, err := ask(a, c.Context(), (*client.Client).ListKeysAll, adminapi.ListKeysRequest{OwnedRef: ref})
			if err != nil {
				return err
			}
			return a.show(out.Body, func() table {
				t := table{heads: []string{"id", "state", "created", "by", "expires"}}
				for _, k := range out.Body.Items {
					t.add(k.ID, k.State, when(k.Created), k.CreatedBy, when(k.Expires))
				}
				return t
			}, func() []string {
				var ids []string
				for _, k := range out.Body.Items {
					ids = append(ids, k.ID)
				}
				return ids
			})
		},
	}
}

func (a *App) keyCreate() *cobra.Command {
	var expires string
	c := &cobra.Command{
		Use: "create TEAM/SUBSCRIPTION", Short: "Create a key and print it, this once", Args: exactly(1, "one subscription"),
		RunE: func(c *cobra.Command, args []string) error {
			ref, err := ownedArg(args[0], "subscription")
			if err != nil {
				return err
			}
			in := adminapi.CreateKeyRequest{OwnedRef: ref}
			if expires != "" {
				t, err := future(expires)
				if err != nil {
					return err
				}
				in.Body = &struct {
					Expires time.Time `json:"expires,omitzero" doc:"When it ends; left out, with the subscription."`
				}{t}
			}
			out, err := ask(a, c.Context(), (*client.Client).CreateKey, in)
			if err != nil {
				return err
			}
			return a.newKey(c.Context(), out)
		},
	}
	c.Flags().StringVar(&expires, "expires", "", "when it ends: 2027-06-30, or 90d from now")
	return c
}

func (a *App) keyRotate() *cobra.Command {
	var overlap, id string
	c := &cobra.Command{
		Use: "rotate TEAM/SUBSCRIPTION", Short: "Create a new key; the old one lives on for a while", Args: exactly(1, "one subscription"),
		RunE: func(c *cobra.Command, args []string) error {
			ref, err := ownedArg(args[0], "subscription")
			if err != nil {
				return err
			}
			in := adminapi.RotateKeyRequest{OwnedRef: ref, Body: &struct {
				Overlap string `json:"overlap,omitempty" doc:"How long the old key lives on, such as 1h; default 24h."`
				Key     string `json:"key,omitempty" doc:"The key to replace, by id; needed when two are live."`
			}{overlap, id}}
			out, err := ask(a, c.Context(), (*client.Client).RotateKey, in)
			if err != nil {
				return err
			}
			return a.newKey(c.Context(), out)
		},
	}
	c.Flags().StringVar(&overlap, "overlap", "", "how long the old key lives on; default 24h")
	c.Flags().StringVar(&id, "key", "", "the key to replace, by id; needed when two are live")
	return c
}

func (a *App) newKey(ctx context.Context, k *adminapi.NewKey) error {
	if err := a.inStep(ctx, k.Body.Seq, stepTime, noAPI); err != nil {
		return err
	}
	if a.output == "table" {
		a.note("this is key %s; it is not shown again:", k.Body.ID)
		fmt.Fprintln(a.Out, k.Body.Key)
		return nil
	}
	return a.show(k.Body, nil, func() []string { return []string{k.Body.ID} })
}

func (a *App) keyRevoke() *cobra.Command {
	return &cobra.Command{
		Use: "revoke TEAM/SUBSCRIPTION KEY-ID", Short: "End a key at once", Args: exactly(2, "a subscription and a key's id"),
		RunE: func(c *cobra.Command, args []string) error {
			ref, err := ownedArg(args[0], "subscription")
			if err != nil {
				return err
			}
			out, err := ask(a, c.Context(), (*client.Client).RevokeKey, adminapi.RevokeKeyRequest{OwnedRef: ref, Key: args[1]})
			if err != nil {
				return err
			}
			if err := a.done(map[string]string{"revoked": args[1]}, args[1], "revoked %s", args[1]); err != nil {
				return err
			}
			return a.inStep(c.Context(), out.Body.Seq, stepTime, noAPI)
		},
	}
}

// when shows a moment in UTC, to the minute.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04")
}

// future reads a date (its end), a moment or a duration from now.
func future(text string) (time.Time, error) {
	if d, err := parseSpan(text); err == nil {
		return time.Now().UTC().Add(d), nil
	}
	m, err := moment(text)
	if err != nil {
		return time.Time{}, misuse("%q is not a moment to come; 2027-06-30, an RFC 3339 time or 90d will do", text)
	}
	return time.Parse(time.RFC3339Nano, m)
}
