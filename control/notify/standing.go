package notify

import (
	"context"
)

// A Standing is how a receiver stands.
type Standing struct {
	Waiting int64
	Secret  string // where the one that signs comes from
}

// Standing tells how receivers stand, in their order.
func (n *Notify) Standing(ctx context.Context, list []Receiver) ([]Standing, error) {
	queues, err := n.DB.JobQueues(ctx)
	if err != nil {
		return nil, err
	}
	waiting := map[string]int64{}
	for _, q := range queues {
		waiting[q.Queue] = q.Waiting
	}
	keys := make([]string, len(list))
	for i, r := range list {
		keys[i] = secretKind + "/" + r.ID
	}
	sealed, err := n.DB.GetMany(ctx, keys)
	if err != nil {
		return nil, err
	}
	out := make([]Standing, len(list))
	for i, r := range list {
		out[i].Waiting = waiting[r.ID]
		_, has := sealed[keys[i]]
		switch {
		case r.Channel != Hook:
		case r.Secret != "":
			out[i].Secret = r.Secret
		case has:
			out[i].Secret = "sealed"
		default:
			out[i].Secret = "none yet"
		}
	}
	return out, nil
}

// Shown is the state as people are told it.
func (d *Delivery) Shown() string {
	if d.State == dying {
		return Dead
	}
	return d.State
}
