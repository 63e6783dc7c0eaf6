package server

import (
	"context"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/governance/gate"
)

func (r gateRoom) bindWaivers() {
	g := r.gate
	bind(r.Server, adminapi.AskWaiver, func(ctx context.Context, in *adminapi.AskWaiverRequest) (*adminapi.WaiverAnswer, error) {
		b := &in.Body
		if err := r.allow(ctx, "waiver.ask", apiOf(b.API)); err != nil {
			return nil, err
		}
		return waived(g.AskWaiver(ctx, gatehouse.Waiver{
			API: b.API, Control: b.Control, Framework: b.Framework, Environment: b.Environment, Reason: b.Reason, Expires: b.Expires,
		}))
	})
	bind(r.Server, adminapi.ListWaivers, r.listWaivers)
	bind(r.Server, adminapi.GetWaiver, func(ctx context.Context, in *adminapi.WaiverRef) (*adminapi.WaiverAnswer, error) {
		return waived(r.waiver(ctx, "waiver.get", in.Waiver))
	})
	bind(r.Server, adminapi.ApproveWaiver, r.decide("waiver.approve", g.ApproveWaiver))
	bind(r.Server, adminapi.RejectWaiver, r.decide("waiver.reject", g.RejectWaiver))
	bind(r.Server, adminapi.RevokeWaiver, r.decide("waiver.revoke", g.RevokeWaiver))
}

// apiOf is the API that a waiver is for, as permissions are asked.
func apiOf(api string) string {
	team, name, _, _ := gatehouse.ParseVersionRef(api, "")
	if team == "" || name == "" {
		return "organization"
	}
	return "API/" + team + "/" + name
}

func waived(w *gatehouse.Waiver, err error) (*adminapi.WaiverAnswer, error) {
	if err != nil {
		return nil, err
	}
	body, err := waiverBody(*w)
	return &adminapi.WaiverAnswer{Body: body}, err
}

// waiverBody is a waiver with the hash by which it is decided on.
func waiverBody(w gatehouse.Waiver) (b adminapi.WaiverBody, err error) {
	b.Waiver = w
	b.Hash, err = w.Requested()
	return b, err
}

// waiver is one that the caller may do the action on. Whether there is such a
// waiver is told to who may do it everywhere.
func (r gateRoom) waiver(ctx context.Context, action, id string) (*gatehouse.Waiver, error) {
	w, err := r.gate.Waiver(ctx, id)
	on := "organization"
	if err == nil {
		on = apiOf(w.API)
	}
	if denied := r.allow(ctx, action, on); denied != nil {
		return nil, denied
	}
	return w, err
}

func (r gateRoom) decide(action string, do func(context.Context, string, gate.Word) (*gatehouse.Waiver, error)) func(context.Context, *adminapi.DecideWaiverRequest) (*adminapi.WaiverAnswer, error) {
	return func(ctx context.Context, in *adminapi.DecideWaiverRequest) (*adminapi.WaiverAnswer, error) {
		if _, err := r.waiver(ctx, action, in.Waiver); err != nil {
			return nil, err
		}
		return waived(do(ctx, in.Waiver, gate.Word{Comment: in.Body.Comment, Hash: in.Body.Hash}))
	}
}

func (r gateRoom) listWaivers(ctx context.Context, in *adminapi.ListWaiversRequest) (*adminapi.WaiverList, error) {
	where := map[string]string{}
	for name, v := range map[string]string{
		"team": in.Team, "of": in.API, "state": in.State, "control": in.Control, "framework": in.Framework, "environment": in.Environment,
	} {
		if v != "" {
			where[name] = v
		}
	}
	all, next, err := r.gate.Waivers(ctx, where, in.Limit, in.After)
	if err != nil {
		return nil, err
	}
	out := &adminapi.WaiverList{}
	out.Body.Items, out.Body.Next = []adminapi.WaiverBody{}, next
	may := r.seen(ctx, "waiver.list")
	for _, w := range all {
		team, name, _, _ := gatehouse.ParseVersionRef(w.API, "")
		if !may(team + "/" + name) {
			continue
		}
		b, err := waiverBody(w)
		if err != nil {
			return nil, err
		}
		out.Body.Items = append(out.Body.Items, b)
	}
	return out, nil
}
