package server

import (
	"context"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/adminapi"
	"gatehouse/control/access"
)

// asked is a question about access, read and permitted.
type asked struct {
	subject string
	on      access.On
	index   *access.Index // now, or of a past moment
}

// question reads a question. About oneself it needs no permission, about
// others it needs the action on the object asked about.
func (r accessRoom) question(ctx context.Context, in adminapi.AccessRequest, permission string) (asked, error) {
	if err := isAction(in.Action); err != nil {
		return asked{}, err
	}
	q := asked{on: access.ParseOn(in.On), index: r.guard.Index()}
	on := in.On
	if on == "" {
		q.on, on = access.On{}, access.Organization
	}
	var err error
	if q.subject, err = r.mine(ctx, in.Subject, permission, on); err != nil {
		return q, err
	}
	if _, _, err := access.ParseSubject(q.subject); err != nil {
		return q, err
	}
	if in.AsOf != "" {
		if q.index, err = r.past(ctx, in.AsOf, access.Question{Subject: q.subject, On: q.on}); err != nil {
			return q, err
		}
	}
	q.on, err = r.guard.Find(ctx, q.index, q.on)
	return q, err
}

// isAction refuses what no operation asks for: a role may well permit it, and
// the answer would mean nothing.
func isAction(action string) error {
	all := adminapi.Actions()
	if _, there := slices.BinarySearch(all, action); there {
		return nil
	}
	noun, _, _ := strings.Cut(action, ".")
	if those := slices.DeleteFunc(slices.Clone(all), func(a string) bool { return !strings.HasPrefix(a, noun+".") }); len(those) > 0 {
		return gatehouse.E(gatehouse.Invalid, "action %q: nothing asks for it; of %s there is %s", action, noun, strings.Join(those, ", "))
	}
	return gatehouse.E(gatehouse.Invalid, "action %q: nothing asks for it%s", action, gatehouse.OrThere(action, all))
}

func (r accessRoom) past(ctx context.Context, asOf string, q access.Question) (*access.Index, error) {
	t, err := moment("asOf", asOf)
	if err != nil {
		return nil, err
	}
	return r.guard.At(ctx, t, q)
}

// moment reads an RFC 3339 time; "" is the zero time.
func moment(field, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, gatehouse.E(gatehouse.Invalid, "%s: %q is not a moment such as \"2026-11-22T18:00:00Z\"", field, text)
	}
	if field == "asOf" && time.Until(t) > clocks {
		return t, gatehouse.E(gatehouse.Invalid, "%s: %s is to come; nobody knows it yet", field, text)
	}
	return t.UTC(), nil
}

// clocks is how far those of callers may be ahead.
const clocks = time.Minute

func (r accessRoom) can(ctx context.Context, in *adminapi.AccessRequest) (*adminapi.CanAnswer, error) {
	q, err := r.question(ctx, *in, "access.can")
	if err != nil {
		return nil, err
	}
	out := &adminapi.CanAnswer{}
	if d := q.index.Can(q.subject, in.Action, q.on); d.Allowed {
		because := adminapi.Assignment(d.Because)
		out.Body.Allowed, out.Body.Because = true, &because
	}
	return out, nil
}

func (r accessRoom) why(ctx context.Context, in *adminapi.AccessRequest) (*adminapi.WhyAnswer, error) {
	q, err := r.question(ctx, *in, "access.why")
	if err != nil {
		return nil, err
	}
	e := q.index.Why(q.subject, in.Action, q.on)
	out := &adminapi.WhyAnswer{}
	b := &out.Body
	b.Subject, b.Action, b.On, b.Allowed, b.Reason = e.Subject, e.Action, e.On.String(), e.Allowed, e.Reason
	b.Scopes, b.Groups, b.More, b.Remedies = e.Scopes, e.Groups, e.More, e.Remedies
	if e.Because != nil {
		because := adminapi.Assignment(*e.Because)
		b.Because = &because
	}
	for _, c := range e.Considered {
		b.Considered = append(b.Considered, adminapi.ConsideredAssignment{Assignment: adminapi.Assignment(c.Assignment), Via: c.Via, Verdict: c.Verdict, Detail: c.Detail})
	}
	return out, nil
}

func (r accessRoom) who(ctx context.Context, in *adminapi.WhoRequest) (*adminapi.WhoAnswer, error) {
	on, place := in.On, access.On{}
	if on == "" {
		on = access.Organization
	} else {
		place = access.ParseOn(on)
	}
	if err := r.allow(ctx, "access.who", on); err != nil {
		return nil, err
	}
	if err := isAction(in.Action); err != nil {
		return nil, err
	}
	index := r.guard.Index()
	if in.AsOf != "" {
		var err error
		if index, err = r.past(ctx, in.AsOf, access.Question{On: place}); err != nil {
			return nil, err
		}
	}
	place, err := r.guard.Find(ctx, index, place)
	if err != nil {
		return nil, err
	}
	h := index.Who(in.Action, place, in.After, in.Limit)
	out := &adminapi.WhoAnswer{}
	out.Body.Total, out.Body.Next, out.Body.Everyone, out.Body.Audience = h.Total, h.Next, h.Everyone, h.Audience
	out.Body.Items = make([]adminapi.Holder, 0, len(h.Holders))
	for _, e := range h.Holders {
		out.Body.Items = append(out.Body.Items, adminapi.Holder{Subject: e.Subject, Because: adminapi.Assignment(e.Because), Via: e.Via})
	}
	return out, nil
}
