package gate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"gatehouse"
	"gatehouse/store"
)

// MaxWaiver is how long a waiver may last: what is needed longer is asked for
// again, or is no exception.
const MaxWaiver = 365 * 24 * time.Hour

// maxReason bounds what people write, in bytes.
const maxReason = 4000

// AskWaiver asks for an exception of one API, or one version of it, from one
// control until a date. It excepts from nothing before somebody else approves it.
func (g *Gate) AskWaiver(ctx context.Context, ask gatehouse.Waiver) (*gatehouse.Waiver, error) {
	w, err := g.askWaiver(ctx, ask)
	if err != nil {
		return nil, gatehouse.E(gatehouse.KindOf(err), "asking for a waiver of control %q for %q: %w", ask.Control, ask.API, err)
	}
	return w, nil
}

func (g *Gate) askWaiver(ctx context.Context, ask gatehouse.Waiver) (*gatehouse.Waiver, error) {
	now := g.now()
	team, name, version, revision := gatehouse.ParseVersionRef(ask.API, "")
	switch {
	case team == "" || name == "" || revision != "":
		return nil, gatehouse.E(gatehouse.Invalid, "%q names neither an API nor a version: \"team/name\" or \"team/name@version\"", ask.API)
	case strings.TrimSpace(ask.Reason) == "":
		return nil, gatehouse.E(gatehouse.Invalid, "it has no reason: say why the API cannot obey the control yet")
	case len(ask.Reason) > maxReason:
		return nil, gatehouse.E(gatehouse.Invalid, "the reason has %d bytes, the limit is %d", len(ask.Reason), maxReason)
	}
	if err := waiverEnd(ask.Expires, now); err != nil {
		return nil, err
	}
	framework, err := g.waivable(ctx, team, name, version, ask)
	if err != nil {
		return nil, err
	}
	open := 0
	err = each(ctx, g.db, store.Query{Kind: string(gatehouse.KindWaiver), Where: map[string]string{"of": team + "/" + name, "state": gatehouse.Requested}}, func(r store.Record) error {
		other, err := read[gatehouse.Waiver](r)
		if open++; err == nil && other.Control == ask.Control && other.API == ask.API && other.Environment == ask.Environment && other.Framework == framework {
			return gatehouse.E(gatehouse.Conflict, "waiver %q asks for the same and waits for approval", other.ID)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if open >= maxOpen {
		return nil, gatehouse.E(gatehouse.Conflict, "%d waivers of the API wait for approval already; have some decided first", open)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	w := &gatehouse.Waiver{
		ID: "wvr_" + strings.ReplaceAll(id.String(), "-", ""), Framework: framework, Control: ask.Control, API: ask.API, Environment: ask.Environment,
		Reason: ask.Reason, State: gatehouse.Requested, AskedBy: actor(ctx), Asked: now, Expires: ask.Expires.UTC().Truncate(time.Microsecond),
	}
	return w, g.putWaiver(ctx, "waiver.ask", nil, store.Absent, w, ask.Reason)
}

// maxOpen is how many waivers of one API may wait for approval.
const maxOpen = 200

func waiverEnd(end, now time.Time) error {
	switch {
	case end.IsZero():
		return gatehouse.E(gatehouse.Invalid, "it has no end, and a waiver without one is none: say until when it expires, at most %s from now", days(MaxWaiver))
	case !end.After(now):
		return gatehouse.E(gatehouse.Invalid, "%s is past; say until when", end.UTC().Format(time.RFC3339))
	case end.After(now.Add(MaxWaiver)):
		return gatehouse.E(gatehouse.Invalid, "%s is too late: a waiver ends at most %s from now, and can be asked for again", end.UTC().Format(time.DateOnly), days(MaxWaiver))
	}
	return nil
}

func days(d time.Duration) string { return fmt.Sprintf("%d days", int(d/(24*time.Hour))) }

// waivable finds the framework whose control is to be waived, and refuses what
// is not there.
func (g *Gate) waivable(ctx context.Context, team, name, version string, ask gatehouse.Waiver) (string, error) {
	v := g.stored()
	o, err := v.Object(ctx, gatehouse.Key(gatehouse.KindAPI, team, name))
	if err != nil {
		return "", err
	}
	if o == nil {
		return "", gatehouse.E(gatehouse.NotFound, "there is no API %q", team+"/"+name)
	}
	api := o.Spec.(*gatehouse.API)
	if version != "" && !slices.ContainsFunc(api.Versions, func(v gatehouse.Version) bool { return v.Name == version }) {
		return "", gatehouse.E(gatehouse.NotFound, "API %q has no version %q", team+"/"+name, version)
	}
	env := new(gatehouse.Environment)
	if ask.Environment != "" {
		if env, err = spec[*gatehouse.Environment](ctx, v, gatehouse.Key(gatehouse.KindEnvironment, "", ask.Environment)); err != nil {
			return "", err
		}
		if env == nil {
			return "", NoEnvironment(ctx, g.db, ask.Environment)
		}
	}
	named := ask.Framework
	if named == "" {
		named = api.Framework
	}
	b, err := g.bench(ctx, v, env, named, time.Time{})
	if err != nil {
		return "", err
	}
	if b.judging == nil {
		reason, remedy := b.reason(team+"/"+name, ask.Environment)
		if named == "" && ask.Environment == "" {
			remedy = "name the environment whose framework judges it (--env), or the framework (--framework)"
		}
		return "", gatehouse.E(gatehouse.Conflict, "%s; %s", reason, remedy)
	}
	c := b.text.Version.Control(ask.Control)
	if c == nil {
		return "", gatehouse.E(gatehouse.NotFound, "framework %q %s has no control %q%s", b.framework, b.text.Version.Name, ask.Control, b.nearest(ask.Control))
	}
	if c.Level == gatehouse.ControlAdvisory {
		return "", gatehouse.E(gatehouse.Conflict, "the control is advisory: nothing depends on it")
	}
	return b.framework, nil
}

// nearest suggests the control that was meant.
func (b *bench) nearest(id string) string {
	var ids []string
	for _, r := range b.rules {
		ids = append(ids, r.ID)
	}
	if near := gatehouse.Nearest(id, ids); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}
