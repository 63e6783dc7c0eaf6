package adminapi

import (
	"encoding/json"
	"time"
)

var notifyRoutes = []Described{ListReceivers, ListNotifications, GetNotification, ReplayNotification, TestReceiver, RotateReceiverSecret, ListEventTypes}

// The routes of notifications.
var (
	ListReceivers = Route[ReceiversRequest, Receivers]{Operation{
		ID: "listReceivers", Pattern: "GET /v1/notifications/receivers", Action: "notification.list",
		Doc: `List who is told of events

Receivers are Webhook documents, "webhook/NAME", and what a team names under notify, "team/TEAM/NAME". Without a team only those are listed that the caller may see.`,
	}}
	ListNotifications = Route[NotificationsRequest, Notifications]{Operation{
		ID: "listNotifications", Pattern: "GET /v1/notifications/deliveries", Action: "notification.list",
		Doc: `List deliveries and what became of them, newest first

The log keeps 30 days, and of each receiver its newest 10000. Without a team or a receiver only those are listed that the caller may see.`,
	}}
	GetNotification = Route[NotificationRef, NotificationAnswer]{Operation{
		ID: "getNotification", Pattern: "GET /v1/notifications/deliveries/{id}", Action: "notification.get",
		Doc: "Show one delivery with its message and attempts",
	}}
	ReplayNotification = Route[NotificationRef, NotificationAnswer]{Operation{
		ID: "replayNotification", Pattern: "POST /v1/notifications/deliveries/{id}/replay", Action: "notification.replay",
		Doc: `Deliver once more

The message is the same, webhook-id included, so that a receiver which has it can tell. It is tried like a new one.`,
	}}
	TestReceiver = Route[ReceiverRequest, NotificationAnswer]{Operation{
		ID: "testReceiver", Pattern: "POST /v1/notifications/test", Action: "notification.test",
		Doc: "Send a receiver a test message, of type notification.test\n\nThe answer is the delivery as it begins; show it to see what became of it.",
	}}
	RotateReceiverSecret = Route[ReceiverRequest, ReceiverSecret]{Operation{
		ID: "rotateReceiverSecret", Pattern: "POST /v1/notifications/secret", Action: "notification.secret", Secret: true,
		Doc: `Make a new secret that signs a receiver's webhooks, shown this once

For 24 hours messages carry signatures of the new secret and of the one before. A Webhook document that names a secret by reference keeps that.`,
	}}
	ListEventTypes = Route[Empty, EventTypesAnswer]{Operation{
		ID: "listEventTypes", Pattern: "GET /v1/event-types", Action: "event-type.list",
		Doc:   "List the types of events there are\n\nFor everybody who proves who they are: teams name them in their files.",
		Bound: "what this version of the program does",
	}}
)

// Requests about notifications.
type (
	ReceiversRequest struct {
		Team string `query:"team"`
		Paged
	}
	NotificationsRequest struct {
		Receiver string `query:"receiver" doc:"webhook/NAME or team/TEAM/NAME."`
		Team     string `query:"team"`
		State    string `query:"state" enum:"waiting,delivered,dead"`
		Limit    int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"How many at most."`
		After    string `query:"after" doc:"Cursor from the page before."`
	}
	NotificationRef struct {
		ID string `path:"id" doc:"Of the delivery, msg_…"`
	}
	ReceiverRequest struct {
		Body struct {
			Receiver string `json:"receiver" maxLength:"300" doc:"webhook/NAME or team/TEAM/NAME."`
		}
	}
)

// Answers about notifications.
type (
	Receivers struct {
		Body struct {
			Items []Receiver `json:"items"`
			Next  string     `json:"next,omitempty"`
		}
	}
	// A Receiver is told of events.
	Receiver struct {
		ID       string   `json:"id"`
		Team     string   `json:"team,omitempty"`
		Channel  string   `json:"channel"` // webhook or mail
		Target   string   `json:"target"`  // URL or address
		Events   []string `json:"events"`
		Outcomes []string `json:"outcomes"`
		Waiting  int64    `json:"waiting"` // deliveries in its line
		// Secret is where the one that signs comes from: a reference, "sealed",
		// or "none yet". Mail is not signed.
		Secret string `json:"secret,omitempty"`
	}
	Notifications struct {
		Body struct {
			Items []Notification `json:"items"`
			Next  string         `json:"next,omitempty"`
		}
	}
	NotificationAnswer struct {
		Body Notification
	}
	// A Notification is one delivery.
	Notification struct {
		ID       string    `json:"id"` // also webhook-id
		Receiver string    `json:"receiver"`
		Channel  string    `json:"channel"`
		Type     string    `json:"type"`
		Subject  string    `json:"subject,omitempty"`
		Event    int64     `json:"event,omitempty"` // number in the trail
		State    string    `json:"state"`           // waiting, delivered or dead
		Created  time.Time `json:"created"`
		Next     time.Time `json:"next,omitzero"` // when it is tried next
		Tried    int       `json:"tried"`
		Error    string    `json:"error,omitempty"` // of the last attempt, or why it was given up
		// Attempts and message are there when one delivery is asked for.
		Attempts []NotificationAttempt `json:"attempts,omitempty"`
		Message  json.RawMessage       `json:"message,omitempty"`
	}
	NotificationAttempt struct {
		Time   time.Time `json:"time"`
		Status int       `json:"status,omitempty"`
		Error  string    `json:"error,omitempty"`
		Millis int64     `json:"millis"`
	}
	ReceiverSecret struct {
		Body struct {
			Receiver string `json:"receiver"`
			Secret   string `json:"secret" doc:"whsec_ and base64."`
		}
	}
	EventTypesAnswer struct {
		Body struct {
			Items []string `json:"items"`
		}
	}
)
