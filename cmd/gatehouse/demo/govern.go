package demo

import (
	"context"
	"errors"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/client"
)

// The demo's framework, who writes it, and who judges it.
var (
	corporate = adminapi.FrameworkRef{Name: "corporate", Version: "2026.1"}
	author    = "erin@example.com"
	judges    = []string{"carol@example.com", "dave@example.com"}
)

// govern takes the demo's framework through the gate as people would: one of the
// platform team writes and submits it, two others approve it, and it is put in
// force. The administrator makes tokens for all of them, so it cannot be the one
// who writes it. What was done by an earlier start is not done again.
func govern(ctx context.Context, c *client.Client, address string, docs *adminapi.ApplyBody) error {
	state := gatehouse.Draft
	now, err := c.GetFrameworkVersion(ctx, corporate)
	if err == nil {
		state = now.Body.State
	} else if !gatehouse.Is(err, gatehouse.NotFound) {
		return err
	}
	if state != gatehouse.Draft && state != gatehouse.Submitted && state != gatehouse.Approved {
		return nil
	}
	err = apply(ctx, c, docs, func(k gatehouse.Kind) bool {
		return k == gatehouse.KindUser || k == gatehouse.KindGroup || k == gatehouse.KindRoleAssignment
	})
	if err != nil {
		return err
	}
	return as(ctx, c, address, author, func(theirs *client.Client) error {
		if state == gatehouse.Draft {
			if err := apply(ctx, theirs, docs, func(k gatehouse.Kind) bool { return k == gatehouse.KindFramework }); err != nil {
				return err
			}
			if _, err := theirs.SubmitFramework(ctx, adminapi.MoveFrameworkRequest{FrameworkRef: corporate}); err != nil {
				return err
			}
			state = gatehouse.Submitted
		}
		for _, judge := range judges {
			if state != gatehouse.Submitted {
				break
			}
			if err := as(ctx, c, address, judge, func(theirs *client.Client) (err error) { state, err = approve(ctx, theirs); return err }); err != nil {
				return err
			}
		}
		if state == gatehouse.Approved {
			_, err = theirs.EnforceFramework(ctx, adminapi.MoveFrameworkRequest{FrameworkRef: corporate})
		}
		return err
	})
}

// as does something as one person, with a token of their own that ends with it.
func as(ctx context.Context, c *client.Client, address, who string, do func(theirs *client.Client) error) error {
	in := adminapi.CreateTokenRequest{}
	in.Body.Subject, in.Body.Name, in.Body.Life = "user:"+who, "the demo's framework", "1h"
	token, err := c.CreateToken(ctx, in)
	if err != nil {
		return err
	}
	theirs, err := client.New(address, token.Body.Token, nil)
	if err == nil {
		err = do(theirs)
	}
	_, revoked := c.RevokeToken(ctx, adminapi.TokenRef{Token: token.Body.ID})
	return errors.Join(err, revoked)
}

// approve is one person's approval of the framework; it answers the state after it.
func approve(ctx context.Context, theirs *client.Client) (string, error) {
	out, err := theirs.ApproveFramework(ctx, adminapi.DecideFrameworkRequest{
		FrameworkRef: corporate, Body: &adminapi.DecideFrameworkBody{Comment: "Sane rules for a demo."},
	})
	if gatehouse.Is(err, gatehouse.Conflict) { // by an earlier start, which ended before the other's word
		return gatehouse.Submitted, nil
	}
	if err != nil {
		return "", err
	}
	return out.Body.State, nil
}
