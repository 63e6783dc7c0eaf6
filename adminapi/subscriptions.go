package adminapi

import (
	"time"

	"gatehouse"
)

const (
	subscriptionPath = "/v1/teams/{team}/subscriptions/{name}"
	subscriptionOn   = "Subscription/{team}/{name}"
)

// The routes of subscriptions and keys.
var (
	Subscribe = Route[SubscribeRequest, SubscribeAnswer]{Operation{
		ID: "subscribe", Pattern: "POST /v1/subscribe", Action: "subscription.create", Secret: true,
		Doc: `Subscribe an application to a product

The application is created if it is new. With key, an approved subscription's first key is in the answer; it is shown this once.`,
	}}
	ApproveSubscription = decideSubscription("approve", "Let a requested subscription through\n\nThe team that asked cannot approve it.")
	RejectSubscription  = decideSubscription("reject", "Turn a requested subscription down")
	SuspendSubscription = decideSubscription("suspend", "Stop a subscription for a while; its keys are refused")
	ResumeSubscription  = decideSubscription("resume", "Let a suspended subscription go on")
	CancelSubscription  = decideSubscription("cancel", "End a subscription for good")

	ListKeys = Route[ListKeysRequest, Keys]{Operation{
		ID: "listKeys", Pattern: "GET " + subscriptionPath + "/keys", Action: "key.list", On: subscriptionOn,
		Doc: "List a subscription's keys, oldest first, never the keys themselves",
	}}
	CreateKey = Route[CreateKeyRequest, NewKey]{Operation{
		ID: "createKey", Pattern: "POST " + subscriptionPath + "/keys", Action: "key.create", On: subscriptionOn, Status: 201, Secret: true,
		Doc: "Create a key, shown this once\n\nTwo keys of a subscription may be live at the same time.",
	}}
	RotateKey = Route[RotateKeyRequest, NewKey]{Operation{
		ID: "rotateKey", Pattern: "POST " + subscriptionPath + "/keys/rotate", Action: "key.rotate", On: subscriptionOn, Status: 201, Secret: true,
		Doc: "Create a new key and let the old one live on for a while",
	}}
	RevokeKey = Route[RevokeKeyRequest, Revoked]{Operation{
		ID: "revokeKey", Pattern: "DELETE " + subscriptionPath + "/keys/{key}", Action: "key.revoke", On: subscriptionOn,
		Doc: "End a key at once\n\nConnected gateways refuse it within a second.",
	}}
)

func decideSubscription(verb, doc string) Route[DecideSubscriptionRequest, SubscriptionAnswer] {
	return Route[DecideSubscriptionRequest, SubscriptionAnswer]{Operation{
		// Permission is asked on the product: its side decides.
		ID: verb + "Subscription", Pattern: "POST " + subscriptionPath + "/" + verb, Action: "subscription." + verb, Doc: doc,
	}}
}

// Requests of subscriptions and keys.
type (
	SubscribeRequest struct {
		Body struct {
			Product     string `json:"product" doc:"team/name of the product."`
			Plan        string `json:"plan"`
			Application string `json:"application" doc:"team/name of the application."`
			Environment string `json:"environment"`
			Key         bool   `json:"key,omitempty" doc:"Give the first key."`
		}
	}
	DecideSubscriptionRequest struct {
		OwnedRef
		Body *struct {
			Reason string `json:"reason,omitempty" maxLength:"4000"`
		}
	}
	ListKeysRequest struct {
		OwnedRef
		Paged
	}
	CreateKeyRequest struct {
		OwnedRef
		Body *struct {
			Expires time.Time `json:"expires,omitzero" doc:"When it ends; left out, with the subscription."`
		}
	}
	RotateKeyRequest struct {
		OwnedRef
		Body *struct {
			Overlap string `json:"overlap,omitempty" doc:"How long the old key lives on, such as 1h; default 24h."`
			Key     string `json:"key,omitempty" doc:"The key to replace, by id; needed when two are live."`
		}
	}
	RevokeKeyRequest struct {
		OwnedRef
		Key string `path:"key" doc:"The key's public id."`
	}
)

// Answers about subscriptions and keys.
type (
	SubscribeAnswer struct {
		Body struct {
			Subscription string `json:"subscription"`
			State        string `json:"state"`
			Key          string `json:"key,omitempty"`
			Seq          int64  `json:"seq,omitempty"`
		}
	}
	SubscriptionAnswer struct {
		Body struct {
			Subscription string `json:"subscription"`
			gatehouse.SubscriptionStatus
			Seq int64 `json:"seq,omitempty"`
		}
	}
	Keys struct {
		Body struct {
			Items []KeyItem `json:"items"`
			Next  string    `json:"next,omitempty"`
		}
	}
	KeyItem struct {
		ID        string    `json:"id"`
		State     string    `json:"state"` // live, expired or revoked
		Created   time.Time `json:"created"`
		CreatedBy string    `json:"createdBy"`
		Expires   time.Time `json:"expires,omitzero"`
		Revoked   time.Time `json:"revoked,omitzero"`
	}
	NewKey struct {
		Body struct {
			ID      string    `json:"id"`
			Key     string    `json:"key"`
			Expires time.Time `json:"expires,omitzero"`
			Seq     int64     `json:"seq,omitempty"`
		}
	}
	Revoked struct {
		Body struct {
			// Seq is the number of the change; gateways that run it refuse the key.
			Seq int64 `json:"seq"`
		}
	}
)
