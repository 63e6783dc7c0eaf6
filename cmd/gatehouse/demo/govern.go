package demo

import (
	"context"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/client"
)

// The demo's framework, and who judges it.
var (
	corporate = adminapi.FrameworkRef{Name: "corporate", Version: "2026.1"}
	judges    = []string{"carol@example.com", "dave@example.com"}
)

// govern takes the demo's framework through the gate as people would: it is
// submitted, two who did not write it approve it, and it is put in force. What
// was done by an earlier start is not done again.
func govern(ctx context.Context, c *client.Client, address string) error {
	now, err := c.GetFrameworkVersion(ctx, corporate)
	if err != nil {
		return err
	}
	state := now.Body.State
	if state == gatehouse.Draft {
		if _, err := c.SubmitFramework(ctx, adminapi.MoveFrameworkRequest{FrameworkRef: corporate}); err != nil {
			return err
		}
		state = gatehouse.Submitted
	}
	for _, judge := range judges {
		if state != gatehouse.Submitted {
			break
		}
		if state, err = approve(ctx, c, address, judge); err != nil {
			return err
		}
	}
	if state == gatehouse.Approved {
		_, err = c.EnforceFramework(ctx, adminapi.MoveFrameworkRequest{FrameworkRef: corporate})
	}
	return err
}

// approve lets one person approve the framework with a token of their own, and
// answers the state after it.
func approve(ctx context.Context, c *client.Client, address, judge string) (string, error) {
	in := adminapi.CreateTokenRequest{}
	in.Body.Subject, in.Body.Name, in.Body.Life = "user:"+judge, "the demo's approval", "1h"
	token, err := c.CreateToken(ctx, in)
	if err != nil {
		return "", err
	}
	theirs, err := client.New(address, token.Body.Token, nil)
	if err != nil {
		return "", err
	}
	out, err := theirs.ApproveFramework(ctx, adminapi.DecideFrameworkRequest{
		FrameworkRef: corporate, Body: &adminapi.DecideFrameworkBody{Comment: "Sane rules for a demo."},
	})
	if gatehouse.Is(err, gatehouse.Conflict) { // by an earlier start, which ended before the other's word
		err, out = nil, &adminapi.FrameworkMoved{}
		out.Body.State = gatehouse.Submitted
	}
	if err != nil {
		return "", err
	}
	_, err = c.RevokeToken(ctx, adminapi.TokenRef{Token: token.Body.ID})
	return out.Body.State, err
}
