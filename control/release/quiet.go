package catalog

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// quiet refuses to take versions away that have traffic, and names who makes
// it. With a reason they go nevertheless, and the record says so.
func (p *plan) quiet(ctx context.Context) error {
	for _, key := range sorted(p.releases) {
		w := p.releases[key]
		if w.next != nil || w.was == nil || w.was.Revision == "" {
			continue
		}
		e := p.ruleOf(w.env)
		if e == nil || e.QuietTime() == 0 {
			continue
		}
		traffic, err := p.traffic(ctx, w, e.QuietTime())
		if err != nil {
			return err
		}
		switch {
		case traffic == "":
		case p.req.Force == "":
			p.fault("API "+w.api, "/spec/versions", fmt.Sprintf("version %q is in use in environment %q: %s; move them first, or give --force and a --reason", w.version, w.env, traffic))
		default:
			w.reason = fmt.Sprintf("forced: %s (%s)", p.req.Force, traffic)
		}
	}
	return nil
}

// ruleOf is an environment as it will be, or as it was if it goes; nil when
// there is none.
func (p *plan) ruleOf(name string) *gatehouse.Environment {
	if e := p.envs[name]; e != nil {
		return e
	}
	if it := p.items[gatehouse.Key(gatehouse.KindEnvironment, "", name)]; it != nil && it.was != nil {
		return it.was.object.Spec.(*gatehouse.Environment)
	}
	return nil
}

// traffic says what a version has served lately and for whom; "" for nothing.
func (p *plan) traffic(ctx context.Context, w *wish, span time.Duration) (string, error) {
	rows, err := p.db.Usage(ctx, store.UsageQuery{From: hourOf(p.now.Add(-span)), By: []string{"application"}, Where: map[string]string{
		"environment": w.env, "api": w.api + "@" + w.version, "denied": "",
	}})
	if err != nil || len(rows) == 0 {
		return "", err
	}
	slices.SortFunc(rows, func(a, b store.UsageRow) int { return cmp.Compare(b.Requests, a.Requests) })
	var total int64
	var who []string
	for _, r := range rows {
		if total += r.Requests; len(who) < 10 {
			who = append(who, fmt.Sprintf("%s (%d)", cmp.Or(r.Application, "callers without an application"), r.Requests))
		}
	}
	if total == 0 {
		return "", nil
	}
	more := ""
	if n := len(rows) - len(who); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("%d requests in the last %s, of %s%s", total, jsonx.Duration(span), strings.Join(who, ", "), more), nil
}
