package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/control/access"
	"gatehouse/control/audit"
	"gatehouse/store"
)

// Channels.
const (
	Hook = "webhook"
	Mail = "mail"
)

// A Receiver is told of events: a Webhook of the organization, "webhook/ops",
// or one that a team names, "team/payments/oncall".
type Receiver struct {
	ID       string
	Team     string // whose events it hears; "" for all
	Provider bool   // hears also of what belongs to no team
	Channel  string // Hook or Mail
	Target   string // URL or address
	Events   []string
	Outcomes []string
	Secret   string // a reference; "" for one that is kept sealed

	types access.Permissions
}

// On is the object that permission is asked on.
func (r *Receiver) On() string { return On(r.ID) }

// On is the object that permission on the receiver of an id is asked on.
func On(id string) string {
	kind, rest, _ := strings.Cut(id, "/")
	if kind == "team" {
		team, _, _ := strings.Cut(rest, "/")
		return "team/" + team
	}
	return "Webhook/" + rest
}

// wants reports whether it listens to such events, whoever's they are.
func (r *Receiver) wants(e *gatehouse.Event) bool {
	if len(r.Outcomes) == 0 && e.Outcome != gatehouse.Allowed || len(r.Outcomes) > 0 && !slices.Contains(r.Outcomes, e.Outcome) {
		return false
	}
	// What it is told of its own troubles would add to them.
	return r.types.Allow(e.Action) && e.Object != object(r.ID)
}

// object is how the trail names a receiver.
func object(id string) string { return "Receiver " + id }

// receivers are those that a record names; none for other kinds.
func receivers(rec *store.Record) (list []Receiver) {
	var s gatehouse.Stored
	var o gatehouse.Object
	if json.Unmarshal(rec.Value, &s) != nil || json.Unmarshal(s.Object, &o) != nil {
		return nil
	}
	switch spec := o.Spec.(type) {
	case *gatehouse.Webhook:
		events := spec.Events
		if len(events) == 0 {
			events = []string{"*"}
		}
		list = []Receiver{{ID: "webhook/" + o.Metadata.Name, Channel: Hook, Target: spec.URL, Events: events, Outcomes: spec.Outcomes, Secret: spec.Secret}}
	case *gatehouse.Team:
		for _, n := range spec.Notify {
			r := Receiver{ID: "team/" + o.Metadata.Name + "/" + n.Name, Team: o.Metadata.Name, Provider: spec.Provider, Channel: Mail, Target: n.Email,
				Events: n.Events, Outcomes: n.Outcomes}
			if n.Webhook != "" {
				r.Channel, r.Target = Hook, n.Webhook
			}
			list = append(list, r)
		}
	}
	for i := range list {
		// What the check of documents let in compiles; what it would not selects
		// nothing.
		list[i].types, _ = access.CompilePermissions(list[i].Events)
	}
	return list
}

// recordOf is the key of the document that names a receiver, "" for what is
// none.
func recordOf(id string) string {
	parts := strings.Split(id, "/")
	switch {
	case len(parts) == 2 && parts[0] == "webhook":
		return gatehouse.Key(gatehouse.KindWebhook, "", parts[1])
	case len(parts) == 3 && parts[0] == "team":
		return gatehouse.Key(gatehouse.KindTeam, "", parts[1])
	}
	return ""
}

// Receiver is the receiver as it stands.
func (n *Notify) Receiver(ctx context.Context, id string) (*Receiver, error) {
	none := gatehouse.E(gatehouse.NotFound, "there is no receiver %q: \"webhook/NAME\", or \"team/TEAM/NAME\" of a team's notify", audit.Mask(id))
	key := recordOf(id)
	if key == "" {
		return nil, none
	}
	rec, err := n.DB.Get(ctx, key)
	if gatehouse.Is(err, gatehouse.NotFound) {
		return nil, none
	}
	if err != nil {
		return nil, err
	}
	for _, r := range receivers(&rec) {
		if r.ID == id {
			return &r, nil
		}
	}
	return nil, none
}

// Receivers lists those of a team, or all when team is "", by id.
func (n *Notify) Receivers(ctx context.Context, team string) ([]Receiver, error) {
	var list []Receiver
	queries := []store.Query{{Kind: string(gatehouse.KindTeam), Limit: 500}}
	if team == "" {
		queries = append(queries, store.Query{Kind: string(gatehouse.KindWebhook), Limit: 500})
	} else {
		queries[0].Where = map[string]string{"name": team}
	}
	for _, q := range queries {
		err := n.each(ctx, q, func(rec *store.Record) { list = append(list, receivers(rec)...) })
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(a, b Receiver) int { return cmp.Compare(a.ID, b.ID) })
	return list, nil
}

// each reads a list page by page.
func (n *Notify) each(ctx context.Context, q store.Query, do func(*store.Record)) error {
	for {
		page, err := n.DB.List(ctx, q)
		if err != nil {
			return err
		}
		for i := range page.Records {
			do(&page.Records[i])
		}
		if q.After = page.Next; q.After == "" {
			return nil
		}
		if q.AsOf == 0 {
			q.AsOf = page.Seq
		}
	}
}
