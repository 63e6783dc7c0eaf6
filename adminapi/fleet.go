package adminapi

import (
	"time"

	"gatehouse"
	"gatehouse/report"
)

// The routes of gateways: the tokens they join with and the instances that run.
var (
	CreateGatewayToken = Route[CreateGatewayTokenRequest, NewGatewayToken]{Operation{
		ID: "createGatewayToken", Pattern: "POST /v1/gateways/{name}/tokens", Action: "gateway-token.create", On: "Gateway/{name}", Status: 201, Secret: true,
		Doc: `Create a token with which one instance joins a gateway

It works once. The token carries the fingerprint of the installation's authority, so that the instance knows whom it joins.`,
	}}
	ListGatewayTokens = Route[GatewayListRequest, GatewayTokens]{Operation{
		ID: "listGatewayTokens", Pattern: "GET /v1/gateways/{name}/tokens", Action: "gateway-token.list", On: "Gateway/{name}",
		Doc: "List a gateway's join tokens, used and unused, never the tokens themselves",
	}}
	RevokeGatewayToken = Route[GatewayTokenRequest, Empty]{Operation{
		ID: "revokeGatewayToken", Pattern: "DELETE /v1/gateways/{name}/tokens/{token}", Action: "gateway-token.revoke", On: "Gateway/{name}", Status: 204,
		Doc: "End a join token that was not used",
	}}
	ListInstances = Route[ListInstancesRequest, Instances]{Operation{
		ID: "listInstances", Pattern: "GET /v1/instances", Action: "instance.list", On: "organization",
		Doc: "List the instances of all gateways with what each runs",
	}}
	ListGatewayInstances = Route[GatewayListRequest, Instances]{Operation{
		ID: "listGatewayInstances", Pattern: "GET /v1/gateways/{name}/instances", Action: "instance.list", On: "Gateway/{name}",
		Doc: "List a gateway's instances with what each runs",
	}}
	RevokeInstance = Route[InstanceRequest, Empty]{Operation{
		ID: "revokeInstance", Pattern: "DELETE /v1/gateways/{name}/instances/{instance}", Action: "gateway.revoke", On: "Gateway/{name}", Status: 204,
		Doc: "Shut an instance out\n\nWhat it holds it goes on serving; stop it where it runs.",
	}}
	GetDelivery = Route[DeliveryRequest, DeliveryAnswer]{Operation{
		ID: "getDelivery", Pattern: "GET " + versionPath + "/delivery", Action: "release.get", On: versionOn,
		Doc: "Tell how far a release has come: on how many gateways it is applied, and how fast",
	}}
	GetRollout = Route[RolloutRequest, RolloutAnswer]{Operation{
		ID: "getRollout", Pattern: "GET /v1/rollout", Action: "rollout.get", On: "organization",
		Doc: `Wait until the connected instances run all changes up to a number, and tell how many do

Which instances they are is told to those who may list them, and what was set aside to those who may see its releases.`,
	}}
)

// Requests about gateways.
type (
	CreateGatewayTokenRequest struct {
		OrgRef
		Body struct {
			TTL string `json:"ttl,omitempty" doc:"How long it is good, such as 1h; default 1h, at most 30d."`
		}
	}
	GatewayListRequest struct {
		OrgRef
		Paged
	}
	GatewayTokenRequest struct {
		OrgRef
		Token string `path:"token" doc:"The token's public id."`
	}
	ListInstancesRequest struct {
		Environment string `query:"environment" doc:"Only this environment's."`
		Paged
	}
	InstanceRequest struct {
		OrgRef
		Instance string `path:"instance"`
	}
	DeliveryRequest struct {
		VersionPath
		Environment string `query:"environment" required:"true"`
	}
	RolloutRequest struct {
		Seq  int64 `query:"seq" minimum:"0" doc:"Number of a change, as apply answers it; 0: the newest."`
		Wait int   `query:"wait" minimum:"0" maximum:"60" default:"0" doc:"Seconds to wait at most."`
	}
)

// Answers about gateways.
type (
	NewGatewayToken struct {
		Body struct {
			ID      string    `json:"id"`
			Gateway string    `json:"gateway"`
			Token   string    `json:"token"`
			Expires time.Time `json:"expires"`
		}
	}
	GatewayTokens struct {
		Body struct {
			Items []gatehouse.GatewayToken `json:"items"`
			Next  string                   `json:"next,omitempty"`
		}
	}
	Instances struct {
		Body struct {
			Items []InstanceItem `json:"items"`
			Next  string         `json:"next,omitempty"`
		}
	}
	// InstanceItem is one running process of a gateway, as last heard of.
	InstanceItem struct {
		Gateway     string `json:"gateway"`
		Instance    string `json:"instance"`
		Environment string `json:"environment,omitempty"`
		// State of the newest manifest on it: live, pending or refused.
		State  string `json:"state"`
		Reason string `json:"reason,omitempty"`
		// Connected: heard of within the last 45 s.
		Connected   bool           `json:"connected"`
		Seen        time.Time      `json:"seen,omitzero"`
		Address     string         `json:"address,omitempty"`
		Joined      time.Time      `json:"joined"`
		Certificate string         `json:"certificate,omitempty"` // serial number
		Expires     time.Time      `json:"expires,omitzero"`      // of the certificate
		Ack         InstanceAck    `json:"ack"`
		Health      *report.Health `json:"health,omitempty"`
	}
	// InstanceAck is what an instance said it runs.
	InstanceAck struct {
		Serial  int64     `json:"serial,omitempty"`
		Digest  string    `json:"digest,omitempty"`
		Time    time.Time `json:"time,omitzero"`
		Program string    `json:"program,omitempty"`
		Refused string    `json:"refused,omitempty"`
		// Aside is what it does not serve as named, and Unattested what it serves
		// although the gate does not cover it; each lists the first 500.
		Aside          []report.Refusal `json:"aside,omitempty"`
		MoreAside      int              `json:"moreAside,omitempty"`
		Unattested     []report.Refusal `json:"unattested,omitempty"`
		MoreUnattested int              `json:"moreUnattested,omitempty"`
	}
	DeliveryAnswer struct {
		Body struct {
			API         string         `json:"api"`
			Environment string         `json:"environment"`
			Revision    string         `json:"revision,omitempty"` // that is wanted
			Aside       string         `json:"aside,omitempty" doc:"Why it cannot be compiled; then no gateway has it."`
			Summary     string         `json:"summary"` // "applied on 12 of 12 gateways in 0.4 s"
			Instances   []DeliveryItem `json:"instances"`
		}
	}
	// DeliveryItem is one API version on one instance.
	DeliveryItem struct {
		Gateway  string    `json:"gateway"`
		Instance string    `json:"instance"`
		State    string    `json:"state" doc:"live, pending, refused, or not-placed: its data may not be where the gateway lies."`
		Reason   string    `json:"reason,omitempty"`
		Warning  string    `json:"warning,omitempty" doc:"Why an environment that enforces the gate would refuse it."`
		Since    time.Time `json:"since,omitzero"` // when it acknowledged
		// Connected: heard of within the last 45 s.
		Connected bool `json:"connected"`
	}
	RolloutAnswer struct {
		Body struct {
			Seq int64 `json:"seq"`
			// Instances that are connected; Applied of them run the change.
			Instances int `json:"instances"`
			Applied   int `json:"applied"`
			// Pending are those that do not yet, as "gateway/instance".
			Pending []string `json:"pending,omitempty"`
			// Refused are those that run it but for something.
			Refused []RolloutRefusal `json:"refused,omitempty"`
		}
	}
	// RolloutRefusal is an API version that an instance set aside.
	RolloutRefusal struct {
		Instance string `json:"instance"` // "gateway/instance"
		API      string `json:"api,omitempty"`
		Reason   string `json:"reason"`
	}
)
