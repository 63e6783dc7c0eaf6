package server

import (
	"context"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/notify"
)

// notifyRoom carries out the routes of notifications.
type notifyRoom struct {
	*Server
	notify *notify.Notify
}

// BindNotify binds receivers and deliveries.
func (s *Server) BindNotify(n *notify.Notify) {
	r := notifyRoom{s, n}
	bind(s, adminapi.ListReceivers, r.receivers)
	bind(s, adminapi.ListNotifications, r.list)
	bind(s, adminapi.GetNotification, r.get)
	bind(s, adminapi.ReplayNotification, r.replay)
	bind(s, adminapi.TestReceiver, r.test)
	bind(s, adminapi.RotateReceiverSecret, r.secret)
	types := adminapi.EventTypes()
	// For whoever proves who they are: a team writes them into its files, and the
	// API's own document names them to everybody.
	bind(s, adminapi.ListEventTypes, func(context.Context, *adminapi.Empty) (*adminapi.EventTypesAnswer, error) {
		out := new(adminapi.EventTypesAnswer)
		out.Body.Items = types
		return out, nil
	})
}

func (r notifyRoom) receivers(ctx context.Context, in *adminapi.ReceiversRequest) (*adminapi.Receivers, error) {
	if in.Team != "" {
		if err := r.allow(ctx, adminapi.ListReceivers.Action, "team/"+in.Team); err != nil {
			return nil, err
		}
	}
	list, err := r.notify.Receivers(ctx, in.Team)
	if err != nil {
		return nil, err
	}
	sees := r.sees(ctx, adminapi.ListReceivers.Action)
	list = slices.DeleteFunc(list, func(rec notify.Receiver) bool { return !sees(rec.ID) })
	list, next, err := paged(list, in.Paged, func(r *notify.Receiver) string { return r.ID })
	if err != nil {
		return nil, err
	}
	standing, err := r.notify.Standing(ctx, list)
	if err != nil {
		return nil, err
	}
	out := new(adminapi.Receivers)
	out.Body.Next = next
	out.Body.Items = make([]adminapi.Receiver, len(list))
	for i, rec := range list {
		outcomes := rec.Outcomes
		if len(outcomes) == 0 {
			outcomes = []string{gatehouse.Allowed}
		}
		out.Body.Items[i] = adminapi.Receiver{ID: rec.ID, Team: rec.Team, Channel: rec.Channel, Target: rec.Target, Events: rec.Events, Outcomes: outcomes,
			Waiting: standing[i].Waiting, Secret: standing[i].Secret}
	}
	return out, nil
}

func (r notifyRoom) list(ctx context.Context, in *adminapi.NotificationsRequest) (*adminapi.Notifications, error) {
	on := ""
	switch {
	case in.Receiver != "":
		on = notify.On(in.Receiver)
	case in.Team != "":
		on = "team/" + in.Team
	}
	if on != "" {
		if err := r.allow(ctx, adminapi.ListNotifications.Action, on); err != nil {
			return nil, err
		}
	}
	sees := r.sees(ctx, adminapi.ListNotifications.Action)
	list, next, err := r.notify.Deliveries(ctx, notify.Selection{Receiver: in.Receiver, Team: in.Team, State: in.State, After: in.After, Limit: in.Limit,
		Sees: func(d *notify.Delivery) bool { return sees(d.Receiver) }})
	if err != nil {
		return nil, err
	}
	out := new(adminapi.Notifications)
	out.Body.Next, out.Body.Items = next, make([]adminapi.Notification, len(list))
	for i, d := range list {
		out.Body.Items[i] = notification(d)
	}
	return out, nil
}

// sees reports of receivers whether the caller may see what they are told.
func (r notifyRoom) sees(ctx context.Context, action string) func(receiver string) bool {
	known := map[string]bool{}
	return func(receiver string) bool {
		on := notify.On(receiver)
		if _, ok := known[on]; !ok {
			known[on] = r.allow(ctx, action, on) == nil
		}
		return known[on]
	}
}

// delivery reads one and asks for the permission on its receiver. Whether there
// is such a one is not told to who may not see it.
func (r notifyRoom) delivery(ctx context.Context, id, action string) (*notify.Delivery, error) {
	d, err := r.notify.Get(ctx, id)
	if gatehouse.Is(err, gatehouse.NotFound) {
		if e := r.allow(ctx, action, "organization"); e != nil {
			return nil, gatehouse.E(gatehouse.Denied, "%s on delivery %q: there is no such, or it is not yours to see", action, id)
		}
	}
	if err != nil {
		return nil, err
	}
	if r.allow(ctx, action, notify.On(d.Receiver)) != nil {
		return nil, gatehouse.E(gatehouse.Denied, "%s on delivery %q: there is no such, or it is not yours to see", action, id)
	}
	return d, nil
}

func (r notifyRoom) get(ctx context.Context, in *adminapi.NotificationRef) (*adminapi.NotificationAnswer, error) {
	d, err := r.delivery(ctx, in.ID, adminapi.GetNotification.Action)
	if err != nil {
		return nil, err
	}
	return whole(d), nil
}

func (r notifyRoom) replay(ctx context.Context, in *adminapi.NotificationRef) (*adminapi.NotificationAnswer, error) {
	if _, err := r.delivery(ctx, in.ID, adminapi.ReplayNotification.Action); err != nil {
		return nil, err
	}
	d, err := r.notify.Replay(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return whole(d), nil
}

func (r notifyRoom) test(ctx context.Context, in *adminapi.ReceiverRequest) (*adminapi.NotificationAnswer, error) {
	if err := r.allow(ctx, adminapi.TestReceiver.Action, notify.On(in.Body.Receiver)); err != nil {
		return nil, err
	}
	d, err := r.notify.Test(ctx, in.Body.Receiver)
	if err != nil {
		return nil, err
	}
	return whole(d), nil
}

func (r notifyRoom) secret(ctx context.Context, in *adminapi.ReceiverRequest) (*adminapi.ReceiverSecret, error) {
	if err := r.allow(ctx, adminapi.RotateReceiverSecret.Action, notify.On(in.Body.Receiver)); err != nil {
		return nil, err
	}
	secret, err := r.notify.Rotate(ctx, in.Body.Receiver)
	if err != nil {
		return nil, err
	}
	out := new(adminapi.ReceiverSecret)
	out.Body.Receiver, out.Body.Secret = in.Body.Receiver, secret
	return out, nil
}

func notification(d *notify.Delivery) adminapi.Notification {
	n := adminapi.Notification{ID: d.ID, Receiver: d.Receiver, Channel: d.Channel, Type: d.Type, Subject: d.Subject, Event: d.Event,
		State: d.Shown(), Created: d.Created, Next: d.Due, Tried: d.Tried, Error: d.Error}
	if last := len(d.Attempts) - 1; n.Error == "" && last >= 0 && n.State == notify.Waiting {
		n.Error = strings.TrimSpace(d.Attempts[last].Error)
	}
	return n
}

// whole is a delivery with its attempts and message.
func whole(d *notify.Delivery) *adminapi.NotificationAnswer {
	out := &adminapi.NotificationAnswer{Body: notification(d)}
	out.Body.Message = d.Body
	for _, a := range d.Attempts {
		out.Body.Attempts = append(out.Body.Attempts, adminapi.NotificationAttempt{Time: a.Time, Status: a.Status, Error: a.Error, Millis: a.Millis})
	}
	return out
}
