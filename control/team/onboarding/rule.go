package onboarding

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/admission"
	"gatehouse/control/access"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/store"
)

var environmentsOf = catalog.Filter{Kind: gatehouse.KindEnvironment, Limit: 1000}

// seen is the request as conditions see it.
func (d *Desk) seen(ctx context.Context, s *Standing) (admission.Request, error) {
	r := &s.Request
	out := admission.Request{
		Team: r.Team, More: s.More, Asker: s.AskedBy, Members: r.Members, Clouds: r.Clouds, Data: r.Data, CostCentre: r.CostCentre,
		Quotas: quotas(r.Quotas), Expires: r.Expires,
	}
	clouds, err := d.clouds(ctx)
	if err != nil {
		return out, err
	}
	for _, name := range r.Environments {
		v, err := d.catalog.Get(ctx, gatehouse.KindEnvironment, "", name, noTime)
		if err != nil {
			return out, err
		}
		e := v.Object.Spec.(*gatehouse.Environment)
		out.Environments = append(out.Environments, admission.Environment{Name: name, Stage: e.Stage, Jurisdiction: e.Jurisdiction, Clouds: clouds[name]})
	}
	return out, nil
}

// clouds are those in which gateways of each environment run.
func (d *Desk) clouds(ctx context.Context) (map[string][]string, error) {
	all := map[string][]string{}
	f := catalog.Filter{Kind: gatehouse.KindGateway, Limit: 1000}
	for {
		page, err := d.catalog.List(ctx, f)
		if err != nil {
			return nil, err
		}
		for _, v := range page.Items {
			g := v.Object.Spec.(*gatehouse.Gateway)
			if g.Location != nil && g.Location.Cloud != "" && !slices.Contains(all[g.Environment], g.Location.Cloud) {
				all[g.Environment] = append(all[g.Environment], g.Location.Cloud)
			}
		}
		if page.Next == "" {
			return all, nil
		}
		f.After = page.Next
	}
}

// system acts as the control plane itself.
func system(ctx context.Context) context.Context {
	return audit.WithRequest(ctx, audit.Request{Actor: access.System, Authentication: "none", ID: audit.From(ctx).ID})
}

// byRule lets an on-boarding through that a condition decided on. What cannot
// be done is left to a person, with the reason in what was said. When the
// database goes away between asking and this, [Desk.Settle] does it later.
func (d *Desk) byRule(ctx context.Context, s *Standing, asked store.Seq) (*Standing, store.Seq, error) {
	ctx = system(ctx)
	done, seq, err := d.Approve(ctx, s.ID, "rule: "+s.Rule)
	switch {
	case err == nil:
		return done, seq, nil
	case gatehouse.Is(err, gatehouse.Unavailable) || gatehouse.Is(err, gatehouse.Full) || ctx.Err() != nil:
		return s, asked, nil
	}
	left, seq, e := d.change(ctx, "leaving to a person", "onboarding.defer", s.ID, err.Error(), func(s *Standing) error {
		if !s.Open() || s.Rule == "" {
			return gatehouse.E(gatehouse.Conflict, "it is %s", s.State)
		}
		s.Rule = ""
		text := "the rule that would let it through cannot: " + err.Error()
		return s.say(access.System, "note", text[:min(len(text), gatehouse.MaxComment)], d.now())
	})
	if e == nil {
		return left, seq, nil
	}
	if now, e := d.Get(ctx, s.ID); e == nil { // somebody decided meanwhile
		return now, now.Rev, nil
	}
	return s, asked, nil
}

// Settle lets through what conditions decided on and what a fault kept from
// it. Every node does it; each on-boarding is let through once.
func (d *Desk) Settle(ctx context.Context) error {
	page, err := d.db.List(ctx, store.Query{Kind: string(gatehouse.KindOnboarding), Where: map[string]string{"open": "1", "rule": "1"}, Limit: 100})
	if err != nil {
		return err
	}
	for _, rec := range page.Records {
		s, err := standingOf(rec)
		if err != nil {
			return err
		}
		if _, _, err := d.byRule(ctx, s, s.Rev); err != nil {
			return err
		}
	}
	return nil
}

// Notes are what whoever decides may want to know of a request.
func (d *Desk) Notes(ctx context.Context, o *gatehouse.Onboarding) (notes []string, err error) {
	if !o.Open() {
		return nil, nil
	}
	if _, err := d.stillAccepted(ctx, o); gatehouse.Is(err, gatehouse.Conflict) || gatehouse.Is(err, gatehouse.Invalid) {
		notes = append(notes, err.Error())
	} else if err != nil {
		return nil, err
	}
	clouds, err := d.clouds(ctx)
	if err != nil {
		return nil, err
	}
	for _, cloud := range o.Request.Clouds {
		if !slices.ContainsFunc(o.Request.Environments, func(e string) bool { return slices.Contains(clouds[e], cloud) }) {
			notes = append(notes, fmt.Sprintf("no gateway of %s runs in %s", strings.Join(o.Request.Environments, ", "), cloud))
		}
	}
	return notes, nil
}
