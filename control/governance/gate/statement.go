package gate

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"gatehouse"
	"gatehouse/attest"
	"gatehouse/store"
)

// never stands for no date in an index that orders by date.
const never = "9999"

func stamped(t time.Time) string { return cmp.Or(store.Moment(t), never) }

// current has the past tell what is found now of what is live, where the last
// evaluation of that is not by what judges the revision beside it.
func (g *Gate) current(ctx context.Context, l *looking, p *past) error {
	now := g.now()
	if l.live == nil || l.exposed(p, now) {
		return nil
	}
	if was := p.live; was != nil && was.Revision == l.live.Revision && was.Framework == l.bench.framework && was.FrameworkHash == l.bench.textHash() &&
		was.Mode == l.bench.mode && (was.Due.IsZero() || now.Before(was.Due)) {
		return nil
	}
	live := l.Target
	live.Revision = l.live.Revision
	at, err := g.look(ctx, l.view, live)
	if err != nil {
		return err
	}
	its, err := g.recall(ctx, live)
	if err == nil {
		p.live, err = g.evaluate(ctx, at, its)
	}
	return err
}

// attest makes the attestation of a result that passes, unless there is one
// that says the same, and takes back the one of what is live and does not pass.
func (g *Gate) attest(ctx context.Context, r *ruling) error {
	own, now := r.past.own, g.now()
	if !passes(r.result.Outcome) {
		if own != nil && own.Revoked.IsZero() && now.Before(own.Statement.Expires) {
			taken := *own
			taken.Revoked, taken.RevokedBy, taken.Reason = now, "system", clip(because(r.result))
			r.taken = &taken
		}
		return nil
	}
	s := r.statement(now)
	if own != nil && own.Revoked.IsZero() && says(&own.Statement, s) && !due(&own.Statement, s, now) {
		r.result.Attestation, r.result.Due, r.result.Expires = own.Statement.ID, duly(&own.Statement, r.result), own.Statement.Expires
		return nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	s.ID, s.Installation = id.String(), g.signer.ID()
	signed, err := g.signer.Attest(*s)
	if err != nil {
		return err
	}
	r.made = &gatehouse.Attested{Attestation: *signed, By: actor(ctx), Notices: r.notices()}
	r.result.Attestation = s.ID
	return nil
}

// statement is what the attestation is to say.
func (r *ruling) statement(now time.Time) *attest.Statement {
	s := &attest.Statement{
		Environment: r.Environment, API: r.API(), Version: r.Version, Revision: r.Revision,
		Framework: r.result.Framework, FrameworkVersion: r.result.FrameworkVersion, FrameworkHash: r.result.FrameworkHash,
		Outcome: r.result.Outcome, Controls: []attest.Control{}, Issued: now, Expires: r.result.Expires,
	}
	for _, c := range r.result.Controls {
		outcome := c.Outcome
		if outcome == gatehouse.GateAdvisory {
			outcome = attest.Failed
		}
		s.Controls = append(s.Controls, attest.Control{ID: c.ID, Outcome: outcome, Inputs: c.Inputs, Waiver: c.Waiver, Evidence: c.Evidence, Until: c.Until})
	}
	return s
}

// says tells whether two statements say the same of the same.
func says(a, b *attest.Statement) bool {
	return a.FrameworkHash == b.FrameworkHash && a.Framework == b.Framework && a.Outcome == b.Outcome &&
		slices.EqualFunc(a.Controls, b.Controls, func(x, y attest.Control) bool {
			return x.ID == y.ID && x.Outcome == y.Outcome && x.Inputs == y.Inputs && x.Waiver == y.Waiver && x.Until.Equal(y.Until) && slices.Equal(x.Evidence, y.Evidence)
		})
}

// due tells whether the statement there is ends soon, and the new one later.
func due(own, next *attest.Statement, now time.Time) bool {
	life := own.Expires.Sub(own.Issued)
	return !now.Before(own.Expires.Add(-min(renewal, life/10))) && next.Expires.After(own.Expires)
}

// duly is when to look again at what keeps its attestation.
func duly(own *attest.Statement, r *gatehouse.GateResult) time.Time {
	if r.Due.Equal(r.Expires) {
		return own.Expires // something ends it: looking earlier would find the same
	}
	return own.Expires.Add(-min(renewal, own.Expires.Sub(own.Issued)/10))
}

// because says in a line why a result does not pass.
func because(r *gatehouse.GateResult) string {
	if r.Reason != "" {
		return r.Reason
	}
	var words []string
	for _, c := range r.Controls {
		if passes(c.Outcome) && c.Outcome != gatehouse.GateGrace {
			continue
		}
		word := c.ID
		if len(c.Findings) > 0 {
			f := c.Findings[0]
			if word += ": "; f.Operation != "" {
				word += f.Operation + ": "
			}
			word += f.Detail
		}
		words = append(words, word)
	}
	return strings.Join(words, "; ")
}

func clip(text string) string {
	const most = 1000
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
