package document

import (
	"context"
	"encoding/json"
	"time"

	"gatehouse"
	"gatehouse/control/governance/framework"
	"gatehouse/store"
)

// Of is the document of a version: what it says, with what is live now. Objects
// of teams are shown where see allows it; nil shows those of the provider team
// alone.
func Of(ctx context.Context, db store.DB, v *framework.View, now time.Time, see func(kind gatehouse.Kind, team, name string) bool) (*Page, error) {
	if v.Text == nil {
		return nil, gatehouse.E(gatehouse.NotFound, "the text of framework %q is not there any more", v.Framework+"@"+v.Version)
	}
	m := &Model{
		Framework: v.Framework, Version: v.Version, Title: v.Title, Summary: v.Summary, Standing: v.FrameworkVersionState, Text: v.Text, Approvals: v.Decisions, Time: now,
	}
	if see == nil {
		provider := ""
		if s := v.Text.Version.Service; s != nil {
			provider = s.Team
		}
		see = func(kind gatehouse.Kind, team, name string) bool {
			return provider != "" && (team == provider || kind == gatehouse.KindTeam && name == provider)
		}
	}
	var err error
	if m.Governed, err = governed(ctx, db); err != nil {
		return nil, err
	}
	if err := Live(ctx, db, m, see); err != nil {
		return nil, err
	}
	return Make(m), nil
}

// governed reports whether any framework is, or ever was, in force.
func governed(ctx context.Context, db store.DB) (is bool, err error) {
	err = each(ctx, db, store.Query{Kind: string(gatehouse.KindFrameworkState)}, func(r store.Record) error {
		var s gatehouse.FrameworkState
		if err := json.Unmarshal(r.Value, &s); err != nil {
			return gatehouse.E(gatehouse.Internal, "reading %q: %w", r.Key, err)
		}
		is = is || !s.Governed.IsZero()
		return nil
	})
	return is, err
}
