package gate

import (
	"context"
	"fmt"
	"time"

	"gatehouse"
	"gatehouse/rule"
)

// question finds the answer to what a control asks about exactly these inputs.
// Without one that counts, the control has a finding that says what is missing.
func (g *Gate) question(ctx context.Context, l *looking, r *rule.Rule, c *gatehouse.GateControl, now time.Time) error {
	v, err := r.Judge(l.subject)
	if err != nil {
		return err
	}
	asked := v.Findings[0]
	missing := func(format string, args ...any) {
		f := asked
		f.Detail = fmt.Sprintf(format, args...) + ": " + asked.Detail
		c.Findings = []gatehouse.GateFinding{f}
	}
	a, err := g.answer(ctx, l.bench.framework, l.Target, r.ID, c.Inputs)
	if err != nil {
		return err
	}
	switch q := r.Check.Question; {
	case a == nil:
		missing("nobody has answered")
		return nil
	case a.State == gatehouse.Requested:
		missing("%s answered, and someone else has to confirm it", a.By)
		c.Findings[0].Remedy = fmt.Sprintf("confirm or reject the answer: gatehouse gate confirm %s --control %s --env %s", l.ID(), r.ID, l.Environment)
		return nil
	case a.State != gatehouse.Approved:
		missing("the answer was rejected by %s (%s)", a.DecidedBy, a.Comment)
		return nil
	case q.Evidence && len(a.Evidence) == 0:
		missing("the answer brings no evidence")
		return nil
	case q.Lasts > 0 && !now.Before(a.Decided.Add(q.Lasts.Std())):
		missing("the answer held until %s", a.Decided.Add(q.Lasts.Std()).Format(time.DateOnly))
		return nil
	case q.Lasts > 0:
		c.Until = a.Decided.Add(q.Lasts.Std())
	}
	for _, sum := range a.Evidence {
		if lost, err := g.lost(ctx, sum); err != nil {
			return err
		} else if lost {
			c.Until = time.Time{}
			missing("evidence %s of the answer is not there any more", short(sum))
			return nil
		}
	}
	c.Evidence = a.Evidence
	return nil
}

// answer is the one on record, nil for none.
func (g *Gate) answer(ctx context.Context, framework string, t Target, control, digest string) (*gatehouse.Answer, error) {
	rec, err := g.db.Get(ctx, gatehouse.AnswerKey(framework, control, t.Team, t.Name, t.Version, digest))
	if gatehouse.Is(err, gatehouse.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return read[gatehouse.Answer](rec)
}

// lost tells whether a file of evidence is not kept, or its bytes are not.
func (g *Gate) lost(ctx context.Context, sum string) (bool, error) {
	keys := []string{string(gatehouse.KindEvidence) + "/" + sum, "Blob/" + sum}
	found, err := g.db.GetMany(ctx, keys)
	return len(found) < len(keys), err
}
