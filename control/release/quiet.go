package release

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/control/catalog"
	"gatehouse/jsonx"
	"gatehouse/store"
)

// quiet refuses to take versions away that have traffic, and names who makes
// it. With a reason they go nevertheless, and the record says so.
func (p *plan) quiet(ctx context.Context) error {
	for _, key := range sorted(p.Releases) {
		w := p.Releases[key]
		if w.Next != nil || w.Was == nil || w.Was.Revision == "" {
			continue
		}
		e := p.ruleOf(w.Env)
		if e == nil || e.QuietTime() == 0 {
			continue
		}
		traffic, err := p.traffic(ctx, w, e.QuietTime())
		if err != nil {
			return err
		}
		switch {
		case traffic == "":
		case p.Force == "":
			p.Fault("API "+w.API, "/spec/versions", fmt.Sprintf("version %q is in use in environment %q: %s; move them first, or give --force and a --reason", w.Version, w.Env, traffic))
		default:
			w.Reason = fmt.Sprintf("forced: %s (%s)", p.Force, traffic)
		}
	}
	return nil
}

// ruleOf is an environment as it will be, or as it was if it goes; nil when
// there is none.
func (p *plan) ruleOf(name string) *gatehouse.Environment {
	if e := p.Environments[name]; e != nil {
		return e
	}
	for _, o := range p.Deleted() {
		if e, ok := o.Spec.(*gatehouse.Environment); ok && o.Metadata.Name == name {
			return e
		}
	}
	return nil
}

// traffic says what a version has served lately and for whom; "" for nothing.
func (p *plan) traffic(ctx context.Context, w *catalog.Wish, span time.Duration) (string, error) {
	rows, err := p.desk.db.Usage(ctx, store.UsageQuery{From: hourOf(p.Now.Add(-span)), By: []string{"application"}, Where: map[string]string{
		"environment": w.Env, "api": w.API + "@" + w.Version, "denied": "",
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
