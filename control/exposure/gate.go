package exposure

import (
	"context"
	"encoding/json"
	"time"

	"gatehouse"
	"gatehouse/store"
)

// What the compliance gate says of an entry.
const (
	GatePassed   = "passed"
	GateWaived   = "waived"      // by way of exception, until a date
	GateNotice   = "notice"      // it falls short, and may go on until a date
	GateRefused  = "refused"     // where the gate is enforced
	GateShort    = "falls-short" // where it only reports
	GateNotAsked = "not-asked"   // nobody judges it there, or not yet
)

// A verdict is what the gate found last of a release.
type verdict struct {
	gate  string
	until time.Time // when it ends by itself; zero for passed, which is renewed
}

// judged reads what the gate found last of everything that is released. What
// passed, as nearly all has, is told by its index alone.
func (p *past) judged(ctx context.Context, where map[string]string) error {
	p.verdicts = map[string]verdict{}
	where["slot"] = "live"
	q := store.Query{Kind: string(gatehouse.KindGateResult), Where: where, Sort: "outcome", AsOf: p.at, Limit: 1000}
	if p.at != 0 {
		q.Limit = 0
	}
	for {
		page, err := p.db.List(ctx, q)
		if err != nil {
			return err
		}
		for i, rec := range page.Records {
			v := verdict{gate: GatePassed}
			if page.Sorts[i] != gatehouse.GatePassed {
				if v, err = verdictOf(rec); err != nil {
					return err
				}
			}
			p.verdicts[rec.Key] = v
		}
		if page.Next == "" {
			return nil
		}
		q.After = page.Next
	}
}

func verdictOf(rec store.Record) (v verdict, err error) {
	var r struct {
		Outcome string    `json:"outcome"`
		Mode    string    `json:"mode"`
		Notice  time.Time `json:"notice"`
		Expires time.Time `json:"expires"`
	}
	if err := json.Unmarshal(rec.Value, &r); err != nil {
		return v, gatehouse.E(gatehouse.Internal, "reading %q: %w", rec.Key, err)
	}
	switch r.Outcome {
	case gatehouse.GatePassed:
		return verdict{gate: GatePassed}, nil
	case gatehouse.GateWaived:
		return verdict{GateWaived, r.Expires}, nil
	case gatehouse.GateGrace:
		return verdict{GateNotice, r.Notice}, nil
	}
	if r.Mode == gatehouse.GateEnforce {
		return verdict{gate: GateRefused}, nil
	}
	return verdict{gate: GateShort}, nil
}

// verdict is what the gate says of a release.
func (p *past) verdict(k standing) verdict {
	team, name := gatehouse.ParseRef(k.API, "")
	if v, ok := p.verdicts[gatehouse.GateResultKey(k.Environment, team, name, k.Version, true)]; ok && k.Revision != "" {
		return v
	}
	return verdict{gate: GateNotAsked}
}
