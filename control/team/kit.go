package team

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/control/access"
	"gatehouse/control/audit"
	"gatehouse/control/catalog"
	"gatehouse/control/team/kit"
	"gatehouse/store"
)

// KitOptions say what only who asks knows.
type KitOptions struct {
	// Address of the management API, as pipelines reach it.
	Address string
	// Backends of the sample API, by environment.
	Backends map[string]string
}

// A Kit is a team's first repository.
type Kit struct {
	ServiceAccount string
	Made           bool // the service account is new
	Files          map[string][]byte
}

// Kit makes the files of a team's first repository, and the service account
// that its pipeline acts as when there is none yet.
func (d *Desk) Kit(ctx context.Context, team string, o KitOptions) (*Kit, error) {
	t, err := d.get(ctx, team)
	if err != nil {
		return nil, err
	}
	f := kit.Facts{Name: team, Team: *t, Address: o.Address}
	if err := kit.CheckURL("address", o.Address); err != nil {
		return nil, err
	}
	if f.Environments, err = d.kitEnvironments(ctx, t, o); err != nil {
		return nil, err
	}
	for i := range f.Environments {
		e := &f.Environments[i]
		e.Backend = cmp.Or(o.Backends[e.Name], kit.Backend(team, e.Name))
	}
	if f.Framework, f.InForce, f.Service, err = d.rules(ctx, team); err != nil {
		return nil, err
	}
	out := new(Kit)
	for range 3 { // somebody may ask for it at the same moment
		if f.ServiceAccount, out.Made, err = d.account(ctx, team); !gatehouse.Is(err, gatehouse.Lost) {
			break
		}
		if err := d.Guard.CatchUp(ctx, 0); err != nil { // with what they made
			return nil, err
		}
	}
	if err != nil {
		return nil, gatehouse.E(gatehouse.KindOf(err), "making the service account of team %q: %w", team, err)
	}
	out.ServiceAccount = f.ServiceAccount
	out.Files, err = kit.Files(f)
	return out, err
}

// kitEnvironments are those that the team may release into, each after those
// it waits for, dev first.
func (d *Desk) kitEnvironments(ctx context.Context, t *gatehouse.Team, o KitOptions) ([]kit.Environment, error) {
	all, err := d.environments(ctx, t)
	if err != nil {
		return nil, err
	}
	gateways := map[string][]kit.Gateway{}
	err = d.each(ctx, catalog.Filter{Kind: gatehouse.KindGateway}, func(v *catalog.View) error {
		g := v.Object.Spec.(*gatehouse.Gateway)
		where := ""
		if g.Location != nil {
			where = strings.Join(slices.DeleteFunc([]string{g.Location.Cloud, g.Location.Region, g.Location.Network}, func(s string) bool { return s == "" }), " ")
		}
		gateways[g.Environment] = append(gateways[g.Environment], kit.Gateway{Name: v.Object.Metadata.Name, Where: where, URL: g.URL})
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]kit.Environment, 0, len(all))
	for _, e := range all {
		out = append(out, kit.Environment{
			Name: e.name, Stage: e.Stage, Title: e.Title, Hosts: e.Hosts, Mode: e.mode(), After: e.after(), KeyHeader: cmp.Or(e.KeyHeader, "X-API-Key"), Gateways: gateways[e.name],
		})
	}
	for _, name := range slices.Sorted(maps.Keys(o.Backends)) {
		if !slices.ContainsFunc(out, func(e kit.Environment) bool { return e.Name == name }) {
			return nil, gatehouse.E(gatehouse.Invalid, "backend of environment %q: it is none that the team may release into", name)
		}
		if err := kit.CheckURL("backend of environment "+name, o.Backends[name]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// An environment is one that a team may release into.
type environment struct {
	name string
	*gatehouse.Environment
}

func (e environment) mode() string { return catalog.Mode(e.Environment) }

func (e environment) after() []string {
	if e.Release == nil {
		return nil
	}
	return e.Release.After
}

// environments are those that a team may release into, by stage and name, each
// behind those it waits for.
func (d *Desk) environments(ctx context.Context, t *gatehouse.Team) ([]environment, error) {
	var all []environment
	err := d.each(ctx, catalog.Filter{Kind: gatehouse.KindEnvironment}, func(v *catalog.View) error {
		name := v.Object.Metadata.Name
		if len(t.Environments) == 0 || slices.Contains(t.Environments, name) {
			all = append(all, environment{name, v.Object.Spec.(*gatehouse.Environment)})
		}
		return nil
	})
	stages := []string{"dev", "qa", "prod"}
	slices.SortFunc(all, func(a, b environment) int {
		return cmp.Or(slices.Index(stages, a.Stage)-slices.Index(stages, b.Stage), strings.Compare(a.name, b.name))
	})
	var sorted []environment
	for len(all) > 0 {
		at := slices.IndexFunc(all, func(e environment) bool {
			return !slices.ContainsFunc(all, func(other environment) bool { return other.name != e.name && slices.Contains(e.after(), other.name) })
		})
		at = max(at, 0) // environments that wait for each other stand as they come
		sorted = append(sorted, all[at])
		all = slices.Delete(all, at, at+1)
	}
	return sorted, err
}

// rules are those of the framework that the team accepted, when that is in
// force, else of the first that is; empty when none is.
func (d *Desk) rules(ctx context.Context, team string) (framework, version string, s *gatehouse.Service, err error) {
	inForce, err := d.Onboarding.InForce(ctx)
	if err != nil || len(inForce) == 0 {
		return "", "", nil, err
	}
	accepted, err := d.Onboarding.Accepted(ctx, team)
	if err != nil {
		return "", "", nil, err
	}
	framework = slices.Sorted(maps.Keys(inForce))[0]
	if accepted != nil && inForce[accepted.Framework] != "" {
		framework = accepted.Framework
	}
	version = inForce[framework]
	v, err := d.Catalog.Get(ctx, gatehouse.KindFramework, "", framework, noTime)
	if err != nil {
		return "", "", nil, err
	}
	if at := v.Object.Spec.(*gatehouse.Framework).Version(version); at != nil {
		s = at.Service
	}
	return framework, version, s, nil
}

// account is the team's service account for pipelines, made with the role
// developer on the team when there is none. Whoever asks for it hands on no
// more than they hold.
func (d *Desk) account(ctx context.Context, team string) (name string, made bool, err error) {
	for _, name := range []string{team + "-ci", team + "-pipeline"} {
		v, err := d.Catalog.Get(ctx, gatehouse.KindServiceAccount, "", name, noTime)
		switch {
		case gatehouse.Is(err, gatehouse.NotFound):
			return name, true, d.makeAccount(ctx, team, name, true)
		case err != nil:
			return "", false, err
		}
		switch s := v.Object.Spec.(*gatehouse.ServiceAccount); {
		case s.Team != team: // somebody else's
			continue
		case s.Disabled:
			return "", false, gatehouse.E(gatehouse.Conflict, "%q is disabled; whoever did so lets it in again", name)
		case !d.Guard.Index().Of("service:"+name, team):
			return name, false, d.makeAccount(ctx, team, name, false)
		}
		return name, false, nil
	}
	return "", false, gatehouse.E(gatehouse.Conflict, "%q and %q are names of other teams' service accounts by now", team+"-ci", team+"-pipeline")
}

func (d *Desk) makeAccount(ctx context.Context, team, name string, account bool) error {
	role := &gatehouse.RoleAssignment{
		Subject: "service:" + name, Role: "developer", Scope: "team/" + team, Expires: d.until(ctx, team), Reason: "pipeline of the team's kit",
	}
	documents := []catalog.Document{newDocument(gatehouse.KindRoleAssignment, name+"-developer", role)}
	if account {
		documents = append(documents, newDocument(gatehouse.KindServiceAccount, name, &gatehouse.ServiceAccount{Title: "Pipeline of team " + team, Team: team}))
	}
	done, err := d.Catalog.Apply(ctx, catalog.Request{Documents: documents, Allow: func(ctx context.Context, writes []catalog.Write) error {
		checks := make([]access.Write, len(writes))
		for i, w := range writes {
			checks[i] = access.Write{Action: w.Action, Before: w.Before, After: w.After}
		}
		return d.Guard.CheckWrites(audit.From(ctx).Actor, checks...)
	}})
	if err != nil {
		return err
	}
	return d.Guard.CatchUp(ctx, done.Seq)
}

// until is when the rights of whoever asks end on the team, if they do: what
// they make does not outlive them.
func (d *Desk) until(ctx context.Context, team string) string {
	who := audit.From(ctx).Actor
	if d.Guard.Index().MayGrant(who, gatehouse.RoleAssignment{Subject: who, Role: "developer", Scope: "team/" + team}) == nil {
		return ""
	}
	given, _ := d.Guard.Index().Given(who)
	slices.SortFunc(given, func(a, b access.Assignment) int { return b.Expires.Compare(a.Expires) })
	for _, a := range given {
		if a.Expires.IsZero() {
			continue
		}
		until := a.Expires.UTC().Format(time.RFC3339Nano)
		if d.Guard.Index().MayGrant(who, gatehouse.RoleAssignment{Subject: who, Role: "developer", Scope: "team/" + team, Expires: until}) == nil {
			return until
		}
	}
	return ""
}

func newDocument(kind gatehouse.Kind, name string, spec gatehouse.Spec) catalog.Document {
	absent := store.Absent
	return catalog.Document{Expect: &absent, Object: &gatehouse.Object{APIVersion: gatehouse.APIVersion, Kind: kind, Metadata: gatehouse.Metadata{Name: name}, Spec: spec}}
}
