package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/adminapi"
	"gatehouse/client"
)

// A finding of the doctor.
type finding struct {
	Check  string `json:"check"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Advice string `json:"advice,omitempty"`
}

func (a *App) doctor() *cobra.Command {
	return &cobra.Command{
		Use: "doctor", GroupID: "admin", Args: exactly(0, "no arguments"),
		Short: "Look for what is wrong: server, token, clock, disk, trail, gateways",
		Long: `Look for what is wrong: whether the server answers and the token lives, whether the
clocks agree, how much room the data of a server on this machine have, whether the
audit trail holds, and how the gateways are. Exit status 1 where anything is wrong.`,
		RunE: func(c *cobra.Command, _ []string) error {
			found := a.examine(c.Context())
			err := a.show(found, func() table {
				t := table{heads: []string{"check", "result", "detail", "what would do"}}
				for _, f := range found {
					result := "ok"
					if !f.OK {
						result = "WRONG"
					}
					t.add(f.Check, result, f.Detail, f.Advice)
				}
				return t
			}, func() []string {
				var names []string
				for _, f := range found {
					names = append(names, f.Check)
				}
				return names
			})
			for _, f := range found {
				if !f.OK && err == nil {
					err = exit{code: 1}
				}
			}
			return err
		},
	}
}

// examine runs the checks; those that need an earlier one end there.
func (a *App) examine(ctx context.Context) []finding {
	api, err := a.connect()
	if err != nil {
		return []finding{{Check: "settings", Detail: err.Error(), Advice: "give --address and --token, or --data DIR"}}
	}
	found := []finding{a.reach(ctx, api)}
	if !found[0].OK {
		return found
	}
	who, err := api.Whoami(ctx, adminapi.Empty{})
	if err != nil {
		return append(found, finding{Check: "token", Detail: err.Error(), Advice: "give a token that lives: gatehouse token create"})
	}
	found = append(found, finding{Check: "token", OK: true, Detail: "you are " + who.Body.Subject}, clock(ctx, api))
	found = append(found, a.disk()...)
	if v, err := api.VerifyAudit(ctx, adminapi.VerifyAuditRequest{}); err != nil {
		found = append(found, withheld("trail", err))
	} else {
		f := finding{Check: "trail", OK: v.Body.OK, Detail: fmt.Sprintf("%d events in a chain that holds", v.Body.Events)}
		if !f.OK {
			f.Detail, f.Advice = fmt.Sprintf("event %d does not hold: %s", v.Body.Broken, v.Body.Detail), "somebody changed the database; compare with an export"
		}
		found = append(found, f)
	}
	return append(found, a.examineGateways(ctx)...)
}

func (a *App) examineGateways(ctx context.Context) []finding {
	api, err := a.connect()
	if err != nil {
		return []finding{{Check: "gateways", Detail: err.Error()}}
	}
	out, err := api.ListInstancesAll(ctx, adminapi.ListInstancesRequest{})
	if err != nil {
		return []finding{withheld("gateways", err)}
	}
	if len(out.Body.Items) == 0 {
		return []finding{{Check: "gateways", Detail: "none has joined", Advice: "gatehouse gateway-token create NAME, then start gatehouse-gateway with it"}}
	}
	var found []finding
	for _, i := range out.Body.Items {
		f := finding{Check: "gateway " + i.Gateway + "/" + i.Instance, OK: i.Connected && i.State == "live", Detail: i.State + ", not connected"}
		switch {
		case !i.Connected:
			f.Advice = "is it running, and does it reach this control plane?"
		case i.State == "refused":
			f.Advice = "gatehouse gateways show " + i.Gateway
		case i.State == "pending":
			f.Advice = "wait a moment and look again"
		}
		if i.Connected {
			f.Detail = i.State + ", heard of " + ago(i.Seen) + " ago"
		}
		found = append(found, f)
	}
	return found
}

// reach tells whether something answers at the address, and whether it is ours.
func (a *App) reach(ctx context.Context, api *client.Client) finding {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := api.Document(ctx); err != nil {
		return finding{Check: "server", Detail: err.Error(), Advice: `start it with "gatehouse serve", or say where it is with --address`}
	}
	return finding{Check: "server", OK: true, Detail: api.Address() + " answers"}
}
