package exposure

import (
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
	why   string    // what is not obeyed, of refused and falls-short
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
		return verdict{gate: GateWaived, until: r.Expires}, nil
	case gatehouse.GateGrace:
		return verdict{gate: GateNotice, until: r.Notice}, nil
	}
	v.gate = GateShort
	if r.Mode == gatehouse.GateEnforce {
		v.gate = GateRefused
	}
	v.why, err = why(rec)
	return v, err
}

// why is what the first required control that failed found, or what it waits for.
func why(rec store.Record) (string, error) {
	var r gatehouse.GateResult
	if err := json.Unmarshal(rec.Value, &r); err != nil {
		return "", gatehouse.E(gatehouse.Internal, "reading %q: %w", rec.Key, err)
	}
	for _, c := range r.Controls {
		switch {
		case c.Outcome == gatehouse.GateFailed && len(c.Findings) > 0:
			return c.ID + ": " + c.Findings[0].Detail, nil
		case c.Outcome == gatehouse.GateFailed, c.Outcome == gatehouse.GateWaiting:
			return c.ID + ": " + c.Outcome, nil
		}
	}
	return r.Reason, nil
}

// verdict is what the gate says of a release.
func (p *past) verdict(k standing) verdict {
	if v, ok := p.verdicts[k.gateKey()]; ok && k.Revision != "" {
		return v
	}
	return verdict{gate: GateNotAsked}
}
