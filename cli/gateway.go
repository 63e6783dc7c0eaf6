package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"gatehouse/adminapi"
	"gatehouse/client"
)

func (a *App) gatewayToken() *cobra.Command {
	c := &cobra.Command{Use: "gateway-token", GroupID: "admin", Short: "Let a new gateway instance join"}
	var life string
	create := &cobra.Command{
		Use: "create GATEWAY", Args: exactly(1, "one gateway"),
		Short: "Create a token with which one instance joins, once",
		RunE: func(c *cobra.Command, args []string) error {
			in := adminapi.CreateGatewayTokenRequest{OrgRef: adminapi.OrgRef{Name: args[0]}}
			in.Body.TTL = life
			out, err := ask(a, c.Context(), (*client.Client).CreateGatewayToken, in)
			if err != nil {
				return err
			}
			if a.output == "table" {
				a.note("good for one instance of %s until %s:", args[0], when(out.Body.Expires))
				fmt.Fprintln(a.Out, out.Body.Token)
				return nil
			}
			return a.show(out.Body, nil, func() []string { return []string{out.Body.ID} })
		},
	}
	create.Flags().StringVar(&life, "ttl", "", "how long it is good; default 1h")
	c.AddCommand(create)
	return c
}

func (a *App) gateways() *cobra.Command {
	c := &cobra.Command{
		Use: "gateways", GroupID: "watch", Args: verbOrNone, Short: "Tell which gateway instances there are and what they run",
		RunE: func(c *cobra.Command, _ []string) error { return a.instances(c.Context(), "") },
	}
	list := &cobra.Command{
		Use: "list", Args: exactly(0, "no arguments"), Short: "List gateway instances",
		RunE: func(c *cobra.Command, _ []string) error { return a.instances(c.Context(), "") },
	}
	show := &cobra.Command{
		Use: "show GATEWAY", Args: exactly(1, "one gateway"), Short: "Show one gateway's instances and what they set aside",
		RunE: func(c *cobra.Command, args []string) error { return a.instances(c.Context(), args[0]) },
	}
	revoke := &cobra.Command{
		Use: "revoke GATEWAY INSTANCE", Args: exactly(2, "a gateway and an instance"), Short: "Shut an instance out",
		RunE: func(c *cobra.Command, args []string) error {
			api, err := a.connect()
			if err != nil {
				return err
			}
			_, err = api.RevokeInstance(c.Context(), adminapi.InstanceRequest{OrgRef: adminapi.OrgRef{Name: args[0]}, Instance: args[1]})
			if err != nil {
				return err
			}
			name := args[0] + "/" + args[1]
			return a.done(map[string]string{"revoked": name}, name, "shut %s out; stop it where it runs", name)
		},
	}
	c.AddCommand(list, show, revoke)
	return c
}

func (a *App) instances(ctx context.Context, gateway string) error {
	api, err := a.connect()
	if err != nil {
		return err
	}
	ask := func() (*adminapi.Instances, error) { return api.ListInstancesAll(ctx, adminapi.ListInstancesRequest{}) }
	if gateway != "" {
		ask = func() (*adminapi.Instances, error) {
			return api.ListGatewayInstancesAll(ctx, adminapi.GatewayListRequest{OrgRef: adminapi.OrgRef{Name: gateway}})
		}
	}
	out, err := ask()
	if err != nil {
		return err
	}
	return a.show(out.Body, func() table {
		t := table{heads: []string{"gateway", "instance", "environment", "connected", "state", "serial", "seen", "program", "aside", "warning"}}
		for _, i := range out.Body.Items {
			aside := i.Ack.Refused
			listed := i.Ack.Aside[:min(len(i.Ack.Aside), maxNotes)]
			for _, r := range listed {
				if aside != "" {
					aside += "; "
				}
				aside += r.API + ": " + r.Reason
			}
			if n := len(i.Ack.Aside) - len(listed) + i.Ack.MoreAside; n > 0 {
				aside += fmt.Sprintf("; and %d more", n)
			}
			t.add(i.Gateway, i.Instance, i.Environment, yes(i.Connected), i.State, fmt.Sprint(i.Ack.Serial), ago(i.Seen), i.Ack.Program, aside, unattested(&i.Ack))
		}
		return t
	}, func() []string {
		var names []string
		for _, i := range out.Body.Items {
			names = append(names, i.Gateway+"/"+i.Instance)
		}
		return names
	})
}

// unattested says what an instance serves although the gate would refuse it.
func unattested(a *adminapi.InstanceAck) string {
	switch n := len(a.Unattested) + a.MoreUnattested; n {
	case 0:
		return ""
	case 1:
		return "the gate would refuse " + a.Unattested[0].API + ": " + a.Unattested[0].Reason
	default:
		return fmt.Sprintf("the gate would refuse %d API versions, %s first: %s", n, a.Unattested[0].API, a.Unattested[0].Reason)
	}
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
