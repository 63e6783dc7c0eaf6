package server

import (
	"context"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/fleet"
	"gatehouse/jsonx"
)

// BindFleet binds the routes of gateways' tokens and instances.
func BindFleet(s *Server, f *fleet.Fleet) {
	bind(s, adminapi.CreateGatewayToken, func(ctx context.Context, in *adminapi.CreateGatewayTokenRequest) (*adminapi.NewGatewayToken, error) {
		var ttl jsonx.Duration
		if in.Body.TTL != "" {
			var err error
			if ttl, err = jsonx.ParseDuration(in.Body.TTL); err != nil {
				return nil, gatehouse.E(gatehouse.Invalid, "creating a join token: ttl: %w", err)
			}
		}
		text, t, err := f.CreateJoinToken(ctx, in.Name, ttl.Std())
		if err != nil {
			return nil, err
		}
		out := new(adminapi.NewGatewayToken)
		out.Body.Token, out.Body.ID, out.Body.Gateway, out.Body.Expires = text, t.ID, t.Gateway, t.Expires
		return out, nil
	})
	bind(s, adminapi.ListGatewayTokens, func(ctx context.Context, in *adminapi.GatewayRequest) (*adminapi.GatewayTokens, error) {
		tokens, err := f.JoinTokens(ctx, in.Name)
		out := new(adminapi.GatewayTokens)
		out.Body.Items = tokens
		return out, err
	})
	bind(s, adminapi.RevokeGatewayToken, func(ctx context.Context, in *adminapi.GatewayTokenRequest) (*adminapi.Empty, error) {
		return &adminapi.Empty{}, f.RevokeJoinToken(ctx, in.Name, in.Token)
	})
	bind(s, adminapi.ListInstances, func(_ context.Context, in *adminapi.ListInstancesRequest) (*adminapi.Instances, error) {
		return instances(f, "", in.Environment), nil
	})
	bind(s, adminapi.ListGatewayInstances, func(_ context.Context, in *adminapi.GatewayRequest) (*adminapi.Instances, error) {
		return instances(f, in.Name, ""), nil
	})
	bind(s, adminapi.RevokeInstance, func(ctx context.Context, in *adminapi.InstanceRequest) (*adminapi.Empty, error) {
		return &adminapi.Empty{}, f.Revoke(ctx, in.Name, in.Instance)
	})
	bind(s, adminapi.GetDelivery, func(ctx context.Context, in *adminapi.DeliveryRequest) (*adminapi.DeliveryAnswer, error) {
		if err := f.Refresh(ctx); err != nil {
			return nil, err
		}
		st := f.Status(in.Team+"/"+in.Name+"@"+in.Version, in.Environment)
		out := new(adminapi.DeliveryAnswer)
		out.Body.API, out.Body.Environment, out.Body.Revision = st.API, st.Environment, st.Revision
		out.Body.Aside, out.Body.Summary, out.Body.Instances = st.Aside, st.Summary, []adminapi.DeliveryItem{}
		for _, i := range st.Instances {
			out.Body.Instances = append(out.Body.Instances, adminapi.DeliveryItem(i))
		}
		return out, nil
	})
}

func instances(f *fleet.Fleet, gateway, environment string) *adminapi.Instances {
	out := new(adminapi.Instances)
	out.Body.Items = []adminapi.InstanceItem{}
	for _, i := range f.Instances(gateway) {
		if environment != "" && i.Environment != environment {
			continue
		}
		item := adminapi.InstanceItem{
			Gateway: i.Gateway, Instance: i.Instance.Instance, Environment: i.Environment, State: i.State, Reason: i.Reason, Connected: i.Connected,
			Seen: i.Seen, Address: i.Address, Joined: i.Joined, Certificate: i.Certificate, Expires: i.Expires, Health: i.Health,
		}
		a := &i.Ack
		item.Ack.Serial, item.Ack.Digest, item.Ack.Time, item.Ack.Program, item.Ack.Aside, item.Ack.Refused = a.Serial, a.Digest, a.Time, a.Program, a.Aside, a.Refused
		out.Body.Items = append(out.Body.Items, item)
	}
	return out
}
