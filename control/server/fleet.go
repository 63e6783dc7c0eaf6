package server

import (
	"context"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/fleet"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// BindFleet binds the routes of gateways' tokens and instances.
func (s *Server) BindFleet(f *fleet.Fleet) {
	r := fleetRoom{f, s}
	bind(s, adminapi.CreateGatewayToken, r.createToken)
	bind(s, adminapi.ListGatewayTokens, func(ctx context.Context, in *adminapi.GatewayListRequest) (*adminapi.GatewayTokens, error) {
		tokens, next, err := f.JoinTokens(ctx, in.Name, in.Limit, in.After)
		out := new(adminapi.GatewayTokens)
		out.Body.Items, out.Body.Next = tokens, next
		return out, err
	})
	bind(s, adminapi.RevokeGatewayToken, func(ctx context.Context, in *adminapi.GatewayTokenRequest) (*adminapi.Empty, error) {
		return &adminapi.Empty{}, f.RevokeJoinToken(ctx, in.Name, in.Token)
	})
	bind(s, adminapi.ListInstances, func(ctx context.Context, in *adminapi.ListInstancesRequest) (*adminapi.Instances, error) {
		return r.instances(ctx, "", in.Environment, in.Paged)
	})
	bind(s, adminapi.ListGatewayInstances, func(ctx context.Context, in *adminapi.GatewayListRequest) (*adminapi.Instances, error) {
		return r.instances(ctx, in.Name, "", in.Paged)
	})
	bind(s, adminapi.RevokeInstance, func(ctx context.Context, in *adminapi.InstanceRequest) (*adminapi.Empty, error) {
		return &adminapi.Empty{}, f.Revoke(ctx, in.Name, in.Instance)
	})
	bind(s, adminapi.GetRollout, r.rollout)
	bind(s, adminapi.GetDelivery, r.delivery)
}

type fleetRoom struct {
	*fleet.Fleet
	server *Server
}

func (r fleetRoom) createToken(ctx context.Context, in *adminapi.CreateGatewayTokenRequest) (*adminapi.NewGatewayToken, error) {
	var ttl jsonx.Duration
	if in.Body.TTL != "" {
		var err error
		if ttl, err = jsonx.ParseDuration(in.Body.TTL); err != nil {
			return nil, gatehouse.E(gatehouse.Invalid, "creating a join token: ttl: %w", err)
		}
	}
	text, t, err := r.CreateJoinToken(ctx, in.Name, ttl.Std())
	if err != nil {
		return nil, err
	}
	out := new(adminapi.NewGatewayToken)
	out.Body.Token, out.Body.ID, out.Body.Gateway, out.Body.Expires = text, t.ID, t.Gateway, t.Expires
	return out, nil
}

func (r fleetRoom) instances(ctx context.Context, gateway, environment string, p adminapi.Paged) (*adminapi.Instances, error) {
	if err := r.Refresh(ctx); err != nil {
		return nil, err
	}
	all := slices.DeleteFunc(r.Instances(gateway), func(i fleet.InstanceStatus) bool { return environment != "" && i.Environment != environment })
	all, next, err := paged(all, p, func(i *fleet.InstanceStatus) string { return i.Gateway + "/" + i.Instance.Instance })
	if err != nil {
		return nil, err
	}
	out := new(adminapi.Instances)
	out.Body.Items, out.Body.Next = make([]adminapi.InstanceItem, 0, len(all)), next
	for _, i := range all {
		a := &i.Ack
		out.Body.Items = append(out.Body.Items, adminapi.InstanceItem{
			Gateway: i.Gateway, Instance: i.Instance.Instance, Environment: i.Environment, State: i.State, Reason: i.Reason, Connected: i.Connected,
			Seen: i.Seen, Address: i.Address, Joined: i.Joined, Certificate: i.Certificate, Expires: i.Expires, Health: i.Health,
			Ack: adminapi.InstanceAck{Serial: a.Serial, Digest: a.Digest, Time: a.Time, Program: a.Program, Refused: a.Refused,
				Aside: a.Aside, MoreAside: a.MoreAside, Unattested: a.Unattested, MoreUnattested: a.MoreUnattested},
		})
	}
	return out, nil
}

func (r fleetRoom) rollout(ctx context.Context, in *adminapi.RolloutRequest) (*adminapi.RolloutAnswer, error) {
	done, err := r.Rollout(ctx, store.Seq(in.Seq), time.Duration(in.Wait)*time.Second)
	if err != nil {
		return nil, err
	}
	out := new(adminapi.RolloutAnswer)
	out.Body.Seq, out.Body.Instances, out.Body.Applied = int64(done.Seq), done.Instances, done.Applied
	all := r.server.allow(ctx, "instance.list", "organization") == nil
	if all {
		out.Body.Pending = done.Pending
	}
	for _, x := range done.Refused {
		api, _, _ := strings.Cut(x.API, "@")
		if all || api != "" && r.server.allow(ctx, "release.get", "API/"+api) == nil {
			out.Body.Refused = append(out.Body.Refused, adminapi.RolloutRefusal(x))
		}
	}
	return out, nil
}

func (r fleetRoom) delivery(ctx context.Context, in *adminapi.DeliveryRequest) (*adminapi.DeliveryAnswer, error) {
	if err := r.Refresh(ctx); err != nil {
		return nil, err
	}
	st := r.Status(in.Team+"/"+in.Name+"@"+in.Version, in.Environment)
	out := new(adminapi.DeliveryAnswer)
	out.Body.API, out.Body.Environment, out.Body.Revision = st.API, st.Environment, st.Revision
	out.Body.Aside, out.Body.Summary, out.Body.Instances = st.Aside, st.Summary, []adminapi.DeliveryItem{}
	for _, i := range st.Instances {
		out.Body.Instances = append(out.Body.Instances, adminapi.DeliveryItem(i))
	}
	return out, nil
}
