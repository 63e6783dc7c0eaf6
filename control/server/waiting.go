package server

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/audit"
	"gatehouse/control/support"
	"gatehouse/control/team/onboarding"
	"gatehouse/store"
)

// Bounds of what waits, for each kind.
const (
	maxWaitingRead  = 1000 // records looked at
	maxWaitingShown = 100
)

// waitingRoom tells people what waits for them.
type waitingRoom struct {
	*Server
	onboardings *onboarding.Desk
}

// BindWaiting binds what waits for the caller.
func (s *Server) BindWaiting(d *onboarding.Desk) {
	bind(s, adminapi.ListWaiting, waitingRoom{s, d}.list)
}

// A waiting is one answer in the making.
type waiting struct {
	room  waitingRoom
	ctx   context.Context
	actor string
	may   map[string]bool
	items []adminapi.WaitingItem
	more  bool
}

func (r waitingRoom) list(ctx context.Context, _ *adminapi.Empty) (*adminapi.WaitingAnswer, error) {
	w := &waiting{room: r, ctx: ctx, actor: audit.From(ctx).Actor, may: map[string]bool{}, items: []adminapi.WaitingItem{}}
	requested := map[string]string{"state": gatehouse.Requested}
	for _, err := range []error{
		each(w, gatehouse.KindFrameworkState, nil, w.framework),
		each(w, gatehouse.KindWaiver, requested, w.waiver),
		each(w, gatehouse.KindRelease, map[string]string{"state": gatehouse.ReleaseRequested}, w.release),
		each(w, gatehouse.KindOnboarding, map[string]string{"open": "1"}, w.onboarding),
		each(w, gatehouse.KindAnswer, requested, w.answer),
		each(w, gatehouse.KindSubscription, requested, w.subscription),
		each(w, gatehouse.KindSupportRequest, map[string]string{"open": "1"}, w.support),
	} {
		if err != nil {
			return nil, err
		}
	}
	out := &adminapi.WaitingAnswer{}
	out.Body.Items, out.Body.More = w.items, w.more
	return out, nil
}

// each reads what waits of one kind and keeps the longest waiting of what take
// says concerns the caller.
func each[T any](w *waiting, kind gatehouse.Kind, where map[string]string, take func(*T) []adminapi.WaitingItem) error {
	page, err := w.room.DB.List(w.ctx, store.Query{Kind: string(kind), Where: where, Limit: maxWaitingRead})
	if err != nil {
		return err
	}
	var items []adminapi.WaitingItem
	for _, rec := range page.Records {
		v := new(T)
		if err := json.Unmarshal(rec.Value, v); err != nil {
			return gatehouse.E(gatehouse.Internal, "reading %q: %w", rec.Key, err)
		}
		items = append(items, take(v)...)
	}
	slices.SortStableFunc(items, func(a, b adminapi.WaitingItem) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.ID, b.ID)) })
	w.more = w.more || page.Next != "" || len(items) > maxWaitingShown
	w.items = append(w.items, items[:min(len(items), maxWaitingShown)]...)
	return nil
}

// allowed reports whether the caller may do the action on an object.
func (w *waiting) allowed(action, on string) bool {
	key := action + " " + on
	ok, known := w.may[key]
	if !known {
		ok = w.room.allow(w.ctx, action, on) == nil
		w.may[key] = ok
	}
	return ok
}

func (w *waiting) framework(s *gatehouse.FrameworkState) (all []adminapi.WaitingItem) {
	for version, v := range s.Versions {
		if v.State != gatehouse.Submitted || !w.allowed("framework.approve", "Framework/"+s.Framework) {
			continue
		}
		id := s.Framework + "@" + version
		all = append(all, adminapi.WaitingItem{
			Kind: "framework", ID: id, Title: "Framework " + s.Framework + ", version " + version, By: v.SubmittedBy, Since: v.Submitted, Hash: v.Hash,
			Yours: v.SubmittedBy == w.actor || slices.Contains(v.Authors, w.actor), Decided: w.decided("Framework "+id, v.Hash),
		})
	}
	return all
}

// decided reports whether the caller has said their word on a text.
func (w *waiting) decided(subject, digest string) bool {
	_, err := w.room.DB.Get(w.ctx, string(gatehouse.KindDecision)+"/"+subject+"/"+digest+"/"+w.actor)
	return err == nil
}

func (w *waiting) waiver(v *gatehouse.Waiver) []adminapi.WaitingItem {
	if !w.allowed("waiver.approve", apiOf(v.API)) {
		return nil
	}
	team, _, _, _ := gatehouse.ParseVersionRef(v.API, "")
	hash, _ := v.Requested()
	return []adminapi.WaitingItem{{
		Hash: hash, Kind: "waiver", ID: v.ID, Environment: v.Environment, Control: v.Control, Team: team, By: v.AskedBy, Since: v.Asked, Yours: v.AskedBy == w.actor,
		Title: v.API + " excepted from " + v.Control,
	}}
}

func (w *waiting) release(v *gatehouse.Release) []adminapi.WaitingItem {
	if !w.allowed("release.approve", "API/"+v.API) {
		return nil
	}
	team, _ := gatehouse.ParseRef(v.API, "")
	hash, _ := v.Requested()
	return []adminapi.WaitingItem{{
		Hash: hash, Kind: "release", ID: v.API + "@" + v.Version, Environment: v.Environment, Team: team, By: v.By, Since: v.Time, Yours: v.By == w.actor,
		Title: v.API + "@" + v.Version + " into " + v.Environment,
	}}
}

func (w *waiting) onboarding(v *gatehouse.Onboarding) []adminapi.WaitingItem {
	concerned := w.room.onboardings.Concerns(w.actor, v)
	if v.Rule != "" || v.State == gatehouse.AskedBack && !concerned || v.State != gatehouse.AskedBack && !w.allowed("onboarding.approve", "organization") {
		return nil
	}
	return []adminapi.WaitingItem{{
		Kind: "onboarding", ID: v.ID, Team: v.Request.Team, By: v.AskedBy, Since: v.Since, State: v.State, Yours: concerned && v.State != gatehouse.AskedBack,
		Title: "Team " + v.Request.Team + map[bool]string{true: " asks for more", false: " asks to come onto the platform"}[v.More],
	}}
}

func (w *waiting) answer(v *gatehouse.Answer) []adminapi.WaitingItem {
	if !w.allowed("gate.confirm", "API/"+v.API) {
		return nil
	}
	team, _ := gatehouse.ParseRef(v.API, "")
	hash, _ := v.Given()
	return []adminapi.WaitingItem{{
		Hash: hash, Kind: "answer", ID: v.API + "@" + v.Version, Control: v.Control, Team: team, By: v.By, Since: v.Time, Yours: v.By == w.actor,
		Title: "An answer about " + v.API + "@" + v.Version + " to " + v.Control,
	}}
}

func (w *waiting) subscription(v *gatehouse.Stored) []adminapi.WaitingItem {
	o := new(gatehouse.Object)
	status := new(gatehouse.SubscriptionStatus)
	if json.Unmarshal(v.Object, o) != nil || json.Unmarshal(v.Status, status) != nil {
		return nil
	}
	s, ok := o.Spec.(*gatehouse.Subscription)
	if !ok {
		return nil
	}
	team, name := gatehouse.ParseRef(s.Product, o.Metadata.Team)
	owner, app := gatehouse.ParseRef(s.Application, o.Metadata.Team)
	if !w.allowed("subscription.approve", "Product/"+team+"/"+name) {
		return nil
	}
	return []adminapi.WaitingItem{{
		Kind: "subscription", ID: o.Metadata.Ref(), Environment: s.Environment, Team: team, By: status.AskedBy, Since: status.Since, Yours: status.AskedBy == w.actor,
		Title: owner + "/" + app + " to " + team + "/" + name + ", plan " + s.Plan,
	}}
}

func (w *waiting) support(v *gatehouse.SupportRequest) []adminapi.WaitingItem {
	switch v.State {
	case gatehouse.SupportOpen, gatehouse.SupportAcknowledged:
		if !w.allowed("support.reply", helping(&support.Request{SupportRequest: *v})) {
			return nil
		}
	case gatehouse.SupportWaiting: // for whoever asked, not for all who might speak for their team
		if v.OpenedBy != w.actor {
			return nil
		}
	default:
		return nil
	}
	return []adminapi.WaitingItem{{Kind: "support", ID: v.ID, Team: v.From, By: v.OpenedBy, Since: v.Since, State: v.State, Title: v.Title}}
}
