package adminapi

import (
	"time"

	"gatehouse/report"
)

// The routes of gateways.
var (
	CreateGatewayToken = Route[CreateGatewayTokenRequest, NewGatewayToken]{Operation{
		ID: "createGatewayToken", Pattern: "POST /v1/gateways/{name}/tokens", Action: "gateway-token.create", On: "Gateway/{name}", Status: 201, Secret: true,
		Doc: `Create a token with which one instance joins a gateway

It works once. The token carries the fingerprint of the installation's authority, so that the instance knows whom it joins.`,
	}}
	ListInstances = Route[ListInstancesRequest, Instances]{Operation{
		ID: "listInstances", Pattern: "GET /v1/instances", Action: "gateway.list", On: "organization",
		Doc: "List the instances of gateways and what each really runs",
	}}
	RevokeInstance = Route[InstanceRef, Empty]{Operation{
		ID: "revokeInstance", Pattern: "DELETE /v1/gateways/{name}/instances/{instance}", Action: "gateway.revoke", On: "Gateway/{name}", Status: 204,
		Doc: "Shut an instance out\n\nWhat it holds it goes on serving; stop it where it runs.",
	}}
	GetRollout = Route[RolloutRequest, RolloutAnswer]{Operation{
		ID: "getRollout", Pattern: "GET /v1/rollout", Action: "gateway.list", On: "organization",
		Doc: "Wait until connected instances run all changes up to a number, and tell which do",
	}}
)

// Requests about gateways.
type (
	CreateGatewayTokenRequest struct {
		OrgRef
		Body *struct {
			Life string `json:"life,omitempty" doc:"How long it is good, such as 1h; default 1h, at most 30d."`
		}
	}
	ListInstancesRequest struct {
		Gateway string `query:"gateway" doc:"Only this gateway's."`
	}
	InstanceRef struct {
		OrgRef
		Instance string `path:"instance"`
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
	Instances struct {
		Body struct {
			Items []InstanceItem `json:"items"`
		}
	}
	// InstanceItem is one running process of a gateway, as last heard of.
	InstanceItem struct {
		Gateway     string `json:"gateway"`
		Instance    string `json:"instance"`
		Environment string `json:"environment,omitempty"`
		// State: live (runs what it should), pending (connected, not there yet),
		// refused (set something aside, or refused the whole), away (not heard
		// of lately), revoked.
		State   string           `json:"state"`
		Serial  int64            `json:"serial,omitempty"`
		Aside   []report.Refusal `json:"aside,omitempty"`
		Refused string           `json:"refused,omitempty"`
		Joined  time.Time        `json:"joined"`
		Seen    time.Time        `json:"seen,omitzero"`
		Program string           `json:"program,omitempty"`
	}
	RolloutAnswer struct {
		Body struct {
			Seq int64 `json:"seq"`
			// Instances that are connected; Applied of them run the change.
			Instances int `json:"instances"`
			Applied   int `json:"applied"`
			// Pending and Refused are those that do not, as "gateway/instance".
			Pending []string         `json:"pending,omitempty"`
			Refused []RolloutRefusal `json:"refused,omitempty"`
		}
	}
	// RolloutRefusal is an instance that runs the change but for something.
	RolloutRefusal struct {
		Instance string `json:"instance"` // "gateway/instance"
		API      string `json:"api,omitempty"`
		Reason   string `json:"reason"`
	}
)
