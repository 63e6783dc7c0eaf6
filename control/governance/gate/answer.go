package gate

import (
	"context"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/jsonx"
	"gatehouse/rule"
	"gatehouse/store"
)

const (
	maxAnswer   = 20_000 // bytes
	maxEvidence = 50     // files
)

// A Reply is what a person says to a question, or to somebody's answer.
type Reply struct {
	Control  string
	Text     string
	Evidence []string // SHA-256 of files that were uploaded
	Reject   bool     // of a confirmation: the answer does not do
	Hash     string   // of a confirmation: of the answer that was read; "" is whichever waits
}

// Answer puts a person's answer to a control's question on record. It counts
// when someone else confirms it, for what was asked about as it is now.
func (g *Gate) Answer(ctx context.Context, t Target, r Reply) (*gatehouse.Answer, error) {
	a, err := g.reply(ctx, t, r, g.answered)
	if err != nil {
		return nil, gatehouse.E(gatehouse.KindOf(err), "answering control %q for %q, environment %q: %w", r.Control, t.ID(), t.Environment, err)
	}
	return a, nil
}

// Confirm lets somebody else's answer count, or rejects it.
func (g *Gate) Confirm(ctx context.Context, t Target, r Reply) (*gatehouse.Answer, error) {
	a, err := g.reply(ctx, t, r, g.confirmed)
	if err != nil {
		doing := "confirming the answer to"
		if r.Reject {
			doing = "rejecting the answer to"
		}
		return nil, gatehouse.E(gatehouse.KindOf(err), "%s control %q for %q, environment %q: %w", doing, r.Control, t.ID(), t.Environment, err)
	}
	return a, nil
}

// An asking is a question with the answer there is.
type asking struct {
	*looking
	rule   *rule.Rule
	digest string
	key    string
	was    *gatehouse.Answer // nil: none
	rev    store.Seq
}

type replying func(ctx context.Context, q *asking, r Reply) (next *gatehouse.Answer, acts []audit.Act, err error)

// reply finds the question and writes what a person says to it.
func (g *Gate) reply(ctx context.Context, t Target, r Reply, decide replying) (*gatehouse.Answer, error) {
	for try := 1; ; try++ {
		a, err := g.tryReply(ctx, t, r, decide)
		if moved(err) && try < retries {
			continue
		}
		return a, err
	}
}

func (g *Gate) tryReply(ctx context.Context, t Target, r Reply, decide replying) (*gatehouse.Answer, error) {
	q, err := g.asking(ctx, t, r.Control)
	if err != nil {
		return nil, err
	}
	next, acts, err := decide(ctx, q, r)
	if err != nil {
		return nil, err
	}
	value, err := jsonx.Marshal(next)
	if err != nil {
		return nil, err
	}
	acts[0].After = value
	if q.was != nil {
		if acts[0].Before, err = jsonx.Marshal(q.was); err != nil {
			return nil, err
		}
	}
	acts[0].Writes = append(acts[0].Writes, store.Write{
		Key: q.key, Kind: string(gatehouse.KindAnswer), Value: value, Expect: q.rev,
		Index: map[string]string{"api": t.API(), "team": t.Team, "version": t.Version, "framework": next.Framework, "control": next.Control, "state": next.State},
	})
	return next, g.commit(ctx, acts...)
}

// asking finds the question of a control about a target.
func (g *Gate) asking(ctx context.Context, t Target, control string) (*asking, error) {
	l, err := g.look(ctx, g.stored(), t)
	if err != nil {
		return nil, err
	}
	if l.subject == nil {
		reason, remedy := l.bench.reason(t.API(), t.Environment)
		return nil, gatehouse.E(gatehouse.Conflict, "%s; %s", reason, remedy)
	}
	i := slices.IndexFunc(l.bench.rules, func(r *rule.Rule) bool { return r.ID == control })
	if i < 0 {
		return nil, gatehouse.E(gatehouse.NotFound, "framework %q %s has no control %q%s", l.bench.framework, l.bench.text.Version.Name, control, l.bench.nearest(control))
	}
	q := &asking{looking: l, rule: l.bench.rules[i]}
	if q.rule.Kind != "question" {
		return nil, gatehouse.E(gatehouse.Conflict, "the control is of kind %s; only a question is answered by a person", q.rule.Kind)
	}
	if q.digest, err = q.rule.Inputs(l.subject); err != nil {
		return nil, err
	}
	q.key = gatehouse.AnswerKey(l.bench.framework, control, t.Team, t.Name, t.Version, q.digest)
	rec, err := g.db.Get(ctx, q.key)
	if err != nil && !gatehouse.Is(err, gatehouse.NotFound) {
		return nil, err
	}
	q.rev = rec.Rev
	q.was, err = read[gatehouse.Answer](rec)
	return q, err
}

func (q *asking) act(action, reason string) []audit.Act {
	return []audit.Act{{Action: action, Object: "Answer " + q.ID() + " " + q.rule.ID, Team: q.Team, Reason: reason}}
}

// answered is a first answer, or one in place of an answer that does not count.
func (g *Gate) answered(ctx context.Context, q *asking, r Reply) (*gatehouse.Answer, []audit.Act, error) {
	switch {
	case strings.TrimSpace(r.Text) == "":
		return nil, nil, gatehouse.E(gatehouse.Invalid, "the answer is empty; the question is: %s", q.rule.Check.Question.Text)
	case len(r.Text) > maxAnswer:
		return nil, nil, gatehouse.E(gatehouse.TooLarge, "the answer has %d bytes, the limit is %d", len(r.Text), maxAnswer)
	case len(r.Evidence) > maxEvidence:
		return nil, nil, gatehouse.E(gatehouse.Invalid, "%d files of evidence; at most %d", len(r.Evidence), maxEvidence)
	case q.rule.Check.Question.Evidence && len(r.Evidence) == 0:
		return nil, nil, gatehouse.E(gatehouse.Invalid, "the control asks for evidence: upload a file and name its hash")
	}
	for _, sum := range r.Evidence {
		if lost, err := g.lost(ctx, sum); err != nil {
			return nil, nil, err
		} else if lost {
			return nil, nil, gatehouse.E(gatehouse.Invalid, "evidence %q is not there: upload the file first, with \"gatehouse evidence add FILE\"", sum)
		}
	}
	evidence := slices.Clone(r.Evidence)
	slices.Sort(evidence)
	return &gatehouse.Answer{
		Framework: q.bench.framework, Control: q.rule.ID, API: q.API(), Version: q.Version, Digest: q.digest, Text: r.Text,
		Evidence: slices.Compact(evidence), By: actor(ctx), Time: g.now(), State: gatehouse.Requested,
	}, q.act("gate.answer", ""), nil
}

// confirmed decides on an answer; who gave it cannot.
func (g *Gate) confirmed(ctx context.Context, q *asking, r Reply) (*gatehouse.Answer, []audit.Act, error) {
	switch {
	case q.was == nil:
		return nil, nil, gatehouse.E(gatehouse.Conflict, "nobody has answered yet, or what was answered about has changed since")
	case q.was.State != gatehouse.Requested:
		return nil, nil, gatehouse.E(gatehouse.Conflict, "the answer is %s already", q.was.State)
	case r.Hash != "":
		given, err := q.was.Given()
		if err == nil {
			err = gatehouse.AsRead(r.Hash, given, "the answer")
		}
		if err != nil {
			return nil, nil, err
		}
	}
	switch {
	case r.Reject && strings.TrimSpace(r.Text) == "":
		return nil, nil, gatehouse.E(gatehouse.Invalid, "say why, so that it can be answered better")
	case len(r.Text) > maxReason:
		return nil, nil, gatehouse.E(gatehouse.Invalid, "the comment has %d bytes, the limit is %d", len(r.Text), maxReason)
	}
	if err := g.apart(ctx, q.was.By, "answered it"); err != nil {
		return nil, nil, err
	}
	if role := q.rule.Check.Question.Confirm; role != "" && (g.Holds == nil || !g.Holds(actor(ctx), role, q.API())) {
		return nil, nil, gatehouse.E(gatehouse.Denied, "%q does not hold role %q on %s, which the control asks of who confirms", actor(ctx), role, q.API())
	}
	next := *q.was
	next.State, next.DecidedBy, next.Decided, next.Comment = gatehouse.Approved, actor(ctx), g.now(), r.Text
	action := "gate.confirm"
	if r.Reject {
		next.State, action = gatehouse.Rejected, "gate.reject"
	}
	decision, err := g.decision(ctx, q, &next)
	if err != nil {
		return nil, nil, err
	}
	acts := q.act(action, r.Text)
	acts[0].Writes = append(acts[0].Writes, decision)
	return &next, acts, nil
}

// decision is the record of the person's word, bound to the answer it is on.
func (g *Gate) decision(ctx context.Context, q *asking, a *gatehouse.Answer) (store.Write, error) {
	digest, err := rule.Digest(q.was)
	if err != nil {
		return store.Write{}, err
	}
	d := gatehouse.Decision{
		Subject: "Answer " + q.ID() + " " + q.rule.ID, Digest: digest, Decision: a.State, By: a.DecidedBy, Time: a.Decided, Comment: a.Comment, Evidence: a.Evidence,
	}
	value, err := jsonx.Canonical(&d)
	return store.Write{
		Key: string(gatehouse.KindDecision) + "/" + d.Subject + "/" + d.Digest + "/" + d.By, Kind: string(gatehouse.KindDecision), Value: value, Expect: store.Absent,
		Index: map[string]string{"subject": d.Subject, "digest": d.Digest, "decision": d.Decision, "by": d.By},
	}, err
}

// Answers lists what was answered about an API version, the newest last.
func (g *Gate) Answers(ctx context.Context, api, version string) (all []gatehouse.Answer, err error) {
	err = each(ctx, g.db, store.Query{Kind: string(gatehouse.KindAnswer), Where: map[string]string{"api": api, "version": version}}, func(r store.Record) error {
		a, err := read[gatehouse.Answer](r)
		if err == nil {
			all = append(all, *a)
		}
		return err
	})
	slices.SortStableFunc(all, func(a, b gatehouse.Answer) int { return a.Time.Compare(b.Time) })
	return all, err
}
